"""Numbers and times for people: rounded only here, never across a line that decides something."""

import math
from datetime import UTC, datetime
from decimal import Decimal

UNKNOWN = "unknown"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def percent(ratio: float | Decimal | None) -> str:
    """Write a ratio as a percentage that stays on its side of 0 % and 100 %.

    >>> percent(1.3109), percent(0.9996), percent(0.00042), percent(None)
    ('131%', '99.96%', '0.042%', 'unknown')
    """
    if ratio is None or not math.isfinite(ratio):
        return UNKNOWN
    value = float(ratio) * 100
    digits = _digits(abs(value))
    text = f"{value:.{digits}f}"
    while digits < 6 and _crosses(value, float(text)):
        digits += 1
        text = f"{value:.{digits}f}"
    # Only an exact zero or tiny noise can still print as zero here.
    return "0%" if float(text) == 0 else f"{_trim(text)}%"


def count(value: float | Decimal | None) -> str:
    """Write a count with thousands separated by commas.

    >>> count(12345), count(Decimal("237.60")), count(-3.25), count(None)
    ('12,345', '237.6', '-3.3', 'unknown')
    """
    if value is None:
        return UNKNOWN
    number = Decimal(str(value))
    if number == number.to_integral_value():
        return f"{int(number):,}"
    return _trim(f"{number.quantize(Decimal('0.1'), rounding='ROUND_HALF_UP'):,}")


def number(value: float | None) -> str:
    """Write a measurement with three significant digits, or whole when it is large.

    >>> number(0.012345), number(45.678), number(1234.5), number(None)
    ('0.0123', '45.7', '1,234', 'unknown')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.0001 else f"{value:.1e}"


def measure(value: float | None, unit: str) -> str:
    """Write a value in its unit; ratios as percentages.

    >>> measure(0.25, "ratio"), measure(81.2, "ms"), measure(0.3, "none")
    ('25%', '81.2 ms', '0.3')
    """
    if unit == "ratio":
        return percent(value)
    if value is None or unit in {"none", "score"}:
        return number(value)
    return f"{number(value)} {unit}"


def utc(moment: datetime | None) -> str:
    """Write an instant as people read it, always UTC.

    >>> utc(datetime(2026, 10, 12, 0, 0, tzinfo=UTC))
    'Mon 2026-10-12 00:00Z'
    """
    if moment is None:
        return UNKNOWN
    at = moment.astimezone(UTC)
    # Weekday names by hand: strftime follows the machine's locale.
    return f"{_DAYS[at.weekday()]} {at:%Y-%m-%d %H:%M}Z"


def day(moment: datetime) -> str:
    """Write a date briefly, without its year.

    >>> day(datetime(2026, 10, 5, tzinfo=UTC))
    '5 Oct'
    """
    at = moment.astimezone(UTC)
    return f"{at.day} {_MONTHS[at.month - 1]}"


def hours(value: float | None) -> str:
    """Write the time to exhaustion: None is a pace that never spends it, 0 is spent.

    >>> hours(None), hours(0.0), hours(5.25), hours(100.0)
    ('not at this pace', 'spent', '5.3 h', '4.2 days')
    """
    if value is None:
        return "not at this pace"
    if value <= 0:
        return "spent"
    return f"{_round(value)} h" if value < 48 else f"{_round(value / 24)} days"


def plural(amount: int, noun: str) -> str:
    """Write an amount with its noun.

    >>> plural(1, "object"), plural(1200, "object")
    ('1 object', '1,200 objects')
    """
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"


def _digits(value: float) -> int:
    """Return decimals that keep about three significant digits under 10 and none over 100."""
    if value >= 100 or value == 0:
        return 0
    if value >= 10:
        return 1
    return min(6, max(2, 1 - math.floor(math.log10(value))))


def _crosses(value: float, rounded: float) -> bool:
    """Whether rounding moved a percentage onto 0 or 100, or over it."""
    return any(
        (value < line) != (rounded < line) or (value > line) != (rounded > line)
        for line in (0.0, 100.0)
    )


def _round(value: float) -> str:
    """Round half away from zero to one decimal, as people expect."""
    return _trim(str(Decimal(str(value)).quantize(Decimal("0.1"), rounding="ROUND_HALF_UP")))


def _trim(text: str) -> str:
    """Drop zeros after the decimal point."""
    return text.rstrip("0").rstrip(".") if "." in text else text
