"""Which rows a drift question compares; decided before anything is embedded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date
from typing import Any

import numpy as np

from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.sampling import describe_sample
from include.freezeline.drift.segments import SegmentTexts, TextRow
from include.freezeline.drift.strata import MIN_STRATUM, compared_within
from include.freezeline.drift.windows import Window
from include.freezeline.hashing import stable_hash
from include.freezeline.stats.permutation import shared_strata
from include.freezeline.stats.result import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows of one question, segment and window.

    Attributes:
        question: Question name.
        texts: Segment the rows belong to.
        window: Window judged.
        reference: Reference answers; for pairs, row i belongs to current row i.
        current: Answers of the window.
        replicates: For pairs, a second reference answer of each pair.
        to_embed: Rows whose answers need an embedding.
        reason: Why the question cannot be asked; None when it can.
        sampling: How many answers of how many are compared, by stratum, for the verdict's details.
    """

    question: str
    texts: SegmentTexts
    window: Window
    reference: tuple[TextRow, ...]
    current: tuple[TextRow, ...]
    replicates: tuple[TextRow, ...] = ()
    to_embed: tuple[TextRow, ...] = ()
    reason: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[TextRow, ...]:
        """All rows, reference first."""
        return self.reference + self.current

    @property
    def is_current(self) -> BoolArray:
        """Which of the rows belong to the judged window."""
        return np.arange(len(self.rows)) >= len(self.reference)

    @property
    def strata(self) -> IntArray:
        """Group of each row: prompt version, whether retrieval found something, and tenant."""
        return compared_within(self.rows, len(self.reference))

    def input_hash(self) -> str:
        """Return the hash of the compared answers."""
        rows = self.reference + self.replicates + self.current
        return stable_hash([[row.call_key, row.answer] for row in rows])

    def seed(self, policy: DriftPolicy) -> int:
        """Return the seed of the question, the same on every run."""
        subject = self.texts.segment.subject
        digest = stable_hash(policy.seed, self.question, subject, self.window.ended_at)
        return int(digest[:7], 16)


def plan_semantic_shift(texts: SegmentTexts, window: Window, policy: DriftPolicy) -> Plan:
    """Plan the comparison of organic answers."""
    plan = _plan_organic("semantic_shift", texts, window, policy)
    limit = policy.sampling.max_embedded
    chosen = plan.reference[:limit] + plan.current[:limit]
    return replace(plan, to_embed=chosen if plan.reason is None else ())


def plan_output_divergence(texts: SegmentTexts, window: Window, policy: DriftPolicy) -> Plan:
    """Plan the comparison of output distributions."""
    return _plan_organic("output_divergence", texts, window, policy)


def plan_paired(texts: SegmentTexts, window: Window, policy: DriftPolicy) -> Plan:
    """Plan the comparison of the meaning of probe answers with two reference answers each."""
    return _plan_probes("semantic_shift_paired", texts, window, policy)


def plan_style_paired(texts: SegmentTexts, window: Window, policy: DriftPolicy) -> Plan:
    """Plan the comparison of how the same probe answers are written."""
    return _plan_probes("style_shift_paired", texts, window, policy)


def _plan_probes(question: str, texts: SegmentTexts, window: Window, policy: DriftPolicy) -> Plan:
    """Give every probe answer two reference answers.

    Of each probe one answer a day is taken, and none twice: what a cache repeats within a day would
    make triples depend on each other, and two reference answers alike.
    """
    pool: dict[tuple[str, ...], list[TextRow]] = {}
    for row in _one_a_day(_probes(texts.reference_rows)):
        pool.setdefault(_asked(row), []).append(row)
    triples = [
        (*found, row)
        for row in _one_a_day(_probes(texts.rows_in(window)))
        if (found := _take_two(pool.get(_asked(row), []), row.prompt))
    ]
    reference, replicates, current = (tuple(t[i] for t in triples) for i in range(3))
    needed: int = getattr(policy.questions, question).min_current
    reason = None
    if len(triples) < needed:
        reason = (
            f"{len(triples)} probe answers have reference answers of two days to the same prompt "
            f"and prompt version with as much retrieved; at least {needed} are needed"
        )
    return Plan(
        question=question,
        texts=texts,
        window=window,
        reference=reference,
        current=current,
        replicates=replicates,
        to_embed=reference + replicates + current if reason is None else (),
        reason=reason,
        sampling=describe_sample(
            {"reference": _probes(texts.reference_rows), "current": _probes(texts.rows_in(window))},
            {"reference": reference + replicates, "current": current},
        ),
    )


def _asked(row: TextRow) -> tuple[str, ...]:
    """Return what two answers to a probe must have in common beside its text."""
    return str(row.canary_id), row.prompt_version, str(row.is_retrieval_empty)


def _one_a_day(rows: tuple[TextRow, ...]) -> tuple[TextRow, ...]:
    """Return the first answer to each probe and text of each day (UTC), in sampling order."""
    first: dict[tuple[str, ...], TextRow] = {}
    for row in rows:
        day = row.called_at.astimezone(UTC).date().isoformat()
        first.setdefault((*_asked(row), row.prompt, day), row)
    return tuple(first.values())


def _take_two(pool: list[TextRow], prompt: str) -> tuple[TextRow, TextRow] | None:
    """Take two reference answers to a prompt out of the pool of its probe; None without two.

    An edited probe is another question. Only where its text is never the same twice, because a
    date or retrieved texts are part of it, do answers to other texts serve.
    """
    same = [row for row in pool if row.prompt == prompt]
    if not same and len({row.prompt for row in pool}) == len(pool):
        same = pool[:]
    days: dict[date, TextRow] = {}
    for row in same:
        days.setdefault(row.called_at.astimezone(UTC).date(), row)
    if len(days) < 2:
        return None
    first, second = list(days.values())[:2]
    pool.remove(first)
    pool.remove(second)
    return first, second


def _plan_organic(question: str, texts: SegmentTexts, window: Window, policy: DriftPolicy) -> Plan:
    """Keep organic answers of prompt versions that both windows have."""
    reference = _organic(texts.reference_rows)
    current = _organic(texts.rows_in(window))
    limit = policy.sampling.max_texts
    kept_reference, kept_current = _shared(reference, current, limit)
    needed: int = getattr(policy.questions, question).min_current
    reason = None
    if min(len(kept_reference), len(kept_current)) < needed:
        reason = _shortage(reference, current, kept_reference, kept_current, needed)
    sampling = describe_sample(
        {"reference": reference, "current": current},
        {"reference": kept_reference, "current": kept_current},
    )
    return Plan(
        question, texts, window, kept_reference, kept_current, reason=reason, sampling=sampling
    )


def _organic(rows: tuple[TextRow, ...]) -> tuple[TextRow, ...]:
    """Return answers to users that say anything."""
    return tuple(row for row in rows if row.canary_id is None and row.answer.strip())


def _probes(rows: tuple[TextRow, ...]) -> tuple[TextRow, ...]:
    """Return answers to probes that say anything."""
    return tuple(row for row in rows if row.canary_id is not None and row.answer.strip())


def _shared(
    reference: tuple[TextRow, ...], current: tuple[TextRow, ...], limit: int
) -> tuple[tuple[TextRow, ...], tuple[TextRow, ...]]:
    """Drop strata that only one window has, then keep the first rows in sampling order."""
    for size in (len(reference) + len(current), limit):
        rows = reference[:size] + current[:size]
        n_reference = len(reference[:size])
        is_current = np.arange(len(rows)) >= n_reference
        strata = compared_within(rows, n_reference)
        keep = shared_strata(is_current, strata, MIN_STRATUM)
        reference = tuple(row for i, row in enumerate(rows) if keep[i] and i < n_reference)
        current = tuple(row for i, row in enumerate(rows) if keep[i] and i >= n_reference)
    return reference, current


def _shortage(
    reference: tuple[TextRow, ...],
    current: tuple[TextRow, ...],
    kept_reference: tuple[TextRow, ...],
    kept_current: tuple[TextRow, ...],
    needed: int,
) -> str:
    """Say what there is too little of."""
    sizes = f"{len(kept_reference)} reference and {len(kept_current)} current answers"
    if min(len(reference), len(current)) >= needed:
        return f"{sizes} share a prompt version and tenant, at least {needed} of each are needed"
    return f"{sizes} are comparable, at least {needed} of each are needed"
