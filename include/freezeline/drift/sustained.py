"""When significant and large becomes an alert: only when it lasts."""

from collections.abc import Sequence

from include.freezeline.contracts.judgement import Verdict


def sustained_verdict(
    is_shifted: Sequence[bool], at_least: int, *, is_sufficient: bool = True
) -> Verdict:
    """Return the verdict from the windows, newest first.

    A shift that the newest window no longer shows is over. A shift in fewer than ``at_least``
    windows is a warning, so one outlier window never alerts (unless the policy asks for 1).

    Args:
        is_shifted: Whether each window is significant with an effect that matters.
        at_least: Windows that must be shifted for a breach.
        is_sufficient: Whether the newest window had enough evidence.
    """
    if not is_sufficient or not is_shifted:
        return "insufficient_evidence"
    if not is_shifted[0]:
        return "ok"
    return "breach" if sum(is_shifted) >= at_least else "warning"
