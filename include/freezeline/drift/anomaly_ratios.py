"""Anomaly questions about daily ratios: has the share of an event risen?"""

import math
from datetime import datetime

import numpy as np

from include.freezeline.drift.anomaly_parts import calls, finding, newest_day, shortage
from include.freezeline.drift.anomaly_policy import AnomalyPolicy, AnomalyQuestion
from include.freezeline.drift.findings import Finding
from include.freezeline.drift.series import DailySeries
from include.freezeline.stats.daily_shares import ShareBaseline, share_baseline, share_p_values
from include.freezeline.stats.multiplicity import partial_conjunction_p_value
from include.freezeline.stats.proportions import risen_share
from include.freezeline.stats.result import FloatArray, IntArray, StatResult, insufficient
from include.freezeline.stats.share_interval import level_interval

RATIO_METHOD = "beta_binomial_predictive"
_RATIO_VERSION = "2"


def ask_ratio(
    question: AnomalyQuestion, series: DailySeries, policy: AnomalyPolicy, as_of: datetime
) -> Finding:
    """Judge counts of the last days against the ratio before them."""
    split = len(series.days) - policy.current_days
    known, weekdays = series.usable(policy.min_calls_per_day), series.weekdays
    n_bad = np.array([d.n_bad for d in series.days], dtype=np.int64)
    n_calls = np.array([d.n_calls for d in series.days], dtype=np.int64)
    before = np.flatnonzero(known[:split])
    baseline = share_baseline(n_bad[before], n_calls[before], weekdays[before])
    short = shortage(known[:split], known[split:], policy)
    if short is None:
        known[split:] &= baseline.n_all[weekdays[split:]] > 0
        short = shortage(known[:split], known[split:], policy, "and days like them before")
    if short:
        result = insufficient(RATIO_METHOD, short, *calls(series, split, policy))
        return finding(question, series, policy, as_of, result, None, None, "")
    after = split + np.flatnonzero(known[split:])
    tail = share_p_values(n_bad[after], n_calls[after], weekdays[after], baseline)
    ratios = baseline.ratios[weekdays[after]]
    excess = n_bad[after] / n_calls[after] - ratios
    usual = float(np.average(ratios, weights=n_calls[after]))
    threshold = risen_share(usual, question.min_change_ratio, question.min_difference)
    effect = float(np.median(excess))
    result = _ratio_result(n_calls[after], tail, baseline, (usual, usual + effect), policy)
    words = (
        f"{question.name} is {result.value:.2%} on the middle one of {len(after)} days "
        f"({n_bad[after].sum()} of {result.n_current} calls on all), {usual:.2%} is usual"
    )
    return finding(
        question,
        series,
        policy,
        as_of,
        result,
        effect,
        threshold,
        words,
        min_effect=threshold - usual,
        newest=newest_day([tail], after - split, excess, policy),
    )


def _ratio_result(
    n_calls: IntArray,
    tail: FloatArray,
    baseline: ShareBaseline,
    levels: tuple[float, float],
    policy: AnomalyPolicy,
) -> StatResult:
    """Return the ratio of the middle current day with the p-value that enough have risen.

    Its interval is that of the ratio which days like these vary around.

    Args:
        n_calls: All calls, per current day.
        tail: P-value of each current day.
        baseline: What is usual.
        levels: The usual ratio, and that of the middle day.
        policy: How many days must have risen.
    """
    usual, value = levels
    calls, value = int(n_calls.sum()), min(1.0, max(0.0, value))
    return StatResult(
        value=value,
        interval=level_interval(
            value,
            n_calls.astype(np.float64),
            baseline.variance,
            baseline.n_days,
            is_median=True,
        ),
        p_value=partial_conjunction_p_value(list(tail), policy.sustained_days),
        n_reference=baseline.n_calls,
        n_current=calls,
        method=RATIO_METHOD,
        method_version=_RATIO_VERSION,
        details={
            "baseline_ratio": usual,
            "dispersion": baseline.dispersion,
            "day_scale_log_odds": math.sqrt(baseline.variance),
            "baseline_days": baseline.n_days,
            "n_current_days": len(tail),
            "season": baseline.season,
        },
    )
