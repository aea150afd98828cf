"""Every answer that has a p-value has an effect with an interval, whatever was asked."""

from collections.abc import Iterator

import numpy as np
import pytest

from include.freezeline.config import config_dir
from include.freezeline.drift.anomalies import ask_anomaly
from include.freezeline.drift.anomaly_policy import load_anomaly_policy
from include.freezeline.drift.findings import Finding
from include.freezeline.drift.night import judge_drift
from include.freezeline.drift.questions import QUESTIONS
from include.freezeline.drift.verdicts import example_rows
from include.freezeline.settings import Settings
from include.freezeline.stats.divergence import divergence_test
from tests.unit.drift.test_anomalies import _counts, _noise, _series
from tests.unit.drift.worlds import AS_OF, POLICY, fake_embed, segment_texts
from tests.unit.stats.texts import make_window

ANOMALIES = load_anomaly_policy(config_dir(Settings()))


def _findings() -> Iterator[Finding]:
    """Answer every question of drift and anomalies."""
    texts = segment_texts(frozenset({0, 1}), n_calls=30)
    for judged in judge_drift([texts], POLICY, AS_OF, fake_embed):
        yield judged.finding
    for question in ANOMALIES.questions:
        n_days = 28 if question.kind == "creep" else 31
        series = (
            _counts(np.full(n_days, 0.02)) if question.kind == "ratio" else _series(_noise(n_days))
        )
        yield ask_anomaly(question, series, ANOMALIES, AS_OF)


def test_every_question_has_an_effect_and_an_interval_beside_its_p_value() -> None:
    asked = set()
    for finding in _findings():
        asked.add(finding.question)
        result = finding.result
        assert result.p_value is not None, finding.question
        assert finding.effect is not None, finding.question
        assert result.value is not None, finding.question
        assert result.interval is not None, finding.question
        lower, upper = result.interval
        assert lower <= result.value <= upper, finding.question
        assert lower < upper, finding.question
    assert asked == set(QUESTIONS) | {question.name for question in ANOMALIES.questions}


def test_every_comparison_of_answers_names_examples() -> None:
    texts = segment_texts(frozenset({0, 1}), n_calls=30)
    for judged in judge_drift([texts], POLICY, AS_OF, fake_embed):
        finding = judged.finding
        rows = example_rows(judged, AS_OF)
        assert len(finding.examples) == 3
        assert finding.result.details["example_call_keys"] == [r.call_key for r in finding.examples]
        assert len(rows) == (3 if judged.verdict in ("warning", "breach") else 0)
        assert all(finding.window.covers(row.called_at) for row in finding.examples)


def test_divergence_interval_is_the_spread_of_chance_around_what_was_seen() -> None:
    rng = np.random.default_rng(3)
    texts = [*make_window(60, rng)[1], *make_window(60, rng, other_share=1.0)[1]]
    result = divergence_test(texts, np.arange(120) >= 60, seed=1)
    details = result.details
    assert result.value is not None
    assert result.interval is not None
    lower, upper = details["chance_interval_nats"]
    assert result.interval[1] - result.interval[0] == pytest.approx(upper - lower)
    assert result.interval[0] > details["chance_median_nats"], "chance does not reach it"
    assert details["excess_interval_nats"][0] > 0
    assert details["excess_nats"] == pytest.approx(result.value - details["chance_median_nats"])
