"""The ledger of nights: what each source delivered, what it usually does, and the verdict.

A function of the object ledger and of the newest night alone: however the nights were run, in
one run or in many, in order or not, the same rows come out.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any

from include.freezeline.landing.arrival import night_of_date
from include.freezeline.landing.books import require_balance
from include.freezeline.landing.records import Row
from include.freezeline.landing.sources import Source

SILENT = "silent"
LOW_VOLUME = "low_volume"
OK = "ok"
INSUFFICIENT = "insufficient_evidence"

_DAY = timedelta(days=1)
_USUAL_NIGHTS = 28
_LEAST_NIGHTS = 7
# A night in which nobody delivered anything has rows for this long after somebody did.
_REMEMBERED_NIGHTS = 400
_SUMS = (
    "object_size_bytes",
    "record_count",
    "landed_count",
    "duplicate_count",
    "quarantined_count",
    "late_count",
    "redaction_count",
)
_STATES = {
    "landed": "landed_object_count",
    "empty": "empty_object_count",
    "quarantined": "quarantined_object_count",
}
_COUNTS = ("object_count", *_STATES.values(), *_SUMS)

LEDGER_COLUMNS = ("source_name", "night_as_of", "status", *_SUMS)
"""What :func:`recount_nights` needs of a ledger row."""


def last_full_night(as_of: datetime) -> datetime:
    """Return the end of the last night that is over: the midnight at or before ``as_of``."""
    return datetime.combine(as_of.astimezone(UTC).date(), time(), tzinfo=UTC)


def nights_to_count(
    ledger_dates: Iterable[date],
    recorded: Iterable[datetime],
    touched: Iterable[datetime],
    as_of: datetime,
) -> list[datetime]:
    """Return the nights whose objects must be counted, in order.

    Args:
        ledger_dates: Arrival dates that the ledger holds.
        recorded: Nights that have rows.
        touched: Nights of which objects were landed or replaced.
        as_of: Exclusive end of what is known.
    """
    known = set(recorded)
    newest = max([last_full_night(as_of), *known])
    wanted = {last_full_night(as_of)} | {night for night in touched if night <= newest}
    for delivered_on in ledger_dates:
        first = night_of_date(delivered_on)
        n_nights = min((newest - first).days, _REMEMBERED_NIGHTS) + 1
        wanted.update({first + _DAY * number for number in range(n_nights)} - known)
    return sorted(wanted)


def recount_nights(
    recorded: Sequence[Row],
    ledger_rows: Iterable[Mapping[str, Any]],
    nights: Sequence[datetime],
    sources: Sequence[Source],
) -> list[Row]:
    """Return all rows of the ledger of nights, by night and source.

    Args:
        recorded: Its rows so far.
        ledger_rows: Ledger rows of the nights to count, at least ``LEDGER_COLUMNS`` of them.
        nights: Nights to count anew.
        sources: Configured sources; others have rows where they delivered.

    Raises:
        AccountingError: The objects' books of a night do not add up.
    """
    counted = set(nights)
    rows = {
        (row["night_as_of"], row["source_name"]): row
        for row in recorded
        if row["night_as_of"] not in counted
    }
    by_name = {source.name: source for source in sources}
    rows |= _count(ledger_rows, nights, by_name)
    restated = {night + _DAY * number for night in nights for number in range(_USUAL_NIGHTS + 1)}
    for (night, name), row in rows.items():
        if night in restated:
            ratio = by_name[name].least_volume_ratio if name in by_name else 0.0
            _judge(row, _usual(rows, night, name), ratio)
    return [rows[key] for key in sorted(rows)]


def delivered_records(row: Mapping[str, Any]) -> int:
    """Return the usable records of a night: those put aside are no delivery."""
    return int(row["record_count"]) - int(row["quarantined_count"])


def _count(
    ledger_rows: Iterable[Mapping[str, Any]],
    nights: Sequence[datetime],
    sources: Mapping[str, Source],
) -> dict[tuple[datetime, str], Row]:
    """Add up the objects of nights; a configured source has a row also when it has no object."""
    rows = {(night, name): _empty(night, name, sources) for night in nights for name in sources}
    wanted = set(nights)
    for item in ledger_rows:
        night, name = item["night_as_of"], item["source_name"]
        if night not in wanted:
            continue
        row = rows.setdefault((night, name), _empty(night, name, sources))
        row["object_count"] += 1
        row[_STATES[item["status"]]] += 1
        for column in _SUMS:
            row[column] += item[column]
    for (night, name), row in rows.items():
        require_balance(f"{name}, night of {night:%Y-%m-%d}", [row])
    return rows


def _empty(night: datetime, name: str, sources: Mapping[str, Source]) -> Row:
    """Return the row of a source without an object."""
    is_expected = name in sources and sources[name].expected
    return {
        "source_name": name,
        "night_as_of": night,
        "is_expected": is_expected,
        **dict.fromkeys(_COUNTS, 0),
        "usual_record_count": None,
        "verdict": SILENT,
    }


def _usual(rows: Mapping[tuple[datetime, str], Row], night: datetime, name: str) -> int | None:
    """Return the median records of the nights before, or None when fewer than seven are known.

    They are known from the source's first object on: before it nobody knows what is usual.
    """
    before = [rows.get((night - _DAY * age, name)) for age in range(_USUAL_NIGHTS, 0, -1)]
    known = [row for row in before if row is not None]
    while known and not known[0]["object_count"]:
        known.pop(0)
    if len(known) < _LEAST_NIGHTS:
        return None
    return int(median(int(row["record_count"]) for row in known))


def _judge(row: Row, usual: int | None, least_ratio: float) -> None:
    """Write the usual count and the verdict into a row."""
    n_delivered = delivered_records(row)
    row["usual_record_count"] = usual
    if n_delivered == 0:
        row["verdict"] = SILENT
    elif usual is None:
        row["verdict"] = INSUFFICIENT
    else:
        row["verdict"] = LOW_VOLUME if n_delivered < least_ratio * usual else OK
