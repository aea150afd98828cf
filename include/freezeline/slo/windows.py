"""Durations and windows: elapsed time, local calendar periods, all half-open and in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SHORTHAND = re.compile(r"(\d+)([mhdw])")
_UNIT_MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 10080}


@dataclass(frozen=True, slots=True)
class WindowRule:
    """Which window a moment is judged in.

    Attributes:
        text: In words, as ``28d`` or ``1M in Europe/Berlin``.
        length: Elapsed time that rolls; None for a calendar period.
        period: ``1d`` or ``1M``; None for a rolling window.
        zone_name: IANA time zone of the period.
    """

    text: str
    length: timedelta | None = None
    period: str | None = None
    zone_name: str = "UTC"

    def at(self, as_of: datetime) -> "Window":
        """Return the window of a moment; of the calendar, that of the last local day that is over.

        Nights end at UTC midnights: of the local day that holds one, hours are known only, and the
        last hours of a month would never be judged.
        """
        if self.length is not None:
            return rolling_window(as_of, self.length)
        local = as_of.astimezone(ZoneInfo(self.zone_name))
        midnight = datetime(local.year, local.month, local.day, tzinfo=local.tzinfo)
        return calendar_window(midnight.astimezone(UTC), self.period or "", self.zone_name)


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span of time ``[started_at, ended_at)``."""

    started_at: datetime
    ended_at: datetime

    @property
    def length_us(self) -> int:
        """Elapsed microseconds; a local day of a clock change has 23 or 25 hours."""
        return to_us(self.ended_at) - to_us(self.started_at)


def to_us(moment: datetime) -> int:
    """Return microseconds since 1970 as an exact integer."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(moment_us: int) -> datetime:
    """Return the UTC moment of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=moment_us)


def parse_duration(text: str) -> timedelta:
    """Parse an OpenSLO duration of fixed length: minutes, hours, days or weeks.

    Raises:
        ValueError: The text has another form or is zero; months have no fixed length.
    """
    match = _SHORTHAND.fullmatch(text)
    if match is None or int(match[1]) == 0:
        message = (
            f"must be a whole number above 0 and one of m, h, d, w such as '28d', got {text!r}"
        )
        raise ValueError(message)
    return timedelta(minutes=int(match[1]) * _UNIT_MINUTES[match[2]])


def rolling_window(as_of: datetime, length: timedelta) -> Window:
    """Return the elapsed time before ``as_of``; 1 day is always 24 hours."""
    return Window(as_of - length, as_of)


def calendar_window(as_of: datetime, duration: str, zone_name: str) -> Window:
    """Return the local day or month that holds the instant just before ``as_of``.

    Args:
        as_of: Exclusive end of what is known.
        duration: ``1d`` or ``1M``.
        zone_name: IANA time zone whose midnights bound the period.

    Raises:
        ValueError: Another duration was asked for.
    """
    zone = ZoneInfo(zone_name)
    today = (as_of - _MICROSECOND).astimezone(zone).date()
    if duration == "1d":
        first, last = today, today + timedelta(days=1)
    elif duration == "1M":
        first = today.replace(day=1)
        last = (first + timedelta(days=32)).replace(day=1)
    else:
        message = f"a calendar window must last 1d or 1M, got {duration!r}"
        raise ValueError(message)
    bounds = (
        datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) for day in (first, last)
    )
    return Window(*bounds)


def midnights(after: datetime, until: datetime) -> list[datetime]:
    """Return every UTC midnight in ``(after, until]``, then ``until`` itself."""
    day = after.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = []
    while (day := day + timedelta(days=1)) < until:
        moments.append(day)
    return [*moments, until] if until > after else []
