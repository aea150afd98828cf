"""Vercel AI SDK spans, by GenAI names and by its own."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from include.freezeline.readers.result import ReadResult, Row
from tests.unit.readers import builders
from tests.unit.readers.builders import document, event, span

Read = Callable[..., ReadResult]
ReadOne = Callable[..., Row]

CALL = {
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.model.provider": "openai.chat",
    "ai.model.id": "gpt-4o-mini",
}


def test_read_object_reads_a_model_call_by_the_sdks_names(read: Read) -> None:
    attributes = {
        **CALL,
        "operation.name": "ai.generateText.doGenerate greet",
        "resource.name": "greet",
        "ai.telemetry.functionId": "greet",
        "ai.settings.maxOutputTokens": 200,
        "ai.settings.temperature": 0.25,
        "ai.settings.topP": 1,
        "ai.settings.maxRetries": 2,
        "ai.request.headers.authorization": "Bearer abc",
        "ai.prompt.messages": json.dumps(
            [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
            ]
        ),
        "ai.response.text": "",
        "ai.response.toolCalls": json.dumps(
            [{"toolCallId": "call_1", "toolName": "weather", "input": {"city": "Paris"}}]
        ),
        "ai.response.finishReason": "tool-calls",
        "ai.response.id": "chatcmpl-1",
        "ai.response.model": "gpt-4o-mini-2024-07-18",
        "ai.usage.inputTokens": 88,
        "ai.usage.outputTokens": 21,
        "ai.usage.totalTokens": 109,
        "ai.usage.cachedInputTokens": 16,
        "ai.usage.reasoningTokens": 3,
        "ai.usage.inputTokenDetails.cacheWriteTokens": 4,
        "ai.usage.outputTokenDetails.textTokens": 18,
        "gen_ai.usage.input_tokens": 88,
    }
    result = read(document([span(attributes)], scope="ai"))
    row = result.spans[0]
    expected = {
        "dialect": "vercel_legacy",
        "span_type": "llm",
        "is_leaf_model_call": True,
        "operation_name": "ai.generateText.doGenerate",
        "agent_name": "greet",
        "provider": "openai",
        "request_model": "gpt-4o-mini",
        "response_model": "gpt-4o-mini-2024-07-18",
        "response_id": "chatcmpl-1",
        "is_stream": False,
        "temperature": 0.25,
        "top_p": 1.0,
        "max_tokens": 200,
        "input_tokens": 88,
        "output_tokens": 21,
        "cache_read_tokens": 16,
        "cache_write_tokens": 4,
        "reasoning_tokens": 3,
        "finish_reasons": ["tool_call"],
        "input_text_redacted": "Weather?",
        "output_text_redacted": None,
        "system_instructions_redacted": '[{"type":"text","content":"Be brief."}]',
    }
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["attributes_redacted"]) == {"ai.settings.maxRetries": 2}
    (call,) = result.tables["tool_calls"]
    assert (call["role"], call["tool_name"], call["tool_call_id"]) == (
        "requested", "weather", "call_1",
    )  # fmt: skip
    assert json.loads(call["arguments_redacted"]) == {"city": "Paris"}


@pytest.mark.parametrize(
    ("operation", "span_type", "is_stream"),
    [
        ("ai.generateText", "other", False),
        ("ai.streamText", "other", True),
        ("ai.streamObject.doStream", "llm", True),
        ("ai.generateObject.doGenerate", "llm", False),
        ("ai.embed", "other", None),
        ("ai.embedMany.doEmbed", "embedding", None),
        ("ai.rerank.doRerank", "rerank", None),
        ("ai.toolCall", "tool", None),
        ("ai.somethingNew", "other", None),
    ],
)
def test_read_object_counts_only_the_inner_span(
    read_one: ReadOne, operation: str, span_type: str, is_stream: bool | None
) -> None:
    row = read_one(span({"ai.operationId": operation, "ai.usage.inputTokens": 3}), scope="ai")
    assert (row["span_type"], row["is_stream"]) == (span_type, is_stream)
    assert row["is_leaf_model_call"] is (span_type == "llm")


def test_read_object_finds_the_operation_when_it_stands_only_in_the_names(
    read_one: ReadOne,
) -> None:
    row = read_one(span({"operation.name": "ai.streamText.doStream chat"}), scope="ai")
    assert (row["span_type"], row["operation_name"]) == ("llm", "ai.streamText.doStream")
    row = read_one(span({}, name="ai.embed.doEmbed"), scope="ai")
    assert row["span_type"] == "embedding"


def test_read_object_reads_the_names_of_version_4(read: Read) -> None:
    attributes = {
        **CALL,
        "ai.settings.maxTokens": 64,
        "ai.usage.promptTokens": 30,
        "ai.usage.completionTokens": 10,
        "ai.finishReason": "stop",
        "ai.response.text": "It rains.",
        "ai.response.toolCalls": json.dumps(
            [{"toolCallType": "function", "toolCallId": "c", "toolName": "t", "args": '{"a":1}'}]
        ),
        "ai.response.providerMetadata": json.dumps(
            {"openai": {"cachedPromptTokens": 8, "reasoningTokens": 4}, "other": "x"}
        ),
    }
    result = read(document([span(attributes)], scope="ai"))
    row = result.spans[0]
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")
    assert [row[name] for name in names] == [30, 10, 8, 4]
    assert (row["max_tokens"], row["finish_reasons"]) == (64, ["stop"])
    assert row["output_text_redacted"] == "It rains."
    assert result.tables["tool_calls"][0]["arguments_redacted"] == '{"a":1}'


def test_read_object_counts_cached_tokens_as_input_when_a_provider_leaves_them_out(
    read_one: ReadOne,
) -> None:
    attributes = {
        **CALL,
        "ai.model.provider": "anthropic.messages",
        "ai.usage.inputTokens": 10,
        "ai.usage.cachedInputTokens": 900,
        "ai.response.providerMetadata": '{"anthropic":{"cacheCreationInputTokens":100,'
        '"usage":{"cache_creation":{"ephemeral_5m_input_tokens":40,"ephemeral_1h_input_tokens":60}}}}',
    }
    row = read_one(span(attributes), scope="ai")
    assert (row["provider"], row["input_tokens"]) == ("anthropic", 1010)
    assert (row["cache_read_tokens"], row["cache_write_tokens"]) == (900, 100)
    assert row["cache_write_1h_tokens"] == 60


@pytest.mark.parametrize(
    ("given", "provider"),
    [
        ("openai.responses", "openai"),
        ("azure-openai.chat", "azure.ai.openai"),
        ("amazon-bedrock", "aws.bedrock"),
        ("google.generative-ai", "gcp.gemini"),
        ("google.vertex.chat", "gcp.vertex_ai"),
        ("xai.chat", "x_ai"),
    ],
)
def test_read_object_names_the_provider_as_others_do(
    read_one: ReadOne, given: str, provider: str
) -> None:
    assert read_one(span({**CALL, "ai.model.provider": given}), scope="ai")["provider"] == provider


def test_read_object_reads_latencies_in_milliseconds_when_the_sdk_gives_them(
    read_one: ReadOne,
) -> None:
    attributes = {
        "ai.operationId": "ai.streamText.doStream",
        "ai.response.msToFirstChunk": 100.0,
        "ai.response.msToFinish": 900.0,
        "ai.response.avgOutputTokensPerSecond": 10.0,
        "ai.usage.outputTokens": 9,
    }
    row = read_one(span(attributes), scope="ai")
    # The span lasts 1,000 ms: (1000 - 100) / 8.
    assert (row["ttft_ms"], row["ttft_source"]) == (100.0, "attribute")
    assert (row["tpot_ms"], row["tpot_source"]) == (112.5, "computed")
    row = read_one(span(attributes, endTimeUnixNano="0"), scope="ai")
    assert (row["tpot_ms"], row["tpot_source"]) == (100.0, "attribute")  # (900 - 100) / 8
    events = [event("ai.stream.firstChunk", 250)]
    row = read_one(span({"ai.operationId": "ai.streamText.doStream"}, events=events), scope="ai")
    assert (row["ttft_ms"], row["ttft_source"]) == (250.0, "event")


def test_read_object_reads_latencies_in_seconds_when_names_are_of_the_conventions(
    read_one: ReadOne,
) -> None:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.client.operation.time_to_first_chunk": 0.125,
        "gen_ai.client.operation.duration": 1.0,
        "gen_ai.usage.output_tokens": 8,
        "gen_ai.response.finish_reasons": ["tool-calls"],
    }
    row = read_one(span(attributes), scope="gen_ai")
    assert (row["dialect"], row["is_leaf_model_call"], row["is_stream"]) == ("vercel", True, True)
    assert (row["ttft_ms"], row["tpot_ms"]) == (125.0, 125.0)  # (1000 - 125) / 7
    assert row["finish_reasons"] == ["tool_call"]


@pytest.mark.parametrize(
    ("operation", "span_type"),
    [("invoke_agent", "agent"), ("agent_step", "other"), ("execute_tool", "tool"), ("chat", "llm")],
)
def test_read_object_tells_agent_and_step_from_the_call(
    read_one: ReadOne, operation: str, span_type: str
) -> None:
    attributes = {"gen_ai.operation.name": operation, "gen_ai.usage.input_tokens": 5}
    row = read_one(span(attributes), scope="gen_ai")
    assert (row["span_type"], row["is_leaf_model_call"]) == (span_type, span_type == "llm")


def test_read_object_reads_the_outer_prompt_and_an_object_as_answer(read_one: ReadOne) -> None:
    attributes = {
        "ai.operationId": "ai.generateObject",
        "ai.prompt": '{"system":"Be brief.","prompt":"Name a city"}',
        "ai.response.object": '{"city":"Paris"}',
        "ai.response.reasoning": "Thinking of France",
    }
    row = read_one(span(attributes), scope="ai")
    assert row["input_text_redacted"] == "Name a city"
    assert row["output_text_redacted"] == '{"city":"Paris"}'
    assert json.loads(row["system_instructions_redacted"])[0]["content"] == "Be brief."
    assert json.loads(row["output_messages_redacted"])[0]["parts"][0]["type"] == "reasoning"
    empty = read_one(span({**CALL, "ai.response.text": ""}), scope="ai")
    assert empty["output_text_redacted"] == ""


def test_read_object_keeps_embedded_texts_and_drops_vectors(read_one: ReadOne) -> None:
    attributes = {
        "ai.operationId": "ai.embedMany.doEmbed",
        "ai.values": ['"find policies"', '"and prices"'],
        "ai.embeddings": ["[0.5,0.25]"],
        "ai.usage.tokens": 6,
    }
    row = read_one(span(attributes), scope="ai")
    assert (row["input_tokens"], row["input_text_redacted"]) == (6, "find policies\nand prices")
    assert row["attributes_redacted"] is None


def test_read_object_gives_a_tool_call_its_row(read: Read) -> None:
    attributes = {
        "ai.operationId": "ai.toolCall",
        "ai.toolCall.name": "weather",
        "ai.toolCall.id": "call_1",
        "ai.toolCall.args": '{"city":"Paris"}',
        "ai.toolCall.result": '{"celsius":21}',
    }
    result = read(document([span(attributes, status={"code": 2})], scope="ai"))
    (call,) = result.tables["tool_calls"]
    assert (call["role"], call["tool_name"], call["is_error"]) == ("executed", "weather", True)
    assert call["arguments_redacted"] == '{"city":"Paris"}'
    assert call["result_redacted"] == '{"celsius":21}'
    assert result.spans[0]["tool_name"] == "weather"
    assert result.spans[0]["attributes_redacted"] is None


@pytest.mark.parametrize("place", ["ai.telemetry.metadata", "ai.settings.context"])
def test_read_object_never_leaves_a_person_among_other_attributes(
    read_one: ReadOne, place: str
) -> None:
    attributes = {
        **CALL,
        f"{place}.userId": "nora-17@example.org",
        f"{place}.sessionId": "sess-17",
        f"{place}.tenantId": "acme-17",
        f"{place}.requestId": "req-17",
        f"{place}.feature": "greeting",
        f"{place}.note": "for nora-17@example.org",
        f"{place}.tags": ["beta"],
    }
    row = read_one(span(attributes), scope="ai")
    assert row["user_key"] == "nora-17@example.org"
    assert (row["session_key"], row["tenant_key"]) == ("sess-17", "acme-17")
    assert (row["request_id"], row["feature"]) == ("req-17", "greeting")
    assert json.loads(row["attributes_redacted"]) == {
        f"{place}.note": "for <USER>",
        f"{place}.tags": ["beta"],
    }


def test_read_object_reads_the_prompt_that_langfuse_links(read_one: ReadOne) -> None:
    linked = json.dumps({"name": "greeting", "version": 3, "prompt": "Hello"})
    row = read_one(span({**CALL, "ai.telemetry.metadata.langfusePrompt": linked}), scope="ai")
    assert (row["prompt_name"], row["prompt_version"]) == ("greeting", "3")


@pytest.mark.parametrize(
    "attributes",
    [
        {"ai.prompt.messages": '[{"role":"user","con'},
        {"ai.prompt.messages": "[1, null, []]"},
        {"ai.prompt": "17"},
        {"ai.response.toolCalls": '{"not":"a list"}', "ai.response.providerMetadata": "[]"},
        {"ai.response.toolCalls": "[1]", "ai.usage.inputTokens": "many"},
        {"ai.telemetry.metadata.langfusePrompt": "x", "ai.values": [3, "no json"]},
        {"ai.response.msToFirstChunk": "soon", "ai.usage.outputTokens": -1},
    ],
)
def test_read_object_reads_what_it_can_when_values_make_no_sense(
    read_one: ReadOne, attributes: dict[str, Any]
) -> None:
    row = read_one(builders.span({**CALL, **attributes}), scope="ai")
    assert (row["span_type"], row["request_model"]) == ("llm", "gpt-4o-mini")
    assert (row["input_tokens"], row["output_tokens"], row["ttft_ms"]) == (None, None, None)
