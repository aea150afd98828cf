"""What of a window's answers was read, so that a verdict can say it of itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from include.freezeline.drift.segments import TextRow

STRATA = "prompt version x day"
ORDER = "by a hash of the call key, one answer of each stratum in turn"
Stratum = tuple[str, date]


def describe_sample(
    offered: Mapping[str, Sequence[TextRow]], read: Mapping[str, Sequence[TextRow]]
) -> dict[str, Any]:
    """Return how many answers of how many were read, by stratum.

    Args:
        offered: By side (``reference``, ``current``) what the marts gave; a row of every stratum
            that has answers is among them.
        read: By side, what is compared. A stratum of which nothing is left shows as 0.
    """
    sides = {side: _side(offered[side], read[side]) for side in offered}
    return {"strata": STRATA, "order": ORDER, **sides}


def _side(offered: Sequence[TextRow], read: Sequence[TextRow]) -> dict[str, Any]:
    """Return the numbers of one side."""
    n_offered, n_read = (Counter(_stratum(row) for row in rows) for rows in (offered, read))
    # A row that nobody counted the neighbours of stands for itself.
    n_answers = dict(n_offered)
    for row in offered:
        n_answers[_stratum(row)] = row.n_in_stratum or n_offered[_stratum(row)]
    return {
        "n_read": len(read),
        "n_answers": sum(n_answers.values()),
        "by_stratum": [
            [version, day.isoformat(), n_read[version, day], n_answers[version, day]]
            for version, day in sorted(n_answers)
        ],
    }


def _stratum(row: TextRow) -> Stratum:
    """Return the stratum of a row."""
    return row.prompt_version, row.called_at.date()
