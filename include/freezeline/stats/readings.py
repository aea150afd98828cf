"""Judge a level by its mean and by the steadiest of its quantiles.

A mean moves with every odd mix of small and large requests, and so does any one quantile where the
mix reaches it; where the mix does not, a quantile stands still for weeks. A change of all requests
moves every one of them by the same ratio, so the one that has wandered least finds it soonest. Of 64
series of real clients 26 have a mean whose six-hour levels scatter by less than 5%, and 50 have such a
quantile (docs/statistics.md). The mean stays: a change of the large requests alone moves nothing else.

Which quantile is asked depends on the hours before the judged ones only. It may raise half of the
false alarms that are allowed and the mean, which raises most beyond what its past promises, a tenth;
p-values are doubled (Bonferroni).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from include.freezeline.stats.cusum import Alarm
from include.freezeline.stats.hourly import HourlyPlan, HourlyScan, is_constant, scan_levels
from include.freezeline.stats.level_evidence import level_logs, rolling_levels
from include.freezeline.stats.result import FloatArray
from include.freezeline.stats.seasons import HOURS_A_DAY

# Shares of the false alarms; measured in docs/statistics.md.
_MEAN_SHARE, _QUANTILE_SHARE = 0.1, 0.5
# A quantile that is missing where the mean is known more often than this is no reading.
_MIN_KNOWN_SHARE = 0.9
_MIN_COMPARED_HOURS = 24
# One wild hour must not decide which quantile is asked.
_ERROR_CAP = 1.0


def scan_readings(
    mean: FloatArray,
    quantiles: Sequence[FloatArray],
    counts: FloatArray,
    judged_from: int,
    plan: HourlyPlan,
) -> tuple[HourlyScan, int | None]:
    """Look for a change of level in the mean and in the steadiest quantile.

    Null hypothesis: the judged hours behave like those before them.

    Args:
        mean: Positive mean of each hour from a midnight on; NaN where missing.
        quantiles: Quantiles of the same numbers, each with a value per hour.
        counts: Events behind each hour.
        judged_from: First judged hour, a multiple of 24.
        plan: What is looked for.

    Returns:
        The scan that raised the newest alarm, or has the stronger evidence where neither did, with the
        alarms of both; and which quantile it is of, None of the mean.
    """
    place = None if is_constant(mean[:judged_from]) else steadiest(mean, quantiles, judged_from, plan)  # fmt: skip
    if place is None:
        return scan_levels(mean, counts, judged_from, plan), None
    of_mean = scan_levels(mean, counts, judged_from, _part(plan, _MEAN_SHARE))
    of_quantile = scan_levels(
        quantiles[place], counts, judged_from, _part(plan, _QUANTILE_SHARE), is_constant_fine=True
    )
    if of_quantile.p_value is None:
        return of_mean, None
    if of_mean.p_value is None:
        return of_quantile, place
    alarms = _together(of_mean.alarms, of_quantile.alarms)
    if alarms:
        is_of_quantile = alarms[-1] in of_quantile.alarms
    else:
        is_of_quantile = of_quantile.p_value < of_mean.p_value
    p_value = min(1.0, 2.0 * min(of_mean.p_value, of_quantile.p_value))
    told = of_quantile if is_of_quantile else of_mean
    return replace(told, alarms=alarms, p_value=p_value), place if is_of_quantile else None


def _together(first: Sequence[Alarm], second: Sequence[Alarm]) -> tuple[Alarm, ...]:
    """Return alarms of two readings, oldest first; what both saw within a day is one alarm."""
    kept: list[Alarm] = []
    for alarm in sorted((*second, *first), key=lambda each: each.hour):
        if not any(alarm.is_rise == other.is_rise and alarm.hour - other.hour < HOURS_A_DAY for other in kept):  # fmt: skip
            kept.append(alarm)
    return tuple(kept)


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
