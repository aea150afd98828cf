"""A night of drift questions: ask, control false discoveries, confirm, decide."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime

from include.freezeline.drift.findings import Finding, Judged
from include.freezeline.drift.plans import Plan
from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.questions import QUESTIONS, Vectors
from include.freezeline.drift.scope import duration_words
from include.freezeline.drift.segments import Embedder, SegmentTexts
from include.freezeline.drift.sustained import sustained_verdict
from include.freezeline.drift.windows import Window, recent_windows
from include.freezeline.stats.multiplicity import adjusted_p_values

Progress = Callable[[str], None]
Asked = tuple[SegmentTexts, str, Window]
Ask = Callable[[Sequence[Asked]], list[Finding]]


def judge_drift(
    segments: Sequence[SegmentTexts],
    policy: DriftPolicy,
    as_of: datetime,
    embed: Embedder,
    progress: Progress = lambda _message: None,
) -> list[Judged]:
    """Answer every drift question of every segment.

    Args:
        segments: What to compare.
        policy: How.
        as_of: Exclusive end of what is known.
        embed: Turns texts into vectors.
        progress: Told what is being done.
    """
    return decide_night(segments, policy, as_of, lambda asked: _ask(asked, policy, embed), progress)


def decide_night(
    segments: Sequence[SegmentTexts],
    policy: DriftPolicy,
    as_of: datetime,
    ask: Ask,
    progress: Progress = lambda _message: None,
) -> list[Judged]:
    """Ask the newest windows, control false discoveries, confirm in earlier windows, decide.

    A finding of the newest window that survives false-discovery control is asked again in the
    earlier windows of the sustained-shift rule, again under false-discovery control.

    Args:
        segments: What to compare.
        policy: How.
        as_of: Exclusive end of what is known.
        ask: Answers questions about segments and windows.
        progress: Told what is being done.
    """
    newest, *earlier = recent_windows(as_of, policy)
    enabled = [name for name in QUESTIONS if getattr(policy.questions, name).is_enabled]
    asked = [(texts, name, newest) for texts in segments for name in enabled]
    progress(f"drift: {len(asked)} questions about {len(segments)} segments")
    findings = ask(asked)
    _tell_resolution(findings, policy, progress)
    q_values = _q_values(findings, policy)
    suspects = [
        i for i, finding in enumerate(findings) if _is_shifted(finding, q_values[i], policy)
    ]
    repeats = [(asked[i][0], asked[i][1], window) for i in suspects for window in earlier]
    progress(f"drift: {len(suspects)} suspects, asked again in earlier windows")
    again = ask(repeats)
    confirmed = [
        _is_shifted(finding, q, policy)
        for finding, q in zip(again, _q_values(again, policy), strict=True)
    ]
    history: dict[int, list[bool]] = {
        i: confirmed[k * len(earlier) : (k + 1) * len(earlier)] for k, i in enumerate(suspects)
    }
    return [
        _judged(finding, q_values[i], history.get(i), policy) for i, finding in enumerate(findings)
    ]


def _tell_resolution(findings: Sequence[Finding], policy: DriftPolicy, progress: Progress) -> None:
    """Say when so much was asked that the smallest possible p-value is not small enough alone."""
    n_answered = sum(finding.result.p_value is not None for finding in findings)
    needed = math.ceil(n_answered / policy.false_discovery.level)
    if policy.permutations.refine + 1 < needed:
        progress(
            f"drift: with {n_answered} answered questions a single shift cannot be significant at "
            f"{policy.permutations.refine} refining permutations (set permutations.refine in "
            f"drift.yml to at least {needed - 1})"
        )


def _ask(asked: Sequence[Asked], policy: DriftPolicy, embed: Embedder) -> list[Finding]:
    """Plan all questions, embed what they need in one go, then answer them."""
    plans = [QUESTIONS[name][0](texts, window, policy) for texts, name, window in asked]
    vectors = _embed(plans, embed)
    return [QUESTIONS[plan.question][1](plan, vectors, policy) for plan in plans]


def _embed(plans: Sequence[Plan], embed: Embedder) -> Vectors:
    """Return the vectors of all answers that the plans need."""
    answers = sorted({row.answer for plan in plans for row in plan.to_embed})
    return dict(zip(answers, embed(answers), strict=True)) if answers else {}


def _q_values(findings: Sequence[Finding], policy: DriftPolicy) -> list[float | None]:
    """Return the adjusted p-value of every finding that has one."""
    known = [i for i, finding in enumerate(findings) if finding.result.p_value is not None]
    raw = [float(findings[i].result.p_value or 1.0) for i in known]
    adjusted = adjusted_p_values(raw, policy.false_discovery.method)
    by_position = dict(zip(known, adjusted, strict=True))
    return [by_position.get(i) for i in range(len(findings))]


def _is_shifted(finding: Finding, q_value: float | None, policy: DriftPolicy) -> bool:
    """Whether a finding is significant and large enough to matter."""
    return q_value is not None and q_value <= policy.false_discovery.level and finding.is_large


def _judged(
    finding: Finding, q_value: float | None, earlier: list[bool] | None, policy: DriftPolicy
) -> Judged:
    """Apply the sustained-shift rule and say why."""
    shifted = [earlier is not None, *(earlier or [])]
    verdict = sustained_verdict(
        shifted, policy.sustained.at_least, is_sufficient=finding.result.is_sufficient
    )
    details = {"n_shifted_windows": sum(shifted), "n_windows": policy.sustained.windows}
    return Judged(finding, verdict, q_value, _reason(finding, q_value, shifted, policy), details)


def _reason(
    finding: Finding, q_value: float | None, shifted: list[bool], policy: DriftPolicy
) -> str:
    """Write the verdict in words, with its numbers."""
    where = finding.segment.label
    if q_value is None:
        return f"{where}: {finding.result.reason}."
    level, rule = policy.false_discovery.level, policy.sustained
    start = f"{where}: {finding.effect_text}"
    if shifted[0]:
        lasts = "and it lasts" if sum(shifted) >= rule.at_least else "not yet sustained"
        return (
            f"{start}; q = {q_value:.2g} is at most {level:g}, shifted in {sum(shifted)} of the "
            f"last {rule.windows} windows of {duration_words(policy.window)} ({rule.at_least} are "
            f"needed), {lasts}."
        )
    if q_value <= level:
        return f"{start}; significant (q = {q_value:.2g}) but below the effect that matters."
    return f"{start}; q = {q_value:.2g} is above {level:g}, no sign of a change."
