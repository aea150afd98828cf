"""The warehouse built from a lake of a few rows, against numbers worked out by hand."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.warehouse import (
    Warehouse,
    latest_snapshot,
    open_warehouse,
    publish_snapshot,
)
from include.freezeline.config import config_dir
from include.freezeline.contracts.judgement import FREEZE_FLAGS, VERDICTS
from include.freezeline.errors import WarehouseError
from include.freezeline.jobs.build import BuildSummary, build
from include.freezeline.settings import Settings
from tests.dbt.tiny_lake import DAY, TinyLake, at, call, span

pytestmark = [pytest.mark.integration, pytest.mark.slow]

AS_OF = DAY + timedelta(days=1)
REBUILT = (
    "fct_llm_calls",
    "fct_call_texts",
    "fct_retrievals",
    "fct_retrieved_documents",
    "fct_tool_calls",
    "fct_evaluations",
    "fct_source_counters",
    "fct_break_glass_events",
    "fct_landing_nights",
    "fct_business_outcomes",
    "fct_landed_objects",
    "fct_quarantined_records",
    "agg_feature_daily",
    "agg_usage_daily",
    "agg_redaction_nightly",
    "fct_call_costs",
    "fct_embedding_costs",
    "fct_client_outcomes",
    "agg_cost_hourly",
    "agg_user_cost_daily",
    "agg_cost_efficiency_daily",
    "agg_invoice_gap_daily",
    "agg_telemetry_cost_daily",
    "dim_tenant",
    "dim_prompt_version",
    "dim_deploy",
    "dim_model",
    "dim_feature",
    "dim_model_identity",
    "fct_requests",
    "fct_stage_latencies",
    "fct_feedback",
    "fct_agent_runs",
    "fct_agent_steps",
    "agg_calls_hourly",
    "agg_calls_daily",
)


def fill(lake: TinyLake) -> None:
    """Write one day: copies, a canary, unknowns, late objects and facts."""
    poor = call(1, request_id="r1", ended_at=at(12.1), output_text_redacted="poor")
    rich = call(
        1,
        request_id="r1",
        ended_at=at(12.1),
        duration_ms=900.0,
        input_tokens=1000,
        cache_read_tokens=200,
        output_tokens=100,
        finish_reasons=["length", "stop"],
        prompt_name="support-answer",
        prompt_version="v8",
        input_text_redacted="question",
        output_text_redacted="answer",
    )
    tokens = {"input_tokens": 10, "output_tokens": 1}
    lake.spans(
        "traces/a",
        [
            rich,
            span(101, 1, "workflow", tenant_key="t_acme", user_key="u_1", route="/ask"),
            span(102, 1, "retrieval", retrieved_document_count=0, retrieval_score_max=None),
            span(103, 1, "agent", agent_name="helper"),
            span(104, 1, "tool", parent_span_id=f"{103:016x}", tool_name="search"),
            embedding(105),
            embedding(106, parent_span_id=f"{105:016x}"),  # the client's span inside a framework's
            call(2, request_id="r2", prompt_version="early", ended_at=at(12.1), **tokens),
            call(3, canary_id="c1", request_id="r3", **tokens),
            call(4, request_model="in-house", response_model=None, status="error", **tokens),
            call(5, request_id="r5"),
        ],
    )
    lake.spans(
        "traces/b",
        [poor, call(2, request_id="r2", prompt_version="late", ended_at=at(12.2), **tokens)],
    )
    lake.spans("traces/later", [call(6, arrived_at=AS_OF), call(7, started_at=AS_OF)])
    lake.ledger("traces/a", record_count=7, landed_count=7)
    lake.quarantine("traces/broken", [{"source_offset": -1, "reason": "not_utf8"}])
    judged = {"trace_id": f"{1:032x}", "span_id": f"{1:016x}", "evaluation_name": "relevance"}
    thumbs = {**judged, "evaluation_name": "thumbs", "annotator_kind": "human"}
    lake.evaluations(
        "traces/a",
        [
            {**judged, "evaluation_score": 0.5, "carrier": "span_event", "evaluated_at": at(12.2)},
            {**judged, "evaluation_score": 0.5, "carrier": "log_event", "evaluated_at": at(12.2)},
            {**thumbs, "evaluation_label": "up", "carrier": "log_event", "evaluated_at": at(12.3)},
        ],
    )
    fill_details(lake)
    fill_facts(lake)


def embedding(number: int, **values: Any) -> dict[str, Any]:
    """Return an embedding of a million tokens, which cost two cents."""
    model = {"provider": "openai", "response_model": "text-embedding-3-small"}
    return span(number, 1, "embedding", input_tokens=1_000_000, **model, **values)


def fill_details(lake: TinyLake) -> None:
    """Write a row of everything that hangs on spans and of the books."""
    ids = {"trace_id": f"{1:032x}", "span_id": f"{102:016x}"}
    lake.documents("traces/a", [{**ids, "document_id": "d1", "retrieved_at": at(12)}])
    lake.tool_calls("traces/a", [{**ids, "role": "executed", "called_at": at(12)}])
    lake.counters("metrics/a", [{"instrument": "gauge", "measured_at": at(12)}])
    lake.night("traces", night_as_of=AS_OF, object_count=3)
    lake.redactions("traces/a", {"EMAIL": 2, "FIELDS_SCANNED": 40})


def fill_facts(lake: TinyLake) -> None:
    """Write the facts of the day, one corrected and one recorded after it."""
    escalation = {"request_id": "r1", "escalated_at": at(13)}
    lake.facts(
        "escalations",
        "facts/escalations/1",
        [
            {**escalation, "recorded_at": at(14), "reason_code": "first"},
            {**escalation, "recorded_at": at(15), "reason_code": "corrected"},
            {"request_id": "r9", "escalated_at": at(13), "recorded_at": at(14)},
        ],
    )
    late = {"request_id": "r2", "escalated_at": at(13), "recorded_at": at(30)}
    lake.facts("escalations", "facts/escalations/2", [{**late, "arrived_at": at(31)}])
    saw = {"request_id": "r2", "client_outcome": " Error ", "observed_at": at(12)}
    lake.facts("client_outcomes", "facts/client_outcomes/1", [{**saw, "recorded_at": at(13)}])
    conversion = {"request_id": "r2", "converted_at": at(16), "recorded_at": at(17)}
    lake.facts("conversions", "facts/conversions/1", [{**conversion, "value_usd": 19.99}])
    tier = {"tenant_key": "t_acme", "recorded_at": at(1)}
    lake.facts(
        "subscription_tiers",
        "facts/subscription_tiers/1",
        [
            {**tier, "tier": "free", "valid_from_at": at(-24)},
            {**tier, "tier": "pro", "valid_from_at": at(11)},
            {**tier, "tier": "enterprise", "valid_from_at": at(13)},
        ],
    )
    bucket = {"user_key": "u_1", "experiment_name": "tone", "recorded_at": at(1)}
    lake.facts(
        "experiment_buckets",
        "facts/experiment_buckets/1",
        [{**bucket, "bucket_name": "warm", "assigned_at": at(0)}],
    )


OLD_FACT = """
name: escalations
description: One row per call that was escalated to a person.
prefix: facts/escalations/
maturity_h: 72
columns:
  - {name: request_id, type: string, role: key, description: Business request id of the call.}
  - {name: escalated_at, type: timestamp, role: event_time, description: When.}
  - {name: recorded_at, type: timestamp, role: arrival_time, description: When recorded.}
  - {name: reason_code, type: string, role: value, description: Why.}
"""


def settings_in(folder: Path) -> Settings:
    """Settings whose home is the folder."""
    return Settings(home=folder / "home")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, BuildSummary]:
    """The day, built once."""
    settings = settings_in(tmp_path_factory.mktemp("built"))
    fill(TinyLake(settings))
    return settings, build(settings, AS_OF)


@pytest.fixture
def warehouse(built: tuple[Settings, BuildSummary]) -> Iterator[Warehouse]:
    """The built warehouse, open."""
    with open_warehouse(built[0].warehouse_path, read_only=True) as opened:
        yield opened


def call_of(warehouse: Warehouse, number: int) -> dict[str, Any]:
    """The one row of a call."""
    sql = "select * from marts.fct_llm_calls where span_id = ?"
    (row,) = warehouse.rows(sql, [f"{number:016x}"])
    return row


def contents(settings: Settings) -> dict[str, list[str]]:
    """Every rebuilt table's rows, in a fixed order."""
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        return {
            name: sorted(map(repr, warehouse.rows(f"select * from marts.{name}")))
            for name in REBUILT
        }


def test_build_counts_what_it_did(built: tuple[Settings, BuildSummary]) -> None:
    _, summary = built
    assert summary.n_models >= 30
    assert summary.n_tests_passed >= 200
    assert (summary.n_calls, summary.n_unpriced_calls) == (5, 2)
    assert summary.unpriced_models == ("openai/in-house",)
    assert "fct_llm_calls" in summary.seconds_by_node


def test_calls_are_distinct_and_known_by_as_of(warehouse: Warehouse) -> None:
    rows = warehouse.rows("select span_id from marts.fct_llm_calls order by span_id")
    assert [int(row["span_id"], 16) for row in rows] == [1, 2, 3, 4, 5]


def test_richest_copy_wins_and_is_priced_exactly(warehouse: Warehouse) -> None:
    row = call_of(warehouse, 1)
    # 800 * 2.00 + 200 * 0.50 + 100 * 8.00 dollars per million tokens
    assert row["cost_usd"] == Decimal("0.002500000")
    assert row["price_source"].startswith("genai-prices ")
    assert (row["input_tokens"], row["total_tokens"]) == (1000, 1100)
    assert (row["finish_reason"], row["prompt_version"]) == ("length", "v8")
    assert row["called_at"] == at(12)


def test_later_end_wins_when_copies_are_equally_rich(warehouse: Warehouse) -> None:
    assert call_of(warehouse, 2)["prompt_version"] == "late"


def test_call_takes_identity_and_retrieval_from_its_trace(warehouse: Warehouse) -> None:
    row = call_of(warehouse, 1)
    assert (row["tenant_key"], row["user_key"], row["route"]) == ("t_acme", "u_1", "/ask")
    assert (row["retrieved_document_count"], row["is_retrieval_empty"]) == (0, True)
    other = call_of(warehouse, 2)
    assert (other["tenant_key"], other["retrieved_document_count"]) == (None, None)
    assert other["is_retrieval_empty"] is None


def test_call_has_tier_and_bucket_of_its_time(warehouse: Warehouse) -> None:
    row = call_of(warehouse, 1)
    assert row["tenant_tier"] == "pro"
    assert (row["experiment_name"], row["experiment_bucket_name"]) == ("tone", "warm")


def test_outcomes_are_joined_once_and_only_when_recorded_in_time(warehouse: Warehouse) -> None:
    first, second, nameless = (call_of(warehouse, number) for number in (1, 2, 4))
    assert first["is_escalated"] is True
    assert first["escalation_recorded_at"] == at(15)
    assert second["is_escalated"] is False
    assert (second["is_converted"], second["conversion_value_usd"]) == (True, Decimal("19.99"))
    assert nameless["is_escalated"] is None


def test_cost_is_null_with_a_reason_when_unknown(warehouse: Warehouse) -> None:
    unknown_model, unknown_tokens = call_of(warehouse, 4), call_of(warehouse, 5)
    assert (unknown_model["cost_usd"], unknown_model["unpriced_reason"]) == (None, "unknown_model")
    assert (unknown_tokens["cost_usd"], unknown_tokens["unpriced_reason"]) == (
        None,
        "unknown_tokens",
    )


def test_embedding_is_priced_once_and_held_against_the_invoice(warehouse: Warehouse) -> None:
    (row,) = warehouse.rows("select * from marts.fct_embedding_costs")
    assert (row["span_id"], row["model"]) == (f"{106:016x}", "text-embedding-3-small")
    assert row["cost_usd"] == row["cost_today_usd"] == Decimal("0.02")
    (gap,) = warehouse.rows(
        "select computed_usd, reason from marts.agg_invoice_gap_daily "
        "where model = 'text-embedding-3-small'"
    )
    assert gap == {"computed_usd": Decimal("0.02"), "reason": "no_invoice_line"}


def test_failure_that_only_the_client_saw_is_a_mismatch(warehouse: Warehouse) -> None:
    (row,) = warehouse.rows("select * from marts.fct_client_outcomes where is_mismatch")
    assert (row["request_id"], row["alignment"]) == ("r2", "only_client_failed")
    assert (row["feature"], row["client_outcome"]) == ("support-assistant", "error")


def test_texts_are_those_of_the_winning_copy(warehouse: Warehouse) -> None:
    (row,) = warehouse.rows("select * from marts.fct_call_texts")
    assert (row["input_text_redacted"], row["output_text_redacted"]) == ("question", "answer")
    assert row["call_key"] == call_of(warehouse, 1)["call_key"]
    columns = warehouse.rows(
        "select table_name, column_name as name from information_schema.columns "
        "where regexp_matches(column_name, '^(in|out)put_(text|messages)_redacted$')"
    )
    assert {(row["table_name"], row["name"]) for row in columns} == {
        ("fct_call_texts", "input_text_redacted"),
        ("fct_call_texts", "output_text_redacted"),
    }


def test_daily_aggregate_leaves_canaries_out(warehouse: Warehouse) -> None:
    rows = warehouse.rows("select * from marts.agg_feature_daily order by request_model")
    assert [(row["request_model"], row["n_calls"], row["n_errors"]) for row in rows] == [
        ("gpt-4.1", 3, 0),
        ("in-house", 1, 1),
    ]
    assert (rows[0]["n_escalated"], rows[0]["n_empty_retrievals"], rows[0]["n_durations"]) == (
        1, 1, 1,
    )  # fmt: skip
    assert rows[1]["cost_usd"] is None


def test_evaluation_counts_once_and_finds_its_call(warehouse: Warehouse) -> None:
    (row,) = warehouse.rows("select * from marts.fct_evaluations where annotator_kind is null")
    assert row["call_key"] == call_of(warehouse, 1)["call_key"]
    assert (row["evaluation_score"], row["feature"]) == (0.5, "support-assistant")


def test_outcome_without_a_call_is_kept(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select request_id, outcome_type, outcome_code, feature, recording_delay_s "
        "from marts.fct_business_outcomes order by request_id"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("r1", "escalation", "corrected", "support-assistant", 3 * 3600.0),
        ("r2", "conversion", None, "support-assistant", 5 * 3600.0),
        ("r9", "escalation", None, None, None),
    ]


def test_ledger_and_quarantine_are_readable(warehouse: Warehouse) -> None:
    (landed,) = warehouse.rows("select * from marts.fct_landed_objects")
    (aside,) = warehouse.rows("select * from marts.fct_quarantined_records")
    assert (landed["source_object"], landed["record_count"]) == ("traces/a", 7)
    assert (aside["reason"], aside["source_offset"]) == ("not_utf8", -1)


def test_dimensions_say_what_holds_at_as_of(warehouse: Warehouse) -> None:
    (tenant,) = warehouse.rows("select * from marts.dim_tenant")
    assert (tenant["tenant_key"], tenant["tenant_tier"], tenant["n_calls"]) == (
        "t_acme",
        "enterprise",
        1,
    )
    models = warehouse.rows("select model, unpriced_reason from marts.dim_model order by model")
    assert [tuple(row.values()) for row in models] == [
        ("gpt-4.1", None),
        ("in-house", "unknown_model"),
    ]


def test_late_fact_restates_and_past_night_stays_what_it_was(
    built: tuple[Settings, BuildSummary],
) -> None:
    settings, _ = built
    first = contents(settings)
    empty = [name for name, rows in first.items() if not rows]
    # Nobody breaks the glass in this world; every other table must hold rows to be compared.
    assert empty == ["fct_break_glass_events"]

    build(settings, AS_OF + timedelta(days=1))
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        assert call_of(warehouse, 2)["is_escalated"] is True
        assert call_of(warehouse, 2)["escalation_recorded_at"] == at(30)
        (counted,) = warehouse.rows("select count(*) as n from marts.fct_llm_calls")
    assert counted["n"] == 7
    assert contents(settings) != first

    build(settings, AS_OF)
    assert contents(settings) == first


def test_judgement_views_are_live_and_work_in_a_snapshot(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    summary = build(settings, AS_OF)
    assert summary.n_calls == 0
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.append_revisions(VERDICTS, [verdict("ok")])
        warehouse.append_revisions(VERDICTS, [verdict("breach")])
        warehouse.append_revisions(FREEZE_FLAGS, [flag()])
    publish_snapshot(settings, AS_OF)
    with open_warehouse(latest_snapshot(settings), read_only=True) as snapshot:
        now = snapshot.rows("select verdict, revision from marts.fct_verdicts")
        then = snapshot.rows("select verdict from marts.rpt_analyst__verdicts_as_first_reported")
        state = snapshot.rows("select state from marts.rpt_release_manager__release_state")
    assert now == [{"verdict": "breach", "revision": 2}]
    assert then == [{"verdict": "ok"}]
    assert state == [{"state": "FROZEN"}]


def test_build_names_test_and_sql_when_data_break_a_rule(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    TinyLake(settings).spans("traces/a", [call(1, sample_weight=0.5)])
    with pytest.raises(WarehouseError) as raised:
        build(settings, AS_OF)
    message = str(raised.value)
    assert "dbt test in_range_fct_llm_calls_sample_weight" in message
    compiled = Path(message.rsplit("rows: ", 1)[1].rstrip(")"))
    assert "sample_weight < 1" in compiled.read_text(encoding="utf-8")


def verdict(value: str) -> dict[str, object]:
    """Return a verdict row without revision."""
    row: dict[str, object] = dict.fromkeys(VERDICTS.column_names)
    row |= {c.name: "x" for c in VERDICTS.columns if not c.nullable and c.type == "string"}
    row |= {"as_of": AS_OF, "window_started_at": DAY, "window_ended_at": AS_OF, "verdict": value}
    row |= {"n_reference": 1, "n_current": 1, "details": json.dumps({})}
    return {name: row[name] for name in row if name not in {"revision", "content_hash"}}


def flag() -> dict[str, object]:
    """Return a flag row without revision."""
    filler: dict[str, object] = {
        "string": "x", "json": "[]", "int64": 1, "int32": 1, "bool": True,
        "timestamp": datetime(2026, 10, 13, tzinfo=UTC),
    }  # fmt: skip
    row = {column.name: filler[column.type] for column in FREEZE_FLAGS.columns}
    row["state"] = "FROZEN"
    return {name: row[name] for name in row if name not in {"revision", "content_hash"}}


def test_own_fact_of_requests_builds_and_another_may_come_by_run_or_conversation(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path)
    shutil.copytree(config_dir(settings), tmp_path / "config")
    (tmp_path / "config" / "facts" / "escalations.yml").write_text(OLD_FACT)
    overrides = tmp_path / "config" / "facts" / "overrides.yml"
    by_run = overrides.read_text().replace("[request_id]", "[request_id, run_id]")
    overrides.write_text(by_run)
    settings = settings.model_copy(update={"config_dir": tmp_path / "config"})
    lake = TinyLake(settings)
    fill(lake)
    lake.spans(
        "traces/chat", [call(8, session_key="s"), call(9, session_key="s", started_at=at(14))]
    )
    said = {"request_id": None, "overridden_at": at(13), "recorded_at": at(15)}
    lake.facts("overrides", "o", [{**said, "session_key": "s"}])
    for file in Lake(settings.lake_dir).files("fact_escalations"):  # as landing writes them
        data = pq.read_table(file.path, partitioning=None)
        pq.write_table(data.drop_columns(["session_key", "trace_id"]), file.path)

    build(settings, AS_OF)
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        rows = {n: call_of(warehouse, n) for n in (1, 2, 4, 8, 9)}
        (outcome,) = warehouse.rows(
            "select matched_by, trace_id, request_id from marts.fct_business_outcomes "
            "where outcome_type = 'override'"
        )
    assert {n: row["is_escalated"] for n, row in rows.items()} == {
        1: True, 2: False, 4: None, 8: None, 9: None,
    }  # fmt: skip
    assert {n: row["is_overridden"] for n, row in rows.items()} == {
        1: False, 2: False, 4: False, 8: True, 9: False,
    }  # fmt: skip
    assert outcome == {
        "matched_by": "conversation_id",
        "trace_id": f"{8:032x}",
        "request_id": None,
    }
