"""Slow drift of a share: a binomial regression on time that allows for over-dispersion."""

import math

import numpy as np
from scipy import stats
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from include.freezeline.stats.result import BoolArray, FloatArray, StatResult, insufficient

TREND_METHOD = "quasi_binomial_trend"
_MIN_EVENTS = 5


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
    span = float(days[-1] - days[0])
    columns = [np.ones(len(days)), (days - days[0]) / span]
    if 0 < is_weekend[days].sum() < len(days):
        columns.append(is_weekend[days].astype(np.float64))
    response = np.column_stack([bad, size - bad])
    model = GLM(response, np.column_stack(columns), family=families.Binomial())
    fit = model.fit()
    change = float(fit.params[1])
    # Not fit(scale="X2"): with counts its scale is that of shares, off by the days' calls.
    dispersion = max(1.0, float(fit.pearson_chi2) / float(fit.df_resid))
    error = float(fit.bse[1]) * math.sqrt(dispersion)
    margin = float(stats.t.ppf(0.975, fit.df_resid)) * error
    p_value = float(stats.t.sf(change / error, fit.df_resid))
    return StatResult(
        value=math.exp(change),
        interval=(math.exp(change - margin), math.exp(change + margin)),
        p_value=max(p_value, float(np.finfo(float).tiny)),
        n_reference=0,
        n_current=n_calls,
        method=TREND_METHOD,
        details={"dispersion": dispersion, "n_days": len(days)},
    )
