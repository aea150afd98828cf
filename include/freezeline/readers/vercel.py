"""Vercel AI SDK spans: the GenAI names of its newer telemetry and the ``ai.*`` names before it."""

from typing import Any

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.foreign import as_object
from include.freezeline.readers.jsontext import parse_json_text
from include.freezeline.readers.otel_genai import read_otel_genai
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.outcomes import normalise_finish_reasons
from include.freezeline.readers.providers import normalise_provider
from include.freezeline.readers.result import Row
from include.freezeline.readers.tool_calls import executed_call, has_failed
from include.freezeline.readers.values import to_integer, to_text
from include.freezeline.readers.vercel_content import embedded_texts, message_columns

_GENAI_SCOPE = "gen_ai"
_LEGACY_SCOPE = "ai"
_STEP = "agent_step"
_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
# Only the inner span of a call is the call; the outer one repeats its texts and tokens.
_INNER_TYPES = {
    "doGenerate": "llm",
    "doStream": "llm",
    "doEmbed": "embedding",
    "doRerank": "rerank",
    "toolCall": "tool",
}
# Providers whose SDK name does not begin with the name that the conventions use.
_PROVIDERS = (
    ("google.vertex", "vertex_ai"),
    ("vertex.", "vertex_ai"),
    ("amazon-bedrock", "bedrock"),
    ("azure-openai", "azure"),
)
_MIN_TOKENS_FOR_TPOT = 2


def is_vercel(span: Span) -> bool:
    """Return whether the SDK wrote a span by the GenAI conventions."""
    return span.origin.scope_name == _GENAI_SCOPE


def is_vercel_legacy(span: Span) -> bool:
    """Return whether the SDK wrote a span with its own ``ai.*`` names."""
    return "ai.operationId" in span.attributes or span.origin.scope_name == _LEGACY_SCOPE


def read_vercel(span: Span, view: AttributeView) -> Row:
    """Return the columns of a span with GenAI names.

    The tree of a call is ``invoke_agent``, ``step N``, ``chat``: all may carry the same usage, and
    only ``chat`` is the call.
    """
    row = read_otel_genai(span, view)
    if row.get("operation_name") == _STEP:
        row.update(span_type="other", is_leaf_model_call=False)
    if row.get("is_stream") is None and _FIRST_CHUNK in span.attributes:
        row["is_stream"] = True
    view.take("gen_ai.client.operation.duration", "gen_ai.execute_tool.duration")
    return row


def read_vercel_legacy(span: Span, view: AttributeView) -> Row:
    """Return the columns of a span with ``ai.*`` names."""
    operation = _operation(span, view)
    span_type = _INNER_TYPES.get(operation.rpartition(".")[2], "other")
    streams = _streams(operation, span_type)
    row: Row = {
        "span_type": span_type,
        "is_leaf_model_call": span_type == "llm",
        "operation_name": operation or None,
        "agent_name": view.text("ai.telemetry.functionId", "resource.name"),
        "is_stream": streams,
    }
    view.take("operation.name", "resource.name")
    row.update(_prompt_template(view))
    row.update(_request_and_response(view))
    row.update(_usage(view))
    row.update(_latency(view, row["output_tokens"]))
    if span_type == "tool":
        row.update(_executed_tool(span, view))
    elif span_type == "embedding" or view.values.keys() & {"ai.value", "ai.values"}:
        row.update(embedded_texts(view))
    else:
        row.update(message_columns(view, is_call=span_type == "llm"))
    return row


def _operation(span: Span, view: AttributeView) -> str:
    """Return the operation; ``operation.name`` and the span's name hold it as their first word."""
    given = view.text("ai.operationId")
    if given is None:
        given = (to_text(span.attributes.get("operation.name")) or span.name).partition(" ")[0]
    return given


def _streams(operation: str, span_type: str) -> bool | None:
    """Return whether an operation streams its answer; None when it gives no answer."""
    if "stream" in operation.lower():
        return True
    return False if span_type == "llm" or ".generate" in operation else None


def _request_and_response(view: AttributeView) -> Row:
    """Return what was asked for and who answered; the inner span also has it by GenAI names."""
    reasons = view.texts(
        "ai.response.finishReason", "ai.finishReason", "gen_ai.response.finish_reasons"
    )
    row: Row = {
        "provider": _provider(view.text("ai.model.provider", "gen_ai.system")),
        "request_model": view.text("ai.model.id", "gen_ai.request.model"),
        "response_model": view.text("ai.response.model", "gen_ai.response.model"),
        "response_id": view.text("ai.response.id", "gen_ai.response.id"),
        "temperature": view.number("ai.settings.temperature", "gen_ai.request.temperature"),
        "top_p": view.number("ai.settings.topP", "gen_ai.request.top_p"),
        "max_tokens": view.integer(
            "ai.settings.maxOutputTokens", "ai.settings.maxTokens", "gen_ai.request.max_tokens"
        ),
        "seed": view.integer("ai.settings.seed", "gen_ai.request.seed"),
        "finish_reasons": normalise_finish_reasons(reasons),
    }
    view.take(
        "gen_ai.system", "gen_ai.request.model", "gen_ai.response.model", "gen_ai.response.id",
        "gen_ai.request.temperature", "gen_ai.request.top_p", "gen_ai.request.max_tokens",
        "gen_ai.response.finish_reasons",
    )  # fmt: skip
    return row


def _provider(name: str | None) -> str | None:
    """Return the provider of names such as ``openai.chat``."""
    if name is None:
        return None
    folded = name.lower()
    known = next((ours for start, ours in _PROVIDERS if folded.startswith(start)), None)
    return normalise_provider(known or folded.partition(".")[0])


def _usage(view: AttributeView) -> Row:
    """Return the token counts; what version 4 had no names for stands in the provider's metadata.

    Anthropic counts cached tokens beside the input, and before version 6 the SDK passed that on.
    When the parts exceed the whole it must be so, and the whole is their sum.
    """
    row: Row = {
        "input_tokens": view.tokens(
            "ai.usage.inputTokens", "ai.usage.promptTokens", "gen_ai.usage.input_tokens",
            "ai.usage.tokens",
        ),
        "output_tokens": view.tokens(
            "ai.usage.outputTokens", "ai.usage.completionTokens", "gen_ai.usage.output_tokens"
        ),
        "cache_read_tokens": view.tokens(
            "ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens"
        ),
        "cache_write_tokens": view.tokens("ai.usage.inputTokenDetails.cacheWriteTokens"),
        "reasoning_tokens": view.tokens(
            "ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens"
        ),
    }  # fmt: skip
    view.take_prefix("ai.usage.inputTokenDetails.")
    view.take_prefix("ai.usage.outputTokenDetails.")
    view.take("ai.usage.totalTokens", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    for column, count in _provider_counts(view).items():
        if row.get(column) is None:
            row[column] = count
    parts = (row["cache_read_tokens"] or 0) + (row["cache_write_tokens"] or 0)
    if row["input_tokens"] is not None and parts > row["input_tokens"]:
        row["input_tokens"] += parts
    return row


def _provider_counts(view: AttributeView) -> dict[str, int]:
    """Return the token counts among the provider's metadata."""
    metadata = parse_json_text(view.values.get("ai.response.providerMetadata")).data
    counts: dict[str, int] = {}
    for members in metadata.values() if isinstance(metadata, dict) else ():
        if isinstance(members, dict):
            for name, column in (
                ("cachedPromptTokens", "cache_read_tokens"),
                ("cacheReadInputTokens", "cache_read_tokens"),
                ("cacheCreationInputTokens", "cache_write_tokens"),
                ("reasoningTokens", "reasoning_tokens"),
            ):
                count = to_integer(members.get(name))
                if count is not None and count >= 0:
                    counts.setdefault(column, count)
            hourly = _written_for_an_hour(members)
            if hourly is not None:
                counts["cache_write_1h_tokens"] = hourly
    return counts


def _written_for_an_hour(members: dict[str, Any]) -> int | None:
    """Return the tokens that Anthropic's raw usage says were cached for an hour."""
    writes = as_object(as_object(members.get("usage")).get("cache_creation"))
    return to_integer(writes.get("ephemeral_1h_input_tokens"))


def _latency(view: AttributeView, output_tokens: int | None) -> Row:
    """Return the latencies of a stream, which the SDK gives in milliseconds.

    Its tokens per second count the wait for the first one, so they are not the time per token.
    """
    first_ms = view.number("ai.response.msToFirstChunk")
    last_ms = view.number("ai.response.msToFinish")
    row: Row = {"ttft_ms": first_ms}
    if (
        first_ms is not None
        and last_ms is not None
        and (output_tokens or 0) >= _MIN_TOKENS_FOR_TPOT
    ):
        row["tpot_ms"] = (last_ms - first_ms) / ((output_tokens or 0) - 1)
    return row


def _prompt_template(view: AttributeView) -> Row:
    """Return the prompt that Langfuse's users link to a call through its metadata."""
    given = view.values.get("ai.telemetry.metadata.langfusePrompt")
    linked = parse_json_text(given).data if given is not None else None
    if not isinstance(linked, dict):
        return {}
    view.take("ai.telemetry.metadata.langfusePrompt")
    return {
        "prompt_name": to_text(linked.get("name")),
        "prompt_version": to_text(linked.get("version")),
    }


def _executed_tool(span: Span, view: AttributeView) -> Row:
    """Return the tool that a span ran."""
    name = view.text("ai.toolCall.name")
    call = executed_call(
        name=name,
        call_id=view.text("ai.toolCall.id"),
        arguments=view.json("ai.toolCall.args", "ai.toolCall.input"),
        result=view.json("ai.toolCall.result", "ai.toolCall.output"),
        is_error=has_failed(span),
    )
    return {"tool_name": name, "details": {"tool_calls": [call]}}
