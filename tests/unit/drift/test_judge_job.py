"""The judge on a small warehouse made by hand."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import numpy as np

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.drift.anomaly_policy import load_anomaly_policy
from include.freezeline.hashing import stable_hash
from include.freezeline.jobs.judge import JudgeSummary, judge
from include.freezeline.settings import Settings
from tests.unit.drift.hourly_marts import hourly_tables
from tests.unit.drift.worlds import AS_OF, FIRST_DAY, day_rows, fake_embed

MODEL = "gpt-4.1-mini"
_TABLES = """
create schema marts;
create table marts.fct_llm_calls (
    call_key varchar, feature varchar, environment varchar, request_model varchar,
    prompt_version varchar, called_at timestamptz, call_date date, canary_id varchar,
    is_canary boolean, duration_ms double, ttft_ms double, tpot_ms double,
    input_tokens bigint, output_tokens bigint, cost_usd decimal(18,9), is_error boolean,
    is_retrieval_empty boolean, sample_weight double,
    trace_id varchar, prompt_hash varchar, response_model varchar, provider varchar,
    system_fingerprint varchar, retrieved_document_count bigint, tenant_key varchar,
    tenant_tier varchar, route varchar, locale varchar, input_text_chars bigint,
    is_gateway_cache_hit boolean
);
create table marts.fct_retrievals (trace_id varchar, best_document_score double);
create table marts.fct_retrieved_documents (
    trace_id varchar, document_rank integer, document_id varchar
);
create table marts.fct_call_texts (
    call_key varchar, feature varchar, environment varchar, request_model varchar,
    prompt_version varchar, called_at timestamptz, call_date date, canary_id varchar,
    input_text_redacted varchar, output_text_redacted varchar, output_text_hash varchar
);
"""
_HOURLY_TABLES = hourly_tables(load_anomaly_policy(config_dir(Settings())).hourly)


def _days() -> Iterator[tuple[date, int]]:
    start = FIRST_DAY
    while start < AS_OF:
        yield start.date(), (AS_OF - start).days
        start += timedelta(days=1)


def _fill(warehouse: Warehouse, *, has_incidents: bool) -> None:
    """Write six weeks of one segment; the last four days are another model with slow streams."""
    for statement in (_TABLES + _HOURLY_TABLES).split(";"):
        if statement.strip():
            warehouse.execute(statement)
    for day, age in _days():
        start = datetime.combine(day, datetime.min.time(), tzinfo=AS_OF.tzinfo)
        is_late = has_incidents and age <= 4
        rng = np.random.default_rng(day.toordinal())
        rows = day_rows(start, n_calls=30, n_canaries=12, is_other_model=is_late)
        subject = ("code-helper", "production", MODEL, "v1")
        calls, texts = [], []
        for row in rows:
            speed = 20.0 * float(np.exp(rng.normal(0, 0.1))) * (3.0 if is_late else 1.0)
            timing = (speed * 50, 300.0, speed, 1000, 50, 0.001, False, None, 1.0)
            names = (
                row.call_key,
                "hash",
                MODEL,
                "openai",
                None,
                None,
                "t_1",
                None,
                "/",
                "en",
                40,
                False,
            )
            key = (row.call_key, *subject, row.called_at, day, row.canary_id)
            calls.append([*key, row.canary_id is not None, *timing, *names])
            texts.append([*key, row.prompt, row.answer, stable_hash(row.answer)])
        for table, values in (("fct_llm_calls", calls), ("fct_call_texts", texts)):
            places = ", ".join("?" * len(values[0]))
            for value in values:
                warehouse.execute(f"insert into marts.{table} values ({places})", value)


def _judge(settings: Settings, *, has_incidents: bool) -> JudgeSummary:
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        _fill(warehouse, has_incidents=has_incidents)
    return judge(settings, AS_OF, embed=fake_embed)


def test_judge_finds_what_changed_when_incidents_are_on(settings: Settings) -> None:
    summary = _judge(settings, has_incidents=True)
    found = {reason.split(":")[0] for reason in summary.breaches}
    assert {"semantic_shift", "semantic_shift_paired", "style_shift_paired"} <= found
    assert "tpot_p95_ms" in found
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        rows = warehouse.rows("select * from judgement.verdicts")
        assert len(rows) == sum(summary.n_by_verdict.values()) == summary.n_written
        breach = [row for row in rows if row["verdict"] == "breach"]
        assert all(warehouse.rows(row["evidence_query"]) for row in breach)
    assert all(row["p_value"] > 0 and row["q_value"] >= row["p_value"] for row in breach)
    assert all(isinstance(json.loads(row["details"]), dict) for row in rows)
    samples = {
        row["question"]: json.loads(row["details"])["sampling"]["current"]
        for row in rows
        if row["family"] in {"drift", "divergence"}
        and row["question"] != "fingerprint_change_point"
    }
    assert {(each["n_read"], each["n_answers"]) for each in samples.values()} == {
        (60, 60),
        (24, 24),
    }


def test_judge_names_the_model_as_cause_when_another_one_answers(settings: Settings) -> None:
    _judge(settings, has_incidents=True)
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        rows = warehouse.rows(
            "select c.*, v.verdict from judgement.root_causes as c "
            "inner join judgement.verdicts as v using (verdict_key)"
        )
        n_raised = warehouse.rows(
            "select count(*) as n from judgement.verdicts where verdict in ('warning', 'breach')"
        )[0]["n"]
        assert all(warehouse.rows(row["evidence_query"]) for row in rows)
    assert len(rows) == n_raised >= 3
    assert {row["cause"] for row in rows} == {"model"}
    for row in rows:
        evidence = {item["name"]: item for item in json.loads(row["evidence"])}
        assert {item["cause"] for item in evidence.values()} == {
            "prompt",
            "model",
            "retrieval",
            "input",
        }
        assert evidence["probe answers"]["is_changed"]
        assert evidence["style of probe answers"]["is_changed"]
        assert evidence["time per output token"]["value"] > 0.9
        assert not evidence["topics of prompts"]["is_changed"]
        assert evidence["prompt text under its version"]["value"] == 0.0
        assert row["reason"].endswith("nothing is known about: retrieval.")


def test_judge_keeps_the_answers_that_moved_a_verdict_most(settings: Settings) -> None:
    _judge(settings, has_incidents=True)
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        rows = warehouse.rows(
            "select e.*, v.verdict, v.details, t.output_text_redacted as answer "
            "from judgement.verdict_examples as e "
            "inner join judgement.verdicts as v using (verdict_key) "
            "inner join marts.fct_call_texts as t on e.call_key = t.call_key "
            "order by e.verdict_key, e.example_rank"
        )
    assert {row["verdict"] for row in rows} <= {"warning", "breach"}
    assert {row["question"] for row in rows} >= {"semantic_shift", "semantic_shift_paired"}
    for row in rows:
        named = json.loads(row["details"])["example_call_keys"]
        assert named[row["example_rank"] - 1] == row["call_key"]
        assert 0 < len(row["output_excerpt_redacted"]) <= 200
        assert row["answer"].startswith(row["output_excerpt_redacted"].removesuffix("…"))
        assert row["answer"].startswith("Sure!"), "the other model begins so, and the usual never"


def test_judge_is_quiet_when_nothing_changed(settings: Settings) -> None:
    summary = _judge(settings, has_incidents=False)
    assert summary.n_by_verdict["ok"] > 5
    assert (summary.breaches, summary.warnings) == ((), ())


def test_judge_writes_nothing_new_when_run_again(settings: Settings) -> None:
    first = _judge(settings, has_incidents=False)
    again = judge(settings, AS_OF, embed=fake_embed)
    assert first.n_written > 0
    assert again.n_written == 0
    assert again.n_by_verdict == first.n_by_verdict


def test_judge_answers_nothing_when_there_are_no_calls(settings: Settings) -> None:
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        for statement in (_TABLES + _HOURLY_TABLES).split(";")[:-1]:
            warehouse.execute(statement)
    summary = judge(settings, AS_OF, embed=fake_embed)
    assert summary.n_by_verdict == {}
    assert summary.describe().startswith("0 questions")
