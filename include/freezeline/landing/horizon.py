"""Which arrival dates a night looks at: the recent ones, and every old one in its turn.

A night lists what arrived since the last recorded night, and ``lookback_days`` more: partitions
carry a collector's local time, and uploads are retried. Objects that come later still are found
by the **sweep**: each night also lists the dates whose turn it is, so that every date up to
``late_days`` back is listed again at least every ``sweep_nights`` nights. An object that reaches
an older partition is found by a full landing only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from include.freezeline.landing.sources import Listing

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Horizon:
    """Arrival dates to look at, UTC.

    Attributes:
        spans: Disjoint ``[first, end)`` dates in order; None is every date there is.
    """

    spans: tuple[tuple[date, date], ...] | None

    def covers(self, moment: datetime) -> bool:
        """Whether an arrival lies in it."""
        return self.touches(moment, moment)

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether any instant of ``[start, end)`` lies in it."""
        if self.spans is None:
            return True
        first, last = start.astimezone(UTC).date(), _last_date(start, end)
        return any(first < until and last >= since for since, until in self.spans)

    def holds(self, start: datetime, end: datetime) -> bool:
        """Whether all of ``[start, end)`` lies in it."""
        if self.spans is None:
            return True
        first, last = start.astimezone(UTC).date(), _last_date(start, end)
        return any(since <= first and last < until for since, until in self.spans)

    def dates(self) -> Sequence[date] | None:
        """Return its dates in order; None is every date."""
        if self.spans is None:
            return None
        return [
            since + _DAY * number
            for since, until in self.spans
            for number in range((until - since).days)
        ]


EVERYTHING = Horizon(None)


def plan_horizon(
    as_of: datetime,
    *,
    last_night: datetime | None,
    interval_start: datetime | None,
    listing: Listing,
) -> Horizon:
    """Return what the run of ``as_of`` looks at.

    Args:
        as_of: Exclusive end of what is known.
        last_night: Newest recorded night up to ``as_of``; without one the bucket was never
            listed, so all of it is.
        interval_start: Start of the interval that the run is for, when it is for one.
        listing: Days to look back, and the turns of older ones.
    """
    if last_night is None:
        return EVERYTHING
    lookback = _DAY * listing.lookback_days
    starts = [as_of, last_night, *([interval_start] if interval_start is not None else [])]
    recent = (min(starts) - lookback).astimezone(UTC).date()
    # One day more, so that what already arrives for the night to come is seen and counted.
    spans = [*_swept(as_of, last_night, recent, listing), (recent, _ceiling(as_of) + _DAY)]
    return Horizon(_joined(spans))


def _swept(
    as_of: datetime, last_night: datetime, recent: date, listing: Listing
) -> list[tuple[date, date]]:
    """Return the old dates whose turn came since the last recorded night, or comes now."""
    tonight = as_of.astimezone(UTC).date()
    n_nights = max((tonight - last_night.astimezone(UTC).date()).days, 1)
    # A round more than late_days: what comes on the last of them is found in that round.
    oldest = listing.late_days + listing.sweep_nights + n_nights - 2
    ages = range((tonight - recent).days + 1, oldest + 1)
    return [
        (tonight - _DAY * age, tonight - _DAY * (age - 1))
        for age in reversed(ages)
        if age % listing.sweep_nights < n_nights
    ]


def _joined(spans: Sequence[tuple[date, date]]) -> tuple[tuple[date, date], ...]:
    """Join spans that follow each other; they come in order."""
    joined: list[tuple[date, date]] = []
    for since, until in spans:
        if joined and joined[-1][1] == since:
            joined[-1] = (joined[-1][0], until)
        else:
            joined.append((since, until))
    return tuple(joined)


def _last_date(start: datetime, end: datetime) -> date:
    """Return the date of the last instant of ``[start, end)``."""
    last = max(start, end - timedelta(microseconds=1))
    return last.astimezone(UTC).date()


def _ceiling(moment: datetime) -> date:
    """Return the first date that begins at or after an instant."""
    day = moment.astimezone(UTC).date()
    return day if moment == datetime.combine(day, time(), tzinfo=UTC) else day + _DAY
