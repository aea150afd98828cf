"""Langfuse's blob export, in every form and with as few columns as it may have."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.freezeline.contracts.arrow import arrow_field
from include.freezeline.contracts.lake import EVALUATIONS, SPANS, TELEMETRY_TABLES
from include.freezeline.errors import ReadError
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult
from include.freezeline.readers.rules import LandingRules, load_landing_rules
from tests.unit.readers import builders
from tests.unit.readers.conftest import CONFIG_DIR
from tests.unit.readers.langfuse_files import (
    FAILED,
    GENERATION,
    OBSERVATIONS,
    RETRIEVER,
    TRACE,
    TRACE_ID,
    as_csv,
    as_json_lines,
    as_parquet,
    every_form,
    packed,
)

Read = Callable[..., ReadResult]
ADDED_BY_LANDING = {"source_object", "source_sha256", "arrived_at"}
KEY = "any/name/at/all"
SCORE = {
    "id": "s1", "timestamp": "2026-08-22 09:00:00.250", "project_id": "prj-1",
    "environment": "production", "trace_id": TRACE_ID, "observation_id": GENERATION["id"],
    "session_id": None, "dataset_run_id": None, "name": "tone", "value": 0.5, "source": "EVAL",
    "comment": "polite", "data_type": "NUMERIC", "string_value": None,
    "created_at": "2026-08-22 09:00:01.000", "updated_at": "2026-08-22 09:00:01.000",
}  # fmt: skip
CORE = ("id", "trace_id", "start_time", "end_time", "project_id", "parent_observation_id", "type")


@pytest.mark.parametrize("pack", [bytes, packed])
def test_observations_give_the_same_rows_in_every_form(
    rules: LandingRules, pack: Callable[[bytes], bytes]
) -> None:
    results = {
        form: read_object(KEY, pack(data), rules) for form, data in every_form(OBSERVATIONS).items()
    }
    first = results["langfuse_export_json_lines"]
    assert (first.signal, first.dialects, first.record_count) == ("traces", ("langfuse_export",), 3)
    for form, result in results.items():
        assert (result.format, result.rejects) == (form, [])
        assert result.tables == first.tables, form
    for row in first.spans:
        assert set(row) == set(SPANS.column_names) - ADDED_BY_LANDING


def test_generation_fills_the_columns_of_a_model_call(rules: LandingRules) -> None:
    row = read_object(KEY, as_json_lines(OBSERVATIONS), rules).spans[0]
    expected = {
        "trace_id": TRACE_ID, "span_id": "00f067aa0ba902b7", "parent_span_id": "a1b2c3d4e5f60718",
        "dialect": "langfuse_export", "span_name": "answer", "span_type": "llm",
        "is_leaf_model_call": True, "operation_name": "generation", "environment": "production",
        "started_at": datetime(2026, 8, 22, 8, tzinfo=UTC), "duration_ms": 2000.0,
        "request_model": "gpt-4.1-2025-04-14", "provider": "openai", "tenant_key": "acme",
        # 36 + 64 cached and 7 + 4 of reasoning: the total of 111 says that they were taken out
        "input_tokens": 100, "output_tokens": 11, "cache_read_tokens": 64, "reasoning_tokens": 4,
        "is_stream": True, "ttft_ms": 500.0, "ttft_source": "timestamp",
        "tpot_ms": 150.0,  # (2000 - 500) / (11 - 1)
        "cost_reported_usd": Decimal("0.00025"), "prompt_name": "greet", "prompt_version": "3",
        "temperature": 0.2, "max_tokens": None, "finish_reasons": ["stop"],
        "input_text_redacted": 'Hi,\n"you"', "output_text_redacted": "Hello", "status": "unset",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_failed_generation_keeps_unknown_counts_null(rules: LandingRules) -> None:
    row = read_object(KEY, as_csv(OBSERVATIONS), rules).spans[1]
    assert (row["status"], row["error_class"], row["http_status_code"]) == ("error", "rate_limit", 429)  # fmt: skip
    for name in ("input_tokens", "output_tokens", "cost_reported_usd", "ttft_ms", "is_stream"):
        assert row[name] is None, name
    assert (len(row["span_id"]), row["parent_span_id"]) == (16, None)
    assert '"langfuse.export.id":"not-hex"' in row["attributes_redacted"]


def test_retriever_gives_its_documents_from_parquet(rules: LandingRules) -> None:
    result = read_object(KEY, as_parquet([RETRIEVER]), rules)
    row, documents = result.spans[0], result.tables["retrieval_documents"]
    assert (row["span_type"], row["retrieved_document_count"]) == ("retrieval", 2)
    assert (row["status"], row["retrieval_query_redacted"]) == ("unset", "opening hours")
    assert [each["document_id"] for each in documents] == ["kb-1", "kb-2"]


@pytest.mark.parametrize("write", [as_json_lines, as_csv, as_parquet])
def test_core_columns_alone_are_enough(rules: LandingRules, write: Callable[[Any], bytes]) -> None:
    rows = [{name: row[name] for name in CORE} for row in OBSERVATIONS]
    result = read_object(KEY, write(rows), rules)
    assert [row["span_type"] for row in result.spans] == ["llm", "llm", "retrieval"]
    assert [row["input_tokens"] for row in result.spans] == [None] * 3
    assert result.spans[0]["duration_ms"] == 2000.0


def test_second_version_lends_the_trace_to_its_observations(rules: LandingRules) -> None:
    v2 = {
        **GENERATION, "user_id": "jo@example.com", "session_id": "s-1", "tags": ["beta"],
        "release": "v7", "trace_name": "chat", "is_root_observation": True, "public": False,
    }  # fmt: skip
    row = read_object(KEY, as_json_lines([v2]), rules).spans[0]
    assert (row["user_key"], row["session_key"], row["service_version"]) == ("jo@example.com", "s-1", "v7")  # fmt: skip
    assert row["workflow_name"] == "chat"
    assert "jo@example.com" not in row["attributes_redacted"]


@pytest.mark.parametrize(
    ("latency", "first", "columns", "ttft_ms"),
    [
        (2.0, 0.5, {}, 500.0),
        (2.0, 0.5, {"trace_name": "t"}, 500.0),
        (2000, 500, {"trace_name": "t"}, 500.0),  # set up before seconds were agreed on
        (None, 0.5, {}, 500.0),  # the first version always has seconds
        (None, 500, {"trace_name": "t"}, None),  # could be either
    ],
)
def test_time_to_first_token_has_the_unit_that_the_latency_shows(
    rules: LandingRules, latency: Any, first: Any, columns: dict[str, Any], ttft_ms: float | None
) -> None:
    given = {**GENERATION, "latency": latency, "time_to_first_token": first, "completion_start_time": None, **columns}  # fmt: skip
    row = read_object(KEY, as_json_lines([given]), rules).spans[0]
    assert (row["ttft_ms"], row["duration_ms"]) == (ttft_ms, 2000.0)
    assert row["ttft_source"] == (None if ttft_ms is None else "attribute")


@pytest.mark.parametrize(
    "start",
    ["2026-08-22 08:00:00", "2026-08-22T08:00:00.000Z", "2026-08-22T10:00:00+02:00", 1787385600,
     1787385600000, "1787385600000"],
)  # fmt: skip
def test_times_are_read_in_every_form(rules: LandingRules, start: Any) -> None:
    row = read_object(KEY, as_json_lines([{**GENERATION, "start_time": start}]), rules).spans[0]
    assert row["started_at"] == datetime(2026, 8, 22, 8, tzinfo=UTC)


def test_trace_becomes_a_span_that_counts_nothing(rules: LandingRules) -> None:
    results = [read_object(KEY, data, rules) for data in every_form([TRACE]).values()]
    assert all(result.tables == results[0].tables for result in results)
    row = results[0].spans[0]
    assert (row["trace_id"], row["parent_span_id"], row["ended_at"]) == (TRACE_ID, None, None)
    assert (row["span_type"], row["workflow_name"], row["is_leaf_model_call"]) == ("workflow", "chat", False)  # fmt: skip
    assert (row["user_key"], row["session_key"], row["tenant_key"]) == ("jo@example.com", "s-1", "acme")  # fmt: skip
    assert (row["input_text_redacted"], row["input_tokens"], row["cost_reported_usd"]) == ("Hi", None, None)  # fmt: skip
    assert row["span_id"] not in {row["id"] for row in OBSERVATIONS}


def test_ids_meet_across_tables_whatever_they_look_like(rules: LandingRules) -> None:
    given = "Order 17/é"
    trace = read_object(KEY, as_csv([{**TRACE, "id": given}]), rules).spans[0]
    child = {**GENERATION, "trace_id": given, "parent_observation_id": given}
    parent = {**GENERATION, "trace_id": given, "id": given}
    spans = read_object(KEY, as_parquet([child, parent]), rules).spans
    score = read_object(KEY, as_json_lines([{**SCORE, "trace_id": given, "observation_id": given}]), rules)  # fmt: skip
    evaluation = score.evaluations[0]
    assert {trace["trace_id"], spans[0]["trace_id"], evaluation["trace_id"]} == {spans[1]["trace_id"]}  # fmt: skip
    assert {spans[0]["parent_span_id"], evaluation["span_id"]} == {spans[1]["span_id"]}
    assert trace["span_id"] != spans[1]["span_id"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, (0.5, None, "polite", "model")),
        ({"source": "ANNOTATION", "data_type": "BOOLEAN", "value": 1, "string_value": "True"}, (1.0, "True", "polite", "human")),
        # nobody mapped the category to a number: 0 would be a made-up score
        ({"source": "API", "data_type": "CATEGORICAL", "value": 0, "string_value": "rude"}, (None, "rude", "polite", None)),
        ({"source": "API", "data_type": "TEXT", "value": None, "string_value": "Too long.", "comment": None}, (None, None, "Too long.", None)),
    ],
)  # fmt: skip
def test_score_becomes_an_evaluation(
    rules: LandingRules, given: dict[str, Any], said: tuple[Any, ...]
) -> None:
    results = [read_object(KEY, data, rules) for data in every_form([{**SCORE, **given}]).values()]
    assert all(result.tables == results[0].tables for result in results)
    assert (results[0].signal, results[0].record_count) == ("scores", 1)
    row = results[0].evaluations[0]
    names = ("evaluation_score", "evaluation_label", "explanation_redacted", "annotator_kind")
    assert tuple(row[name] for name in names) == said
    assert (row["trace_id"], row["span_id"], row["carrier"]) == (TRACE_ID, GENERATION["id"], "score_record")  # fmt: skip
    assert row["evaluated_at"] == datetime(2026, 8, 22, 9, 0, 0, 250_000, tzinfo=UTC)
    assert set(row) == set(EVALUATIONS.column_names) - ADDED_BY_LANDING


def test_scores_of_a_trace_a_session_and_a_data_set_run(rules: LandingRules) -> None:
    rows = [
        {**SCORE, "observation_id": None},
        {**SCORE, "observation_id": None, "trace_id": None, "session_id": "s-1"},
        {**SCORE, "observation_id": None, "trace_id": None, "dataset_run_id": "run-1"},
        {**SCORE, "name": None},
        {**SCORE, "timestamp": "yesterday"},
    ]
    result = read_object(KEY, as_csv(rows), rules)
    judged = [(row["trace_id"], row["span_id"], row["session_key"]) for row in result.evaluations]
    assert judged == [(TRACE_ID, None, None), (None, None, "s-1")]
    assert [reject.reason for reject in result.rejects] == [
        "unsupported_score:no_trace_or_session", "invalid_evaluation", "missing_time",
    ]  # fmt: skip


def test_bad_rows_are_refused_alone(rules: LandingRules) -> None:
    bad = [
        {**GENERATION, "id": None}, {**GENERATION, "trace_id": ""},
        {**GENERATION, "start_time": "soon"},
        {**GENERATION, "usage_details": "broken", "metadata": 17, "cost_details": [1], "tags": "{a}",
         "model_parameters": "[", "input": 5, "completion_start_time": [], "total_cost": "much"},
    ]  # fmt: skip
    result = read_object(KEY, as_json_lines([*bad, GENERATION]), rules)
    assert [reject.reason for reject in result.rejects] == [
        "invalid_id", "invalid_id", "missing_start_time",
    ]  # fmt: skip
    assert [row["input_tokens"] for row in result.spans] == [None, 100]


def test_border_rows_are_the_same_in_the_next_file(rules: LandingRules) -> None:
    first = read_object("a.csv", as_csv([FAILED, GENERATION]), rules).spans[1]
    again = read_object("b.parquet", as_parquet([GENERATION, RETRIEVER]), rules).spans[0]
    assert {**first, "source_offset": 0} == again


def test_origin_and_attributes_of_the_ingested_span_are_used(rules: LandingRules) -> None:
    metadata = {
        "attributes": '{"app.feature":"helpdesk","gen_ai.usage.input_tokens":999,"http.request.header.cookie":"s3cr3t"}',
        "resourceAttributes": '{"service.name":"shop","process.command_args":["s3cr3t"]}',
        "scope": '{"name":"langfuse-sdk","version":"3.2.1","attributes":{"public_key":"s3cr3t"}}',
        "depth": "2",
    }  # fmt: skip
    row = read_object(KEY, as_parquet([{**GENERATION, "metadata": metadata}]), rules).spans[0]
    assert (row["service_name"], row["feature"], row["scope_version"]) == ("shop", "helpdesk", "3.2.1")  # fmt: skip
    assert (row["dialect"], row["input_tokens"]) == ("langfuse_export", 100)
    assert '"metadata.depth":"2"' in row["attributes_redacted"]
    assert "s3cr3t" not in repr(row)


def test_manifest_and_notice_have_named_reasons(read: Read, rules: LandingRules) -> None:
    manifest = {"version": 1, "projectId": "prj-1", "exportSource": "EVENTS", "files": [{"key": "a"}]}  # fmt: skip
    result = read(manifest)
    assert [reject.reason for reject in result.rejects] == ["unsupported_document:langfuse_manifest"]  # fmt: skip
    notice = b"Exports of traces, observations and scores end soon.\nPlease move on, thank you.\n"
    with pytest.raises(ReadError, match="unknown_format"):
        read_object("DEPRECATION_NOTICE.txt", notice, rules)


RULES = load_landing_rules(CONFIG_DIR)
leaves = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12)
    | st.sampled_from(["[", "{}", '[{"role":"user","content":[1]}]', '{"messages":[1]}', '"', "NaN",
                       '{"documents":[1,null,{}]}', "2026-08-22", "ERROR", '[{"tool_calls":{}}]'])
)  # fmt: skip
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("role", "content", "total", "input", "score", "id", "scope", "attributes")), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
ROWS = st.sampled_from([*OBSERVATIONS, TRACE, SCORE])
KINDS = ("generation", "tool", "retriever", "evaluator", "embedding", "agent", "x")
NAMES = ("input", "output", "usage_details", "cost_details", "model.parameters", "model.name",
         "completion_start_time", "level", "metadata.tenant", "prompt.version")  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_value_in_any_column_ends_in_a_row_or_a_reject(data: st.DataObject) -> None:
    row = dict(data.draw(ROWS))
    for column in data.draw(st.lists(st.sampled_from(sorted(row)), max_size=5)):
        row[column] = data.draw(anything)
    _assert_read(builders.encode([row]))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), anything, max_size=6))
def test_any_value_in_any_attribute_ends_in_a_row(kind: str, found: dict[str, Any]) -> None:
    attributes = {f"langfuse.observation.{name}": value for name, value in found.items()}
    span = builders.span({"langfuse.observation.type": kind, **attributes})
    _assert_read(builders.encode(builders.document([span])))


def _assert_read(data: bytes) -> None:
    """Read an object of one record, which no defect of a reader may put aside."""
    result = read_object(KEY, data, RULES)
    assert (result.record_count, result.used_count + len(result.rejects)) == (1, 1)
    assert not any(reject.reason.startswith("reader_error") for reject in result.rejects)
    for table in TELEMETRY_TABLES:
        columns = [c for c in table.columns if c.name not in ADDED_BY_LANDING]
        schema = pa.schema([arrow_field(column) for column in columns])
        pa.Table.from_pylist(result.tables.get(table.name, []), schema=schema)
