"""The plan of a build: everything again, or the days that what arrived touches.

Two builds are the same to every row that neither reads anything new for nor sees with other eyes.
So a night makes a slice when all that changed is what lies in the lake and the hour, and makes
everything again when something changed that speaks of the whole past: the models, a policy, a
price of a model that was called before, an erasure, or a night before the last one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

Axis = Literal["event", "arrival", "counter", "usage", "invoice", "tier", "bucket"]
AXES: tuple[Axis, ...] = ("event", "arrival", "counter", "usage", "invoice", "tier", "bucket")
# A slice of more days than this share of all costs more than everything at once.
_MAX_SLICE_RATIO = 0.6
_MIN_DAYS = 10


@dataclass(frozen=True, slots=True)
class BuiltInputs:
    """What a build was made of, beside the lake's rows.

    Attributes:
        as_of: Exclusive end of what it knew.
        code_hash: Models, contracts and engine.
        policy_hash: Variables of the models.
        tombstones_hash: Who was erased.
    """

    as_of: datetime
    code_hash: str
    policy_hash: str
    tombstones_hash: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Days of one night.

    Attributes:
        touched: Days whose rows are written again, by axis: the day of the event, or of a book's
            arrival, of counters and what they measure, and of facts that are no events of calls.
        loaded: Days that are read, by lake table; a table that is not named is read whole.
    """

    touched: Mapping[Axis, Sequence[date]]
    loaded: Mapping[str, Sequence[date]]

    def as_variable(self) -> dict[str, dict[str, list[str]]]:
        """Return it as the dbt variable ``night_slice``."""
        return {
            "touched": {axis: _texts(self.touched.get(axis, ())) for axis in AXES},
            "loaded": {table: _texts(days) for table, days in sorted(self.loaded.items())},
        }


def reason_for_everything(built: BuiltInputs | None, wanted: BuiltInputs) -> str | None:
    """Say why a slice will not do; None when nothing stands against it.

    Args:
        built: The last build that ended well; None when there is none.
        wanted: The one to make.
    """
    if built is None:
        return "no build before this one ended well"
    if wanted.as_of < built.as_of:
        return f"the warehouse knows {built.as_of:%Y-%m-%d %H:%M}Z already, which is later"
    changed = (
        ("code_hash", "the models changed"),
        ("policy_hash", "a policy changed"),
        ("tombstones_hash", "somebody was erased"),
    )
    reasons = (text for name, text in changed if getattr(built, name) != getattr(wanted, name))
    return next(reasons, None)


def is_worth_a_slice(n_days: int, n_stored_days: int) -> bool:
    """Whether a slice costs less than everything.

    Examples:
        >>> is_worth_a_slice(5, 365), is_worth_a_slice(300, 365), is_worth_a_slice(5, 6)
        (True, False, True)
    """
    return n_days <= max(_MIN_DAYS, _MAX_SLICE_RATIO * n_stored_days)


def settled_between(built: datetime, as_of: datetime, maturity: timedelta) -> list[date]:
    """Return the days whose requests settle between two nights.

    Examples:
        >>> night = datetime(2026, 10, 13, tzinfo=UTC)
        >>> [day.day for day in settled_between(night, night + timedelta(days=1), timedelta(days=3))]
        [10, 11]
    """
    if built == as_of:
        return []
    first, last = ((moment - maturity).astimezone(UTC).date() for moment in (built, as_of))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _texts(days: Iterable[date]) -> list[str]:
    """Write days in ISO form, sorted, each once."""
    return sorted({day.isoformat() for day in days})
