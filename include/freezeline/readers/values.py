"""Plain values out of whatever a source wrote: numbers as text, integers as doubles, and so on.

What cannot be understood is None: unknown is null, never zero.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_TIME_NS = 253_402_300_799 * 10**9  # the end of the year 9999
_MAX_INTEGER_DIGITS = 19
_MIN_INT64, _MAX_INT64 = -(2**63), 2**63 - 1
_TRUTHS = {"true": True, "false": False}


def to_text(value: Any) -> str | None:
    """Return a non-empty text; numbers and booleans are written as JSON writes them."""
    if type(value) is str:
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return None


def to_integer(value: Any) -> int | None:
    """Return a 64-bit integer from an integer, a whole double or decimal digits."""
    if type(value) is str:
        if len(value) <= _MAX_INTEGER_DIGITS and value.isdigit() and value.isascii():
            number = int(value)  # as nearly all numbers in OTLP/JSON are
            return number if number <= _MAX_INT64 else None
    elif type(value) is int:
        return value if _MIN_INT64 <= value <= _MAX_INT64 else None
    elif value is None:
        return None
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = _digits(value)
    elif isinstance(value, float):
        value = int(value) if value.is_integer() else None
    if isinstance(value, int) and _MIN_INT64 <= value <= _MAX_INT64:
        return value
    return None


def to_number(value: Any) -> float | None:
    """Return a finite double from a number or a text that holds one."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def to_boolean(value: Any) -> bool | None:
    """Return a boolean from a boolean or its name."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _TRUTHS.get(value.lower())
    return None


def to_texts(value: Any) -> list[str]:
    """Return the texts of a list; a single text is a list of one."""
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return [value] if isinstance(value, str) else []


def to_time_ns(value: Any) -> int:
    """Return Unix nanoseconds from an integer or its digits; 0 when unknown or impossible."""
    nanoseconds = to_integer(value)
    return nanoseconds if nanoseconds is not None and 0 < nanoseconds <= _MAX_TIME_NS else 0


def to_timestamp(time_ns: int) -> datetime | None:
    """Return Unix nanoseconds as a UTC time with microseconds; None for 0."""
    if not time_ns:
        return None
    # Seconds and the rest apart, because one large number takes a timedelta twice as long.
    seconds, microseconds = divmod(time_ns // 1000, 1_000_000)
    return _EPOCH + timedelta(0, seconds, microseconds)


def to_bytes_text(data: bytes) -> str:
    """Return bytes as the text they hold; of bytes that are no text only the count is kept.

    Base64 would hide a text from redaction, which can only look at what it can read.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return f"<{len(data)} bytes>"
    return text if text.isprintable() else f"<{len(data)} bytes>"


def to_double(value: Any) -> Any:
    """Return an OTLP double; not-a-number and the infinities as the names OTLP gives them.

    A name is something JSON can hold, and no later step takes it for a number.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and not isinstance(value, bool):
        return to_number(value)
    return value if isinstance(value, float | str) else None


def _digits(text: str) -> int | None:
    """Return the integer that decimal digits stand for."""
    text = text.strip()
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_INTEGER_DIGITS:
        return int(text)
    return None
