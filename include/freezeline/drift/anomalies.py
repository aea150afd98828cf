"""Anomaly questions about daily series: shift of a level, slow creep, risen ratio."""

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from include.freezeline.drift.evidence import series_query
from include.freezeline.drift.findings import Finding
from include.freezeline.drift.policy import AnomalyPolicy, AnomalyQuestion
from include.freezeline.drift.series import DailySeries
from include.freezeline.drift.windows import Window, trailing_window
from include.freezeline.hashing import stable_hash
from include.freezeline.stats.change_points import find_change
from include.freezeline.stats.multiplicity import partial_conjunction_p_value
from include.freezeline.stats.proportions import (
    jeffreys_interval,
    ordinary_days,
    overdispersion,
    predictive_p_value,
)
from include.freezeline.stats.result import (
    BoolArray,
    FloatArray,
    IntArray,
    StatResult,
    insufficient,
)
from include.freezeline.stats.series import Baseline, creep, day_p_values, robust_baseline

SHIFT_METHOD = "robust_predictive_t"
RATIO_METHOD = "beta_binomial_predictive"


def ask_anomaly(
    question: AnomalyQuestion, series: DailySeries, policy: AnomalyPolicy, as_of: datetime
) -> Finding:
    """Answer one anomaly question about one series."""
    asks = {"shift": _ask_shift, "creep": _ask_creep, "ratio": _ask_ratio}
    return asks[question.kind](question, series, policy, as_of)


def question_window(question: AnomalyQuestion, policy: AnomalyPolicy, as_of: datetime) -> Window:
    """Return all days that a question looks at."""
    shift_days = policy.baseline_days + policy.current_days
    return trailing_window(as_of, policy.creep_days if question.kind == "creep" else shift_days)


def _ask_shift(
    question: AnomalyQuestion, series: DailySeries, policy: AnomalyPolicy, as_of: datetime
) -> Finding:
    """Judge the last days against the robust baseline before them."""
    split = len(series.days) - policy.current_days
    logs, weekend = series.log_levels(policy.min_calls_per_day), series.is_weekend
    baseline = robust_baseline(logs[:split], weekend[:split])
    current = np.isfinite(logs[split:])
    shortage = _shortage(np.isfinite(logs[:split]), current, policy)
    if shortage or baseline is None:
        result = insufficient(
            SHIFT_METHOD, shortage or "no baseline", *_calls(series, split, policy)
        )
        return _finding(question, series, policy, as_of, result, None, None, "")
    values, weekend = logs[split:][current], weekend[split:][current]
    upper, lower = day_p_values(values, weekend, baseline)
    levels = np.where(weekend, baseline.weekend_level, baseline.weekday_level)
    change = float(np.median(values - levels))
    tails = [upper, lower] if question.direction == "both" else [upper]
    usual = _usual_level(series, split, policy)
    result = _shift_result(series, split, policy, tails, change, baseline, usual)
    effect = abs(change) if question.direction == "both" else change
    factor = (1.0 + question.min_change_ratio) ** (1 if change >= 0 else -1)
    words = (
        f"{question.name} is {usual * math.exp(change):.6g} {question.unit} over the last "
        f"{policy.current_days} days where {usual:.6g} is usual ({math.expm1(change):+.1%})"
    )
    return _finding(
        question,
        series,
        policy,
        as_of,
        result,
        effect,
        usual * factor,
        words,
        newest=_newest_day(tails, np.flatnonzero(current), values - levels, policy),
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
    n_reference, n_current = _calls(series, split, policy)
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
            "n_current_days": n_days,
        },
    )


def _ask_creep(
    question: AnomalyQuestion, series: DailySeries, policy: AnomalyPolicy, as_of: datetime
) -> Finding:
    """Judge the trend of all days of the window."""
    logs = series.log_levels(policy.min_calls_per_day)
    trend = creep(logs, min_days=policy.min_baseline_days)
    usable = series.usable(policy.min_calls_per_day)
    n_calls = sum(d.n_calls for d, use in zip(series.days, usable, strict=True) if use)
    if trend.value is None or trend.interval is None:
        result = insufficient(trend.method, trend.reason or "no trend", 0, n_calls)
        return _finding(question, series, policy, as_of, result, None, None, "")
    lower, upper = trend.interval
    result = StatResult(
        value=math.expm1(trend.value),
        interval=(math.expm1(lower), math.expm1(upper)),
        p_value=trend.p_value,
        n_reference=0,
        n_current=n_calls,
        method=trend.method,
        details={"change_per_day_ratio": math.expm1(trend.details["slope_per_day"])},
    )
    words = (
        f"{question.column} per call changed by {result.value:+.1%} in {len(series.days)} days "
        f"({math.expm1(trend.details['slope_per_day']):+.2%} a day)"
    )
    minimum = question.min_change_ratio
    change = _onset(series, logs)
    if change:
        words += f", since about {change['began_date']}"
    return _finding(
        question, series, policy, as_of, result, trend.value, minimum, words, change=change
    )


def _onset(series: DailySeries, logs: FloatArray) -> dict[str, Any]:
    """Return the day a creep began, between which days that is, and how far it has come."""
    found = find_change(logs, "ramp")
    if found is None:
        return {}
    days = [day.day.isoformat() for day in series.days]
    return {
        "began_date": days[found.index],
        "began_lower_date": days[found.interval[0]],
        "began_upper_date": days[found.interval[1]],
        "creep_ratio": math.expm1(found.effect),
        "creep_lower_ratio": math.expm1(found.effect_interval[0]),
        "creep_upper_ratio": math.expm1(found.effect_interval[1]),
    }


def _ask_ratio(
    question: AnomalyQuestion, series: DailySeries, policy: AnomalyPolicy, as_of: datetime
) -> Finding:
    """Judge counts of the last days against the ratio before them."""
    split = len(series.days) - policy.current_days
    usable = series.usable(policy.min_calls_per_day)
    shortage = _shortage(usable[:split], usable[split:], policy)
    if shortage:
        result = insufficient(RATIO_METHOD, shortage, *_calls(series, split, policy))
        return _finding(question, series, policy, as_of, result, None, None, "")
    chosen = [day for day, use in zip(series.days, usable, strict=True) if use]
    before = chosen[: int(usable[:split].sum())]
    after = chosen[len(before) :]
    ordinary = ordinary_days([d.n_bad for d in before], [d.n_calls for d in before])
    before = [day for day, keep in zip(before, ordinary, strict=True) if keep]
    bad, calls = sum(d.n_bad for d in before), sum(d.n_calls for d in before)
    dispersion = overdispersion([d.n_bad for d in before], [d.n_calls for d in before])
    tail = np.array([predictive_p_value(d.n_bad, d.n_calls, bad, calls, dispersion) for d in after])
    n_bad, n_calls = sum(d.n_bad for d in after), sum(d.n_calls for d in after)
    usual = bad / calls
    excess = np.array([d.n_bad / d.n_calls - usual for d in after])
    threshold = usual + max(question.min_difference, usual * question.min_change_ratio)
    result = StatResult(
        value=n_bad / n_calls,
        interval=jeffreys_interval(n_bad, n_calls),
        p_value=partial_conjunction_p_value(list(tail), policy.sustained_days),
        n_reference=calls,
        n_current=n_calls,
        method=RATIO_METHOD,
        details={
            "baseline_ratio": usual,
            "dispersion": dispersion,
            "baseline_days": len(before),
            "n_current_days": len(after),
        },
    )
    words = f"{question.name} is {n_bad / n_calls:.2%} ({n_bad} of {n_calls}), {usual:.2%} is usual"
    return _finding(
        question,
        series,
        policy,
        as_of,
        result,
        float(np.median(excess)),
        threshold,
        words,
        min_effect=threshold - usual,
        newest=_newest_day([tail], np.flatnonzero(usable[split:]), excess, policy),
    )


def _finding(
    question: AnomalyQuestion,
    series: DailySeries,
    policy: AnomalyPolicy,
    as_of: datetime,
    result: StatResult,
    effect: float | None,
    threshold: float | None,
    words: str,
    *,
    min_effect: float | None = None,
    newest: dict[str, Any] | None = None,
    change: dict[str, Any] | None = None,
) -> Finding:
    """Put the answer together."""
    window = question_window(question, policy, as_of)
    judged, reference = window, None
    if question.kind != "creep":
        start = as_of - timedelta(days=policy.current_days)
        judged, reference = Window(start, as_of), Window(window.started_at, start)
    return Finding(
        family="anomaly",
        question=question.name,
        segment=series.segment,
        window=judged,
        reference=reference,
        result=result,
        effect=effect,
        min_effect=math.log1p(question.min_change_ratio) if min_effect is None else min_effect,
        threshold=threshold,
        unit="ratio" if question.kind == "creep" else question.unit,
        effect_text=words,
        evidence_query=series_query(series.segment, window, question.column),
        inputs=stable_hash(
            [[d.day, d.n_calls, d.level, d.relative_level, d.n_bad] for d in series.days]
        ),
        details={"route": question.route, **(newest or {}), **(change or {})},
    )


def _newest_day(
    tails: list[FloatArray], positions: IntArray, changes: FloatArray, policy: AnomalyPolicy
) -> dict[str, Any]:
    """Return p-value and effect of the last day alone; empty when it has too few calls."""
    if positions[-1] != policy.current_days - 1:
        return {}
    p_value = min(1.0, len(tails) * min(float(tail[-1]) for tail in tails))
    effect = float(changes[-1]) if len(tails) == 1 else abs(float(changes[-1]))
    return {"newest_day_p_value": p_value, "newest_day_effect": effect}


def _shortage(baseline: BoolArray, current: BoolArray, policy: AnomalyPolicy) -> str | None:
    """Say which days are missing."""
    n_baseline, n_current = int(baseline.sum()), int(current.sum())
    enough = f"with at least {policy.min_calls_per_day} calls"
    if n_baseline < policy.min_baseline_days:
        return (
            f"{n_baseline} baseline days {enough}, at least {policy.min_baseline_days} are needed"
        )
    if n_current < policy.sustained_days:
        return f"{n_current} current days {enough}, at least {policy.sustained_days} are needed"
    return None


def _usual_level(series: DailySeries, split: int, policy: AnomalyPolicy) -> float:
    """Return the median level of the baseline days, in the question's unit."""
    usable = series.usable(policy.min_calls_per_day)[:split]
    known = zip(series.days[:split], usable, strict=True)
    return float(np.median([d.level for d, use in known if use and d.level is not None]))


def _calls(series: DailySeries, split: int, policy: AnomalyPolicy) -> tuple[int, int]:
    """Return the calls of usable baseline days and of usable current days."""
    usable = series.usable(policy.min_calls_per_day)
    counts = [d.n_calls if use else 0 for d, use in zip(series.days, usable, strict=True)]
    return sum(counts[:split]), sum(counts[split:])
