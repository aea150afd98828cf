"""Slow drift of a share: a binomial regression on time that allows for over-dispersion."""

import math
import warnings

import numpy as np
from scipy import stats
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from include.freezeline.stats.result import BoolArray, FloatArray, StatResult, insufficient

TREND_METHOD = "quasi_binomial_trend"
_MIN_EVENTS = 5
# A burst is no slow drift, and has no finite trend when it lies at an end.
_MIN_EVENT_DAYS = 5
# Beyond e^50 odds are as good as infinite; a fit that separates the days goes there.
_LARGEST_LOG_ODDS = 50.0


def share_trend(
    n_bad: FloatArray, counts: FloatArray, is_weekend: BoolArray, *, min_days: int = 14
) -> StatResult:
    """Estimate how a daily share changes; the value is last day's odds over first day's.

    Null hypothesis: the share does not rise, apart from weekends. Source: McCullagh & Nelder
    1989 (quasi-likelihood: logit link, Pearson scale, at least the binomial's), by statsmodels.

    Args:
        n_bad: Events that count, one value per day in time order.
        counts: All events of the day; days of none are left out.
        is_weekend: Whether the day is a Saturday or Sunday.
        min_days: Fewer days are insufficient evidence.
    """
    days = np.flatnonzero(counts > 0)
    bad, size = n_bad[days], counts[days]
    n_calls = int(size.sum())
    if len(days) < min_days:
        reason = f"{len(days)} days, at least {min_days} are needed"
        return insufficient(TREND_METHOD, reason, 0, n_calls)
    if bad.sum() < _MIN_EVENTS or (size - bad).sum() < _MIN_EVENTS:
        reason = f"{int(bad.sum())} events of {n_calls}, too few or too many for a trend"
        return insufficient(TREND_METHOD, reason, 0, n_calls)
    n_event_days = min(int((bad > 0).sum()), int((size > bad).sum()))
    if n_event_days < _MIN_EVENT_DAYS:
        reason = f"events of {n_event_days} days, at least {_MIN_EVENT_DAYS} are needed for a trend"
        return insufficient(TREND_METHOD, reason, 0, n_calls)
    span = float(days[-1] - days[0])
    columns = [np.ones(len(days)), (days - days[0]) / span]
    if 0 < is_weekend[days].sum() < len(days):
        columns.append(is_weekend[days].astype(np.float64))
    response = np.column_stack([bad, size - bad])
    model = GLM(response, np.column_stack(columns), family=families.Binomial())
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        fit = model.fit()
    change = float(fit.params[1])
    # Not fit(scale="X2"): with counts its scale is that of shares, off by the days' calls.
    dispersion = max(1.0, float(fit.pearson_chi2) / float(fit.df_resid))
    error = float(fit.bse[1]) * math.sqrt(dispersion)
    if not (math.isfinite(change) and math.isfinite(error) and error > 0.0):
        return insufficient(TREND_METHOD, "the days have no finite trend", 0, n_calls)
    margin = float(stats.t.ppf(0.975, fit.df_resid)) * error
    p_value = float(stats.t.sf(change / error, fit.df_resid))
    return StatResult(
        value=_odds(change),
        interval=(_odds(change - margin), _odds(change + margin)),
        p_value=max(p_value, float(np.finfo(float).tiny)),
        n_reference=0,
        n_current=n_calls,
        method=TREND_METHOD,
        details={"dispersion": dispersion, "n_days": len(days)},
    )


def _odds(log_odds: float) -> float:
    """Return odds that are finite and above 0."""
    return math.exp(min(max(log_odds, -_LARGEST_LOG_ODDS), _LARGEST_LOG_ODDS))
