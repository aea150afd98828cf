"""What each dialect's attributes become."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from include.freezeline.readers.result import ReadResult, Row
from tests.unit.readers.builders import document, event, span

ReadOne = Callable[..., Row]
MESSAGES = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "first"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "name": "f", "arguments": {}}]},
    {"role": "user", "parts": [{"type": "text", "content": "second"}, {"type": "blob"},
                               {"type": "text", "content": "line"}]},
]  # fmt: skip
ANSWER = [{"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"},
                                          {"type": "text", "content": "42"}]}]  # fmt: skip


def test_otel_genai_fills_columns_when_names_are_new(read_one: ReadOne) -> None:
    row = read_one(
        span(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4.1",
                "gen_ai.response.model": "gpt-4.1-2025-04-14",
                "gen_ai.response.id": "chatcmpl-1",
                "gen_ai.request.stream": True,
                "gen_ai.request.temperature": 1,
                "gen_ai.request.max_tokens": 128,
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.output_tokens": 11,
                "gen_ai.usage.cache_read.input_tokens": 40,
                "gen_ai.usage.cache_write.input_tokens": 5,
                "gen_ai.usage.reasoning.output_tokens": 6,
                "gen_ai.response.finish_reasons": ["tool_calls", "tool-calls", ""],
                "gen_ai.response.time_to_first_chunk": 0.25,
                "gen_ai.input.messages": json.dumps(MESSAGES),
                "gen_ai.output.messages": json.dumps(ANSWER),
                "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be kind."}]),
                "gen_ai.prompt.name": "answer",
                "gen_ai.prompt.version": "v8",
                "openai.response.system_fingerprint": "fp_1",
                "server.port": 443,
            },
            flags=257,
            status={},
        ),
        resource={"deployment.environment.name": "production", "service.version": "1.2"},
    )
    expected = {
        "dialect": "otel_genai",
        "span_type": "llm",
        "is_leaf_model_call": True,
        "provider": "openai",
        "request_model": "gpt-4.1",
        "is_stream": True,
        "temperature": 1.0,
        "max_tokens": 128,
        "input_tokens": 100,
        "output_tokens": 11,
        "cache_read_tokens": 40,
        "cache_write_tokens": 5,
        "reasoning_tokens": 6,
        "finish_reasons": ["tool_call", "tool_call"],
        "duration_ms": 1000.0,
        "ttft_ms": 250.0,
        "ttft_source": "attribute",
        "tpot_ms": 75.0,
        "tpot_source": "computed",
        "input_text_redacted": "second\nline",
        "output_text_redacted": "42",
        "prompt_name": "answer",
        "prompt_version": "v8",
        "system_fingerprint": "fp_1",
        "status": "unset",
        "error_class": None,
        "environment": "production",
        "feature": "shop",
        "service_version": "1.2",
        "sample_weight": 1.0,
    }
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["input_messages_redacted"]) == MESSAGES
    assert json.loads(row["attributes_redacted"]) == {"server.port": 443}


def test_otel_genai_fills_columns_when_names_are_old(read_one: ReadOne) -> None:
    row = read_one(
        span(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.system": "az.ai.openai",
                "gen_ai.usage.prompt_tokens": 30,
                "gen_ai.usage.completion_tokens": 4,
                "gen_ai.usage.cache_creation.input_tokens": 3,
                "gen_ai.openai.response.system_fingerprint": "fp_2",
                "gen_ai.response.finish_reason": "max_tokens",
            },
            events=[
                event("gen_ai.content.prompt", 1, {"gen_ai.prompt": json.dumps(MESSAGES)}),
                event("gen_ai.content.completion", 9, {"gen_ai.completion": json.dumps(ANSWER)}),
            ],
        )
    )
    assert row["dialect"] == "otel_genai_legacy"
    assert row["provider"] == "azure.ai.openai"
    assert (row["input_tokens"], row["output_tokens"], row["cache_write_tokens"]) == (30, 4, 3)
    assert (row["system_fingerprint"], row["finish_reasons"]) == ("fp_2", ["length"])
    assert (row["input_text_redacted"], row["output_text_redacted"]) == ("second\nline", "42")


@pytest.mark.parametrize(
    ("output", "reasoning", "total", "whole"),
    [
        (1364, 495, 2183, 1859),  # Gemini's own counts: thoughts beside the answer
        (1364, 495, 1688, 1364),
        (1364, 495, None, 1364),  # as the conventions say
        (100, 495, None, 595),  # a part cannot be more than its whole
    ],
)
def test_otel_genai_counts_reasoning_into_the_output_once(
    read_one: ReadOne, output: int, reasoning: int, total: int | None, whole: int
) -> None:
    counts = {"input_tokens": 324, "output_tokens": output, "reasoning.output_tokens": reasoning}
    usage = {f"gen_ai.usage.{name}": count for name, count in counts.items()}
    if total is not None:
        usage["gen_ai.usage.total_tokens"] = total
    row = read_one(span({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "x", **usage}))
    assert (row["output_tokens"], row["reasoning_tokens"]) == (whole, reasoning)


@pytest.mark.parametrize(
    ("operation", "span_type"),
    [("text_completion", "llm"), ("generate_content", "llm"), ("embeddings", "embedding"),
     ("execute_tool", "tool"), ("invoke_agent", "agent"), ("invoke_workflow", "workflow"),
     ("retrieval", "retrieval"), ("search_memory", "memory"), ("fetch_response", "other")],
)  # fmt: skip
def test_otel_genai_marks_only_model_calls_as_leaves(
    read_one: ReadOne, operation: str, span_type: str
) -> None:
    tokens = {"gen_ai.usage.input_tokens": 7}
    row = read_one(span({"gen_ai.operation.name": operation, **tokens}))
    assert row["span_type"] == span_type
    assert row["is_leaf_model_call"] is (span_type == "llm")
    assert row["input_tokens"] == 7


@pytest.mark.parametrize(
    ("documents", "count", "best"),
    [('[{"id":"a","score":0.2},{"id":"b","score":0.9}]', 2, 0.9), ("[]", 0, None),
     ([{"id": "a"}], 1, None), ("cut [", None, None), (None, None, None)],
)  # fmt: skip
def test_retrieval_counts_documents_and_keeps_unknown_as_null(
    read_one: ReadOne, documents: Any, count: int | None, best: float | None
) -> None:
    attributes = {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.query.text": "why?"}
    if documents is not None:
        attributes["gen_ai.retrieval.documents"] = documents
    row = read_one(span(attributes))
    assert (row["retrieved_document_count"], row["retrieval_score_max"]) == (count, best)
    assert row["retrieval_query_redacted"] == "why?"
    # What is no list of documents is kept as it came.
    assert ("gen_ai.retrieval.documents" in (row["attributes_redacted"] or "")) is (
        documents == "cut ["
    )


@pytest.mark.parametrize(
    ("value", "tokens"),
    [("123", 123), (45.0, 45), (0, 0), (-5, None), (9 * 10**15, None), ("many", None), (True, None),
     (1.5, None), (float("nan"), None)],
)  # fmt: skip
def test_token_counts_are_null_when_they_make_no_sense(
    read_one: ReadOne, value: Any, tokens: int | None
) -> None:
    row = read_one(span({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": value}))
    assert row["input_tokens"] == tokens
    if tokens is None:  # what could not be used is kept as it came
        assert "gen_ai.usage.input_tokens" in row["attributes_redacted"]


def test_messages_stay_valid_json_when_the_attribute_was_cut(read_one: ReadOne) -> None:
    cut = json.dumps(MESSAGES)[:50]
    row = read_one(span({"gen_ai.operation.name": "chat", "gen_ai.input.messages": cut}))
    assert json.loads(row["input_messages_redacted"]) == cut
    assert row["input_text_redacted"] is None


def test_messages_are_written_as_json_when_they_are_structured(read_one: ReadOne) -> None:
    row = read_one(span({"gen_ai.operation.name": "chat", "gen_ai.input.messages": MESSAGES}))
    assert json.loads(row["input_messages_redacted"]) == MESSAGES
    assert row["input_text_redacted"] == "second\nline"


def test_text_can_be_encoded_when_it_held_lone_surrogates(read_one: ReadOne) -> None:
    messages = '[{"role": "user", "parts": [{"type": "text", "content": "a\\ud83d"}]}]'
    row = read_one(span({"gen_ai.operation.name": "chat", "gen_ai.input.messages": messages}))
    assert row["input_text_redacted"] == "a\ufffd"
    assert "\ufffd" in row["input_messages_redacted"]
    row["input_messages_redacted"].encode()


def test_openinference_fills_columns_from_flattened_attributes(read_one: ReadOne) -> None:
    answer = {
        "id": "chatcmpl-2",
        "system_fingerprint": "fp_3",
        "choices": [{"finish_reason": "stop"}],
    }
    row = read_one(
        span(
            {
                "openinference.span.kind": "LLM",
                "llm.system": "openai",
                "llm.model_name": "gpt-4o-mini-2024-07-18",
                "llm.invocation_parameters": '{"model": "gpt-4o-mini", "stream": true, "temperature": 0.5, "max_tokens": 9}',
                "input.value": '{"model": "gpt-4o-mini", "user": "jane"}',
                "output.value": json.dumps(answer),
                "llm.input_messages.0.message.role": "system",
                "llm.input_messages.0.message.content": "Be brief.",
                "llm.input_messages.1.message.role": "user",
                "llm.input_messages.1.message.contents.1.message_content.type": "image",
                "llm.input_messages.1.message.contents.0.message_content.type": "text",
                "llm.input_messages.1.message.contents.0.message_content.text": "What is it?",
                "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.content": "A cat.",
                "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "f",
                "llm.token_count.prompt": 77,
                "llm.token_count.completion": 5,
                "llm.token_count.total": 82,
                "llm.token_count.prompt_details.cache_read": 3,
                "llm.token_count.completion_details.reasoning": 2,
                "llm.cost.total": 0.00125,
                "llm.prompt_template.version": "v1",
                "metadata": '{"tenant_id": "acme", "experiment": "x", "nested": {"a": 1}}',
                "session.id": "s1",
            },
            kind=1,
            name="ChatCompletion",
            events=[event("First Token Stream Event", 400)],
        )
    )
    expected = {
        "dialect": "openinference",
        "span_type": "llm",
        "is_leaf_model_call": True,
        "provider": "openai",
        "request_model": "gpt-4o-mini",
        "response_model": "gpt-4o-mini-2024-07-18",
        "response_id": "chatcmpl-2",
        "system_fingerprint": "fp_3",
        "finish_reasons": ["stop"],
        "is_stream": True,
        "temperature": 0.5,
        "max_tokens": 9,
        "input_tokens": 77,
        "output_tokens": 5,
        "cache_read_tokens": 3,
        "reasoning_tokens": 2,
        "ttft_ms": 400.0,
        "ttft_source": "event",
        "tpot_ms": 150.0,
        "input_text_redacted": "What is it?",
        "output_text_redacted": "A cat.",
        "cost_reported_usd": Decimal("0.00125"),
        "prompt_version": "v1",
        "tenant_key": "acme",
        "session_key": "s1",
    }
    assert {name: row[name] for name in expected} == expected
    rest = json.loads(row["attributes_redacted"])
    assert rest.pop("llm.invocation_parameters").startswith("{")
    assert rest == {"metadata.experiment": "x", "metadata.nested": {"a": 1}}
    assert json.loads(row["output_messages_redacted"])[0]["tool_calls"] == [
        {"function": {"name": "f"}}
    ]


@pytest.mark.parametrize(
    ("kind", "span_type"),
    [("EMBEDDING", "embedding"), ("CHAIN", "workflow"), ("TOOL", "tool"), ("AGENT", "agent"),
     ("RERANKER", "rerank"), ("GUARDRAIL", "guardrail"), ("EVALUATOR", "evaluator"),
     ("PROMPT", "other"), ("UNKNOWN", "other")],
)  # fmt: skip
def test_openinference_maps_kinds_that_are_not_model_calls(
    read_one: ReadOne, kind: str, span_type: str
) -> None:
    row = read_one(span({"openinference.span.kind": kind}))
    assert (row["span_type"], row["is_leaf_model_call"]) == (span_type, False)


@pytest.mark.parametrize(
    ("attributes", "count", "best"),
    [
        ({"retrieval.documents.0.document.score": 0.1,
          "retrieval.documents.1.document.score": 0.7}, 2, 0.7),
        ({"output.value": "[]"}, 0, None),
        ({"output.value": '{"documents": []}'}, 0, None),
        ({"output.value": "words"}, None, None),
        ({}, None, None),
    ],
)  # fmt: skip
def test_openinference_counts_retrieved_documents(
    read_one: ReadOne, attributes: dict[str, Any], count: int | None, best: float | None
) -> None:
    row = read_one(span({"openinference.span.kind": "RETRIEVER", "input.value": "q", **attributes}))
    assert (row["retrieved_document_count"], row["retrieval_score_max"]) == (count, best)
    assert row["retrieval_query_redacted"] == "q"


def test_openinference_leaves_embedding_vectors_out(read_one: ReadOne) -> None:
    row = read_one(
        span(
            {
                "openinference.span.kind": "EMBEDDING",
                "embedding.model_name": "e",
                "embedding.embeddings.0.embedding.vector": [0.125, 0.25],
                "output.value": "[0.125]",
            }
        )
    )
    assert "0.125" not in repr(row)
    assert row["request_model"] == "e"


def test_openinference_evaluator_judges_the_linked_span(
    read: Callable[..., ReadResult],
) -> None:
    judged = {"traceId": "ab" * 16, "spanId": "cd" * 8}
    evaluator = span(
        {
            "openinference.span.kind": "EVALUATOR",
            "evaluations.0.evaluation.name": "Relevance",
            "evaluations.0.evaluation.score": 4.5,
            "evaluations.0.evaluation.label": "good",
            "evaluations.1.evaluation.label": "nameless",
        },
        links=[judged],
    )
    result = read(document([evaluator]))
    assert len(result.spans) == 1
    assert len(result.evaluations) == 1
    row = result.evaluations[0]
    assert (row["trace_id"], row["span_id"], row["carrier"]) == (
        "ab" * 16,
        "cd" * 8,
        "evaluator_span",
    )
    assert (row["evaluation_score"], row["evaluation_label"]) == (4.5, "good")


def test_openllmetry_fills_columns_when_sdk_is_new(read_one: ReadOne) -> None:
    chunk = "gen_ai.content.completion.chunk"
    row = read_one(
        span(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.is_streaming": True,
                "gen_ai.usage.output_tokens": 8,
                "gen_ai.usage.reasoning_tokens": 4,
                "gen_ai.response.finish_reasons": [""],
                "traceloop.association.properties.session_id": "s",
                "traceloop.association.properties.user_id": "u",
                "traceloop.association.properties.tenant": "acme",
                "traceloop.prompt.key": "p",
                "traceloop.prompt.version": "1",
                "traceloop.workflow.name": "w",
            },
            events=[event(chunk, 300), event(chunk, 310), event(chunk, 330), event(chunk, 430)],
        ),
        scope="opentelemetry.instrumentation.openai.v1",
    )
    expected = {
        "dialect": "openllmetry",
        "span_type": "llm",
        "is_stream": True,
        "ttft_ms": 300.0,
        "ttft_source": "event",
        "tpot_ms": 100.0,
        "reasoning_tokens": 4,
        "finish_reasons": None,
        "session_key": "s",
        "user_key": "u",
        "tenant_key": "acme",
        "prompt_name": "p",
        "prompt_version": "1",
        "workflow_name": "w",
        "attributes_redacted": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["chunk_gap_p99_ms"] == pytest.approx(98.4)  # numpy.quantile([10, 20, 100], .99)


def test_openllmetry_fills_columns_when_sdk_is_old(read_one: ReadOne) -> None:
    row = read_one(
        span(
            {
                "llm.request.type": "chat",
                "gen_ai.system": "OpenAI",
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": "hi",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.content": "hello",
                "gen_ai.completion.0.finish_reason": "stop",
            }
        )
    )
    assert (row["dialect"], row["span_type"], row["provider"]) == ("openllmetry", "llm", "openai")
    assert (row["input_text_redacted"], row["output_text_redacted"]) == ("hi", "hello")
    assert row["attributes_redacted"] is None


@pytest.mark.parametrize("kind", ["workflow", "task", "agent", "tool"])
def test_openllmetry_maps_span_kinds(read_one: ReadOne, kind: str) -> None:
    row = read_one(span({"traceloop.span.kind": kind, "traceloop.entity.name": "x"}))
    assert (row["span_type"], row["is_leaf_model_call"]) == (kind, False)


def test_plain_span_keeps_everything_that_has_no_column(read_one: ReadOne) -> None:
    attributes = {"http.route": "/chat", "app.feature": "search", "app.canary.id": "probe-1", "app.locale": "en_US",
                  "n": [1, {"a": None}], "bytes": b"\x00\x01", "inf": float("-inf"), "big": 2**53 + 1}  # fmt: skip
    row = read_one(span(attributes, kind=2, parentSpanId="ff" * 8))
    assert (row["dialect"], row["span_type"], row["is_leaf_model_call"]) == (
        "plain",
        "other",
        False,
    )
    assert (row["route"], row["feature"], row["canary_id"]) == ("/chat", "search", "probe-1")
    assert row["locale"] == "en_US"
    assert row["parent_span_id"] == "ff" * 8
    assert json.loads(row["attributes_redacted"]) == {
        "n": [1, {"a": None}],
        "bytes": "<2 bytes>",
        "inf": "-Infinity",
        "big": 9007199254740993,
    }


def test_otel_genai_fills_what_was_asked_for_and_who_answered(read_one: ReadOne) -> None:
    asked = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.top_p": 1,
        "gen_ai.request.seed": 7,
        "gen_ai.request.reasoning.level": "high",
        "openai.request.service_tier": "auto",
        "openai.response.service_tier": "priority",
        "gen_ai.input.messages_ref": "s3://content/prompts/1f0c_inputs.jsonl?versionId=3",
        "gen_ai.output.messages_ref": "s3://content/prompts/1f0c_outputs.jsonl",
        "gen_ai.system_instructions_ref": "s3://content/prompts/ab_system_instruction.jsonl",
    }
    row = read_one(span(asked))
    expected = {
        "top_p": 1.0,
        "seed": 7,
        "reasoning_level": "high",
        "service_tier": "priority",
        "input_content_name": "1f0c_inputs.jsonl",
        "output_content_name": "1f0c_outputs.jsonl",
        "system_content_name": "ab_system_instruction.jsonl",
    }
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["attributes_redacted"]) == {"openai.request.service_tier": "auto"}


@pytest.mark.parametrize(
    ("old", "column", "value"),
    [
        ("gen_ai.openai.request.seed", "seed", 7),
        ("gen_ai.request.reasoning_effort", "reasoning_level", "low"),
        ("gen_ai.openai.response.service_tier", "service_tier", "flex"),
        ("openai.request.service_tier", "service_tier", "auto"),
        ("gen_ai.usage.cache_read_input_tokens", "cache_read_tokens", 3),
        ("gen_ai.usage.cache_creation_input_tokens", "cache_write_tokens", 3),
        ("gen_ai.usage.reasoning_tokens", "reasoning_tokens", 3),
        ("traceloop.prompt.version_hash", "prompt_hash", "5d41"),
    ],
)
def test_old_names_fill_the_same_columns(
    read_one: ReadOne, old: str, column: str, value: Any
) -> None:
    row = read_one(span({"gen_ai.operation.name": "chat", old: value}))
    assert row[column] == value
    assert row["attributes_redacted"] is None


def test_openinference_reads_the_rest_of_the_invocation(read_one: ReadOne) -> None:
    row = read_one(
        span(
            {
                "openinference.span.kind": "LLM",
                "llm.invocation_parameters": json.dumps(
                    {"top_p": 0.9, "seed": 7, "reasoning": {"effort": "low"}, "service_tier": "auto",
                     "max_output_tokens": 64}
                ),
                "output.value": '{"service_tier": "default"}',
                "llm.prompts.0.prompt.text": "once upon",
                "llm.choices.0.completion.text": "a time",
            }
        )
    )  # fmt: skip
    expected = {"top_p": 0.9, "seed": 7, "reasoning_level": "low", "service_tier": "default",
                "max_tokens": 64, "input_text_redacted": "once upon",
                "output_text_redacted": "a time"}  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_a_details_event_counts_as_the_spans_own_attributes(read_one: ReadOne) -> None:
    details = {
        "gen_ai.input.messages": MESSAGES,
        "gen_ai.output.messages": [{**ANSWER[0], "finish_reason": "tool_calls"}],
        "gen_ai.request.model": "of the event",
        "gen_ai.usage.input_tokens": 5,
        "acme.note": "kept",
    }
    row = read_one(
        span(
            {"gen_ai.operation.name": "chat", "gen_ai.request.model": "of the span"},
            events=[event("gen_ai.client.inference.operation.details", 9, details)],
        )
    )
    expected = {"request_model": "of the span", "input_tokens": 5, "output_text_redacted": "42",
                "input_text_redacted": "second\nline", "finish_reasons": ["tool_call"]}  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["attributes_redacted"]) == {"acme.note": "kept"}


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ({"gen_ai.event.content": '{"content": "hi"}'},
         {"gen_ai.event.content": '{"message": {"content": "hello"}, "finish_reason": "stop"}'}),
        ({"content": '[{"text": "hi"}]'}, {"message": '[{"text": "hello"}]', "finish_reason": "end_turn"}),
    ],
)  # fmt: skip
def test_messages_are_read_from_one_span_event_each(
    read_one: ReadOne, asked: dict[str, str], answered: dict[str, str]
) -> None:
    row = read_one(
        span(
            {"gen_ai.operation.name": "chat", "gen_ai.system": "openai"},
            events=[
                event("gen_ai.user.message", 1, {"gen_ai.system": "openai", **asked}),
                event("gen_ai.choice", 9, answered),
            ],
        )
    )
    assert (row["input_text_redacted"], row["output_text_redacted"]) == ("hi", "hello")
    assert row["finish_reasons"] == ["stop"]
    assert row["attributes_redacted"] is None


@pytest.mark.parametrize(
    ("provider", "tokens", "cached", "whole"),
    [("anthropic", 10, 90, 100), ("anthropic", 100, 90, 100), ("openai", 10, 90, 10),
     ("anthropic", None, 90, None)],
)  # fmt: skip
def test_input_tokens_include_cached_ones(
    read_one: ReadOne, provider: str, tokens: int | None, cached: int, whole: int | None
) -> None:
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.usage.cache_read.input_tokens": cached,
    }
    if tokens is not None:
        attributes["gen_ai.usage.input_tokens"] = tokens
    row = read_one(span(attributes))
    assert (row["input_tokens"], row["cache_read_tokens"]) == (whole, cached)


def test_parts_of_every_type_are_kept_and_only_text_is_plain(read_one: ReadOne) -> None:
    parts = [
        {"type": "reasoning", "content": "hm"},
        {"type": "compaction", "id": "c", "content": "summary"},
        {"type": "server_tool_call", "name": "web", "server_tool_call": {"type": "search"}},
        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
        {"type": "brand_new", "content": "?"},
        {"type": "text", "content": "said"},
    ]
    messages = [{"role": "assistant", "parts": parts}]
    row = read_one(span({"gen_ai.operation.name": "chat", "gen_ai.output.messages": messages}))
    assert json.loads(row["output_messages_redacted"]) == messages
    assert row["output_text_redacted"] == "said"
