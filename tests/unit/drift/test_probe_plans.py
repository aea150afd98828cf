"""Which reference answers a probe answer is compared with."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from include.freezeline.config import config_dir
from include.freezeline.drift.night import judge_drift
from include.freezeline.drift.plans import Plan, plan_style_paired
from include.freezeline.drift.policy import DriftPolicy, load_drift_policy
from include.freezeline.drift.segments import Segment, SegmentTexts, TextRow
from include.freezeline.drift.windows import Window, recent_windows
from include.freezeline.settings import Settings
from tests.unit.drift.worlds import AS_OF, FIRST_DAY, fake_embed
from tests.unit.stats.texts import answer_text, prompt_text

N_PROBES, N_REFERENCE_DAYS = 12, 14


@pytest.fixture
def policy(settings: Settings) -> DriftPolicy:
    return load_drift_policy(config_dir(settings))


def _row(probe: int, day: int, ask: int, answer: str, **changed: Any) -> TextRow:
    """Return an answer to a probe; day 0 is the newest of the recent ones, counted backwards."""
    rng = np.random.default_rng(probe)
    values: dict[str, Any] = {
        "call_key": f"{day:03d}-{ask:02d}-{probe:02d}",
        "called_at": AS_OF - timedelta(days=day + 1) + timedelta(minutes=60 * ask),
        "prompt_version": "v1",
        "is_retrieval_empty": None,
        "canary_id": f"probe-{probe}",
        "prompt": prompt_text(probe % 3, rng),
        "answer": answer,
    }
    return TextRow(**values | changed)


def _answer(probe: int, *drawn: int) -> str:
    return answer_text(probe % 3, np.random.default_rng([probe, *drawn]))


def _texts(recent: list[TextRow], reference: list[TextRow]) -> SegmentTexts:
    window = Window(FIRST_DAY, FIRST_DAY + timedelta(days=N_REFERENCE_DAYS))
    segment = Segment("help", "production", "m")
    return SegmentTexts(segment, {"v1": window}, tuple(reference), tuple(recent))


def _reference_row(probe: int, day: int, ask: int, answer: str, **changed: Any) -> TextRow:
    at = FIRST_DAY + timedelta(days=day, minutes=60 * ask)
    key = f"r{day:03d}-{ask:02d}-{probe:02d}"
    return _row(probe, day, ask, answer, **{"called_at": at, "call_key": key} | changed)


def _cached_world(seed: int, n_asks: int) -> SegmentTexts:
    """One unchanged model, each probe asked several times a day, answered by a cache of a day."""
    reference = [
        _reference_row(probe, day, ask, _answer(probe, seed, day, 1))
        for day in range(N_REFERENCE_DAYS)
        for ask in range(n_asks)
        for probe in range(N_PROBES)
    ]
    recent = [
        _row(probe, day, ask, _answer(probe, seed, day, 2))
        for day in range(6)
        for ask in range(n_asks)
        for probe in range(N_PROBES)
    ]
    return _texts(recent, reference)


def _plan(texts: SegmentTexts, policy: DriftPolicy) -> Plan:
    return plan_style_paired(texts, recent_windows(AS_OF, policy)[0], policy)


def test_nothing_is_found_when_a_cache_repeats_the_answers_of_a_day(policy: DriftPolicy) -> None:
    verdicts = [
        judged.verdict
        for seed in range(10)
        for judged in judge_drift([_cached_world(seed, 4)], policy, AS_OF, fake_embed)
        if judged.finding.question.endswith("_paired")
    ]
    assert len(verdicts) == 20
    assert verdicts.count("breach") == 0
    assert verdicts.count("ok") >= 18


def test_one_answer_of_a_probe_and_day_is_taken_and_none_twice(policy: DriftPolicy) -> None:
    plan = _plan(_cached_world(1, 4), policy)
    window = recent_windows(AS_OF, policy)[0]
    n_days = (window.ended_at - window.started_at).days
    assert len(plan.current) == N_PROBES * n_days
    used = [row.call_key for row in plan.reference + plan.replicates + plan.current]
    assert len(set(used)) == len(used)
    for first, second in zip(plan.reference, plan.replicates, strict=True):
        assert first.called_at.date() != second.called_at.date()


def test_edited_probe_has_no_reference_answers(policy: DriftPolicy) -> None:
    reference = [
        _reference_row(p, d, 0, _answer(p, d)) for d in range(4) for p in range(N_PROBES)
    ]  # fmt: skip
    edited = [_row(p, 0, 0, _answer(p, 99), prompt="Something else?") for p in range(N_PROBES)]
    plan = _plan(_texts(edited, reference), policy)
    assert plan.current == ()
    assert plan.reason is not None
    assert plan.reason.startswith("0 probe answers have reference answers of two days")


def test_probe_whose_text_is_never_the_same_is_compared(policy: DriftPolicy) -> None:
    reference = [
        _reference_row(p, d, 0, _answer(p, d), prompt=f"Today is day {d}. Question {p}?")
        for d in range(4)
        for p in range(N_PROBES)
    ]
    dated = [_row(p, 0, 0, _answer(p, 99), prompt=f"Today is day 40. Question {p}?")
             for p in range(N_PROBES)]  # fmt: skip
    assert len(_plan(_texts(dated, reference), policy).current) == N_PROBES


def test_answer_without_documents_is_not_compared_with_one_that_had_some(
    policy: DriftPolicy,
) -> None:
    reference = [
        _reference_row(p, d, 0, _answer(p, d), is_retrieval_empty=False)
        for d in range(4)
        for p in range(N_PROBES)
    ]
    empty = [_row(p, 0, 0, _answer(p, 99), is_retrieval_empty=True) for p in range(N_PROBES)]
    found = [_row(p, 0, 0, _answer(p, 99), is_retrieval_empty=False) for p in range(N_PROBES)]
    assert _plan(_texts(empty, reference), policy).current == ()
    assert len(_plan(_texts(found, reference), policy).current) == N_PROBES
