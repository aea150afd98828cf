"""Answers are compared only where both windows ask the same things."""

from dataclasses import replace

import pytest

from include.freezeline.drift.night import judge_drift
from include.freezeline.drift.segments import SegmentTexts
from tests.unit.drift.worlds import AS_OF, POLICY, fake_embed, segment_texts

ORGANIC = ("semantic_shift", "output_divergence")


def _verdicts(texts: SegmentTexts) -> dict[str, tuple[str, str | None]]:
    """Return the verdict and reason of each organic question."""
    judged = judge_drift([texts], POLICY, AS_OF, fake_embed)
    return {
        each.finding.question: (each.verdict, each.finding.result.reason)
        for each in judged
        if each.finding.question in ORGANIC
    }


def _asked_otherwise(texts: SegmentTexts, n_as_before: int) -> SegmentTexts:
    """Let all but some of every day's recent calls ask something that was never asked before."""
    recent, seen = [], dict[object, int]()
    for row in texts.recent_rows:
        if row.canary_id is None:
            day = row.called_at.date()
            seen[day] = seen.get(day, 0) + 1
            if seen[day] > n_as_before:
                row = replace(row, prompt=f"compile rust linker stack error {row.call_key}")
        recent.append(row)
    return replace(texts, recent_rows=tuple(recent))


@pytest.mark.parametrize("n_as_before", [0, 1, 3])
@pytest.mark.parametrize("shifted", [frozenset[int](), frozenset({0, 1, 2, 3, 4, 5})])
def test_other_questions_are_insufficient_evidence_whoever_answers(
    shifted: frozenset[int], n_as_before: int
) -> None:
    found = _verdicts(_asked_otherwise(segment_texts(shifted), n_as_before))
    assert set(found) == set(ORGANIC)
    for verdict, reason in found.values():
        assert verdict == "insufficient_evidence"
        assert "topics of prompts" in str(reason) or "ask different things" in str(reason)


def test_same_questions_are_compared() -> None:
    found = _verdicts(segment_texts())
    assert {verdict for verdict, _ in found.values()} == {"ok"}
