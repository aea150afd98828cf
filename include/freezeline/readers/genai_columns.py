"""Names of the GenAI conventions, newest first, and the columns that they fill.

The newest name that is there wins. Names that only one tool writes stand last, with the tool.
"""

from collections.abc import Collection
from typing import Any

from include.freezeline.readers.attributes import AttributeView, to_listed_texts, to_tokens
from include.freezeline.readers.column_plans import ColumnPlan, Convert
from include.freezeline.readers.log_messages import content_name_of
from include.freezeline.readers.names import Names, names_among
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.outcomes import normalise_finish_reasons
from include.freezeline.readers.result import Row
from include.freezeline.readers.values import to_boolean, to_integer, to_number, to_text

_S_TO_MS = 1000.0
_FINGERPRINTS = (
    "openai.response.system_fingerprint",
    "gen_ai.openai.response.system_fingerprint",
    "gen_ai.response.system_fingerprint",
)
_STREAM_FLAGS = ("gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming")
_MAX_TOKENS = ("gen_ai.request.max_tokens", "gen_ai.request.max_completion_tokens")
_SEEDS = ("gen_ai.request.seed", "gen_ai.openai.request.seed")
_REASONING_LEVELS = (
    "gen_ai.request.reasoning.level",
    "gen_ai.request.reasoning_effort",  # OpenLLMetry
    "gen_ai.openai.request.reasoning_effort",
)
_SERVICE_TIERS = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
)
_FINISH_REASONS = (
    "gen_ai.response.finish_reasons",
    "gen_ai.response.finish_reason",
    "gen_ai.finishReason",
)
_INPUT_TOKENS = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.usage.prompt_tokens",
)
_OUTPUT_TOKENS = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
)
_CACHE_READ_TOKENS = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cached_tokens",  # SGLang
    "gen_ai.usage.details.cache_read_tokens",  # Pydantic AI
)
_CACHE_WRITE_TOKENS = (
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.cache_write_input_tokens",  # Strands
    "gen_ai.usage.details.cache_write_tokens",  # Pydantic AI
)
# No convention names these yet; the gateways' readers and our own servers do.
_CACHE_WRITE_1H_TOKENS = ("app.cache_write_1h_tokens",)
_WEB_SEARCHES = ("app.web_search_count",)
_GATEWAY_CACHE_HITS = ("app.is_gateway_cache_hit",)
_REASONING_TOKENS = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.details.reasoning_tokens",  # Pydantic AI
)
_TOTAL_TOKENS = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens")
# Seconds. vLLM, SGLang and TensorRT-LLM write gen_ai.latency.* on their server's span.
_TTFT_S = (
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.client.operation.time_to_first_chunk",
    "gen_ai.client.inference.time_to_first_chunk",
    "gen_ai.latency.time_to_first_token",
)
_SERVER_TTFT = "gen_ai.server.time_to_first_token"
_SERVER_TTFT_MS_SCOPES = ("strands",)  # Strands Agents writes milliseconds there
# A chunk is no token: the time per output chunk stays an attribute.
_TPOT_S = "gen_ai.server.time_per_output_token"
_PHASES_S = {
    "queue_ms": "gen_ai.latency.time_in_queue",
    "prefill_ms": "gen_ai.latency.time_in_model_prefill",
    "decode_ms": "gen_ai.latency.time_in_model_decode",
}
# What our own servers and gateways may say, in milliseconds.
_OWN_MS = {
    "ttft_ms": "app.ttft_ms",
    "queue_ms": "app.queue_ms",
    "prefill_ms": "app.prefill_ms",
    "decode_ms": "app.decode_ms",
}
_named_latencies = names_among(
    (*_TTFT_S, _SERVER_TTFT, _TPOT_S, *_PHASES_S.values(), *_OWN_MS.values())
)
_REFERENCES = {
    "input_content_name": "gen_ai.input.messages_ref",
    "output_content_name": "gen_ai.output.messages_ref",
    "system_content_name": "gen_ai.system_instructions_ref",
}
_REFERENCES_NAMES = frozenset(_REFERENCES.values())
# Their raw counts leave cached tokens out of the input, and some instrumentations pass them on.
_PROVIDERS_THAT_EXCLUDE_CACHE = frozenset({"anthropic", "aws.bedrock", "gcp.vertex_ai"})


_NAMES = ColumnPlan(
    {
        "prompt_name": (to_text, ("gen_ai.prompt.name",)),
        "prompt_version": (to_text, ("gen_ai.prompt.version",)),
        "tool_name": (to_text, ("gen_ai.tool.name",)),
        "agent_name": (to_text, ("gen_ai.agent.name",)),
        "workflow_name": (to_text, ("gen_ai.workflow.name",)),
    }
)
_REQUEST = ColumnPlan(
    {
        "request_model": (to_text, ("gen_ai.request.model",)),
        "response_model": (to_text, ("gen_ai.response.model",)),
        "response_id": (to_text, ("gen_ai.response.id",)),
        "system_fingerprint": (to_text, _FINGERPRINTS),
        "is_stream": (to_boolean, _STREAM_FLAGS),
        "temperature": (to_number, ("gen_ai.request.temperature",)),
        "top_p": (to_number, ("gen_ai.request.top_p", "llm.top_p")),
        "max_tokens": (to_integer, _MAX_TOKENS),
        "seed": (to_integer, _SEEDS),
        "reasoning_level": (to_text, _REASONING_LEVELS),
        "service_tier": (to_text, _SERVICE_TIERS),
        "finish_reasons": (to_listed_texts, _FINISH_REASONS),
    }
)
_USAGE = ColumnPlan(
    {
        "input_tokens": (to_tokens, _INPUT_TOKENS),
        "output_tokens": (to_tokens, _OUTPUT_TOKENS),
        "cache_read_tokens": (to_tokens, _CACHE_READ_TOKENS),
        "cache_write_tokens": (to_tokens, _CACHE_WRITE_TOKENS),
        "cache_write_1h_tokens": (to_tokens, _CACHE_WRITE_1H_TOKENS),
        "reasoning_tokens": (to_tokens, _REASONING_TOKENS),
        "web_search_count": (to_tokens, _WEB_SEARCHES),
        "is_gateway_cache_hit": (to_boolean, _GATEWAY_CACHE_HITS),
    }
)


def names_given(view: AttributeView) -> Row:
    """Return what the prompt, the tool, the agent and the workflow are called."""
    return _NAMES.read(view)


def request_and_response(view: AttributeView) -> Row:
    """Return what was asked for and who answered."""
    row = _REQUEST.read(view)
    row["finish_reasons"] = normalise_finish_reasons(row["finish_reasons"] or ())
    return row


def plain_columns(names: Names) -> tuple[tuple[str, Convert, str], ...]:
    """Return the columns that a name alone fills: column, what makes its value, the best name."""
    return tuple(each for plan in (_NAMES, _REQUEST, _USAGE) for each in plan.best_names(names))


def usage(view: AttributeView, provider: str | None) -> Row:
    """Return the token counts; cached and reasoning tokens are parts of the totals."""
    row = _USAGE.read(view)
    settle_usage(row, view, provider)
    return row


def settle_usage(row: Row, view: AttributeView, provider: str | None) -> None:
    """Take totals that say nothing more, and make input and output the wholes of their parts."""
    if None not in (asked := row["input_tokens"], row["output_tokens"]):
        totals = {name: view.values[name] for name in _TOTAL_TOKENS if name in view.values}
        row["output_tokens"] = answered = whole_output(row, totals.values())
        for name, total in totals.items():
            if total == asked + answered:  # says nothing more
                view.take(name)
    if provider in _PROVIDERS_THAT_EXCLUDE_CACHE:
        row["input_tokens"] = whole_input(row)


def whole_input(row: Row) -> int | None:
    """Return the input tokens with cached ones included.

    The conventions and OpenLLMetry's Anthropic instrumentation include them; Anthropic's own
    counts, which hand-written spans pass on, do not. Only where the parts are more than the whole
    is it certain that they were left out, so only then they are added.
    """
    tokens: int | None = row["input_tokens"]
    cached = (row["cache_read_tokens"] or 0) + (row["cache_write_tokens"] or 0)
    return tokens if tokens is None or cached <= tokens else tokens + cached


def whole_output(row: Row, totals: Collection[Any]) -> int:
    """Return the output tokens, which are known like the input, with reasoning ones included.

    Gemini counts its thoughts beside the answer, and some instrumentations pass that on. It is
    certain where a total counts them apart, or where they are more than the whole.
    """
    tokens: int = row["output_tokens"]
    reasoned: int = row["reasoning_tokens"] or 0
    is_apart = reasoned > tokens or row["input_tokens"] + tokens + reasoned in totals
    return tokens + reasoned if is_apart else tokens


def has_latencies(names: Names) -> bool:
    """Return whether attributes of these names report a latency."""
    return bool(_named_latencies[names])


def latency(span: Span, view: AttributeView) -> Row:
    """Return the latencies that were reported as attributes."""
    row: Row = {"ttft_ms": None, "tpot_ms": None}
    values = view.values
    if not _named_latencies[view.names]:
        return row
    row["ttft_ms"], row["tpot_ms"] = _ms(view.number(*_TTFT_S)), _ms(view.number(_TPOT_S))
    if row["ttft_ms"] is None and _SERVER_TTFT in values:
        is_ms = span.origin.scope_name.startswith(_SERVER_TTFT_MS_SCOPES)
        given = view.number(_SERVER_TTFT)
        row["ttft_ms"] = given if is_ms else _ms(given)
    for column, name in _PHASES_S.items():
        if name in values:
            row[column] = _ms(view.number(name))
    for column, name in _OWN_MS.items():
        if name in values and row.get(column) is None:
            row[column] = view.number(name)
    return row


def has_references(names: Names) -> bool:
    """Return whether attributes of these names refer to uploaded messages."""
    return not _REFERENCES_NAMES.isdisjoint(names)


def content_references(view: AttributeView) -> Row:
    """Return the names of the objects that an upload hook took the messages to."""
    values, row = view.values, {}
    for column, name in _REFERENCES.items():
        if name in values:
            uri = view.text(name)
            row[column] = content_name_of(uri) if uri is not None else None
    return row


def _ms(seconds: float | None) -> float | None:
    """Return seconds as milliseconds."""
    return None if seconds is None else seconds * _S_TO_MS
