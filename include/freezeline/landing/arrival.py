"""When an object reached the bucket, read from its key.

Exporters put the upload time into the key's partition, at the precision the layout has: a
minute, an hour or a day. The partition names an interval, not an instant, and the object is
certainly there only when the interval is over. So the arrival is the interval's **last
microsecond**: never earlier than the upload, and still before the midnight that ends the day. A
fact object ``dt=2026-10-12`` therefore belongs to the night whose ``as_of`` is 2026-10-13
00:00 and to no earlier one, exactly like the traces of minute 23:59.
"""

import re
from datetime import UTC, date, datetime, time, timedelta

_HIVE = re.compile(
    r"(?:^|/)year=(\d{4})/month=(\d{1,2})/day=(\d{1,2})"
    r"(?:/hour=(\d{1,2})(?:/minute=(\d{1,2}))?)?(?=/)"
)
_ISO_DATE = re.compile(r"(?:^|/)(?:dt=|date=)?(\d{4})-(\d{2})-(\d{2})(?:/(\d{2}))?(?=/)")
_FOLDERS = re.compile(r"(?:^|/)(\d{4})/(\d{2})/(\d{2})(?:/(\d{2})(?:/(\d{2}))?)?(?=/)")
_LAYOUTS = (_HIVE, _ISO_DATE, _FOLDERS)
_STEPS = {3: timedelta(days=1), 4: timedelta(hours=1), 5: timedelta(minutes=1)}
_INSTANT = timedelta(microseconds=1)


def parse_arrival(key: str) -> datetime | None:
    """Return the last instant of the partition a key lies in, or None when it names none.

    Layouts: ``year=/month=/day=[/hour=[/minute=]]``, ``dt=YYYY-MM-DD`` (also ``date=`` or bare),
    and ``YYYY/MM/DD[/HH[/MM]]``; all read as UTC.

    Examples:
        >>> parse_arrival("traces/year=2026/month=10/day=12/hour=23/minute=59/a.json").isoformat()
        '2026-10-12T23:59:59.999999+00:00'
        >>> parse_arrival("facts/escalations/dt=2026-10-12/e.csv").date().isoformat()
        '2026-10-12'
    """
    period = parse_period(key)
    return None if period is None else period[1] - _INSTANT


def parse_period(key: str) -> tuple[datetime, datetime] | None:
    """Return start and exclusive end of the partition a key lies in, or None.

    Examples:
        >>> [moment.hour for moment in parse_period("a/2026/10/12/05/x") or ()]
        [5, 6]
    """
    for layout in _LAYOUTS:
        match = layout.search(key)
        if match is None:
            continue
        parts = [int(part) for part in match.groups() if part is not None]
        try:
            start = datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]
            return start, start + _STEPS[len(parts)]
        except (ValueError, OverflowError):
            continue
    return None


def arrival_of(key: str, modified_at: datetime) -> datetime:
    """Return when an object arrived: its key's partition, else its modification time."""
    return parse_arrival(key) or modified_at


def night_of(arrived_at: datetime) -> datetime:
    """Return the end of the night an arrival belongs to: the first midnight after it, UTC.

    Examples:
        >>> night_of(datetime(2026, 10, 12, tzinfo=UTC)).isoformat()
        '2026-10-13T00:00:00+00:00'
    """
    midnight = arrived_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def date_of(arrived_at: datetime) -> date:
    """Return the UTC date of an arrival, under which the books keep it."""
    return arrived_at.astimezone(UTC).date()


def night_of_date(arrival_date: date) -> datetime:
    """Return the end of the night that arrivals of a date belong to."""
    return datetime.combine(arrival_date, time(), tzinfo=UTC) + timedelta(days=1)


def arrival_date_of(night: datetime) -> date:
    """Return the date whose arrivals belong to a night."""
    return (night - timedelta(days=1)).astimezone(UTC).date()
