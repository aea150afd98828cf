"""How far off the told change of an hourly level may be, as days vary by themselves.

Hours of a day go up and down together, so days are the blocks: their scatter before the judged hours
says how far the level of as many days, and the usual one that they are compared with, may be off.
"""

import math

import numpy as np
from scipy import stats

from include.freezeline.stats.result import FloatArray
from include.freezeline.stats.robust import MAD_EFFICIENCY, MAD_TO_SD, MEDIAN_VARIANCE
from include.freezeline.stats.seasons import HOURS_A_DAY, whole_days

_MIN_DF, _MIN_DAYS, _MIN_DAY_HOURS = 3.0, 4, 6
# Days before that a usual level is the median of.
_LEVEL_DAYS = 7
# No level is known better than to about 1%; without enough days before, hardly to 10%.
_LEAST_LOG, _UNKNOWN_LOG = 0.01, 0.1


def change_margin(residuals: FloatArray, judged_from: int, told: slice) -> float:
    """Return the half width of the 95% interval of the median of some hours; always above 0.

    Args:
        residuals: Distance of each hour from its usual level, in logs, from a midnight on; NaN where
            unknown.
        judged_from: First judged hour; the scatter is taken from the days before.
        told: Hours whose median is told.
    """
    own = np.full(len(residuals), np.nan)
    own[told] = residuals[told]
    n_hours = np.isfinite(whole_days(own)).reshape(-1, HOURS_A_DAY).sum(axis=1).astype(np.float64)
    if not n_hours.any():
        return _UNKNOWN_LOG
    day_scale, hour_scale, n_past = _scales(residuals[:judged_from])
    n_days = float(n_hours.sum()) ** 2 / float((n_hours**2).sum())
    variance = day_scale**2 * (1.0 / n_days + MEDIAN_VARIANCE / _LEVEL_DAYS)
    variance += hour_scale**2 * MEDIAN_VARIANCE / float(n_hours.sum())
    df = max(_MIN_DF, MAD_EFFICIENCY * (n_past - 1))
    return float(stats.t.ppf(0.975, df)) * math.sqrt(variance)


def _scales(past: FloatArray) -> tuple[float, float, int]:
    """Return the robust scatter of days around usual and of hours around days, and how many days."""
    days = whole_days(past).reshape(-1, HOURS_A_DAY)
    days = days[np.isfinite(days).sum(axis=1) >= _MIN_DAY_HOURS]
    if len(days) < _MIN_DAYS:
        return _UNKNOWN_LOG, _UNKNOWN_LOG, len(days)
    middles = np.nanmedian(days, axis=1)
    around = np.abs(days - middles[:, None])
    day_scale = MAD_TO_SD * float(np.median(np.abs(middles)))
    return (
        max(day_scale, _LEAST_LOG),
        MAD_TO_SD * float(np.nanmedian(around)),
        len(days),
    )
