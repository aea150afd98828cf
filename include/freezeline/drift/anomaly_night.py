"""A night of anomaly questions: control false discoveries over all of them, then decide."""

from collections.abc import Sequence

from include.freezeline.contracts.judgement import Verdict
from include.freezeline.drift.anomaly_policy import AnomalyPolicy
from include.freezeline.drift.findings import Finding, Judged
from include.freezeline.stats.multiplicity import adjusted_p_values


def decide_anomalies(findings: Sequence[Finding], policy: AnomalyPolicy) -> list[Judged]:
    """Return the night's verdicts.

    The p-value of a finding already says that enough of the current days are shifted. The newest
    day alone is a second family of questions; it can only warn. So can an hourly alarm, whose rate
    of false alarms is the series' own; it breaches when its p-value holds over all questions of the
    night and the change lasts.
    """
    sustained = _q_values([finding.result.p_value for finding in findings], policy)
    newest = _q_values([f.details.get("newest_day_p_value") for f in findings], policy)
    return [
        _judged(finding, q, q_newest, policy)
        for finding, q, q_newest in zip(findings, sustained, newest, strict=True)
    ]


def _q_values(p_values: Sequence[float | None], policy: AnomalyPolicy) -> list[float | None]:
    """Return adjusted p-values, None where there is none."""
    known = [i for i, p_value in enumerate(p_values) if p_value is not None]
    raw = [p_value for p_value in p_values if p_value is not None]
    adjusted = dict(zip(known, adjusted_p_values(raw, policy.false_discovery.method), strict=True))
    return [adjusted.get(i) for i in range(len(p_values))]


def _judged(
    finding: Finding, q_value: float | None, q_newest: float | None, policy: AnomalyPolicy
) -> Judged:
    """Compare with the policy and say why."""
    level, where = policy.false_discovery.level, finding.segment.label
    if q_value is None:
        reason = f"{where}: {finding.result.reason}."
        return Judged(finding, "insufficient_evidence", None, reason)
    is_significant = q_value <= level
    is_newest_out = (
        q_newest is not None
        and q_newest <= level
        and finding.details["newest_day_effect"] >= finding.min_effect
    )
    is_alarm = finding.is_large and "alarmed_at" in finding.details
    verdict: Verdict = "warning" if is_newest_out or is_alarm else "ok"
    words = f"q = {q_value:.2g} is above {level:g}, nothing unusual"
    if is_significant and finding.is_large and finding.details.get("is_lasting", True):
        verdict, words = "breach", f"q = {q_value:.2g} is at most {level:g}, and it lasts"
    elif is_alarm:
        words = f"alarm at {finding.details['alarmed_at']}, not yet or no longer sustained"
    elif is_newest_out:
        words = f"the newest day alone is out (q = {q_newest:.2g}), not yet sustained"
    elif is_significant:
        words = f"significant (q = {q_value:.2g}) but below the change that matters"
    missing = finding.details.get("newest_shortage")
    if verdict == "ok" and missing is not None:
        # Nothing unusual until then says nothing about what has stopped since.
        verdict, words = "insufficient_evidence", f"{words}, but {missing}"
    details = {"newest_day_q_value": q_newest}
    return Judged(finding, verdict, q_value, f"{where}: {finding.effect_text}; {words}.", details)
