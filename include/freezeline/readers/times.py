"""Times of producers that are not OTLP: ISO 8601 texts and Unix times of any unit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from include.freezeline.readers.values import to_time_ns

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_LEAST_S = 10**8  # anything before March 1973 is a counter or a duration, not the time of a call
# Below each bound a Unix time is in that unit: seconds reach the year 5138 before the next one.
_UNITS = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3), (10**20, 1))
_MAX_CHARS = 40


def any_time_ns(value: Any) -> int:
    """Return Unix nanoseconds from a time in whatever form; 0 when it is none.

    Args:
        value: ISO 8601 text (UTC when it names no zone), or a Unix time as a number or its digits,
            in seconds, milliseconds, microseconds or nanoseconds as its size says.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return 0
    if isinstance(value, str) and len(value) > _MAX_CHARS:
        return 0
    try:
        return _unix_ns(Decimal(str(value)))
    except InvalidOperation:
        return _iso_ns(str(value))


def _unix_ns(number: Decimal) -> int:
    """Return nanoseconds of a Unix time whose size says its unit."""
    if not number.is_finite() or number < _LEAST_S:
        return 0
    for bound, ns_per_unit in _UNITS:
        if number < bound:
            return to_time_ns(int(number * ns_per_unit))
    return 0


def _iso_ns(text: str) -> int:
    """Return nanoseconds of an ISO 8601 text, to the microsecond."""
    try:
        moment = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
    except ValueError:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return to_time_ns((moment - _EPOCH) // _US * 1000)
