"""Side rows of spans: documents, tool calls, evaluations."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.readers.messages import answer_text, last_user_text
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.retrieved import document_rows
from include.freezeline.readers.rules import LandingRules
from include.freezeline.readers.tool_calls import requested_calls
from tests.unit.readers.builders import SPAN_ID, TRACE_ID, document, event, span, traces_message

Read = Callable[..., ReadResult]
OPENINFERENCE = "openinference.span.kind"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["id", "type", "name", "arguments", "function", "tool_calls", "parts", "content", "score",
             "message", "metadata", "text", "role"]
        ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def _documents(result: ReadResult) -> list[tuple[Any, ...]]:
    """Return rank, id, score, content and metadata of every document."""
    assert result.rejects == []
    return [
        (row["document_rank"], row["document_id"], row["document_score"], row["content_redacted"],
         json.loads(row["metadata_redacted"]) if row["metadata_redacted"] else None)
        for row in result.tables.get("retrieval_documents", [])
    ]  # fmt: skip


def _calls(result: ReadResult) -> list[tuple[Any, ...]]:
    """Return role, id, name, arguments, result and failure of every tool call."""
    assert result.rejects == []
    return [
        (row["role"], row["tool_call_id"], row["tool_name"],
         json.loads(row["arguments_redacted"] or "null"), json.loads(row["result_redacted"] or "null"),
         row["is_error"])
        for row in result.tables.get("tool_calls", [])
    ]  # fmt: skip


RETRIEVALS = {
    "otel_attribute": span(
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.retrieval.top_k": 5,
            "gen_ai.retrieval.documents": '[{"id": "a", "score": 0.5, "content": "x", "page": 2},'
            ' {"id": "b", "score": 0.9, "content": "y", "metadata": {"page": 3}}]',
        }
    ),
    "otel_events": span(
        {"gen_ai.operation.name": "retrieval", "gen_ai.request.top_k": 5.0},
        events=[
            event("gen_ai.retrieval.document", 1, {"document.id": "a", "document.score": 0.5,
                                                   "document.content": "x", "document.page": 2}),
            event("gen_ai.retrieval.document", 2, {"document.id": "b", "document.score": 0.9,
                                                   "document.content": "y",
                                                   "document.metadata": '{"page": 3}'}),
        ],
    ),
    "openllmetry_events": span(
        {"db.system": "chroma", "traceloop.workflow.name": "w", "db.vector.query.top_k": 5},
        events=[
            event("db.query.embeddings", 1, {"db.query.embeddings.vector": "[0.125]"}),
            event("db.query.result", 1, {"db.query.result.id": "a", "db.query.result.score": 0.5,
                                         "db.query.result.document": "x",
                                         "db.query.result.vector": "[0.125]",
                                         "db.query.result.metadata": '{"page": 2}'}),
            event("db.query.result", 2, {"db.query.result.id": "b", "db.query.result.score": 0.9,
                                         "db.query.result.document": "y",
                                         "db.query.result.metadata": '{"page": 3}'}),
        ],
    ),
    "openllmetry_task": span(
        {
            "traceloop.span.kind": "task",
            "traceloop.entity.input": '{"args": [], "kwargs": {"query": "q", "top_k": 5}}',
            "traceloop.entity.output": '[{"id": "a", "score": 0.5, "text": "x", "page": 2},'
            ' {"id": "b", "score": 0.9, "text": "y", "page": 3}]',
        }
    ),
}  # fmt: skip


@pytest.mark.parametrize("source", RETRIEVALS)
def test_documents_land_with_rank_score_and_content(
    read: Read, rules: LandingRules, source: str
) -> None:
    made = document([RETRIEVALS[source]])
    result = read(made)
    assert _documents(result) == [(0, "a", 0.5, "x", {"page": 2}), (1, "b", 0.9, "y", {"page": 3})]
    row = result.spans[0]
    assert (row["retrieved_document_count"], row["retrieval_score_max"]) == (2, 0.9)
    assert row["retrieval_top_k"] == 5
    kept = row["attributes_redacted"] or ""
    assert "0.9" not in kept
    assert "0.125" not in kept
    assert read_object("t.binpb", traces_message(made), rules).tables == result.tables


def test_openinference_documents_are_rebuilt_from_numbered_attributes(read: Read) -> None:
    flat = {
        "retrieval.documents.0.document.id": "a",
        "retrieval.documents.0.document.score": 0.5,
        "retrieval.documents.0.document.content": "x",
        "retrieval.documents.0.document.metadata": '{"page": 2}',
        "retrieval.documents.1.document.id": "b",
    }
    result = read(document([span({OPENINFERENCE: "RETRIEVER", "input.value": "q",
                                  "output.value": '["x"]', **flat})]))  # fmt: skip
    assert _documents(result) == [(0, "a", 0.5, "x", {"page": 2}), (1, "b", None, None, None)]
    assert result.spans[0]["attributes_redacted"] is None


def test_a_reranker_keeps_what_it_put_out(read: Read) -> None:
    result = read(document([span({
        OPENINFERENCE: "RERANKER",
        "reranker.query": "q", "reranker.top_k": 1, "reranker.model_name": "rr",
        "reranker.input_documents.0.document.id": "b",
        "reranker.output_documents.0.document.id": "a",
        "reranker.output_documents.0.document.score": 0.75,
    })]))  # fmt: skip
    assert _documents(result) == [(0, "a", 0.75, None, None)]
    row = result.spans[0]
    assert (row["retrieval_query_redacted"], row["retrieval_top_k"], row["request_model"]) == (
        "q",
        1,
        "rr",
    )
    assert json.loads(row["attributes_redacted"]) == {"reranker.input_documents.0.document.id": "b"}


def test_a_task_that_returns_something_else_has_no_documents(read: Read) -> None:
    output = '[{"id": "a", "price": 3}]'
    result = read(
        document([span({"traceloop.span.kind": "task", "traceloop.entity.output": output})])
    )
    assert _documents(result) == []
    assert output in json.loads(result.spans[0]["attributes_redacted"]).values()


def test_a_distance_is_no_score() -> None:
    (row,) = document_rows([{"id": 7, "distance": 0.1}])
    assert (row["document_id"], row["document_score"]) == ("7", None)
    assert json.loads(row["metadata_redacted"]) == {"distance": 0.1}


@pytest.mark.parametrize("prefix", ["app.retrieval", "freezeline.retrieval", "retrieval"])
def test_packing_is_read_on_any_span(read: Read, prefix: str) -> None:
    said = {
        "packed_document_count": 3,
        "dropped_document_count": 0,
        "packed_tokens": 900,
        "top_k": 8,
    }
    result = read(document([span({f"{prefix}.{name}": value for name, value in said.items()})]))
    row = result.spans[0]
    assert row["dialect"] == "plain"
    assert [row[name] for name in ("packed_document_count", "dropped_document_count",
                                   "packed_tokens", "retrieval_top_k")] == [3, 0, 900, 8]  # fmt: skip
    assert row["attributes_redacted"] is None


def test_documents_say_whether_they_were_packed() -> None:
    rows = document_rows([{"id": "a", "is_packed": True, "token_count": 120}, {"id": "b"}])
    assert [(row["is_packed"], row["document_tokens"]) for row in rows] == [
        (True, 120),
        (None, None),
    ]


CALL = {"city": "Paris"}
MESSAGES = {
    "otel_parts": [{"role": "assistant", "parts": [
        {"type": "text", "content": "wait"},
        {"type": "tool_call", "id": "c1", "name": "weather", "arguments": CALL}]}],
    "openai": [{"role": "assistant", "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}]}],
    "openai_choices": [{"index": 0, "message": {"tool_calls": [
        {"id": "c1", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}]}}],
    "openai_responses": [{"type": "function_call", "id": "fc_9", "call_id": "c1", "name": "weather",
                          "arguments": '{"city":"Paris"}'}],
    "anthropic": [{"role": "assistant", "content": [
        {"type": "tool_use", "id": "c1", "name": "weather", "input": CALL}]}],
    "bedrock": [{"role": "assistant", "content": [
        {"toolUse": {"toolUseId": "c1", "name": "weather", "input": CALL}}]}],
    "flattened": [{"role": "assistant", "tool_calls": {"0": {"id": "c1", "name": "weather",
                                                             "arguments": '{"city":"Paris"}'}}}],
}  # fmt: skip


@pytest.mark.parametrize("shape", MESSAGES)
def test_requested_calls_are_found_in_every_shape_of_an_answer(shape: str) -> None:
    (row,) = requested_calls(MESSAGES[shape])
    assert (row["tool_call_id"], row["tool_name"], row["tool_type"]) == (
        "c1",
        "weather",
        "function",
    )
    assert json.loads(row["arguments_redacted"]) == CALL
    assert (row["role"], row["result_redacted"], row["is_error"]) == ("requested", None, None)


def test_a_call_that_the_provider_runs_is_an_extension() -> None:
    part = {
        "type": "server_tool_call",
        "id": "s",
        "name": "web",
        "server_tool_call": {"type": "search"},
    }
    (row,) = requested_calls([{"parts": [part]}])
    assert (row["tool_type"], json.loads(row["arguments_redacted"])) == (
        "extension",
        {"type": "search"},
    )


TOOLS = {
    "otel": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather",
             "gen_ai.tool.call.id": "c1", "gen_ai.tool.type": "function",
             "gen_ai.tool.call.arguments": '{"city": "Paris"}',
             "gen_ai.tool.call.result": "21 degrees"},
    "openinference": {OPENINFERENCE: "TOOL", "tool.name": "weather", "tool.id": "c1",
                      "input.value": '{"city": "Paris"}', "output.value": "21 degrees"},
    "openllmetry": {"traceloop.span.kind": "tool", "traceloop.entity.name": "weather",
                    "gen_ai.tool.call.id": "c1",
                    "traceloop.entity.input": '{"args": [], "kwargs": {"city": "Paris"}}',
                    "traceloop.entity.output": '"21 degrees"'},
}  # fmt: skip


@pytest.mark.parametrize("source", TOOLS)
@pytest.mark.parametrize("code", [1, 2])
def test_executed_calls_land_with_arguments_and_result(
    read: Read, rules: LandingRules, source: str, code: int
) -> None:
    made = document([span(TOOLS[source], status={"code": code})])
    result = read(made)
    assert _calls(result) == [("executed", "c1", "weather", CALL, "21 degrees", code == 2)]
    assert result.spans[0]["tool_name"] == "weather"
    assert result.spans[0]["attributes_redacted"] is None  # nothing is stored twice
    assert read_object("t.binpb", traces_message(made), rules).tables == result.tables


def test_side_rows_do_not_name_whom_the_span_is_about(read: Read) -> None:
    result = read(document([span({**TOOLS["otel"], "user.id": "jane-doe-77",
                                  "gen_ai.tool.call.arguments": '{"who": "jane-doe-77", "tenant_id": "acme"}'})]))  # fmt: skip
    assert _calls(result)[0][3] == {"who": "<USER>"}


@given(JSON)
def test_side_rows_hold_json_whatever_was_recorded(value: Any) -> None:
    assert isinstance(answer_text(value), str | None)
    assert isinstance(last_user_text(value), str | None)
    for row in requested_calls(value):
        json.loads(row["arguments_redacted"] or "null")
    for row in document_rows(value if isinstance(value, list) else [value]):
        json.loads(row["metadata_redacted"] or "null")


def _evaluations(result: ReadResult, *columns: str) -> list[tuple[Any, ...]]:
    """Return columns of every evaluation."""
    assert result.rejects == []
    return [tuple(row[name] for name in columns) for row in result.evaluations]


def test_openinference_feedback_judges_span_trace_or_session(read: Read) -> None:
    result = read(document([span({
        OPENINFERENCE: "CHAIN", "session.id": "s-1234",
        "evaluations.0.evaluation.name": "relevance", "evaluations.0.evaluation.score": 0.5,
        "evaluations.0.evaluation.annotator_kind": "LLM",
        "evaluations.0.evaluation.identifier": "judge-1",
        "annotations.0.annotation.name": "thumbs", "annotations.0.annotation.label": "up",
        "annotations.0.annotation.annotator_kind": "HUMAN",
        "trace.evaluations.0.evaluation.name": "solved", "trace.evaluations.0.evaluation.score": 1,
        "trace.evaluations.0.evaluation.annotator_kind": "CODE",
        "session.annotations.0.annotation.name": "mood", "session.annotations.0.annotation.score": 3,
    })]))  # fmt: skip
    assert _evaluations(result, "evaluation_name", "evaluation_score", "evaluation_label", "trace_id",
                        "span_id", "session_key", "annotator_kind", "carrier") == [
        ("relevance", 0.5, None, TRACE_ID, SPAN_ID, None, "model", "span_attribute"),
        ("thumbs", None, "up", TRACE_ID, SPAN_ID, None, "human", "span_attribute"),
        ("solved", 1.0, None, TRACE_ID, None, None, "code", "span_attribute"),
        ("mood", 3.0, None, None, None, "s-1234", None, "span_attribute"),
    ]  # fmt: skip
    kept = json.loads(result.spans[0]["attributes_redacted"])
    assert kept == {"evaluations.0.evaluation.identifier": "judge-1"}


@pytest.mark.parametrize(
    ("name", "attributes", "score", "label", "explanation"),
    [
        ("gen_ai.evaluation.user_feedback", {"gen_ai.evaluation.score": -1.0}, -1.0, None, None),
        (
            "gen_ai.user.feedback",
            {"feedback.rating": 5, "feedback.comment": "fine"},
            5.0,
            None,
            "fine",
        ),
        ("user_feedback", {"rating": "up"}, None, "up", None),
        ("user_feedback", {"value": False}, None, "false", None),
        ("human.feedback", {"content": "wrong order"}, None, None, "wrong order"),
    ],
)
def test_a_users_reaction_is_an_evaluation(
    read: Read,
    name: str,
    attributes: Row,
    score: float | None,
    label: str | None,
    explanation: str | None,
) -> None:
    result = read(
        document([span({"gen_ai.operation.name": "chat"}, events=[event(name, 9, attributes)])])
    )
    assert _evaluations(result, "evaluation_name", "evaluation_score", "evaluation_label",
                        "explanation_redacted", "annotator_kind", "carrier") == [
        ("user_feedback", score, label, explanation, "human", "span_event")
    ]  # fmt: skip
    assert result.spans[0]["attributes_redacted"] is None


def test_an_event_that_is_no_evaluation_stays_an_event(read: Read) -> None:
    nameless = event("gen_ai.evaluation.result", 1, {"gen_ai.evaluation.score.value": 1})
    silent = event("user_feedback", 1, {"source": "app"})
    result = read(document([span({}, events=[nameless, silent])]))
    assert result.evaluations == []
    assert [e["name"] for e in json.loads(result.spans[0]["attributes_redacted"])["span.events"]] == [
        "gen_ai.evaluation.result", "user_feedback"]  # fmt: skip


def test_what_no_column_holds_of_an_evaluation_stays(read: Read) -> None:
    attributes = {"gen_ai.evaluation.name": "r", "gen_ai.evaluation.threshold": "3"}
    result = read(document([span({}, events=[event("gen_ai.evaluation.result", 1, attributes)])]))
    assert _evaluations(result, "evaluation_name") == [("r",)]
    assert json.loads(result.spans[0]["attributes_redacted"])["span.events"] == [
        {"name": "gen_ai.evaluation.result", "attributes": {"gen_ai.evaluation.threshold": "3"}}
    ]
