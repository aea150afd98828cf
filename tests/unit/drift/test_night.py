"""A night of drift questions on made-up answers."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.contracts.judgement import VERDICTS
from include.freezeline.drift.findings import Judged
from include.freezeline.drift.night import judge_drift
from include.freezeline.drift.plans import plan_paired
from include.freezeline.drift.segments import SegmentTexts
from include.freezeline.drift.sustained import sustained_verdict
from include.freezeline.drift.verdicts import verdict_row
from include.freezeline.drift.windows import recent_windows, reference_window
from include.freezeline.stats.permutation import Float32Array
from tests.unit.drift.worlds import AS_OF, POLICY, fake_embed, segment_texts

QUESTIONS = {"semantic_shift", "semantic_shift_paired", "style_shift_paired", "output_divergence"}


def _verdicts(segments: Sequence[SegmentTexts]) -> dict[str, Judged]:
    judged = judge_drift(segments, POLICY, AS_OF, fake_embed)
    assert {each.finding.question for each in judged} == QUESTIONS
    return {each.finding.question: each for each in judged}


def test_night_breaches_when_the_shift_lasts() -> None:
    verdicts = _verdicts([segment_texts(frozenset({0, 1, 2, 3}))])
    assert {name: v.verdict for name, v in verdicts.items()} == dict.fromkeys(QUESTIONS, "breach")
    assert all("it lasts" in v.reason for v in verdicts.values())


def test_probes_show_another_style_where_the_meaning_stays() -> None:
    """An embedder that hears no difference leaves how the answers are written."""

    def deaf(texts: Sequence[str]) -> Float32Array:
        return np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(texts), 1))

    found = {
        each.finding.question: each
        for each in judge_drift([segment_texts(frozenset({0, 1, 2, 3}))], POLICY, AS_OF, deaf)
    }
    assert found["semantic_shift_paired"].verdict == "ok"
    style = found["style_shift_paired"]
    assert style.verdict == "breach"
    assert "is recognised in 100.0% of 24 pairs" in style.reason
    assert 0 < len(style.finding.examples) <= 3
    assert {row.canary_id for row in style.finding.examples} != {None}


def test_night_warns_when_only_the_newest_window_is_shifted() -> None:
    verdicts = _verdicts([segment_texts(frozenset({0, 1}))])
    assert verdicts["semantic_shift"].verdict == "warning"
    assert "not yet sustained" in verdicts["semantic_shift"].reason


@pytest.mark.parametrize("day", [0, 1, 2, 3])
def test_night_never_breaches_when_one_day_is_an_outlier(day: int) -> None:
    verdicts = _verdicts([segment_texts(frozenset({day}))])
    assert "breach" not in {v.verdict for v in verdicts.values()}


def test_night_is_ok_when_nothing_changed() -> None:
    verdicts = _verdicts([segment_texts()])
    assert {v.verdict for v in verdicts.values()} == {"ok"}


def test_night_is_ok_when_the_shift_is_over() -> None:
    verdicts = _verdicts([segment_texts(frozenset({2, 3, 4, 5}))])
    assert {v.verdict for v in verdicts.values()} == {"ok"}


def test_night_lacks_evidence_when_the_prompt_version_is_new() -> None:
    verdicts = _verdicts([segment_texts(frozenset(range(6)), version="v2")])
    assert {v.verdict for v in verdicts.values()} == {"insufficient_evidence"}
    assert "prompt version" in verdicts["semantic_shift"].reason
    assert all(v.finding.result.value is None for v in verdicts.values())


def test_night_lacks_evidence_when_answers_are_few() -> None:
    verdicts = _verdicts([segment_texts(n_calls=5, n_canaries=1)])
    assert {v.verdict for v in verdicts.values()} == {"insufficient_evidence"}


def test_night_repeats_itself_when_run_again() -> None:
    def rows() -> list[dict[str, object]]:
        judged = judge_drift([segment_texts(frozenset({0, 1}))], POLICY, AS_OF, fake_embed)
        return [verdict_row(each, AS_OF) for each in judged]

    assert rows() == rows()


def test_verdict_row_has_every_column_when_written() -> None:
    verdicts = _verdicts([segment_texts(n_calls=5)])
    for judged in verdicts.values():
        row = verdict_row(judged, AS_OF)
        assert set(row) | {"revision", "content_hash"} == set(VERDICTS.column_names)
        required = {c.name for c in VERDICTS.columns if not c.nullable}
        assert not [name for name in required & set(row) if row[name] is None]
        assert isinstance(json.loads(str(row["details"])), dict)


def test_pairs_use_no_reference_answer_twice_when_planned() -> None:
    texts = segment_texts()
    plan = plan_paired(texts, recent_windows(AS_OF, POLICY)[0], POLICY)
    used = [row.call_key for row in plan.reference + plan.replicates]
    assert len(used) == 48
    assert len(set(used)) == len(used)
    assert [r.canary_id for r in plan.reference] == [r.canary_id for r in plan.current]


def test_windows_do_not_overlap_when_listed() -> None:
    windows = recent_windows(AS_OF, POLICY)
    assert [w.ended_at for w in windows[1:]] == [w.started_at for w in windows[:-1]]
    assert windows[0].ended_at == AS_OF


def test_reference_starts_with_the_first_call_when_on_the_grid() -> None:
    first = datetime(2026, 9, 16, 7, 30, tzinfo=UTC)
    window = reference_window(first, AS_OF, 14)
    assert window.started_at == datetime(2026, 9, 16, tzinfo=UTC)
    assert window.ended_at - window.started_at == timedelta(days=14)


@given(st.integers(2, 8), st.data())
def test_one_window_never_breaches_when_more_are_needed(
    n_windows: int, data: st.DataObject
) -> None:
    at_least = data.draw(st.integers(2, n_windows))
    outlier = data.draw(st.integers(0, n_windows - 1))
    shifted = [position == outlier for position in range(n_windows)]
    assert sustained_verdict(shifted, at_least) == ("warning" if outlier == 0 else "ok")


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers(1, 8))
def test_breach_needs_the_newest_and_enough_windows_when_decided(
    shifted: list[bool], at_least: int
) -> None:
    is_breach = sustained_verdict(shifted, at_least) == "breach"
    assert is_breach == (shifted[0] and sum(shifted) >= at_least)


def test_verdict_lacks_evidence_when_the_newest_window_is_empty() -> None:
    assert sustained_verdict([True, True], 2, is_sufficient=False) == "insufficient_evidence"
    assert sustained_verdict([], 1) == "insufficient_evidence"
