"""Costs as sources report them."""

from decimal import Decimal, InvalidOperation
from typing import Any

_COST_STEP = Decimal("1e-12")
_MAX_COST_USD = Decimal(100_000)


def to_cost_usd(value: Any) -> Decimal | None:
    """Return a reported cost with twelve decimals; None when it is no believable amount."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        cost = Decimal(str(value))
    except InvalidOperation:
        return None
    if not cost.is_finite() or not 0 <= cost < _MAX_COST_USD:
        return None
    return cost.quantize(_COST_STEP)
