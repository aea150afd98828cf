"""Calls that LiteLLM logs, one object or one line per call."""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.readers.litellm import read_litellm
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import BlockedRules, BlockList, LandingRules
from tests.unit.readers.builders import encode

Read = Callable[..., ReadResult]

START_S = 1_795_204_239.25
PAYLOAD: dict[str, Any] = {
    "id": "chatcmpl-1",
    "litellm_call_id": "d16deeab-66f0-4110-b7fe-a42a427af1c6",
    "trace_id": "71e75dba-4eef-483f-bb9e-c2ed7b745cf5",
    "session_id": "",
    "call_type": "acompletion",
    "stream": True,
    "status": "success",
    "custom_llm_provider": "azure",
    "model": "gpt-4.1",
    "startTime": START_S,
    "endTime": START_S + 1,
    "completionStartTime": START_S + 0.25,
    "prompt_tokens": 41,
    "completion_tokens": 13,
    "total_tokens": 54,
    "response_cost": 1.3199999999999999e-05,
    "request_tags": ["batch", "User-Agent: curl/8"],
    "api_base": "https://example.org/v1",
    "messages": [{"role": "user", "content": "Update the address."}],
    "model_parameters": {"stream": True, "temperature": 0.5, "max_tokens": 99, "seed": 7, "n": 1},
    "metadata": {
        "usage_object": {
            "prompt_tokens_details": {"cached_tokens": 16},
            "completion_tokens_details": {"reasoning_tokens": 5},
        }
    },
    "response": {
        "id": "chatcmpl-1",
        "model": "gpt-4.1-2025-04-14",
        "system_fingerprint": "fp_1",
        "choices": [
            {"finish_reason": "stop", "index": 0, "message": {"role": "assistant", "content": "Done."}}
        ],
    },
    "error_information": {"error_code": "", "error_class": "", "error_message": ""},
}  # fmt: skip


def payload(**members: Any) -> dict[str, Any]:
    """Return a payload with members replaced or added."""
    return {**copy.deepcopy(PAYLOAD), **members}


@pytest.fixture
def row_of(read: Read) -> Callable[..., Row]:
    """Read one payload and return its row."""

    def read_payload(**members: Any) -> Row:
        result = read(payload(**members))
        assert result.rejects == []
        return result.spans[0]

    return read_payload


@pytest.mark.parametrize(
    ("members", "is_hit"),
    [
        ({"cache_hit": True, "response_cost": 0}, True),
        ({"cache_hit": True, "response_cost": 0.36}, False),  # the provider's prompt cache, billed
        ({"cache_hit": True, "response_cost": None}, None),
        (
            {
                "cache_hit": True,
                "response_cost": 0,
                "response_cost_failure_debug_info": {"error_str": "x"},
            },
            None,
        ),
        ({"cache_hit": False}, False),
        ({"cache_hit": None}, None),
    ],
)
def test_read_object_calls_it_a_gateway_cache_hit_only_when_nothing_was_billed(
    row_of: Callable[..., Row], members: dict[str, Any], is_hit: bool | None
) -> None:
    row = row_of(**members)
    assert row["is_gateway_cache_hit"] is is_hit
    assert row["cache_read_tokens"] == 16


def test_read_object_reads_lifetimes_of_the_cache_and_searches(row_of: Callable[..., Row]) -> None:
    usage = {
        "cache_creation_input_tokens": 30,
        "prompt_tokens_details": {
            "cache_creation_token_details": {
                "ephemeral_5m_input_tokens": 10,
                "ephemeral_1h_input_tokens": 20,
            }
        },
        "server_tool_use": {"web_search_requests": 3},
    }
    row = row_of(metadata={"usage_object": usage})
    names = ("cache_write_tokens", "cache_write_1h_tokens", "web_search_count")
    assert [row[name] for name in names] == [30, 20, 3]


def test_read_object_reads_a_streamed_call(row_of: Callable[..., Row]) -> None:
    row = row_of()
    expected = {
        "dialect": "litellm",
        "service_name": "litellm",
        "span_type": "llm",
        "is_leaf_model_call": True,
        "operation_name": "acompletion",
        "provider": "azure.ai.openai",
        "request_model": "gpt-4.1",
        "response_model": "gpt-4.1-2025-04-14",
        "response_id": "chatcmpl-1",
        "system_fingerprint": "fp_1",
        "is_stream": True,
        "temperature": 0.5,
        "max_tokens": 99,
        "seed": 7,
        "input_tokens": 41,
        "output_tokens": 13,
        "cache_read_tokens": 16,
        "reasoning_tokens": 5,
        "duration_ms": 1000.0,
        "ttft_ms": 250.0,
        "ttft_source": "timestamp",
        "tpot_ms": 62.5,  # (1000 - 250) / 12
        "finish_reasons": ["stop"],
        "status": "ok",
        "error_class": None,
        "input_text_redacted": "Update the address.",
        "output_text_redacted": "Done.",
        "cost_reported_usd": Decimal("0.000013200000"),
        "session_key": None,
        "user_key": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["attributes_redacted"]) == {
        "litellm.api_base": "https://example.org/v1",
        "litellm.model_parameters": {"n": 1},
        "litellm.request_tags": ["batch"],
    }


def test_read_object_knows_no_first_token_when_the_call_was_not_streamed(
    row_of: Callable[..., Row],
) -> None:
    row = row_of(stream=None, completionStartTime=START_S + 1, model_parameters={"stream": False})
    assert (row["is_stream"], row["ttft_ms"], row["ttft_source"]) == (False, None, None)
    cut = row_of(completionStartTime=START_S + 1)  # what LiteLLM writes when nothing arrived
    assert (cut["is_stream"], cut["ttft_ms"]) == (True, None)


@pytest.mark.parametrize(
    ("error_class", "code", "kind"),
    [
        ("RateLimitError", "429", "rate_limit"),
        ("ContextWindowExceededError", "400", "context_length_exceeded"),
        ("Timeout", "408", "timeout"),
        ("AuthenticationError", "401", "invalid_api_key"),
        ("ContentPolicyViolationError", "400", "content_filter"),
        ("InternalServerError", "500", "server_error"),
        ("", "", "other"),
    ],
)
def test_read_object_names_the_cause_of_a_failed_call(
    row_of: Callable[..., Row], error_class: str, code: str, kind: str
) -> None:
    information = {"error_code": code, "error_class": error_class, "traceback": "secret path"}
    row = row_of(
        status="failure", error_information=information, error_str="litellm: it broke",
        response={}, metadata={"usage_object": {}}, response_cost=0.0,
        prompt_tokens=0, completion_tokens=0, total_tokens=0,
    )  # fmt: skip
    assert (row["status"], row["error_class"]) == ("error", kind)
    assert row["error_type"] == (error_class or None)
    assert row["http_status_code"] == (int(code) if code else None)
    assert row["error_message_redacted"] == "litellm: it broke"
    # Zeros on a failed call are what was never counted.
    assert [row[name] for name in ("input_tokens", "output_tokens", "cost_reported_usd")] == [
        None, None, None,
    ]  # fmt: skip
    assert row["response_id"] is None
    assert "secret path" not in repr(row)


def test_read_object_keeps_the_zero_of_a_cached_answer(row_of: Callable[..., Row]) -> None:
    assert row_of(response_cost=0.0, cache_hit=True)["cost_reported_usd"] == Decimal(0)
    unpriced = row_of(response_cost=0.0, response_cost_failure_debug_info={"error_str": "x"})
    assert unpriced["cost_reported_usd"] is None
    assert row_of(response_cost="free")["cost_reported_usd"] is None


def test_read_object_gives_a_call_ids_that_do_not_change(read: Read) -> None:
    first, again = read(payload()), read([payload()], "other/key.json")
    ids = [(row["trace_id"], row["span_id"]) for row in (*first.spans, *again.spans)]
    assert ids[0] == ids[1]
    retried = read(payload(startTime=START_S + 5)).spans[0]
    assert retried["trace_id"] == ids[0][0]
    assert retried["span_id"] != ids[0][1]
    hexadecimal = "0AF7651916CD43DD8448EB211C80319C"
    assert read(payload(trace_id=hexadecimal)).spans[0]["trace_id"] == hexadecimal.lower()


def test_read_object_takes_a_readable_trace_id_for_the_session(read: Read) -> None:
    two = [payload(trace_id="s-17", id=name) for name in ("a", "b")]
    rows = read(two).spans
    assert [row["session_key"] for row in rows] == ["s-17", "s-17"]
    # A hash of the session's id alone could be undone, so the trace is the call's own.
    assert len({row["trace_id"] for row in rows}) == 2
    assert read(payload(session_id="s-18")).spans[0]["session_key"] == "s-18"


KEY_HASH = "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b"
PERSONAL = {
    "user_api_key_hash": KEY_HASH,
    "user_api_key_alias": "bobs-own-key",
    "user_api_key_user_email": "bob@example.org",
    "user_api_key_user_id": "bob-at-work",
    "user_api_key_team_id": "team-17",
    "user_api_key_team_alias": "the-bobs",
    "requester_ip_address": "198.51.100.77",
    "user_agent": "bobs-browser/1",
    "requester_custom_headers": {"x-bob": "custom-bob"},
    "user_api_key_auth_metadata": {"owner": "auth-bob"},
    "requester_metadata": {
        "headers": {"authorization": "Bearer bob-token"},
        "user_email": "bob.second@example.org",
        "user_api_key": "sk-bob",
        "note": "kept for bob-at-work",
        "feature": "checkout",
        "request_id": "req-1",
    },
}


def test_read_object_never_leaves_a_person_in_a_logged_call(row_of: Callable[..., Row]) -> None:
    row = row_of(
        metadata={**PAYLOAD["metadata"], **PERSONAL},
        requester_ip_address="198.51.100.77",
        user_agent="bobs-browser/1",
        hidden_params={"additional_headers": {"llm_provider-set-cookie": "bob-cookie"}},
    )
    assert (row["user_key"], row["tenant_key"]) == ("bob-at-work", "team-17")
    assert (row["feature"], row["request_id"]) == ("checkout", "req-1")
    assert json.loads(row["attributes_redacted"])["metadata.note"] == "kept for <USER>"
    rest = repr({name: value for name, value in row.items() if not name.endswith("_key")})
    for trace in ("bob", "198.51.100.77", KEY_HASH, "team-17"):
        assert trace not in rest, trace


@pytest.mark.parametrize(
    ("members", "user"),
    [
        ({"end_user": "u-1", "model_parameters": {"user": "u-2"}}, "u-1"),
        ({"model_parameters": {"user": "u-2"}, "metadata": {"user_api_key_user_id": "u-3"}}, "u-2"),
        ({"metadata": {"user_api_key_user_id": "u-3"}}, "u-3"),
    ],
)
def test_read_object_prefers_the_end_user(
    row_of: Callable[..., Row], members: dict[str, Any], user: str
) -> None:
    assert row_of(**members)["user_key"] == user


def test_read_object_drops_blocked_attributes_of_a_logged_call() -> None:
    rules = BlockedRules(names=("litellm.api_base", "password"))
    metadata = {"requester_metadata": {"password": "hunter2", "kept": 1}}
    (span,) = read_litellm("", payload(metadata=metadata), BlockList(rules))
    assert isinstance(span, Span)
    assert "litellm.api_base" not in span.attributes
    assert span.attributes["metadata"] == {"kept": 1}


@pytest.mark.parametrize(
    ("call_type", "span_type"),
    [
        ("completion", "llm"), ("atext_completion", "llm"), ("aresponses", "llm"),
        ("anthropic_messages", "llm"), ("agenerate_content", "llm"), ("aembedding", "embedding"),
        ("arerank", "rerank"), ("amoderation", "guardrail"), ("call_mcp_tool", "tool"),
        ("aimage_generation", "other"), ("aretrieve_batch", "other"), ("asearch", "retrieval"),
    ],
)  # fmt: skip
def test_read_object_tells_what_kind_of_call_it_was(
    row_of: Callable[..., Row], call_type: str, span_type: str
) -> None:
    row = row_of(call_type=call_type)
    assert (row["span_type"], row["operation_name"]) == (span_type, call_type)
    assert row["is_leaf_model_call"] is (span_type == "llm")


@pytest.mark.parametrize(
    ("response", "text", "reasons"),
    [
        ({"choices": [{"text": "Yes.", "finish_reason": "length"}]}, "Yes.", ["length"]),
        (
            {"output": [{"type": "message", "content": [{"type": "output_text", "text": "Yes."}]}],
             "status": "completed"},
            "Yes.",
            ["stop"],
        ),
        (
            {"role": "assistant", "content": [{"type": "text", "text": "Yes."}],
             "stop_reason": "end_turn"},
            "Yes.",
            ["stop"],
        ),
        (
            {"candidates": [{"content": {"parts": [{"text": "Yes."}]}, "finishReason": "STOP"}]},
            "Yes.",
            ["stop"],
        ),
        ("redacted-by-litellm", None, None),
        ("Yes.", "Yes.", None),
        ({}, None, None),
        (None, None, None),
        ([1, 2], None, None),
        ({"choices": "x", "output": 3}, None, None),
    ],
)  # fmt: skip
def test_read_object_reads_answers_of_every_provider(
    row_of: Callable[..., Row], response: Any, text: str | None, reasons: list[str] | None
) -> None:
    row = row_of(response=response)
    assert (row["output_text_redacted"], row["finish_reasons"]) == (text, reasons)


def test_read_object_gives_rows_to_tool_calls_and_guardrails(read: Read) -> None:
    function = {"name": "lookup", "arguments": '{"q":"x"}'}
    message = {"content": None, "tool_calls": [{"id": "call_1", "function": function}]}
    result = read(
        payload(
            response={"choices": [{"finish_reason": "tool_calls", "message": message}]},
            guardrail_information=[
                {"guardrail_name": "pii", "guardrail_status": "guardrail_intervened",
                 "guardrail_response": "bob@example.org", "end_time": START_S + 0.5},
                {"guardrail_name": "idle", "guardrail_status": "not_run"},
            ],
        )
    )  # fmt: skip
    (call,) = result.tables["tool_calls"]
    assert (call["role"], call["tool_name"], call["tool_call_id"]) == (
        "requested", "lookup", "call_1",
    )  # fmt: skip
    assert call["arguments_redacted"] == '{"q":"x"}'
    (verdict,) = result.evaluations
    assert (verdict["evaluation_name"], verdict["evaluation_label"]) == (
        "pii", "guardrail_intervened",
    )  # fmt: skip
    assert verdict["evaluated_at"].timestamp() == START_S + 0.5
    assert "bob@example.org" not in repr(result)


def test_read_object_makes_a_span_of_each_search_for_a_call(read: Read) -> None:
    found = {"file_id": "f1", "score": 0.75, "filename": "a.md",
             "content": [{"type": "text", "text": "Returns are free."}]}  # fmt: skip
    search = {
        "vector_store_id": "vs_1", "custom_llm_provider": "bedrock", "query": "returns?",
        "vector_store_search_response": {"data": [found, "strange"]},
        "start_time": START_S, "end_time": START_S + 0.125,
    }  # fmt: skip
    result = read(payload(metadata={"vector_store_request_metadata": [search, None]}, end_user="u"))
    call, retrieval = result.spans
    assert (retrieval["span_type"], retrieval["duration_ms"]) == ("retrieval", 125.0)
    assert (retrieval["trace_id"], retrieval["parent_span_id"]) == (
        call["trace_id"], call["span_id"],
    )  # fmt: skip
    assert (retrieval["retrieval_query_redacted"], retrieval["user_key"]) == ("returns?", "u")
    (document,) = result.tables["retrieval_documents"]
    assert (document["document_id"], document["document_score"]) == ("f1", 0.75)
    assert document["content_redacted"] == "Returns are free."


def test_read_object_lands_finished_batches_line_by_line(rules: LandingRules) -> None:
    body = {
        "id": "chatcmpl-9", "model": "gpt-4o-mini", "created": 1_795_204_239,
        "choices": [{"finish_reason": "stop", "message": {"content": "Hi"}}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2},
    }  # fmt: skip
    lines = [
        {"id": "b1", "custom_id": "r-1", "error": None,
         "response": {"status_code": 200, "body": body}},
        {"id": "b2", "custom_id": "r-2", "response": None, "error": {"code": "expired"}},
    ]  # fmt: skip
    result = read_object("x.jsonl", b"\n".join(encode(line) for line in lines), rules)
    assert [reject.reason for reject in result.rejects] == [
        "unsupported_document:batch_result_without_time"
    ]
    (row,) = result.spans
    assert (row["dialect"], row["is_leaf_model_call"]) == ("litellm", True)
    assert (row["input_tokens"], row["output_tokens"]) == (7, 2)
    assert (row["request_id"], row["output_text_redacted"]) == ("r-1", "Hi")
    assert (row["duration_ms"], row["ended_at"], row["status"]) == (None, None, "ok")


@pytest.mark.parametrize("start", [None, "soon", 0, -5, True, float("1e30"), [1]])
def test_read_object_puts_a_call_without_a_time_aside(read: Read, start: Any) -> None:
    result = read([payload(startTime=start), payload()])
    assert [(reject.offset, reject.reason) for reject in result.rejects] == [
        (0, "missing_start_time")
    ]
    assert len(result.spans) == 1


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "choices", "content", "text", "n"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted({*PAYLOAD, "guardrail_information", "hidden_params"})),
                       values, max_size=6))  # fmt: skip
def test_read_object_accounts_for_every_strange_payload(
    rules: LandingRules, members: dict[str, Any]
) -> None:
    data = json.dumps(payload(**members)).encode()
    result = read_object("x.json", data, rules)
    assert result.record_count == result.used_count + len(result.rejects) == 1
    assert {reject.reason for reject in result.rejects} <= {"missing_start_time"}
