"""Since when does a model write differently? Asked of its daily fingerprints, every night.

The answer can only warn, and false discoveries are controlled over these questions alone, at the
night's level. Their null hypothesis is that days are exchangeable, which a new prompt or another
mix of topics breaks too. Put together with the other drift questions, such true but harmless
rejections would lower the bar for breaches (docs/decisions/0020).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from include.freezeline.contracts.judgement import Verdict
from include.freezeline.drift.evidence import fingerprints_query
from include.freezeline.drift.findings import Finding, Judged
from include.freezeline.drift.fingerprints import StyleDay, StyleSeries, fingerprint_window
from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.windows import Window
from include.freezeline.hashing import stable_hash
from include.freezeline.stats.fingerprint import METHOD, change_point
from include.freezeline.stats.multiplicity import adjusted_p_values
from include.freezeline.stats.result import StatResult

QUESTION = METHOD


def judge_style_changes(
    series: Sequence[StyleSeries], policy: DriftPolicy, as_of: datetime
) -> list[Judged]:
    """Ask every series, control false discoveries over all of them, decide.

    Args:
        series: The fingerprints of every writer.
        policy: Level, permutations and the effect that matters.
        as_of: Exclusive end of what is known.
    """
    findings = [ask_change_point(each, policy, as_of) for each in series]
    known = [i for i, finding in enumerate(findings) if finding.result.p_value is not None]
    raw = [float(findings[i].result.p_value or 1.0) for i in known]
    adjusted = adjusted_p_values(raw, policy.false_discovery.method)
    q_values = dict(zip(known, adjusted, strict=True))
    return [_judged(finding, q_values.get(i), policy) for i, finding in enumerate(findings)]


def ask_change_point(series: StyleSeries, policy: DriftPolicy, as_of: datetime) -> Finding:
    """Ask since when the fingerprints are others."""
    window = fingerprint_window(policy.fingerprints, as_of)
    segment = series.writer.segment
    seed = int(stable_hash(policy.seed, QUESTION, segment.subject, window.ended_at)[:7], 16)
    result = change_point(
        [each.fingerprint for each in series.days],
        seed=seed,
        n_permutations=policy.permutations.screen,
        n_refined=policy.permutations.refine,
    )
    before, after = _parts(series, result, window)
    return Finding(
        family="drift",
        question=QUESTION,
        segment=segment,
        window=after,
        reference=before,
        result=_as_days_ago(series, result, window),
        effect=result.details.get("largest_shift_sd"),
        min_effect=policy.fingerprints.min_effect,
        threshold=policy.false_discovery.level,
        unit="days",
        effect_text=_words(series, result),
        evidence_query=fingerprints_query(segment, window, as_of),
        inputs=stable_hash([[d.day, d.fingerprint.fingerprint_hash] for d in series.days]),
        details=_details(series, result),
    )


def _parts(series: StyleSeries, result: StatResult, window: Window) -> tuple[Window | None, Window]:
    """Return the days before the likeliest change, and those from then on; without one all days."""
    if result.value is None:
        return None, window
    changed_at = _start(series, result.value)
    return Window(_start(series, 0), changed_at), Window(changed_at, window.ended_at)


def _as_days_ago(series: StyleSeries, result: StatResult, window: Window) -> StatResult:
    """Return the result in days before the end of the window, its sizes in answers."""
    sizes = [each.fingerprint.n_texts for each in series.days]
    if result.value is None or result.interval is None:
        reason = result.reason
        if series.n_left_out:
            reason = f"{reason} (days with too few answers: {series.n_left_out})"
        return replace(result, n_current=sum(sizes), reason=reason)
    end, position = window.ended_at, int(result.value)
    latest, earliest = (
        float((end - _start(series, place)).days) for place in reversed(result.interval)
    )
    return replace(
        result,
        value=float((end - _start(series, position)).days),
        interval=(latest, earliest),
        n_reference=sum(sizes[:position]),
        n_current=sum(sizes[position:]),
    )


def _details(series: StyleSeries, result: StatResult) -> dict[str, Any]:
    """Return what the row has no column for."""
    place = 0 if result.value is None else int(result.value)
    details: dict[str, Any] = {
        "request_models": list(series.request_models),
        "n_days_left_out": series.n_left_out,
        "sampling": {
            "strata": "day",
            "order": "by a hash of the call key",
            "reference": _sampled(series.days[:place]),
            "current": _sampled(series.days[place:]),
        },
    }
    if result.interval is not None:
        details["changed_date"] = _day(series, place).isoformat()
        details["changed_date_interval"] = [_day(series, p).isoformat() for p in result.interval]
    return details


def _sampled(days: Sequence[StyleDay]) -> dict[str, Any]:
    """Return how many answers of how many were read, by day."""
    return {
        "n_read": sum(each.fingerprint.n_texts for each in days),
        "n_answers": sum(each.n_answers for each in days),
        "by_stratum": [
            [each.day.isoformat(), each.fingerprint.n_texts, each.n_answers] for each in days
        ],
    }


def _words(series: StyleSeries, result: StatResult) -> str:
    """Name the likeliest day of a change, and the habits that moved most."""
    if result.value is None or result.interval is None:
        return ""
    first, last = (_day(series, place) for place in result.interval)
    moved = list(result.details["moved_features"].items())[:3]
    listed = ", ".join(f"{name} {shift:+.2f} sd" for name, shift in moved)
    return (
        f"the likeliest first day of another style is {_day(series, result.value)} ({first} to "
        f"{last}; {result.n_reference} days before it, {result.n_current} from then on); moved "
        f"most: {listed}"
    )


def _judged(finding: Finding, q_value: float | None, policy: DriftPolicy) -> Judged:
    """Compare with the policy and say why; never more than a warning."""
    where, level = finding.segment.label, policy.false_discovery.level
    if q_value is None:
        reason = f"{where}: {finding.result.reason}."
        return Judged(finding, "insufficient_evidence", None, reason)
    verdict: Verdict = "ok"
    words = f"q = {q_value:.2g} is above {level:g}, no sign of a change"
    if q_value <= level and finding.is_large:
        asked = " and ".join(finding.details["request_models"]) or "it"
        verdict = "warning"
        words = (
            f"q = {q_value:.2g} is at most {level:g}; topics and prompts move style too, so look "
            f"at the drift questions about {asked}"
        )
    elif q_value <= level:
        words = f"significant (q = {q_value:.2g}) but below the shift that matters"
    return Judged(finding, verdict, q_value, f"{where}: {finding.effect_text}; {words}.")


def _day(series: StyleSeries, position: float) -> date:
    """Return the day at a position of the series."""
    return series.days[int(position)].day


def _start(series: StyleSeries, position: float) -> datetime:
    """Return the start of that day."""
    return datetime.combine(_day(series, position), time(), tzinfo=UTC)
