"""Langfuse observations sent over OTLP."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from include.freezeline.readers.langfuse_usage import read_cost, read_usage
from include.freezeline.readers.providers import provider_of_model
from include.freezeline.readers.result import ReadResult, Row
from tests.unit.readers import builders
from tests.unit.readers.builders import SPAN_ID, TRACE_ID, document, span

ReadOne = Callable[..., Row]
Read = Callable[..., ReadResult]
PARENT_ID = "00f067aa0ba902b7"


def observation(kind: str, **members: Any) -> dict[str, Any]:
    """Return attributes of an observation; underscores in names stand for themselves."""
    found = {f"langfuse.observation.{name}": value for name, value in members.items()}
    return {"langfuse.observation.type": kind, **found}


GENERATION = {
    **observation(
        "generation",
        input=json.dumps(
            [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
        ),
        output=json.dumps({"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}]}),
        usage_details=json.dumps({"prompt_tokens": 50, "completion_tokens": 11, "total_tokens": 61,
                                  "prompt_tokens_details": {"cached_tokens": 8},
                                  "completion_tokens_details": {"reasoning_tokens": 4}}),
        cost_details='{"input":0.0001,"output":0.0002,"total":0.0003}',
        completion_start_time='"2026-09-21T14:13:20.250000Z"',
    ),
    "langfuse.observation.model.name": "gpt-4.1-2025-04-14",
    "langfuse.observation.model.parameters": '{"temperature": 0.1, "max_tokens": "Infinity", "top_p": 1, "user": "u-99"}',
    "langfuse.observation.prompt.name": "greeting",
    "langfuse.observation.prompt.version": 4,
    "langfuse.observation.metadata.finish_reason": '"stop"',
}  # fmt: skip


def test_generation_fills_the_columns_of_a_model_call(read: Read) -> None:
    result = read(document([span(GENERATION)], scope="langfuse-sdk"))
    row = result.spans[0]
    expected = {
        "dialect": "langfuse", "span_type": "llm", "is_leaf_model_call": True,
        "operation_name": "generation", "provider": "openai", "is_stream": True,
        "request_model": "gpt-4.1-2025-04-14", "response_model": "gpt-4.1-2025-04-14",
        "input_tokens": 50, "output_tokens": 11, "cache_read_tokens": 8, "reasoning_tokens": 4,
        "ttft_ms": 250.0, "ttft_source": "timestamp", "tpot_ms": 75.0,  # (1000 - 250) / (11 - 1)
        "temperature": 0.1, "top_p": 1.0, "max_tokens": None, "finish_reasons": ["stop"],
        "prompt_name": "greeting", "prompt_version": "4", "cost_reported_usd": Decimal("0.0003"),
        "input_text_redacted": "Hello?", "output_text_redacted": None, "status": "unset",
        "system_instructions_redacted": '[{"type":"text","content":"Be brief."}]',
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    call = result.tables["tool_calls"][0]
    assert (call["role"], call["tool_name"], call["arguments_redacted"]) == (
        "requested", "look", '{"a":1}',
    )  # fmt: skip
    assert "u-99" not in repr(row)


@pytest.mark.parametrize(
    ("details", "counts"),
    [
        # as applications report it: the whole prompt
        ({"input": 3, "output": 2, "cache_read_input_tokens": 1}, (3, 2, 1, None, None)),
        # as Langfuse stores it: disjoint, the total says so
        ({"input": 36, "input_cached_tokens": 64, "output": 7, "output_reasoning_tokens": 4,
          "total": 111}, (100, 11, 64, None, 4)),
        # the total says that the parts are inside
        ({"input": 100, "input_cached_tokens": 64, "output": 11, "total": 111}, (100, 11, 64, None, None)),
        # Anthropic's raw usage, whose input excludes the cache
        ({"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 200,
          "cache_creation_input_tokens": 30}, (240, 5, 200, 30, None)),
        ({"input": 10, "output": 5, "input_cache_read": 200}, (210, 5, 200, None, None)),
        # OpenAI's Responses API and LangChain: parts nested beside the wholes
        ({"input_tokens": 20, "output_tokens": 9, "total_tokens": 29,
          "input_tokens_details": {"cached_tokens": 16}}, (20, 9, 16, None, None)),
        # lifetimes of what was written, in place of their sum and beside it
        ({"input": 2, "input_cache_creation_5m": 6289, "input_cache_creation_1h": 45800,
          "output": 216, "total": 52307}, (52091, 216, None, 52089, None)),
        ({"input": 2, "input_cache_creation": 30, "input_cache_creation_1h": 30, "output": 5,
          "total": 37}, (32, 5, None, 30, None)),
        ({"input": "12", "output": 0}, (12, 0, None, None, None)),  # 64-bit numbers may be quoted
        ({"total": 5}, (None, None, None, None, None)),
        ({"input": -1, "output": "many"}, (None, None, None, None, None)),
    ],
)  # fmt: skip
def test_read_usage_returns_whole_prompts_and_answers(
    details: dict[str, Any], counts: tuple[int | None, ...]
) -> None:
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")  # fmt: skip
    assert tuple(read_usage(details)[name] for name in names) == counts


def test_read_usage_keeps_apart_what_was_cached_for_an_hour() -> None:
    usage = read_usage({"input": 2, "input_cache_creation_5m": 5, "input_cache_creation_1h": 7})
    assert (usage["cache_write_tokens"], usage["cache_write_1h_tokens"]) == (12, 7)
    assert read_usage({"input_cache_creation": 5})["cache_write_1h_tokens"] is None


def test_read_usage_and_cost_are_unknown_when_nothing_is_given() -> None:
    assert read_usage({}) == dict.fromkeys(read_usage({}))
    assert (read_usage(None), read_usage([1]), read_cost({}), read_cost("0.1")) == ({}, {}, None, None)  # fmt: skip
    assert read_cost({"input": 0.0001, "output": "0.0002"}) == Decimal("0.0003")
    assert read_cost({"input": 1, "total": 0}) == 0


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4.1", "openai"), ("gpt-oss-20b", None), ("anthropic/claude-sonnet-4", "anthropic"),
        ("azure/gpt-4o", "azure.ai.openai"), ("eu.anthropic.claude-3-haiku-v1:0", "aws.bedrock"),
        ("meta-llama/Llama-3.1-8B", None), ("models/gemini-2.0-flash", "gcp.gemini"), (None, None),
        ("custom-model", None),
    ],
)  # fmt: skip
def test_provider_of_model_is_none_when_anybody_may_serve_it(
    model: str | None, provider: str | None
) -> None:
    assert provider_of_model(model) == provider


def test_failed_generation_is_an_error_when_only_its_level_says_so(read_one: ReadOne) -> None:
    attributes = {
        **observation("generation", level="ERROR", status_message="Error code: 429 - slow down",
                      cost_details='{"total": 0}'),
        "langfuse.observation.model.name": "gpt-5-mini",
    }  # fmt: skip
    row = read_one(span(attributes))
    assert (row["status"], row["error_class"], row["http_status_code"]) == ("error", "rate_limit", 429)  # fmt: skip
    assert row["error_message_redacted"] == "Error code: 429 - slow down"
    assert (row["request_model"], row["response_model"]) == ("gpt-5-mini", None)
    assert (row["input_tokens"], row["cost_reported_usd"]) == (None, 0)
    warned = read_one(span(observation("span", level="WARNING", status_message="slow")))
    assert (warned["status"], warned["error_class"]) == ("unset", None)
    assert json.loads(warned["attributes_redacted"])["langfuse.observation.level"] == "WARNING"


def test_retriever_gives_its_documents(read: Read) -> None:
    found = [{"id": "kb-1", "text": "Nine to five.", "score": 0.9}, {"id": "kb-2", "score": 0.95}]
    result = read(
        document([span(observation("retriever", input="hours", output=json.dumps(found)))])
    )
    row = result.spans[0]
    assert (row["span_type"], row["retrieval_query_redacted"]) == ("retrieval", "hours")
    assert (row["retrieved_document_count"], row["retrieval_score_max"]) == (2, 0.95)
    documents = result.tables["retrieval_documents"]
    assert [(d["document_id"], d["document_score"], d["content_redacted"]) for d in documents] == [
        ("kb-1", 0.9, "Nine to five."), ("kb-2", 0.95, None),
    ]  # fmt: skip


def test_tool_gives_the_call_it_executed(read: Read) -> None:
    attributes = observation("tool", input='{"to": "a"}', output="sent")
    result = read(document([span(attributes, name="notify")]))
    row, call = result.spans[0], result.tables["tool_calls"][0]
    assert (row["span_type"], row["tool_name"]) == ("tool", "notify")
    assert (call["role"], call["arguments_redacted"], call["result_redacted"], call["is_error"]) == (
        "executed", '{"to": "a"}', '"sent"', False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "span_type"),
    [("agent", "agent"), ("chain", "workflow"), ("guardrail", "guardrail"), ("span", "other"),
     ("event", "other"), ("something-new", "other")],
)  # fmt: skip
def test_other_types_keep_their_texts_and_count_no_tokens(
    read_one: ReadOne, kind: str, span_type: str
) -> None:
    row = read_one(span(observation(kind, input='{"question": "Why?"}', output="Because.")))
    assert (row["span_type"], row["is_leaf_model_call"]) == (span_type, False)
    assert row["input_text_redacted"] == '{"question": "Why?"}'
    assert row["output_text_redacted"] == "Because."


def test_embedding_keeps_no_vector(read_one: ReadOne) -> None:
    row = read_one(
        span(
            observation(
                "embedding", input="text", output="[0.125, 0.5]", usage_details='{"input":2}'
            )
        )
    )
    assert (row["span_type"], row["is_leaf_model_call"], row["input_tokens"]) == ("embedding", False, 2)  # fmt: skip
    assert "0.125" not in repr(row)


def test_evaluator_judges_the_span_it_ran_under(read: Read) -> None:
    output = {"score": True, "label": "good", "comment": "clear"}
    result = read(
        document([
            span(observation("evaluator", output=json.dumps(output)), name="tone", parentSpanId=PARENT_ID),
            span(observation("evaluator", output="0.25"), name="tone", spanId="1" * 16),
            span(observation("evaluator", output="no judgement"), spanId="2" * 16),
            span(observation("evaluator", output="1"), name="linked", spanId="3" * 16,
                 links=[{"traceId": "ab" * 16, "spanId": "cd" * 8}]),
        ])
    )  # fmt: skip
    found = [
        (
            r["trace_id"],
            r["span_id"],
            r["evaluation_name"],
            r["evaluation_score"],
            r["evaluation_label"],
            r["explanation_redacted"],
        )
        for r in result.evaluations
    ]
    assert found == [
        (TRACE_ID, PARENT_ID, "tone", 1.0, "good", "clear"),
        (TRACE_ID, None, "tone", 0.25, None, None),
        ("ab" * 16, "cd" * 8, "linked", 1.0, None, None),
    ]
    assert {row["carrier"] for row in result.evaluations} == {"evaluator_span"}


def test_metadata_names_tenant_and_hides_what_is_blocked(read_one: ReadOne) -> None:
    attributes = {
        **observation("span"), "langfuse.user.id": "jo-1234", "langfuse.session.id": "sess-77",
        "langfuse.environment": "staging", "langfuse.release": "v1.3",
        "langfuse.trace.metadata.tenant": '"acme-corp"', "langfuse.trace.metadata.note": "for acme-corp",
        "langfuse.observation.metadata.config": '{"api_key": "s3cr3t", "depth": 2}',
        "langfuse.trace.metadata.password": "s3cr3t",
    }  # fmt: skip
    row = read_one(span(attributes))
    assert (row["tenant_key"], row["user_key"], row["session_key"]) == ("acme-corp", "jo-1234", "sess-77")  # fmt: skip
    assert (row["environment"], row["service_version"]) == ("staging", "v1.3")
    kept = row["attributes_redacted"]
    assert json.loads(kept)["metadata.config"] == {"depth": 2}
    assert json.loads(kept)["metadata.note"] == "for <TENANT>"
    assert not any(value in kept for value in ("s3cr3t", "acme-corp", "jo-1234", "sess-77"))


def test_tenant_is_unknown_when_trace_and_observation_disagree(read_one: ReadOne) -> None:
    attributes = {
        **observation("span"),
        "langfuse.trace.metadata.tenant": '"acme-corp"',
        "langfuse.observation.metadata.tenant": '"globex-corp"',
    }
    row = read_one(span(attributes))
    assert row["tenant_key"] is None
    assert row["attributes_redacted"] is None


def test_public_key_of_the_scope_never_leaves_the_parser(read: Read) -> None:
    traces = document([span(observation("span"))], scope="langfuse-sdk")
    scope = traces["resourceSpans"][0]["scopeSpans"][0]["scope"]
    scope["attributes"] = builders.pairs({"public_key": "pk-lf-0123"})
    result = read(traces)
    assert len(result.spans) == 1
    assert "pk-lf-0123" not in repr(result)


def test_genai_attributes_fill_what_langfuse_leaves_open(read_one: ReadOne) -> None:
    attributes = {
        **observation("generation", usage_details='{"input": 7}'),
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.request.model": "gpt-4.1", "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 3, "gen_ai.response.id": "r-1",
    }  # fmt: skip
    row = read_one(span(attributes))
    assert (row["dialect"], row["operation_name"], row["provider"]) == ("langfuse", "generation", "azure.ai.openai")  # fmt: skip
    assert (row["input_tokens"], row["output_tokens"], row["response_id"]) == (7, 3, "r-1")


def test_scope_alone_makes_a_span_of_langfuse(read_one: ReadOne) -> None:
    row = read_one(span({}), scope="langfuse-sdk")
    assert (row["dialect"], row["span_type"], row["is_leaf_model_call"]) == ("langfuse", "other", False)  # fmt: skip
    named = read_one(span({"langfuse.observation.model.name": "m"}), scope="langfuse-sdk")
    assert (named["span_type"], named["span_id"]) == ("llm", SPAN_ID)
