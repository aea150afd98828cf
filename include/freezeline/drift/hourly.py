"""Anomaly questions about hourly series: changes found within hours, and drifting shares."""

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from include.freezeline.drift.evidence import hourly_query
from include.freezeline.drift.findings import Finding
from include.freezeline.drift.policy import HourlyPolicy, HourlyQuestion
from include.freezeline.drift.series import HourlySeries
from include.freezeline.drift.windows import Window, trailing_window
from include.freezeline.hashing import stable_hash
from include.freezeline.stats.change_points import find_change
from include.freezeline.stats.hourly import HourlyPlan, HourlyScan, scan_levels, scan_shares
from include.freezeline.stats.proportions import jeffreys_interval
from include.freezeline.stats.result import FloatArray, StatResult, insufficient
from include.freezeline.stats.share_trend import share_trend

_DAY_HOURS = 24
_SATURDAY = 5
# Hours before an alarm's beginning that its size is compared with.
_BEFORE_HOURS = 72


def hourly_window(policy: HourlyPolicy, as_of: datetime) -> Window:
    """Return all hours that the hourly questions look at."""
    return trailing_window(as_of, policy.baseline_days + policy.current_days)


def ask_hourly(
    question: HourlyQuestion, series: HourlySeries, policy: HourlyPolicy, as_of: datetime
) -> Finding:
    """Answer one question about one hourly series."""
    if question.kind == "drift":
        return _ask_drift(question, series, policy, as_of)
    split = policy.baseline_days * _DAY_HOURS
    plan = HourlyPlan(
        min_change_ratio=question.min_change_ratio,
        min_difference=question.min_difference,
        is_two_sided=question.direction == "both",
        false_alarms_per_month=policy.false_alarms_per_month,
        min_hours=policy.min_hours,
        max_past_changes=policy.max_past_changes,
    )
    usable = series.usable(policy.min_calls_per_hour)
    counts = np.where(usable, series.counts, 0.0)
    if question.kind == "level":
        scan = scan_levels(np.where(usable, series.values, np.nan), counts, split, plan)
        return _level_finding(question, series, policy, as_of, scan, counts)
    scan = scan_shares(np.where(usable, series.values, 0.0), counts, split, plan)
    return _share_finding(question, series, policy, as_of, scan, counts)


def _level_finding(
    question: HourlyQuestion,
    series: HourlySeries,
    policy: HourlyPolicy,
    as_of: datetime,
    scan: HourlyScan,
    counts: FloatArray,
) -> Finding:
    """Say how large the change is, and since when."""
    split = policy.baseline_days * _DAY_HOURS
    sizes = int(counts[:split].sum()), int(counts[split:].sum())
    if scan.reason is not None:
        result = insufficient(scan.method, scan.reason, *sizes)
        return _finding(question, series, policy, as_of, result)
    began = scan.alarms[-1].began if scan.alarms else split
    change = float(np.nanmedian(scan.residuals[max(began, split) :]))
    usual = float(np.nanmedian(scan.usual[max(began, split) :]))
    size = _size(scan, began, change)
    sign = -1.0 if scan.side == "lower" else 1.0
    result = StatResult(
        value=usual * math.exp(change),
        interval=(usual * math.exp(size[0]), usual * math.exp(size[1])),
        p_value=scan.p_value,
        n_reference=sizes[0],
        n_current=sizes[1],
        method=scan.method,
        details={
            "change_ratio": math.expm1(change),
            "baseline_level": usual,
            **_scan_details(scan),
        },
    )
    words = (
        f"{question.name} is {usual * math.exp(change):.6g} {question.unit} where {usual:.6g} is "
        f"usual at these hours ({math.expm1(change):+.1%})"
    )
    found = _alarm_details(scan, policy, as_of, sign * change)
    return _finding(
        question,
        series,
        policy,
        as_of,
        result,
        effect=sign * change,
        min_effect=math.log1p(question.min_change_ratio),
        threshold=usual * (1.0 + question.min_change_ratio) ** sign,
        words=words + _since(found),
        details=found,
    )


def _share_finding(
    question: HourlyQuestion,
    series: HourlySeries,
    policy: HourlyPolicy,
    as_of: datetime,
    scan: HourlyScan,
    counts: FloatArray,
) -> Finding:
    """Say how far the share has risen, and since when."""
    split = policy.baseline_days * _DAY_HOURS
    sizes = int(counts[:split].sum()), int(counts[split:].sum())
    if scan.reason is not None:
        result = insufficient(scan.method, scan.reason, *sizes)
        return _finding(question, series, policy, as_of, result)
    start = max(scan.alarms[-1].began if scan.alarms else split, split)
    n_all = float(counts[start:].sum())
    n_bad = float(np.where(counts > 0.0, series.values, 0.0)[start:].sum())
    known = np.isfinite(scan.usual[start:])
    usual = float(np.average(scan.usual[start:][known], weights=counts[start:][known]))
    threshold = max(usual * (1.0 + question.min_change_ratio), usual + question.min_difference)
    result = StatResult(
        value=n_bad / n_all,
        interval=jeffreys_interval(n_bad, n_all),
        p_value=scan.p_value,
        n_reference=sizes[0],
        n_current=sizes[1],
        method=scan.method,
        details={"baseline_ratio": usual, **_scan_details(scan)},
    )
    words = (
        f"{question.name} is {n_bad / n_all:.2%} ({n_bad:.0f} of {n_all:.0f}), "
        f"{usual:.2%} is usual at these hours"
    )
    found = _alarm_details(scan, policy, as_of, n_bad / n_all - usual)
    return _finding(
        question,
        series,
        policy,
        as_of,
        result,
        effect=n_bad / n_all - usual,
        min_effect=threshold - usual,
        threshold=threshold,
        words=words + _since(found),
        details=found,
    )


def _ask_drift(
    question: HourlyQuestion, series: HourlySeries, policy: HourlyPolicy, as_of: datetime
) -> Finding:
    """Judge the trend of a share over all days of the window."""
    days = series.counts.reshape(-1, _DAY_HOURS).sum(axis=1)
    bad = np.nan_to_num(series.values).reshape(-1, _DAY_HOURS).sum(axis=1)
    start = hourly_window(policy, as_of).started_at
    weekend = np.array(
        [(start + timedelta(days=day)).weekday() >= _SATURDAY for day in range(len(days))],
        dtype=np.bool_,
    )
    trend = share_trend(bad, days, weekend)
    if trend.value is None:
        return _finding(question, series, policy, as_of, trend)
    shares = np.where(days > 0.0, bad / np.maximum(days, 1.0), np.nan)
    found = find_change(shares, "ramp")
    details: dict[str, Any] = {}
    if found is not None:
        names = [(start + timedelta(days=day)).date().isoformat() for day in range(len(days))]
        details = {
            "began_date": names[found.index],
            "began_lower_date": names[found.interval[0]],
            "began_upper_date": names[found.interval[1]],
        }
    rise = float(bad.sum() / days.sum()) * (1.0 - 1.0 / trend.value)
    words = (
        f"{question.name} has {trend.value:.3g} times the odds of {len(days)} days ago "
        f"({bad.sum():.0f} of {days.sum():.0f} calls)"
    )
    if details:
        words += f", rising since about {details['began_date']}"
    return _finding(
        question,
        series,
        policy,
        as_of,
        trend,
        effect=math.log(trend.value) if rise >= question.min_difference else 0.0,
        min_effect=math.log1p(question.min_change_ratio),
        threshold=1.0 + question.min_change_ratio,
        words=words,
        details=details,
    )


def _size(scan: HourlyScan, began: int, change: float) -> tuple[float, float]:
    """Return the interval of a change, from the step that fits the hours around it."""
    found = find_change(scan.residuals[max(0, began - _BEFORE_HOURS) :], "step")
    if found is None:
        return change, change
    half = (found.effect_interval[1] - found.effect_interval[0]) / 2.0
    return change - half, change + half


def _scan_details(scan: HourlyScan) -> dict[str, Any]:
    """Return what the judgement rests on."""
    return {
        "evidence_nats": scan.evidence_nats,
        "threshold_nats": scan.threshold_nats,
        "season": scan.season,
        "past_change_count": scan.n_past_changes,
    }


def _alarm_details(
    scan: HourlyScan, policy: HourlyPolicy, as_of: datetime, effect: float
) -> dict[str, Any]:
    """Return when the newest alarm was raised, when it began, and whether it lasts."""
    if not scan.alarms:
        return {"is_lasting": False}
    alarm = scan.alarms[-1]
    start = hourly_window(policy, as_of).started_at
    first = max(0, alarm.began - _BEFORE_HOURS)
    found = find_change(scan.residuals[first:], "step")
    ends = (alarm.began, alarm.began)
    if found is not None:
        ends = (first + found.interval[0], first + found.interval[1])
    newest = scan.residuals[-policy.sustained_hours :]
    sign = -1.0 if scan.side == "lower" else 1.0
    is_still_on = bool(np.isfinite(newest).any()) and (
        sign * float(np.nanmedian(newest)) >= effect / 2.0
    )
    is_old = alarm.began <= len(scan.residuals) - policy.sustained_hours
    hours = [alarm.hour, alarm.began, min(alarm.began, ends[0]), max(alarm.began, ends[1])]
    names = ("alarmed_at", "began_at", "began_lower_at", "began_upper_at")
    moments = {
        name: (start + timedelta(hours=hour)).isoformat()
        for name, hour in zip(names, hours, strict=True)
    }
    return {**moments, "is_lasting": is_old and is_still_on}


def _since(details: dict[str, Any]) -> str:
    """Say since when, if there is an alarm."""
    return f", since about {details['began_at'][:13]}h UTC" if "began_at" in details else ""


def _finding(
    question: HourlyQuestion,
    series: HourlySeries,
    policy: HourlyPolicy,
    as_of: datetime,
    result: StatResult,
    *,
    effect: float | None = None,
    min_effect: float = 0.0,
    threshold: float | None = None,
    words: str = "",
    details: dict[str, Any] | None = None,
) -> Finding:
    """Put the answer together."""
    window = hourly_window(policy, as_of)
    start = as_of - timedelta(days=policy.current_days)
    is_drift = question.kind == "drift"
    return Finding(
        family="anomaly",
        question=question.name,
        segment=series.segment,
        window=window if is_drift else Window(start, as_of),
        reference=None if is_drift else Window(window.started_at, start),
        result=result,
        effect=effect,
        min_effect=min_effect,
        threshold=threshold,
        unit="ratio" if is_drift else question.unit,
        effect_text=words,
        evidence_query=hourly_query(
            series.segment, window, question.source, (question.column, question.count)
        ),
        inputs=stable_hash(series.values.tolist(), series.counts.tolist()),
        details={"route": question.route, **(details or {})},
    )
