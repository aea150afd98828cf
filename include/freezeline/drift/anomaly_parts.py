"""What the questions about daily series share: their window, what is missing, and the finding."""

import math
from datetime import datetime, timedelta
from typing import Any

from include.freezeline.drift.anomaly_policy import AnomalyPolicy, AnomalyQuestion
from include.freezeline.drift.evidence import series_query
from include.freezeline.drift.findings import Finding
from include.freezeline.drift.series import DailySeries
from include.freezeline.drift.windows import Window, trailing_window
from include.freezeline.hashing import stable_hash
from include.freezeline.stats.result import BoolArray, FloatArray, IntArray, StatResult


def question_window(question: AnomalyQuestion, policy: AnomalyPolicy, as_of: datetime) -> Window:
    """Return all days that a question looks at."""
    shift_days = policy.baseline_days + policy.current_days
    return trailing_window(as_of, policy.creep_days if question.kind == "creep" else shift_days)


def finding(
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


def newest_day(
    tails: list[FloatArray], positions: IntArray, changes: FloatArray, policy: AnomalyPolicy
) -> dict[str, Any]:
    """Return p-value and effect of the last day alone, or why there is none."""
    if positions[-1] != policy.current_days - 1:
        words = f"the newest day has fewer than {policy.min_calls_per_day} calls, or no day like it"
        return {"newest_shortage": words}
    p_value = min(1.0, len(tails) * min(float(tail[-1]) for tail in tails))
    effect = float(changes[-1]) if len(tails) == 1 else abs(float(changes[-1]))
    return {"newest_day_p_value": p_value, "newest_day_effect": effect}


def shortage(
    baseline: BoolArray, current: BoolArray, policy: AnomalyPolicy, and_what: str = ""
) -> str | None:
    """Say which days are missing."""
    n_baseline, n_current = int(baseline.sum()), int(current.sum())
    enough = f"with at least {policy.min_calls_per_day} calls"
    if n_baseline < policy.min_baseline_days:
        return (
            f"{n_baseline} baseline days {enough}, at least {policy.min_baseline_days} are needed"
        )
    if n_current < policy.sustained_days:
        enough = f"{enough} {and_what}".rstrip()
        return f"{n_current} current days {enough}, at least {policy.sustained_days} are needed"
    return None


def calls(series: DailySeries, split: int, policy: AnomalyPolicy) -> tuple[int, int]:
    """Return the calls of usable baseline days and of usable current days."""
    usable = series.usable(policy.min_calls_per_day)
    counts = [d.n_calls if use else 0 for d, use in zip(series.days, usable, strict=True)]
    return sum(counts[:split]), sum(counts[split:])
