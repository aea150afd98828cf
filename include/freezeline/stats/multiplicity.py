"""False-discovery control over all questions of a night, and sustained evidence over days."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import stats


def adjusted_p_values(p_values: Sequence[float], method: Literal["bh", "by"] = "bh") -> list[float]:
    """Return p-values adjusted for false-discovery control (q-values).

    Sources: Benjamini & Hochberg 1995 (``bh``, independent or positively dependent questions);
    Benjamini & Yekutieli 2001 (``by``, any dependence).
    """
    if not p_values:
        return []
    adjusted = stats.false_discovery_control(np.asarray(p_values), method=method)
    return [float(value) for value in adjusted]


def holm_p_values(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that one false finding among all is as rare as the level says.

    Source: Holm 1979 (any dependence between the questions).
    """
    n = len(p_values)
    adjusted = [1.0] * n
    running = 0.0
    for place, i in enumerate(sorted(range(n), key=lambda i: (p_values[i], i))):
        running = max(running, min(1.0, (n - place) * p_values[i]))
        adjusted[i] = running
    return adjusted


def partial_conjunction_p_value(p_values: Sequence[float], at_least: int) -> float:
    """Return the p-value of "fewer than ``at_least`` of these are shifted".

    With 2 of 3 days one outlier day, however wild, can never be enough. Source: Benjamini &
    Heller 2008 (Bonferroni form, valid under any dependence).
    """
    if not 1 <= at_least <= len(p_values):
        message = f"at_least must lie between 1 and {len(p_values)}, got {at_least}"
        raise ValueError(message)
    ordered = sorted(p_values)
    return min(1.0, (len(ordered) - at_least + 1) * ordered[at_least - 1])
