"""What a statistic returns: a value with its interval, p-value, sizes and provenance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StatResult:
    """The answer of one statistic; compared with a threshold elsewhere.

    Attributes:
        value: The statistic or effect size; None when it cannot be computed.
        interval: 95% interval of ``value`` where the method has one.
        p_value: Calibrated p-value, never 0; None where the method has none.
        n_reference: Rows of the reference (pairs for a paired statistic).
        n_current: Rows judged.
        method: Name of the statistic.
        method_version: Changes whenever the numbers could.
        seed: Seed of the random generator; None when none was used.
        reason: Why there is no value; None when there is one.
        details: Method-specific numbers.
    """

    value: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    n_reference: int
    n_current: int
    method: str
    method_version: str = "1"
    seed: int | None = None
    reason: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """All rows that entered the statistic."""
        return self.n_reference + self.n_current

    @property
    def is_sufficient(self) -> bool:
        """Whether there was enough evidence to compute the value."""
        return self.reason is None


def most_moved(shifts: NDArray[np.floating[Any]], names: Sequence[str]) -> dict[str, float]:
    """Return the five shifts that are largest either way, by name, to four digits."""
    order = sorted(range(len(shifts)), key=lambda i: (-abs(float(shifts[i])), names[i]))
    return {names[i]: round(float(shifts[i]), 4) for i in order[:5]}


def insufficient(method: str, reason: str, n_reference: int, n_current: int) -> StatResult:
    """Return the result that says why there is no value; it never counts as fine."""
    return StatResult(
        value=None,
        interval=None,
        p_value=None,
        n_reference=n_reference,
        n_current=n_current,
        method=method,
        reason=reason,
    )
