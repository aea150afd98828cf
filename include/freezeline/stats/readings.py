"""Judge a level by its mean and by the mean and the quantiles of an hour together.

A mean moves with every odd mix of small and large requests, and a change of every request hides in
that. Taken together the readings of an hour tell the two apart (``stats/joint.py``). The mean stays: a
change of the large requests alone moves nothing else. It may raise 3% of the false alarms that are
allowed, as it raises most beyond what its past promises, and all readings together half;
p-values are doubled (Bonferroni).

How large a change is, is told of the quantile that has wandered least.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from include.freezeline.stats.cusum import Alarm
from include.freezeline.stats.hourly import scan_levels, usual_levels
from include.freezeline.stats.hourly_scan import HourlyPlan, HourlyScan, is_constant
from include.freezeline.stats.joint import scan_joint
from include.freezeline.stats.level_evidence import level_logs, rolling_levels
from include.freezeline.stats.result import FloatArray
from include.freezeline.stats.seasons import HOURS_A_DAY

# Shares of the false alarms; measured in docs/statistics.md.
_MEAN_SHARE, _JOINT_SHARE = 0.03, 0.5
# A reading that is known in fewer of the hours than this is none.
_MIN_KNOWN_SHARE = 0.9
_MIN_COMPARED_HOURS = 24
# One wild hour must not decide which quantile is told of.
_ERROR_CAP = 1.0


def scan_readings(
    mean: FloatArray,
    quantiles: Sequence[FloatArray],
    counts: FloatArray,
    judged_from: int,
    plan: HourlyPlan,
) -> tuple[HourlyScan, int | None]:
    """Look for a change of level in the mean, and in the mean and the quantiles together.

    Null hypothesis: the judged hours behave like those before them.

    Args:
        mean: Positive mean of each hour from a midnight on; NaN where missing.
        quantiles: Quantiles of the same numbers, each with a value per hour.
        counts: Events behind each hour.
        judged_from: First judged hour, a multiple of 24.
        plan: What is looked for.

    Returns:
        The scan of all readings where it saw the newest alarm, or has the stronger evidence when there
        is none, else that of the mean, with the alarms of both; and the quantile whose usual values and
        residuals it has, None for the mean.
    """
    place = None if is_constant(mean[:judged_from]) else steadiest(mean, quantiles, judged_from, plan)  # fmt: skip
    if place is None:
        return scan_levels(mean, counts, judged_from, plan), None
    of_mean = scan_levels(mean, counts, judged_from, _part(plan, _MEAN_SHARE))
    of_all = _scan_all(mean, quantiles, counts, judged_from, plan)
    told = usual_levels(quantiles[place], counts, judged_from, plan)
    if of_all.p_value is None or told is None:
        return of_mean, None
    together = replace(of_all, residuals=told[0], usual=told[1])
    if of_mean.p_value is None:
        return together, place
    alarms = _together(of_mean.alarms, of_all.alarms)
    if alarms:
        is_of_all = any(_is_same(alarms[-1], alarm) for alarm in of_all.alarms)
    else:
        is_of_all = of_all.p_value < of_mean.p_value
    p_value = min(1.0, 2.0 * min(of_mean.p_value, of_all.p_value))
    scan = together if is_of_all else of_mean
    return replace(scan, alarms=alarms, p_value=p_value), place if is_of_all else None


def _scan_all(
    mean: FloatArray,
    quantiles: Sequence[FloatArray],
    counts: FloatArray,
    judged_from: int,
    plan: HourlyPlan,
) -> HourlyScan:
    """Look at all readings together that are known nearly as often as the one known most."""
    readings = (mean, *quantiles)
    n_known = [int(np.isfinite(level_logs(row[:judged_from])).sum()) for row in readings]
    enough = _MIN_KNOWN_SHARE * max(n_known)
    often = [row for row, n in zip(readings, n_known, strict=True) if n >= enough]
    return scan_joint(often, counts, judged_from, _part(plan, _JOINT_SHARE))


def _together(first: Sequence[Alarm], second: Sequence[Alarm]) -> tuple[Alarm, ...]:
    """Return alarms of two readings, oldest first; what both saw within a day is one alarm."""
    kept: list[Alarm] = []
    for alarm in sorted((*second, *first), key=lambda each: each.hour):
        if not any(_is_same(alarm, other) for other in kept):
            kept.append(alarm)
    return tuple(kept)


def _is_same(first: Alarm, second: Alarm) -> bool:
    """Whether two alarms are of one change: in one direction and within a day."""
    return first.is_rise == second.is_rise and abs(first.hour - second.hour) < HOURS_A_DAY


def _part(plan: HourlyPlan, share: float) -> HourlyPlan:
    """Return the plan with a share of its false alarms."""
    return replace(plan, false_alarms_per_month=share * plan.false_alarms_per_month)


def steadiest(
    mean: FloatArray, quantiles: Sequence[FloatArray], judged_from: int, plan: HourlyPlan
) -> int | None:
    """Return the quantile that was off by half of the change that matters in the fewest hours.

    Args:
        mean: Mean of each hour; NaN where missing.
        quantiles: Quantiles of the same numbers, each with a value per hour.
        judged_from: Only hours before this one count.
        plan: Says which change matters.

    Returns:
        Its place; None when none of them has enough hours.
    """
    half = math.log1p(plan.min_change_ratio) / 2.0
    found = []
    for place, values in enumerate(quantiles):
        past = level_logs(values[:judged_from])
        if np.isfinite(past).sum() < _MIN_KNOWN_SHARE * np.isfinite(mean[:judged_from]).sum():
            continue
        off = np.abs(past - rolling_levels(past))
        off = np.minimum(off[np.isfinite(off)], _ERROR_CAP)
        if len(off) >= _MIN_COMPARED_HOURS:
            found.append((float((off > half).mean()), float(off.mean()), place))
    return min(found)[2] if found else None
