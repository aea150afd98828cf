"""Fingerprints on a small warehouse made by hand: what is kept, restated and said."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from include.freezeline.adapters.warehouse import Warehouse, open_scratch
from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.segments import TextRow
from include.freezeline.hashing import stable_hash
from include.freezeline.jobs.judge_fingerprints import judge_fingerprints
from tests.unit.drift.worlds import AS_OF, POLICY, SHIPPED, day_rows

N_DAYS, N_CALLS, CHANGED_AGE = 16, 24, 5
_ONE_DAY = timedelta(days=1)
_TABLES = """
create schema marts;
create table marts.fct_llm_calls (
    call_key varchar, feature varchar, environment varchar, provider varchar,
    request_model varchar, response_model varchar, called_at timestamptz, call_date date
);
create table marts.fct_call_texts (
    call_key varchar, feature varchar, environment varchar, called_at timestamptz, call_date date,
    canary_id varchar, output_text_redacted varchar, output_text_hash varchar
);
"""


def _insert(
    warehouse: Warehouse, rows: Sequence[TextRow], response_model: str | None = "m-1"
) -> None:
    for row in rows:
        day = row.called_at.date()
        subject = [row.call_key, "code-helper", "production"]
        warehouse.execute(
            "insert into marts.fct_llm_calls values (?, ?, ?, 'openai', 'm', ?, ?, ?)",
            [*subject, response_model, row.called_at, day],
        )
        warehouse.execute(
            "insert into marts.fct_call_texts values (?, ?, ?, ?, ?, ?, ?, ?)",
            [*subject, row.called_at, day, row.canary_id, row.answer, stable_hash(row.answer)],
        )


def _fill(warehouse: Warehouse, changed_age: int, n_days: int = N_DAYS) -> None:
    """Write days of answers; another model answers on the last ``changed_age`` of them."""
    for statement in (*_TABLES.split(";")[:-1], "create schema judgement"):
        warehouse.execute(statement)
    warehouse.ensure_judgement_tables()
    for age in range(1, n_days + 1):
        is_other = age <= changed_age
        rows = day_rows(AS_OF - age * _ONE_DAY, n_calls=N_CALLS, is_other_model=is_other)
        _insert(warehouse, rows)


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with open_scratch() as opened:
        yield opened


def _judge(
    warehouse: Warehouse, as_of: datetime = AS_OF, policy: DriftPolicy = POLICY
) -> list[tuple[str, str, str]]:
    """Run the night; return verdict, reason and the changed day."""
    judged = judge_fingerprints(warehouse, policy, as_of, lambda _message: None)
    return [(j.verdict, j.reason, j.finding.details.get("changed_date", "")) for j in judged]


def _stored(warehouse: Warehouse) -> list[dict[str, Any]]:
    return warehouse.rows(
        "select * from judgement.style_fingerprints order by fingerprint_date, model, revision"
    )


def test_planted_change_of_style_warns_and_names_the_day(warehouse: Warehouse) -> None:
    _fill(warehouse, CHANGED_AGE)
    ((verdict, reason, changed),) = _judge(warehouse)
    assert (verdict, changed) == ("warning", "2026-10-09")
    assert "the likeliest first day of another style is 2026-10-09" in reason
    assert "sd" in reason
    rows = _stored(warehouse)
    assert len(rows) == N_DAYS
    assert {(row["provider"], row["model"], row["request_models"]) for row in rows} == {
        ("openai", "m-1", json.dumps(["m"]))
    }
    assert {(row["n_answers"], row["n_texts"], row["revision"]) for row in rows} == {
        (N_CALLS, N_CALLS, 1)
    }


def test_quiet_days_do_not_warn(warehouse: Warehouse) -> None:
    _fill(warehouse, 0)
    ((verdict, reason, _),) = _judge(warehouse)
    assert verdict == "ok"
    assert "no sign of a change" in reason


def test_second_run_of_a_night_writes_nothing_and_reads_no_text(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(warehouse, CHANGED_AGE)
    first = _judge(warehouse)
    before = _stored(warehouse)
    monkeypatch.setattr("include.freezeline.jobs.judge_fingerprints.load_texts", None)
    assert _judge(warehouse) == first
    assert _stored(warehouse) == before


def test_next_night_computes_its_own_day_only(warehouse: Warehouse) -> None:
    _fill(warehouse, 0)
    _judge(warehouse)
    _insert(warehouse, day_rows(AS_OF, n_calls=N_CALLS))
    _judge(warehouse, AS_OF + _ONE_DAY)
    rows = _stored(warehouse)
    assert len(rows) == N_DAYS + 1
    assert {row["as_of"] for row in rows[:-1]} == {AS_OF}
    assert rows[-1]["as_of"] == AS_OF + _ONE_DAY


def test_late_call_restates_its_day_and_no_earlier_night(warehouse: Warehouse) -> None:
    _fill(warehouse, CHANGED_AGE)
    told = _judge(warehouse)
    day = AS_OF - 10 * _ONE_DAY
    late = day_rows(day, n_calls=1, version="late", seed=9)
    _insert(warehouse, late)
    _judge(warehouse, AS_OF + _ONE_DAY)
    rows = _stored(warehouse)
    first, second = (row for row in rows if row["fingerprint_date"] == day.date())
    assert len(rows) == N_DAYS + 1
    assert (first["revision"], second["revision"]) == (1, 2)
    assert (first["n_answers"], second["n_answers"]) == (N_CALLS, N_CALLS + 1)
    assert first["fingerprint_hash"] != second["fingerprint_hash"]
    for table in ("fct_call_texts", "fct_llm_calls"):
        warehouse.execute(f"delete from marts.{table} where call_key = ?", [late[0].call_key])
    assert _judge(warehouse) == told, "a night that is run again knows what it knew"
    assert _stored(warehouse) == rows


def test_fingerprint_outlives_its_texts(warehouse: Warehouse) -> None:
    _fill(warehouse, CHANGED_AGE)
    first, before = _judge(warehouse), _stored(warehouse)
    warehouse.execute(
        "delete from marts.fct_call_texts where call_date < ?", [AS_OF - 8 * _ONE_DAY]
    )
    warehouse.execute(
        "delete from marts.fct_call_texts where call_date = ? and call_key like '%1'",
        [(AS_OF - 6 * _ONE_DAY).date()],
    )
    assert _judge(warehouse) == first
    assert _stored(warehouse) == before


def test_days_with_few_answers_have_a_row_and_no_fingerprint(warehouse: Warehouse) -> None:
    _fill(warehouse, 0, n_days=3)
    _insert(warehouse, day_rows(AS_OF - 4 * _ONE_DAY, n_calls=5, n_canaries=40))
    ((verdict, reason, _),) = _judge(warehouse)
    assert verdict == "insufficient_evidence"
    assert "3 days with a fingerprint" in reason
    few = _stored(warehouse)[0]
    assert few["reason"] == "5 answers with a text, at least 20 are needed"
    assert (few["means"], few["n_answers"]) == (None, 5)


def test_models_that_answer_have_series_of_their_own(warehouse: Warehouse) -> None:
    _fill(warehouse, 0, n_days=9)
    _insert(warehouse, day_rows(AS_OF - _ONE_DAY, n_calls=30, seed=1), response_model="m-2")
    _insert(warehouse, day_rows(AS_OF - _ONE_DAY, n_calls=30, seed=2), response_model=None)
    judged = _judge(warehouse)
    assert sorted(verdict for verdict, _, _ in judged) == ["insufficient_evidence"] * 2 + ["ok"]
    last = [row["model"] for row in _stored(warehouse)][-3:]
    assert last == ["m", "m-1", "m-2"], "the model asked for, where none is named"


def test_texts_of_a_day_are_capped_by_a_choice_that_others_do_not_move(
    warehouse: Warehouse,
) -> None:
    policy = DriftPolicy.model_validate({**SHIPPED, "fingerprints": {"max_texts": 20}})
    _fill(warehouse, 0, n_days=1)
    _judge(warehouse, policy=policy)
    (before,) = _stored(warehouse)
    _insert(warehouse, day_rows(AS_OF - _ONE_DAY, n_calls=50, seed=3), response_model="other")
    _judge(warehouse, policy=policy)
    kept, other = _stored(warehouse)
    assert kept == before
    assert (before["n_texts"], other["n_texts"], other["n_answers"]) == (20, 20, 50)


def test_nothing_is_read_or_written_when_it_is_switched_off(warehouse: Warehouse) -> None:
    policy = DriftPolicy.model_validate({**SHIPPED, "fingerprints": {"is_enabled": False}})
    _fill(warehouse, CHANGED_AGE)
    assert _judge(warehouse, policy=policy) == []
    assert _stored(warehouse) == []


def test_evidence_shows_the_days_and_the_answers_behind_them(warehouse: Warehouse) -> None:
    _fill(warehouse, CHANGED_AGE)
    (judged,) = judge_fingerprints(warehouse, POLICY, AS_OF, lambda _message: None)
    assert len(warehouse.rows(judged.finding.evidence_query)) == N_DAYS
    warehouse.execute("alter table marts.fct_call_texts add column prompt_version varchar")
    shown = warehouse.rows(_stored(warehouse)[0]["evidence_query"])
    assert len(shown) == N_CALLS
