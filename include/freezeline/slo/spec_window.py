"""The compliance window of an SLO file."""

import re
from datetime import datetime, time
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator, model_validator

from include.freezeline.slo.annotations import Strict
from include.freezeline.slo.windows import parse_duration

_HOUR_S = 3600


class CalendarStart(Strict):
    """Where calendar periods begin.

    Attributes:
        startTime: ``YYYY-MM-DD HH:MM:SS``, a local midnight; for months the first of one.
        timeZone: IANA time zone of it.
    """

    startTime: str  # noqa: N815 - OpenSLO's spelling
    timeZone: str  # noqa: N815 - OpenSLO's spelling

    @field_validator("startTime")
    @classmethod
    def _check_start(cls, text: str) -> str:
        try:
            start = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - local by design
        except ValueError:
            message = "must be written as '2026-01-01 00:00:00'"
            raise ValueError(message) from None
        if start.time() != time():
            message = "must be a midnight (periods are whole local days; write 00:00:00)"
            raise ValueError(message)
        return text

    @field_validator("timeZone")
    @classmethod
    def _check_zone(cls, text: str) -> str:
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = "must be an IANA time zone such as 'Europe/Berlin'"
            raise ValueError(message) from None
        return text


class TimeWindow(Strict):
    """The compliance window: elapsed time that rolls, or a local day or month of the calendar."""

    duration: str
    isRolling: bool  # noqa: N815 - OpenSLO's spelling
    calendar: CalendarStart | None = None

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.isRolling:
            if self.calendar is not None:
                message = "calendar: a rolling window has none (remove it, or set isRolling: false)"
                raise ValueError(message)
            _check_rolling(self.duration)
        elif self.calendar is None:
            message = "calendar: required when isRolling is false (add startTime and timeZone)"
            raise ValueError(message)
        else:
            _check_calendar(self.duration, self.calendar)
        return self


def _check_rolling(duration: str) -> None:
    """Refuse a duration that is too short, or not of a fixed length."""
    if re.fullmatch(r"\d+m", duration):
        message = "duration: m means minutes; write '28d' for four weeks"
        raise ValueError(message)
    try:
        length = parse_duration(duration)
    except ValueError as error:
        message = f"duration: {error}"
        raise ValueError(message) from None
    if length.total_seconds() < 24 * _HOUR_S:
        message = f"duration: must be at least 24h, got {duration!r}"
        raise ValueError(message)


def _check_calendar(duration: str, start: CalendarStart) -> None:
    """Refuse what is not a local day or month."""
    if duration not in ("1d", "1M"):
        message = f"duration: a calendar window lasts 1d or 1M (a month), got {duration!r}"
        raise ValueError(message)
    if duration == "1M" and not start.startTime.startswith("01", 8):
        message = f"calendar.startTime: months begin on the first, got {start.startTime!r}"
        raise ValueError(message)
