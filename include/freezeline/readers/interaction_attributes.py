"""The fields of a logged interaction as GenAI and business attributes."""

from collections.abc import Mapping
from typing import Any

from include.freezeline.readers.answers import finish_reasons, input_messages, output_messages
from include.freezeline.readers.foreign import as_object, without_personal
from include.freezeline.readers.litellm_usage import known_usage
from include.freezeline.readers.otlp import Attributes
from include.freezeline.readers.values import to_boolean, to_integer, to_number, to_text

SCOPE = "interaction_log"
MARK = "interaction_log.span_type"
_SPAN_TYPES = {
    **{
        name: name
        for name in (
            "llm", "embedding", "retrieval", "rerank", "tool", "agent", "workflow", "task",
            "memory", "guardrail", "evaluator", "mcp", "other",
        )
    },
    "chat": "llm", "generation": "llm", "completion": "llm", "retriever": "retrieval",
    "chain": "workflow", "span": "other",
}  # fmt: skip
_OPERATIONS = {
    "llm": "chat",
    "embedding": "embeddings",
    "retrieval": "retrieval",
    "rerank": "rerank",
    "tool": "execute_tool",
    "agent": "invoke_agent",
    "workflow": "invoke_workflow",
}
_TYPE_OF_OPERATION = {operation: name for name, operation in _OPERATIONS.items()}
# Fields that GenAI or business attributes say alike.
_TEXTS = {
    "provider": "gen_ai.provider.name",
    "request_model": "gen_ai.request.model",
    "system_fingerprint": "openai.response.system_fingerprint",
    "service_tier": "openai.response.service_tier",
    "reasoning_level": "gen_ai.request.reasoning.level",
    "prompt_name": "gen_ai.prompt.name",
    "prompt_version": "gen_ai.prompt.version",
    "tool_name": "gen_ai.tool.name",
    "tool_call_id": "gen_ai.tool.call.id",
    "agent_name": "gen_ai.agent.name",
    "workflow_name": "gen_ai.workflow.name",
    "retrieval_query": "gen_ai.retrieval.query.text",
    "user_id": "user.id",
    "session_id": "session.id",
    "tenant_id": "tenant.id",
    "environment": "deployment.environment.name",
    "feature": "app.feature",
    "route": "http.route",
    "locale": "app.locale",
    "request_id": "request.id",
    "canary_id": "canary.id",
    "consent": "consent.storage",
    "data_class": "data.class",
}
_NUMBERS = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "sample_weight": "sample_weight",
    "sample_ratio": "sampling.ratio",
}
_INTEGERS = {"max_tokens": "gen_ai.request.max_tokens", "seed": "gen_ai.request.seed"}
_TOKENS = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_write.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}
# Fields that go to a column of their own; their attributes begin with the scope's name.
MEASURES = ("ttft_ms", "tpot_ms", "queue_ms", "prefill_ms", "decode_ms")


def interaction_attributes(fields: Mapping[str, Any]) -> Attributes:
    """Return what a line says as attributes; what makes no sense has no value.

    Args:
        fields: Values by field, see ``interaction_fields``.
    """
    span_type = _span_type(fields)
    # The answer may have been logged whole, as the provider sent it.
    response = as_object(fields.get("output_text"))
    return {
        **{name: to_text(fields.get(field)) for field, name in _TEXTS.items()},
        **{name: to_number(fields.get(field)) for field, name in _NUMBERS.items()},
        **{name: to_integer(fields.get(field)) for field, name in _INTEGERS.items()},
        **_of_response(fields, response),
        **_usage(fields, response),
        **_content(fields, response),
        **_own(fields),
        MARK: span_type,
        "gen_ai.operation.name": _OPERATIONS.get(span_type, span_type),
        "gen_ai.request.stream": to_boolean(fields.get("is_stream")),
        "metadata": without_personal(fields.get("metadata")),
    }


def _span_type(fields: Mapping[str, Any]) -> str:
    """Return the type of a line: as it says, else a call of a model, or of a tool without one."""
    given = to_text(fields.get("span_type"))
    if given is not None:
        return _SPAN_TYPES.get(given.lower(), "other")
    operation = (to_text(fields.get("operation")) or "").lower()
    named = _TYPE_OF_OPERATION.get(operation, _SPAN_TYPES.get(operation))
    if named is not None:
        return named
    has_model = fields.keys() & {"request_model", "response_model"}
    return "tool" if "tool_name" in fields and not has_model else "llm"


def _of_response(fields: Mapping[str, Any], response: Mapping[str, Any]) -> Attributes:
    """Return who answered, as the line or the provider's response says it."""
    return {
        "gen_ai.response.model": to_text(fields.get("response_model"))
        or to_text(response.get("model")),
        "gen_ai.response.id": to_text(fields.get("response_id")) or to_text(response.get("id")),
    }


def _usage(fields: Mapping[str, Any], response: Mapping[str, Any]) -> Attributes:
    """Return the token counts: fields first, then those of a usage object."""
    usage = as_object(fields.get("usage")) or as_object(response.get("usage"))
    totals = {
        "prompt_tokens": usage.get("prompt_tokens", usage.get("input_tokens")),
        "completion_tokens": usage.get("completion_tokens", usage.get("output_tokens")),
    }
    counts = known_usage(totals, {"usage_object": usage})
    for field, name in _TOKENS.items():
        stated = to_integer(fields.get(field))
        if stated is not None:
            counts[name] = stated
    return counts


def _content(fields: Mapping[str, Any], response: Mapping[str, Any]) -> Attributes:
    """Return what was asked and answered; a conversation that ends in an answer is split there."""
    asked = input_messages(fields.get("input_messages", fields.get("input_text")))
    answered = output_messages(fields.get("output_messages", fields.get("output_text")))
    if answered is None and asked and as_object(asked[-1]).get("role") == "assistant":
        asked, answered = asked[:-1], asked[-1:]
    calls = fields.get("tool_calls_requested")
    if isinstance(calls, list) and calls:
        answered = [*(answered or []), {"role": "assistant", "tool_calls": calls}]
    system = fields.get("system_instructions")
    reasons = fields.get("finish_reasons")
    return {
        "gen_ai.input.messages": asked,
        "gen_ai.output.messages": answered,
        "gen_ai.system_instructions": [{"type": "text", "content": system}]
        if isinstance(system, str)
        else system,
        "gen_ai.response.finish_reasons": finish_reasons(response) if reasons is None else reasons,
        "gen_ai.tool.call.arguments": fields.get("tool_arguments"),
        "gen_ai.tool.call.result": fields.get("tool_result"),
    }


def _own(fields: Mapping[str, Any]) -> Attributes:
    """Return the fields that no convention has an attribute for."""
    return {
        f"{SCOPE}.operation": to_text(fields.get("operation")),
        f"{SCOPE}.is_leaf_model_call": to_boolean(fields.get("is_leaf_model_call")),
        f"{SCOPE}.prompt_hash": to_text(fields.get("prompt_hash")),
        f"{SCOPE}.cost_reported_usd": to_text(fields.get("cost_reported_usd")),
        f"{SCOPE}.retrieval_documents": fields.get("retrieval_documents"),
        **{f"{SCOPE}.{name}": to_number(fields.get(name)) for name in MEASURES},
    }
