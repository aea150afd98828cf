"""When a series began to change, by how much, with intervals.

A step is a new level from some point on, a ramp a slope from some point on. The point is the least
squares one (Hinkley 1970; Feder 1975 for the ramp). Its interval holds the points whose
likelihood ratio is not too low: the limit for a step is that of Siegmund 1988, the ramp is regular
and has the chi-square's. Autocorrelated residuals count as fewer values: n (1 - r) / (1 + r), with
r the correlation of neighbours (Bartlett 1935).
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from include.freezeline.stats.result import FloatArray

_MIN_SIDE = 3
# 95% point of (1 - exp(-x / 2))^2, the law of a step's likelihood ratio at the true point.
_STEP_LIMIT = -2.0 * math.log(1.0 - math.sqrt(0.95))
_RAMP_LIMIT = float(stats.chi2.ppf(0.95, 1))


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A change inside a series.

    Attributes:
        index: First changed place.
        interval: 95% interval of ``index``, both ends inside.
        effect: Change of level after a step; change up to the end of a ramp.
        effect_interval: 95% interval of ``effect``, given the point.
        n: Known values.
    """

    index: int
    interval: tuple[int, int]
    effect: float
    effect_interval: tuple[float, float]
    n: int


def find_change(values: FloatArray, kind: Literal["step", "ramp"]) -> ChangePoint | None:
    """Return the best change point; None with fewer than eight values or none that differ.

    Args:
        values: In time order; NaN places are left out, but time passes there too.
        kind: Sudden or creeping.
    """
    times = np.flatnonzero(np.isfinite(values))
    known = values[times]
    if len(known) < 2 * _MIN_SIDE + 2 or np.ptp(known) == 0.0:
        return None
    # A step is a new value at its first place, a ramp is zero there and rises after it.
    splits = times[_MIN_SIDE : len(times) - _MIN_SIDE + 1] if kind == "step" else times[:-_MIN_SIDE]
    basis = [_shape(times, int(split), kind) for split in splits]
    errors = np.array([_residuals(known, shape)[0] for shape in basis])
    best = int(np.argmin(errors))
    slope, residuals = _residuals(known, basis[best])[1:]
    n_effective = len(known) * _independence(residuals)
    limit = _STEP_LIMIT if kind == "step" else _RAMP_LIMIT
    # A perfect fit leaves no doubt about the point.
    inside = errors <= max(errors[best], 0.0) * math.exp(limit / n_effective)
    reach = float(basis[best][-1])
    margin = reach * _slope_error(residuals, basis[best], n_effective)
    return ChangePoint(
        index=int(splits[best]),
        interval=(int(splits[inside].min()), int(splits[inside].max())),
        effect=slope * reach,
        effect_interval=(slope * reach - margin, slope * reach + margin),
        n=len(known),
    )


def _shape(times: np.ndarray, split: int, kind: str) -> FloatArray:
    """Return the change at each time, up to its size."""
    if kind == "step":
        return np.asarray(times >= split, dtype=np.float64)
    return np.asarray(np.maximum(0, times - split), dtype=np.float64)


def _residuals(values: FloatArray, shape: FloatArray) -> tuple[float, float, FloatArray]:
    """Return the squared error of the best level and size, that size, and the residuals."""
    centred, level = shape - shape.mean(), values - values.mean()
    size = float(centred @ level) / float(centred @ centred)
    residuals = level - size * centred
    return float(residuals @ residuals), size, residuals


def _independence(residuals: FloatArray) -> float:
    """Return which share of the values is worth an independent one; at most 1."""
    total = float(residuals @ residuals)
    if total == 0.0:
        return 1.0
    correlation = float(residuals[1:] @ residuals[:-1]) / total
    return min(1.0, (1.0 - correlation) / (1.0 + max(correlation, -0.5)))


def _slope_error(residuals: FloatArray, shape: FloatArray, n_effective: float) -> float:
    """Return the half width of the size's 95% interval."""
    df = max(1.0, n_effective - 3.0)
    centred = shape - shape.mean()
    spread = float(residuals @ residuals) / df * (n_effective / len(residuals))
    inflation = len(residuals) / n_effective
    error = math.sqrt(spread * inflation / float(centred @ centred))
    return float(stats.t.ppf(0.975, df)) * error
