"""JSON lines that an application writes itself."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.errors import ReadError
from include.freezeline.readers.interaction_fields import FIELDS
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import LandingRules
from include.freezeline.readers.times import any_time_ns
from tests.unit.readers.builders import encode

Read = Callable[..., ReadResult]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "land-your-own-logs.md"
START = "2026-11-20T10:00:00Z"
START_NS = 1_795_168_800 * 10**9
LEAST = {"timestamp": START, "model": "gpt-4o", "prompt": "Hi"}


@pytest.fixture
def row_of(read: Read) -> Callable[..., Row]:
    """Read one line and return its row."""

    def read_line(**members: Any) -> Row:
        result = read({**LEAST, **members})
        assert result.rejects == []
        return result.spans[0]

    return read_line


def test_read_object_reads_the_canonical_names(read: Read) -> None:
    line = {
        "trace_id": "0AF7651916CD43DD8448EB211C80319C",
        "span_id": "b7ad6b7169203331",
        "parent_span_id": "00f067aa0ba902b7",
        "start_time": START,
        "end_time": "2026-11-20T11:00:02+01:00",
        "service_name": "shop",
        "environment": "staging",
        "feature": "search",
        "span_name": "answer",
        "operation": "generate_answer",
        "provider": "azure",
        "request_model": "gpt-4o",
        "response_model": "gpt-4o-2024-08-06",
        "response_id": "resp_1",
        "is_stream": True,
        "temperature": 0.5,
        "top_p": 1,
        "max_tokens": "256",
        "seed": 7,
        "input_tokens": 100,
        "output_tokens": 21,
        "cache_read_tokens": 10,
        "reasoning_tokens": 4,
        "ttft_ms": 500,
        "queue_ms": 12.5,
        "finish_reasons": ["tool_calls"],
        "status": "ok",
        "input_messages": [{"role": "user", "content": "Where is it?"}],
        "output_text": "Let me look.",
        "tool_calls_requested": [{"id": "c1", "name": "lookup", "arguments": {"q": 1}}],
        "system_instructions": "Be kind.",
        "prompt_name": "answer",
        "prompt_version": 3,
        "prompt_hash": "abc",
        "agent_name": "clerk",
        "user_id": "u-17",
        "session_id": "s-17",
        "tenant_id": "t-17",
        "request_id": "r-17",
        "cost_reported_usd": 0.00125,
        "department": "sales",
    }
    result = read(line)
    row = result.spans[0]
    expected = {
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
        "parent_span_id": "00f067aa0ba902b7",
        "dialect": "interaction_log",
        "duration_ms": 2000.0,
        "service_name": "shop",
        "environment": "staging",
        "feature": "search",
        "span_name": "answer",
        "span_type": "llm",
        "is_leaf_model_call": True,
        "operation_name": "generate_answer",
        "provider": "azure.ai.openai",
        "request_model": "gpt-4o",
        "response_model": "gpt-4o-2024-08-06",
        "response_id": "resp_1",
        "is_stream": True,
        "temperature": 0.5,
        "top_p": 1.0,
        "max_tokens": 256,
        "seed": 7,
        "input_tokens": 100,
        "output_tokens": 21,
        "cache_read_tokens": 10,
        "cache_write_tokens": None,
        "reasoning_tokens": 4,
        "ttft_ms": 500.0,
        "queue_ms": 12.5,
        "tpot_ms": 75.0,  # (2000 - 500) / 20
        "finish_reasons": ["tool_call"],
        "status": "ok",
        "input_text_redacted": "Where is it?",
        "output_text_redacted": "Let me look.",
        "system_instructions_redacted": '[{"type":"text","content":"Be kind."}]',
        "prompt_name": "answer",
        "prompt_version": "3",
        "prompt_hash": "abc",
        "agent_name": "clerk",
        "user_key": "u-17",
        "session_key": "s-17",
        "tenant_key": "t-17",
        "request_id": "r-17",
        "cost_reported_usd": Decimal("0.001250000000"),
    }
    assert {name: row[name] for name in expected} == expected
    assert row["started_at"] == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert json.loads(row["attributes_redacted"]) == {"department": "sales"}
    (call,) = result.tables["tool_calls"]
    assert (call["tool_name"], call["arguments_redacted"]) == ("lookup", '{"q":1}')


def test_read_object_reads_other_spellings(row_of: Callable[..., Row]) -> None:
    row = row_of(
        promptTokens=12, completion_tokens="5", latencyMs=1500.5, costUsd="0.0012", response="Yes",
        conversationId="s-1", Stream="true", finish_reason="stop",
    )  # fmt: skip
    assert (row["input_tokens"], row["output_tokens"]) == (12, 5)
    assert (row["duration_ms"], row["cost_reported_usd"]) == (1500.5, Decimal("0.001200000000"))
    assert (row["session_key"], row["is_stream"]) == ("s-1", True)
    assert (row["output_text_redacted"], row["finish_reasons"]) == ("Yes", ["stop"])


def test_read_object_lands_a_line_with_a_time_and_a_model_or_a_text(read: Read) -> None:
    for line in ({"ts": START, "model": "m"}, {"time": START, "completion": "Yes"}):
        row = read(line).spans[0]
        assert (row["span_type"], row["status"], row["is_stream"]) == ("llm", "unset", None)
        assert (row["input_tokens"], row["duration_ms"]) == (None, None)
        assert (row["service_name"], row["feature"]) == (None, "unknown")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"timestamp": "soon", "model": "m"}, "missing_start_time"),
        ({"timestamp": None, "model": "m"}, "missing_start_time"),
        ({"timestamp": START, "model": None, "prompt": ""}, "missing_model_and_text"),
    ],
)
def test_read_object_puts_a_line_aside_when_it_cannot_be_placed(
    read: Read, line: dict[str, Any], reason: str
) -> None:
    result = read([line, LEAST])
    assert [(reject.offset, reject.reason) for reject in result.rejects] == [(0, reason)]
    assert len(result.spans) == 1


@pytest.mark.parametrize(
    "line",
    [
        {"timestamp": START, "message": "started", "level": "info"},
        {"model": "gpt-4o", "prompt": "Hi"},
    ],
)
def test_read_object_claims_no_line_of_another_kind(read: Read, line: dict[str, Any]) -> None:
    with pytest.raises(ReadError, match="unknown_document"):
        read([line, line])


def test_read_object_leaves_bedrocks_logs_to_their_reader(read: Read) -> None:
    result = read({"schemaType": "ModelInvocationLog", "modelId": "m", "timestamp": START})
    assert [reject.reason for reject in result.rejects] == ["unsupported_document:bedrock"]


@pytest.mark.parametrize(
    ("given", "nanoseconds"),
    [
        (1_795_168_800, START_NS),
        ("1795168800", START_NS),
        (1_795_168_800.25, START_NS + 250_000_000),
        (1_795_168_800_123, START_NS + 123_000_000),
        (1_795_168_800_123_456, START_NS + 123_456_000),
        (START_NS + 7, START_NS + 7),
        (START, START_NS),
        ("2026-11-20 10:00:00", START_NS),
        ("2026-11-20 10:00:00.500 UTC", START_NS + 500_000_000),
        ("2026-11-20T12:00:00+02:00", START_NS),
        ("2026-11-20T10:00:00.123456789Z", START_NS + 123_456_000),
        (5, 0),
        (-START_NS, 0),
        (True, 0),
        (float("nan"), 0),
        (10**30, 0),
        ("1" * 5_000, 0),
        ("yesterday", 0),
        ("0001-01-01", 0),
        (None, 0),
        ([START], 0),
    ],
)
def test_any_time_ns_tells_the_unit_by_the_size(given: Any, nanoseconds: int) -> None:
    assert any_time_ns(given) == nanoseconds


def test_read_object_takes_the_same_line_twice_for_one_call(read: Read) -> None:
    def ids(**members: Any) -> tuple[str, str]:
        row = read({**LEAST, **members}).spans[0]
        return row["trace_id"], row["span_id"]

    assert ids() == ids()
    assert ids() != ids(prompt="Ho")
    assert ids(id="7", output="a") == ids(id="7", output="a, and more")  # a richer copy
    assert ids(id="7") != ids(id="8")
    assert ids(id="7") != ids(id="7", service="another")  # numbers repeat in every service
    assert ids(trace_id="flow-1", id="1")[0] == ids(trace_id="flow-1", id="2")[0]
    assert ids(trace_id="0" * 32, id="1")[0] != ids(trace_id="0" * 32, id="2")[0]


@pytest.mark.parametrize(
    ("members", "status", "error_class", "message"),
    [
        ({"status": "success"}, "ok", None, None),
        ({"success": True}, "ok", None, None),
        ({"http_status": 200}, "ok", None, None),
        ({"error": None}, "unset", None, None),
        ({"error": False, "status": "ok"}, "ok", None, None),
        ({"status": "pending"}, "unset", None, None),
        ({"success": False}, "error", "other", None),
        ({"status": 429}, "error", "rate_limit", None),
        ({"status": "timeout"}, "error", "timeout", None),
        ({"error": "connection reset by peer"}, "error", "server_error", "connection reset by peer"),
        ({"error": {"type": "RateLimitError", "message": "slow"}}, "error", "rate_limit", "slow"),
        ({"error": {"code": 401}}, "error", "invalid_api_key", None),
        ({"error_type": "context_length_exceeded"}, "error", "context_length_exceeded", None),
        ({"error": True, "error_message": "content_filter"}, "error", "content_filter",
         "content_filter"),
    ],
)  # fmt: skip
def test_read_object_reads_how_a_call_ended(
    row_of: Callable[..., Row],
    members: dict[str, Any],
    status: str,
    error_class: str | None,
    message: str | None,
) -> None:
    row = row_of(**members)
    assert (row["status"], row["error_class"]) == (status, error_class)
    assert row["error_message_redacted"] == message


def test_read_object_splits_a_conversation_that_ends_in_an_answer(read: Read) -> None:
    messages = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    row = read({"time": START, "messages": messages}).spans[0]
    assert (row["input_text_redacted"], row["output_text_redacted"]) == ("Q", "A")


def test_read_object_reads_a_providers_response_logged_whole(row_of: Callable[..., Row]) -> None:
    response = {
        "id": "chatcmpl-1", "model": "gpt-4o-2024-08-06",
        "choices": [{"finish_reason": "length", "message": {"role": "assistant", "content": "A"}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2,
                  "prompt_tokens_details": {"cached_tokens": 4}},
    }  # fmt: skip
    row = row_of(response=response)
    assert (row["response_id"], row["response_model"]) == ("chatcmpl-1", "gpt-4o-2024-08-06")
    assert (row["input_tokens"], row["output_tokens"], row["cache_read_tokens"]) == (9, 2, 4)
    assert (row["output_text_redacted"], row["finish_reasons"]) == ("A", ["length"])


def test_read_object_gives_rows_to_documents_feedback_and_scores(read: Read) -> None:
    result = read(
        {
            **LEAST,
            "contexts": [{"id": "d1", "score": 0.5, "text": "One"}, "Two"],
            "feedback": {"rating": 4, "comment": "Nice"},
            "scores": {"groundedness": 0.75, "tone": "polite", "empty": None},
        }
    )
    documents = result.tables["retrieval_documents"]
    assert [row["document_id"] for row in documents] == ["d1", None]
    assert [row["content_redacted"] for row in documents] == ["One", "Two"]
    assert result.spans[0]["retrieved_document_count"] == 2
    found = {
        row["evaluation_name"]: (row["evaluation_score"], row["evaluation_label"])
        for row in result.evaluations
    }
    assert found == {
        "feedback": (4.0, None),
        "groundedness": (0.75, None),
        "tone": (None, "polite"),
    }
    assert result.evaluations[0]["explanation_redacted"] == "Nice"
    thumbs = read({**LEAST, "feedback": "thumbs_up"}).evaluations[0]
    assert (thumbs["evaluation_score"], thumbs["evaluation_label"]) == (None, "thumbs_up")
    assert read({**LEAST, "feedback": False}).evaluations[0]["evaluation_score"] == 0.0


def test_read_object_tells_calls_of_tools_from_calls_of_models(read: Read) -> None:
    line = {"time": START, "input": "x", "tool_name": "lookup", "tool_arguments": {"q": 1},
            "tool_result": "found", "success": False}  # fmt: skip
    result = read(line)
    assert (result.spans[0]["span_type"], result.spans[0]["is_leaf_model_call"]) == ("tool", False)
    (call,) = result.tables["tool_calls"]
    assert (call["role"], call["arguments_redacted"], call["is_error"]) == (
        "executed", '{"q":1}', True,
    )  # fmt: skip
    assert read({**LEAST, "span_type": "retriever"}).spans[0]["span_type"] == "retrieval"
    assert read({**LEAST, "span_type": "dance"}).spans[0]["span_type"] == "other"
    outer = read({**LEAST, "is_leaf_model_call": False}).spans[0]
    assert (outer["span_type"], outer["is_leaf_model_call"]) == ("llm", False)


def test_read_object_never_leaves_a_person_in_a_line(row_of: Callable[..., Row]) -> None:
    row = row_of(
        user_id="bob-17", tenant="acme-17", session="sess-17", email="bob@example.org",
        client_ip="198.51.100.7", headers={"Cookie": "bobs"}, api_key="sk-bob",
        metadata={"user_email": "bob@example.org", "user_id": "bob-18", "team": "for bob-17"},
        attributes={"user.id": "bob-19", "x.authorization": "bob", "kept": 1},
        resource={"host.name": "h", "enduser.id": "bob-20"},
    )  # fmt: skip
    assert (row["user_key"], row["tenant_key"], row["session_key"]) == (
        "bob-17", "acme-17", "sess-17",
    )  # fmt: skip
    assert json.loads(row["attributes_redacted"]) == {"kept": 1, "metadata.team": "for <USER>"}
    rest = repr({name: value for name, value in row.items() if not name.endswith("_key")})
    assert not re.search(r"bob|198\.51|acme-17|sess-17", rest)


@pytest.mark.parametrize(
    "members",
    [
        {"model": 7.5, "user_id": {"a": 1}, "temperature": [1], "is_stream": "perhaps"},
        {"input_tokens": "many", "output_tokens": -3, "max_tokens": {}, "seed": 1.5},
        {"latency_ms": "slow", "ttft_ms": -1, "cost_usd": "NaN", "end_time": "later"},
        {"trace_id": [1], "span_id": {}, "parent_span_id": 1.5, "span_name": [], "status": []},
        {"messages": 5, "response": 7, "tool_calls": "x", "contexts": 3, "evaluations": 5},
        {"usage": "x", "metadata": 3, "attributes": [], "resource": "r", "error": []},
    ],
)
def test_read_object_reads_what_it_can_when_types_are_wrong(
    row_of: Callable[..., Row], members: dict[str, Any]
) -> None:
    row = row_of(**members)
    for name in ("input_tokens", "output_tokens", "ttft_ms", "cost_reported_usd", "user_key"):
        assert row[name] is None, name
    assert (row["input_text_redacted"] in ("Hi", None), row["status"]) == (True, "unset")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "score", "content", "code"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), VALUES, max_size=6))
def test_read_object_accounts_for_every_strange_line(
    rules: LandingRules, members: dict[str, Any]
) -> None:
    line = encode({**LEAST, **members})
    result = read_object("x.json", line, rules)
    assert result.record_count == result.used_count + len(result.rejects) == 1
    assert {reject.reason for reject in result.rejects} <= {
        "missing_start_time", "missing_model_and_text",
    }  # fmt: skip


def test_every_field_and_its_other_names_are_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]*) \|", page, flags=re.MULTILINE))
    others = {field: tuple(re.findall(r"`([^`]+)`", names)) for field, names in rows.items()}
    assert others == {field: tuple(names) for field, names in FIELDS.items()}
