"""Rows of fingerprints, the series they make, and what is said about them."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from include.freezeline.contracts.judgement import STYLE_FINGERPRINTS, VERDICTS
from include.freezeline.drift.cause_rows import compared_windows
from include.freezeline.drift.evidence import causes_query
from include.freezeline.drift.findings import Judged
from include.freezeline.drift.fingerprints import (
    AnswersOfDay,
    StyleSeries,
    Writer,
    fingerprint_row,
    fingerprint_window,
    is_news,
    style_series,
)
from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.scope import Fingerprints
from include.freezeline.drift.style_changes import judge_style_changes
from include.freezeline.drift.verdicts import verdict_row
from include.freezeline.drift.windows import Window
from include.freezeline.stats.style import FEATURE_NAMES
from tests.unit.drift.worlds import AS_OF, POLICY, SHIPPED
from tests.unit.stats.texts import make_window

RULE = Fingerprints()
WRITER = Writer("helper", "production", "openai", "gpt-4.1-mini-2026")
LAST_DAY = AS_OF.date() - timedelta(days=1)


def _day(
    age: int = 0, n_answers: int = 30, answers_hash: str = "h", writer: Writer = WRITER
) -> AnswersOfDay:
    day = LAST_DAY - timedelta(days=age)
    return AnswersOfDay(writer, day, ("gpt-4.1-mini",), n_answers, answers_hash)


def _row(age: int, *, other_share: float = 0.0, n: int = 25, **given: Any) -> dict[str, Any]:
    found = _day(age, n_answers=n, **given)
    _, texts = make_window(n, np.random.default_rng([age, n]), other_share=other_share)
    return fingerprint_row(found, texts, RULE, AS_OF)


def _rows(changed_days: int, n_days: int = 20, **given: Any) -> list[dict[str, Any]]:
    return [_row(age, other_share=0.8 * (age < changed_days), **given) for age in range(n_days)]


def _judge(rows: Sequence[dict[str, Any]], policy: DriftPolicy = POLICY) -> list[Judged]:
    return judge_style_changes(style_series(rows, policy, AS_OF), policy, AS_OF)


def test_row_has_every_column_and_a_mean_of_every_habit() -> None:
    row = _row(0)
    assert set(row) | {"revision", "content_hash"} == set(STYLE_FINGERPRINTS.column_names)
    assert set(json.loads(row["means"])) == set(FEATURE_NAMES)
    assert set(json.loads(row["standard_errors"])) == set(FEATURE_NAMES)
    assert row["reason"] is None
    assert (row["n_answers"], row["n_texts"]) == (25, 25)
    assert row["fingerprint_hash"] == _row(0)["fingerprint_hash"] != _row(1)["fingerprint_hash"]


def test_row_of_few_answers_says_so_when_there_is_no_fingerprint() -> None:
    row = fingerprint_row(_day(), ["Yes."] * 19 + [" "] * 40, RULE, AS_OF)
    assert row["reason"] == "19 answers with a text, at least 20 are needed"
    assert [row[name] for name in ("means", "standard_errors", "fingerprint_hash")] == [None] * 3
    assert row["n_texts"] == 19
    required = {c.name for c in STYLE_FINGERPRINTS.columns if not c.nullable}
    assert not [name for name in required & set(row) if row[name] is None]


def test_row_holds_no_text() -> None:
    texts = [f"planted answer number {i}." for i in range(30)]
    assert "planted" not in json.dumps(fingerprint_row(_day(), texts, RULE, AS_OF), default=str)


@pytest.mark.parametrize(
    ("n_answers", "answers_hash", "expected"),
    [(30, "h", False), (31, "late", True), (30, "replaced", True), (29, "purged", False)],
)
def test_day_is_news_when_answers_came_late_or_changed(
    n_answers: int, answers_hash: str, expected: bool
) -> None:
    stored = {"input_hash": _day().input_hash(RULE), "n_answers": 30}
    assert is_news(_day(0, n_answers, answers_hash), stored, RULE) is expected


def test_day_is_news_when_it_has_no_row_or_more_texts_are_asked_for() -> None:
    assert is_news(_day(), None, RULE)
    stored = {"input_hash": _day().input_hash(RULE), "n_answers": 30}
    assert is_news(_day(), stored, Fingerprints(max_texts=300))


def test_window_is_of_whole_days_when_a_night_ends_in_one() -> None:
    window = fingerprint_window(RULE, AS_OF + timedelta(hours=7))
    assert (window.started_at, window.ended_at) == (AS_OF - timedelta(days=28), AS_OF)


def test_series_leave_out_models_that_answered_nothing_lately() -> None:
    gone = [_row(age) for age in range(8, 20)]
    assert style_series(gone, POLICY, AS_OF) == []
    (series,) = style_series([_row(7 - 1), *gone], POLICY, AS_OF)
    assert len(series.days) == 13
    assert series.request_models == ("gpt-4.1-mini",)


def test_series_leave_out_days_without_a_fingerprint_and_of_other_habits() -> None:
    rows = [*(_row(age) for age in range(5)), _row(5, n=10)]
    rows[0] = {**rows[0], "method_version": "0"}
    rows[1] = {**rows[1], "means": json.dumps({"commas": 0.1})}
    (series,) = style_series(rows, POLICY, AS_OF)
    assert (len(series.days), series.n_left_out) == (3, 3)


@pytest.mark.parametrize("model", [None, "gpt-4.1-mini", "gpt-4.1-mini-2026"])
def test_series_start_again_when_a_change_was_accepted(model: str | None) -> None:
    change = {"feature": "helper", "from_date": date(2026, 10, 4), "by": "Ada", "reason": "better"}
    rule = {"days": 14, "moves": "after_accepted_change", "accepted_changes": [change]}
    if model is not None:
        change["model"] = model
    policy = DriftPolicy.model_validate({**SHIPPED, "reference": rule})
    (series,) = style_series(_rows(0), policy, AS_OF)
    assert series.days[0].day == date(2026, 10, 4)
    elsewhere = {**rule, "accepted_changes": [{**change, "model": "gpt-5"}]}
    policy = DriftPolicy.model_validate({**SHIPPED, "reference": elsewhere})
    (series,) = style_series(_rows(0), policy, AS_OF)
    assert len(series.days) == 20


def test_change_of_style_warns_and_names_the_day_and_the_habits() -> None:
    (judged,) = _judge(_rows(changed_days=6))
    finding, changed = judged.finding, AS_OF.date() - timedelta(days=6)
    assert judged.verdict == "warning"
    assert finding.result.value == 6.0
    assert finding.result.interval is not None
    assert finding.result.interval[0] <= 6.0 <= finding.result.interval[1]
    assert (finding.result.n_reference, finding.result.n_current) == (14 * 25, 6 * 25)
    assert finding.window.started_at.date() == changed
    assert finding.reference is not None
    assert finding.reference.ended_at == finding.window.started_at
    first_habit = next(iter(finding.result.details["moved_features"]))
    for word in (f"another style is {changed}", first_habit, "openai", "gpt-4.1-mini-2026"):
        assert word in judged.reason
    assert judged.reason.endswith("look at the drift questions about gpt-4.1-mini.")
    assert "response_model, request_model" in causes_query(
        finding.segment, finding.reference, finding.window
    )


def test_cause_is_looked_for_in_as_many_days_before_as_from_then_on() -> None:
    (late,), (early,) = _judge(_rows(changed_days=6)), _judge(_rows(changed_days=15))
    for judged, n_days in ((late, 6), (early, 5)):
        before, window = compared_windows(judged.finding)
        assert before == Window(window.started_at - timedelta(days=n_days), window.started_at)
        assert window == judged.finding.window


def test_change_of_style_is_a_whole_verdict_row() -> None:
    (judged,) = _judge(_rows(changed_days=6))
    row = verdict_row(judged, AS_OF)
    assert set(row) | {"revision", "content_hash"} == set(VERDICTS.column_names)
    assert (row["family"], row["question"]) == ("drift", "fingerprint_change_point")
    assert (row["model"], row["unit"], row["threshold"]) == ("gpt-4.1-mini-2026", "days", 0.01)
    details = json.loads(row["details"])
    assert details["changed_date"] == "2026-10-08"
    assert details["segment"]["provider"] == "openai"
    assert details["sampling"]["current"]["n_read"] == 6 * 25
    assert len(details["sampling"]["reference"]["by_stratum"]) == 14


def test_quiet_days_do_not_warn() -> None:
    writers = [Writer(f"f{i}", "production", "openai", "m") for i in range(8)]
    rows = [
        {**row, "feature": writer.feature}
        for number, writer in enumerate(writers)
        for row in (_row(age, n=21 + number) for age in range(14))
    ]
    judged = _judge(rows)
    assert [each.verdict for each in judged] == ["ok"] * 8
    assert all("no sign of a change" in each.reason for each in judged)


def test_small_change_is_fine_however_significant() -> None:
    policy = DriftPolicy.model_validate({**SHIPPED, "fingerprints": {"min_effect": 50.0}})
    (judged,) = _judge(_rows(changed_days=6), policy)
    assert judged.verdict == "ok"
    assert "below the shift that matters" in judged.reason


def test_few_days_lack_evidence_and_say_what_is_missing() -> None:
    (judged,) = _judge([*(_row(age) for age in range(5)), _row(5, n=10)])
    assert judged.verdict == "insufficient_evidence"
    assert judged.reason.endswith(
        "5 days with a fingerprint, at least 8 are needed (days with too few answers: 1)."
    )
    assert judged.finding.result.n_current == 5 * 25
    assert not [n for n in VERDICTS.columns
                if not n.nullable and verdict_row(judged, AS_OF).get(n.name, 1) is None]  # fmt: skip


def test_false_discoveries_are_controlled_over_all_series() -> None:
    changed = _rows(changed_days=6)
    quiet = [{**row, "feature": f"f{i}"} for i in range(4) for row in _rows(0, n_days=9)]
    (alone,) = _judge(changed)
    among = next(j for j in _judge([*changed, *quiet]) if j.finding.segment.feature == "helper")
    assert alone.q_value == alone.finding.result.p_value == among.finding.result.p_value
    assert among.q_value == pytest.approx(5 * (alone.q_value or 0.0))


def test_answer_is_the_same_whenever_it_is_asked() -> None:
    rows = _rows(changed_days=6)

    def said(given: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [verdict_row(each, AS_OF) for each in _judge(given)]

    assert said(rows) == said(rows[::-1])


def test_no_series_are_no_verdicts() -> None:
    nothing: list[StyleSeries] = []
    assert judge_style_changes(nothing, POLICY, AS_OF) == []
