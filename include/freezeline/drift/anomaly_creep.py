"""Anomaly questions about slow growth: inside prompt versions, and from version to version."""

import math
from datetime import datetime
from typing import Any

import numpy as np

from include.freezeline.drift.anomaly_parts import finding
from include.freezeline.drift.anomaly_policy import AnomalyPolicy, AnomalyQuestion
from include.freezeline.drift.findings import Finding
from include.freezeline.drift.series import DailySeries
from include.freezeline.stats.change_points import find_change
from include.freezeline.stats.result import FloatArray, StatResult, insufficient
from include.freezeline.stats.series import creep, without_largest_move, without_week

# A roll-out of one prompt version takes so long at most; growth beyond it is that of several.
_ROLL_OUT_DAYS = 5


def ask_creep(
    question: AnomalyQuestion, series: DailySeries, policy: AnomalyPolicy, as_of: datetime
) -> Finding:
    """Judge the trend of all days of the window, each prompt version compared with itself.

    Growth from version to version is a second answer, which can only warn.
    """
    logs = series.log_levels(policy.min_calls_per_day)
    trend = creep(logs, series.weekdays, min_days=policy.min_baseline_days)
    usable = series.usable(policy.min_calls_per_day)
    n_calls = sum(d.n_calls for d, use in zip(series.days, usable, strict=True) if use)
    has_stopped = not np.isfinite(logs[-policy.current_days :]).any()
    if trend.value is None or trend.interval is None or has_stopped:
        stopped = (
            f"none of the last {policy.current_days} days has {policy.min_calls_per_day} calls"
        )
        reason = trend.reason or stopped
        result = insufficient(trend.method, reason, 0, n_calls)
        return finding(question, series, policy, as_of, result, None, None, "")
    onset, versions = _onset(series, logs), _through_versions(question, series, trend, policy)
    words = _words(question, series, trend, versions)
    if onset and trend.value >= math.log1p(question.min_change_ratio):
        words += f", since about {onset['began_date']}"
    return finding(
        question,
        series,
        policy,
        as_of,
        _result(trend, n_calls),
        trend.value,
        question.min_change_ratio,
        words,
        change={**onset, **versions},
    )


def _result(trend: StatResult, n_calls: int) -> StatResult:
    """Return the trend as a relative change."""
    lower, upper = trend.interval or (math.nan, math.nan)
    return StatResult(
        value=math.expm1(trend.value or 0.0),
        interval=(math.expm1(lower), math.expm1(upper)),
        p_value=trend.p_value,
        n_reference=0,
        n_current=n_calls,
        method=trend.method,
        method_version=trend.method_version,
        details={
            "change_per_day_ratio": math.expm1(trend.details["slope_per_day"]),
            "season": trend.details["season"],
        },
    )


def _words(
    question: AnomalyQuestion, series: DailySeries, trend: StatResult, versions: dict[str, Any]
) -> str:
    """Say how much calls changed, inside prompt versions and, where that is otherwise, as they are."""
    inside = trend.value or 0.0
    words = (
        f"{question.column} per call changed by {math.expm1(inside):+.1%} in {len(series.days)} days "
        f"({math.expm1(trend.details['slope_per_day']):+.2%} a day)"
    )
    as_it_is = versions.get("level_change_ratio", math.expm1(inside))
    if abs(math.log1p(as_it_is) - inside) < math.log1p(question.min_change_ratio):
        return words
    return f"{words} with each prompt version compared with itself, {as_it_is:+.1%} as it is"


def _through_versions(
    question: AnomalyQuestion, series: DailySeries, inside: StatResult, policy: AnomalyPolicy
) -> dict[str, Any]:
    """Return the trend of the level as it is and, where versions add to it, that beyond one roll-out.

    Args:
        question: Which growth matters; where versions add less than half of that, they are no news.
        series: Levels as they are and relative to their prompt versions.
        inside: The trend inside versions.
        policy: How many days are needed.
    """
    logs = series.log_levels(policy.min_calls_per_day)
    levels = series.raw_log_levels(policy.min_calls_per_day)
    whole = creep(levels, series.weekdays, min_days=policy.min_baseline_days)
    moves = without_largest_move(levels - logs, _ROLL_OUT_DAYS)
    beyond = creep(logs + moves, series.weekdays, min_days=policy.min_baseline_days)
    if whole.value is None or beyond.value is None or inside.value is None:
        return {}
    told = {"level_change_ratio": math.expm1(whole.value)}
    if beyond.value - inside.value < math.log1p(question.min_change_ratio) / 2.0:
        return told
    return {
        **told,
        "version_creep_p_value": beyond.p_value,
        "version_creep_effect": beyond.value,
    }


def _onset(series: DailySeries, logs: FloatArray) -> dict[str, Any]:
    """Return the day a creep began, between which days that is, and how far it has come."""
    found = find_change(without_week(logs, series.weekdays), "ramp")
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
