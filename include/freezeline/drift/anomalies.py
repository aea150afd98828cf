"""Anomaly questions about daily series: shift of a level, slow creep, risen ratio."""

import math
from datetime import datetime

import numpy as np

from include.freezeline.drift.anomaly_creep import ask_creep
from include.freezeline.drift.anomaly_parts import calls, finding, newest_day, shortage
from include.freezeline.drift.anomaly_policy import AnomalyPolicy, AnomalyQuestion
from include.freezeline.drift.anomaly_ratios import ask_ratio
from include.freezeline.drift.findings import Finding
from include.freezeline.drift.series import DailySeries
from include.freezeline.stats.multiplicity import partial_conjunction_p_value
from include.freezeline.stats.result import FloatArray, IntArray, StatResult, insufficient
from include.freezeline.stats.series import Baseline, day_p_values, robust_baseline

SHIFT_METHOD = "robust_predictive_t"


def ask_anomaly(
    question: AnomalyQuestion, series: DailySeries, policy: AnomalyPolicy, as_of: datetime
) -> Finding:
    """Answer one anomaly question about one series."""
    asks = {"shift": _ask_shift, "creep": ask_creep, "ratio": ask_ratio}
    return asks[question.kind](question, series, policy, as_of)


def _ask_shift(
    question: AnomalyQuestion, series: DailySeries, policy: AnomalyPolicy, as_of: datetime
) -> Finding:
    """Judge the last days against the robust baseline before them."""
    split = len(series.days) - policy.current_days
    logs, weekdays = series.log_levels(policy.min_calls_per_day), series.weekdays
    known = np.isfinite(logs)
    short = shortage(known[:split], known[split:], policy)
    baseline = None if short else robust_baseline(logs[:split], weekdays[:split])
    if baseline is not None:
        known[split:] &= np.isfinite(baseline.levels[weekdays[split:]])
        short = shortage(known[:split], known[split:], policy, "and days like them before")
    if short or baseline is None:
        result = insufficient(SHIFT_METHOD, short or "no baseline", *calls(series, split, policy))
        return finding(question, series, policy, as_of, result, None, None, "")
    current = known[split:]
    values, weekdays = logs[split:][current], weekdays[split:][current]
    upper, lower = day_p_values(values, weekdays, baseline)
    changes = values - baseline.levels[weekdays]
    change = float(np.median(changes))
    tails = [upper, lower] if question.direction == "both" else [upper]
    usual = _usual_level(series, split, policy, baseline, weekdays)
    result = _shift_result(series, split, policy, tails, change, baseline, usual)
    effect = abs(change) if question.direction == "both" else change
    factor = (1.0 + question.min_change_ratio) ** (1 if change >= 0 else -1)
    return finding(
        question,
        series,
        policy,
        as_of,
        result,
        effect,
        usual * factor,
        _shift_words(question, series, policy, usual, change),
        newest=newest_day(tails, np.flatnonzero(current), changes, policy),
    )


def _shift_words(
    question: AnomalyQuestion,
    series: DailySeries,
    policy: AnomalyPolicy,
    usual: float,
    change: float,
) -> str:
    """Say how far the level is from the usual one, and what it is where versions moved it."""
    level, unit = usual * math.exp(change), question.unit
    words = (
        f"{question.name} is {level:.6g} {unit} over the last {policy.current_days} days where "
        f"{usual:.6g} is usual ({math.expm1(change):+.1%})"
    )
    split = len(series.days) - policy.current_days
    before, now = (_version_factor(series, part, policy) for part in (slice(split), slice(split, None)))  # fmt: skip
    if abs(math.log(now / before)) < math.log1p(question.min_change_ratio):
        return words
    seen = level * now / before
    return f"{words} with each prompt version compared with itself, {seen:.6g} {unit} as it is"


def _version_factor(series: DailySeries, span: slice, policy: AnomalyPolicy) -> float:
    """Return how large calls are by their prompt versions alone: median level over relative level."""
    usable = series.usable(policy.min_calls_per_day)[span]
    return float(
        np.median(
            [
                day.level / day.relative_level
                for day, use in zip(series.days[span], usable, strict=True)
                if use and day.level and day.relative_level
            ]
        )
    )


def _shift_result(
    series: DailySeries,
    split: int,
    policy: AnomalyPolicy,
    tails: list[FloatArray],
    change: float,
    baseline: Baseline,
    usual: float,
) -> StatResult:
    """Return the level of the current days with the p-value that enough of them are shifted."""
    n_days = len(tails[0])
    p_value = min(partial_conjunction_p_value(list(t), policy.sustained_days) for t in tails)
    # 1.25 is the standard error of a median in units of that of a mean.
    margin = 1.96 * 1.25 * baseline.scale / math.sqrt(n_days)
    n_reference, n_current = calls(series, split, policy)
    return StatResult(
        value=usual * math.exp(change),
        interval=(usual * math.exp(change - margin), usual * math.exp(change + margin)),
        p_value=min(1.0, len(tails) * p_value),
        n_reference=n_reference,
        n_current=n_current,
        method=SHIFT_METHOD,
        details={
            "change_ratio": math.expm1(change),
            "baseline_level": usual,
            "baseline_days": baseline.n_days,
            "day_scale_log": baseline.scale,
            "season": baseline.season.name,
            "n_current_days": n_days,
        },
    )


def _usual_level(
    series: DailySeries,
    split: int,
    policy: AnomalyPolicy,
    baseline: Baseline,
    weekdays: IntArray,
) -> float:
    """Return the level of baseline days like the current ones, in the question's unit."""
    usable = series.usable(policy.min_calls_per_day)[:split]
    pairs = zip(series.days[:split], usable, strict=True)
    known = [d.level if use and d.level else np.nan for d, use in pairs]
    logs = np.log(np.array(known, dtype=np.float64))
    before = series.weekdays[:split]
    of_day = [np.nanmedian(logs[baseline.season.like(before, day)]) for day in weekdays]
    return float(np.exp(np.median(of_day)))
