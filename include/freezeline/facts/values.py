"""Type one value of a fact row."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from include.freezeline.facts.spec import FactType

_SAMPLE_CHARS = 500
_TRUE, _FALSE = frozenset({"true", "t", "yes", "1"}), frozenset({"false", "f", "no", "0"})
_DECIMAL_STEP, _DECIMAL_LIMIT = Decimal(1).scaleb(-12), Decimal(10**12)
_INT64 = range(-(2**63), 2**63)


class ValueRejectedError(ValueError):
    """A row cannot be typed.

    Attributes:
        reason: Short code for the quarantine row.
        detail: What was expected; never the value.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Keep both."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def parse_value(kind: FactType, column: str, value: Any) -> Any:
    """Return a value in its declared type; empty text is null.

    Args:
        kind: Declared type.
        column: Column name, for the reason.
        value: As the file has it: text from CSV, typed from Parquet and JSON.

    Raises:
        ValueRejectedError: The value is not of the type.
    """
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return None
    parse, code, remedy = _TYPES[kind]
    try:
        return parse(value)
    except (ValueError, TypeError, OverflowError):
        reason = f"{code}:{column}"
        raise ValueRejectedError(reason, f"{column}: {remedy}") from None


def sample_json(record: Mapping[str, Any], columns: Iterable[str]) -> str:
    """Return the named columns as JSON text of bounded length."""
    shown = {name: record.get(name) for name in columns}
    return json.dumps(shown, default=str, ensure_ascii=False)[:_SAMPLE_CHARS]


def _string(value: Any) -> str:
    """Return text; whole numbers are written without a point, so that ids still join."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError
    text = str(value)
    text.encode("utf-8")  # A lone surrogate cannot be stored.
    return text


def _int64(value: Any) -> int:
    """Return a whole number."""
    if isinstance(value, bool):
        raise TypeError
    number = int(value)
    if number not in _INT64 or (isinstance(value, float) and number != value):
        raise ValueError
    return number


def _float64(value: Any) -> float:
    """Return a finite number."""
    if isinstance(value, bool):
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _decimal(value: Any) -> Decimal:
    """Return an exact amount of at most twelve decimals; more than that is no amount of money."""
    if isinstance(value, bool):
        raise TypeError
    try:
        amount = Decimal(str(value))
        stored = amount.quantize(_DECIMAL_STEP)
        if abs(stored) >= _DECIMAL_LIMIT or stored != amount:
            raise ValueError
    except InvalidOperation:  # also for what is no number, and for comparing with it
        raise ValueError from None
    return stored


def _bool(value: Any) -> bool:
    """Return a truth value."""
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text not in _TRUE | _FALSE:
        raise ValueError
    return text in _TRUE


def _timestamp(value: Any) -> datetime:
    """Return an instant in UTC; a time without a zone is UTC."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = value.isoformat()
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_TYPES: dict[FactType, tuple[Callable[[Any], Any], str, str]] = {
    "string": (_string, "bad_text", "not text (deliver it as UTF-8 text)"),
    "int64": (_int64, "bad_number", "not a whole number of 64 bits (write 42)"),
    "float64": (_float64, "bad_number", "not a finite number (write 12.50)"),
    "decimal": (_decimal, "bad_number", "not an amount of at most 12 decimals (write 12.50)"),
    "bool": (_bool, "bad_bool", "not a truth value (write true or false)"),
    "timestamp": (_timestamp, "bad_time", "not an ISO 8601 time (write 2026-10-14T03:00:00Z)"),
}
