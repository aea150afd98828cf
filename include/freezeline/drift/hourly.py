"""Anomaly questions about hourly series: changes found within hours, and drifting shares."""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from include.freezeline.drift.anomaly_policy import HourlyPolicy, HourlyQuestion
from include.freezeline.drift.evidence import hourly_query
from include.freezeline.drift.findings import Finding
from include.freezeline.drift.hourly_asked import Asked
from include.freezeline.drift.hourly_told import (
    alarm_details,
    newest_shortage,
    scan_details,
    since,
    step_around,
    telling_hours,
)
from include.freezeline.drift.series import HourlySeries
from include.freezeline.drift.windows import Window
from include.freezeline.hashing import stable_hash
from include.freezeline.stats.change_points import find_change
from include.freezeline.stats.daily_shares import share_baseline
from include.freezeline.stats.hourly import scan_shares
from include.freezeline.stats.hourly_scan import HourlyScan
from include.freezeline.stats.level_evidence import floored
from include.freezeline.stats.level_margin import change_margin
from include.freezeline.stats.proportions import risen_share
from include.freezeline.stats.readings import scan_readings
from include.freezeline.stats.result import FloatArray, StatResult, insufficient
from include.freezeline.stats.seasons import HOURS_A_DAY
from include.freezeline.stats.share_interval import level_interval
from include.freezeline.stats.share_trend import TREND_METHOD, share_trend
from include.freezeline.stats.weekdays import DAYS_A_WEEK

# Of levels and shares: raised whenever their rows could change.
_SCAN_VERSION = "2"
_SATURDAY = 5


def ask_hourly(
    question: HourlyQuestion, series: HourlySeries, policy: HourlyPolicy, as_of: datetime
) -> Finding:
    """Answer one question about one hourly series."""
    asked = Asked(question, series, policy, as_of)
    if question.kind == "drift":
        return _ask_drift(asked)
    usable = series.usable(policy.min_calls_per_hour)
    counts = np.where(usable, series.counts, 0.0)
    if question.kind == "level":
        mean, *quantiles = (
            floored(np.where(usable, v, np.nan), asked.split)
            for v in (series.values, *series.quantiles)
        )
        scan, place = scan_readings(mean, quantiles, counts, asked.split, asked.plan)
        if place is not None:
            asked = replace(asked, reading=question.quantiles[place])
    else:
        n_bad, weekday = np.where(usable, series.values, 0.0), asked.window.started_at.weekday()
        scan = scan_shares(n_bad, counts, asked.split, asked.plan, weekday)
    if scan.reason is not None:
        return _finding(asked, insufficient(scan.method, scan.reason, *asked.sizes(counts)))
    describe = _level_finding if question.kind == "level" else _share_finding
    return describe(asked, scan, counts)


def _level_finding(asked: Asked, scan: HourlyScan, counts: FloatArray) -> Finding:
    """Say how large the change is, and since when."""
    question, split = asked.question, asked.split
    began = scan.alarms[-1].began if scan.alarms else split
    step = step_around(scan, began)
    hours, verb = telling_hours(asked, scan)
    change = float(np.nanmedian(scan.residuals[hours]))
    usual = float(np.nanmedian(scan.usual[hours]))
    half = change_margin(scan.residuals, split, hours)
    reading = asked.reading or question.column
    details = {
        "change_ratio": math.expm1(change),
        "baseline_level": usual,
        "reading": reading,
        **scan_details(scan),
    }
    result = _result(
        asked,
        scan,
        counts,
        usual * math.exp(change),
        (usual * math.exp(change - half), usual * math.exp(change + half)),
        details,
    )
    shown = question.name if asked.reading is None else f"{question.name} ({reading})"
    words = (
        f"{shown} {verb} {usual * math.exp(change):.6g} {question.unit} where {usual:.6g} is "
        f"usual at these hours ({math.expm1(change):+.1%})"
    )
    told = asked.series.values
    if asked.reading is not None:
        told = asked.series.quantiles[question.quantiles.index(asked.reading)]
    if ((told == 0.0) & np.isfinite(scan.residuals))[hours].any():
        words += " where hours of zero count as a quarter of their usual level"
    effect = scan.sign * change
    found = alarm_details(asked, scan, effect, step)
    return _finding(
        asked,
        result,
        effect=effect,
        min_effect=math.log1p(question.min_change_ratio),
        threshold=usual * (1.0 + question.min_change_ratio) ** scan.sign,
        words=words + since(found, asked, scan),
        details=found,
    )


def _share_finding(asked: Asked, scan: HourlyScan, counts: FloatArray) -> Finding:
    """Say how far the share has risen, and since when."""
    question, split = asked.question, asked.split
    began = scan.alarms[-1].began if scan.alarms else split
    hours, verb = telling_hours(asked, scan)
    n_all = float(counts[hours].sum())
    n_bad = float(np.where(counts > 0.0, asked.series.values, 0.0)[hours].sum())
    known = np.isfinite(scan.usual[hours])
    usual = float(np.average(scan.usual[hours][known], weights=counts[hours][known]))
    threshold = risen_share(usual, question.min_change_ratio, question.min_difference)
    share, interval = n_bad / n_all, _share_interval(asked, counts, hours, n_bad / n_all)
    details = {"baseline_ratio": usual, **scan_details(scan)}
    result = _result(asked, scan, counts, share, interval, details)
    words = (
        f"{question.name} {verb} {share:.2%} ({n_bad:.0f} of {n_all:.0f}), "
        f"{usual:.2%} is usual at these hours"
    )
    step = step_around(scan, began) if scan.alarms else None
    found = alarm_details(asked, scan, share - usual, step)
    return _finding(
        asked,
        result,
        effect=share - usual,
        min_effect=threshold - usual,
        threshold=threshold,
        words=words + since(found, asked, scan),
        details=found,
    )


def _share_interval(
    asked: Asked, counts: FloatArray, hours: slice, share: float
) -> tuple[float, float] | None:
    """Return the interval of the share that the hours of such days vary around."""
    bad, size = np.where(counts > 0.0, asked.series.values, 0.0), counts
    first = asked.window.started_at.weekday()
    by_day = (part.reshape(-1, HOURS_A_DAY).sum(axis=1) for part in (bad, size))
    n_bad, n_all = (day.round().astype(np.int64)[: asked.split // HOURS_A_DAY] for day in by_day)
    before = share_baseline(n_bad, n_all, (first + np.arange(len(n_all))) % DAYS_A_WEEK)
    told = np.zeros_like(counts)
    told[hours] = counts[hours]
    sizes = told.reshape(-1, HOURS_A_DAY).sum(axis=1)
    return level_interval(share, sizes, before.variance, before.n_days)


def _result(
    asked: Asked,
    scan: HourlyScan,
    counts: FloatArray,
    value: float,
    interval: tuple[float, float] | None,
    details: dict[str, Any],
) -> StatResult:
    """Put a scan's number together."""
    n_reference, n_current = asked.sizes(counts)
    return StatResult(
        value=value,
        interval=interval,
        p_value=scan.p_value,
        n_reference=n_reference,
        n_current=n_current,
        method=scan.method,
        method_version=_SCAN_VERSION,
        details=details,
    )


def _ask_drift(asked: Asked) -> Finding:
    """Judge the trend of a share over all days of the window."""
    question, start = asked.question, asked.window.started_at
    days = asked.series.counts.reshape(-1, HOURS_A_DAY).sum(axis=1)
    bad = np.nan_to_num(asked.series.values).reshape(-1, HOURS_A_DAY).sum(axis=1)
    if not days[-asked.policy.current_days :].any():
        reason = f"none of the last {asked.policy.current_days} days has calls"
        return _finding(asked, insufficient(TREND_METHOD, reason, 0, int(days.sum())))
    dates = [(start + timedelta(days=day)).date() for day in range(len(days))]
    weekend = np.array([date.weekday() >= _SATURDAY for date in dates], dtype=np.bool_)
    trend = share_trend(bad, days, weekend)
    if trend.value is None:
        return _finding(asked, trend)
    found = find_change(np.where(days > 0.0, bad / np.maximum(days, 1.0), np.nan), "ramp")
    details: dict[str, Any] = {}
    if found is not None:
        places = (found.index, *found.interval)
        names = ("began_date", "began_lower_date", "began_upper_date")
        details = {n: dates[place].isoformat() for n, place in zip(names, places, strict=True)}
    rise = float(bad.sum() / days.sum()) * (1.0 - 1.0 / trend.value)
    words = (
        f"{question.name} has {trend.value:.3g} times the odds of {len(days)} days ago "
        f"({bad.sum():.0f} of {days.sum():.0f} calls)"
    )
    if details:
        words += f", rising since about {details['began_date']}"
    return _finding(
        asked,
        trend,
        effect=math.log(trend.value) if rise >= question.min_difference else 0.0,
        min_effect=math.log1p(question.min_change_ratio),
        threshold=1.0 + question.min_change_ratio,
        words=words,
        details=details,
    )


def _finding(
    asked: Asked,
    result: StatResult,
    *,
    effect: float | None = None,
    min_effect: float = 0.0,
    threshold: float | None = None,
    words: str = "",
    details: dict[str, Any] | None = None,
) -> Finding:
    """Put the answer together."""
    question, series, window = asked.question, asked.series, asked.window
    start = asked.as_of - timedelta(days=asked.policy.current_days)
    is_drift = question.kind == "drift"
    return Finding(
        family="anomaly",
        question=question.name,
        segment=series.segment,
        window=window if is_drift else Window(start, asked.as_of),
        reference=None if is_drift else Window(window.started_at, start),
        result=result,
        effect=effect,
        min_effect=min_effect,
        threshold=threshold,
        unit="ratio" if is_drift else question.unit,
        effect_text=words,
        evidence_query=hourly_query(series.segment, window, question.source, asked.columns),
        inputs=stable_hash(
            *(v.tolist() for v in (series.values, series.counts, *series.quantiles))
        ),
        details={"route": question.route, **newest_shortage(asked), **(details or {})},
    )
