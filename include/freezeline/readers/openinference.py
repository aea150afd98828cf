"""OpenInference (Arize Phoenix) spans: lists flattened into numbered attributes."""

from decimal import Decimal, InvalidOperation
from typing import Any

from include.freezeline.readers import messages
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.jsontext import JsonText, parse_json_text, write_json
from include.freezeline.readers.otel_genai import best_score, content_columns
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.outcomes import normalise_finish_reasons
from include.freezeline.readers.providers import normalise_provider
from include.freezeline.readers.result import Row
from include.freezeline.readers.values import to_boolean, to_integer, to_number, to_text

_SPAN_TYPES = {
    "LLM": "llm",
    "EMBEDDING": "embedding",
    "CHAIN": "workflow",
    "RETRIEVER": "retrieval",
    "RERANKER": "rerank",
    "TOOL": "tool",
    "AGENT": "agent",
    "GUARDRAIL": "guardrail",
    "EVALUATOR": "evaluator",
}
_TEXT_TYPES = frozenset({"workflow", "agent", "guardrail", "llm"})
_COST_STEP = Decimal("1e-12")
_MAX_COST_USD = Decimal(100_000)


def is_openinference(span: Span) -> bool:
    """Return whether a span says what kind of OpenInference span it is."""
    return "openinference.span.kind" in span.attributes


def read_openinference(span: Span, view: AttributeView) -> Row:
    """Return the columns that an OpenInference span fills."""
    kind = view.text("openinference.span.kind") or "UNKNOWN"
    span_type = _SPAN_TYPES.get(kind.upper(), "other")
    row = {
        "span_type": span_type,
        "is_leaf_model_call": span_type == "llm",
        "operation_name": kind,
        "provider": normalise_provider(view.text("llm.provider", "llm.system")),
        "tool_name": view.text("tool.name"),
        "agent_name": view.text("agent.name"),
        "workflow_name": span.name or None if span_type == "workflow" else None,
        "prompt_name": view.text("prompt.id"),
        "prompt_version": view.text("llm.prompt_template.version"),
        "cost_reported_usd": _cost(view),
    }
    view.take("llm.system")
    row.update(_usage(view))
    row.update(_call(view, span_type))
    row.update(_content(view, span_type))
    if span_type == "retrieval":
        row.update(_retrieval(view))
    if span_type == "embedding":
        _drop_vectors(view)
    return row


def _usage(view: AttributeView) -> Row:
    """Return the token counts; cached and reasoning tokens are parts of the totals."""
    view.take("llm.token_count.total")
    return {
        "input_tokens": view.tokens("llm.token_count.prompt"),
        "output_tokens": view.tokens("llm.token_count.completion"),
        "cache_read_tokens": view.tokens(
            "llm.token_count.prompt_details.cache_read",
            "llm.token_count.prompt_details.cache_input",
        ),
        "cache_write_tokens": view.tokens("llm.token_count.prompt_details.cache_write"),
        "reasoning_tokens": view.tokens("llm.token_count.completion_details.reasoning"),
    }


def _call(view: AttributeView, span_type: str) -> Row:
    """Return what was asked for and who answered.

    Most of it stands only inside the JSON of the invocation parameters and of the raw response;
    on a failed call the parameters are the only place that names the model.
    """
    asked = _object(view.values.get("llm.invocation_parameters"))
    answer = _object(view.values.get("output.value")) if span_type == "llm" else {}
    model = view.text("llm.model_name", "embedding.model_name")
    finish = view.texts("llm.finish_reason") or _choice_reasons(answer)
    return {
        "request_model": view.text("llm.request.model_name")
        or to_text(asked.get("model"))
        or model,
        "response_model": view.text("llm.response.model_name") or model,
        "response_id": to_text(answer.get("id")),
        "system_fingerprint": to_text(answer.get("system_fingerprint")),
        "is_stream": to_boolean(asked.get("stream")),
        "temperature": to_number(asked.get("temperature")),
        "max_tokens": to_integer(asked.get("max_tokens", asked.get("max_completion_tokens"))),
        "finish_reasons": normalise_finish_reasons(finish),
    }


def _content(view: AttributeView, span_type: str) -> Row:
    """Return messages and texts.

    ``input.value`` and ``output.value`` of a model call repeat its messages as raw requests and
    responses, so they are left out when the messages are there.
    """
    inputs = _messages(view, "llm.input_messages.")
    outputs = _messages(view, "llm.output_messages.")
    row = content_columns(inputs, outputs)
    if span_type in _TEXT_TYPES:
        if inputs is None:
            row.update(_raw_input(view))
        if outputs is None:
            row.update(_raw_output(view))
    if span_type == "llm":
        view.take(*(["input.value"] if inputs else []), *(["output.value"] if outputs else []))
    return row


def _raw_input(view: AttributeView) -> Row:
    """Return the input of a span that has no message list."""
    raw = view.json("input.value")
    if raw is None:
        return {}
    if isinstance(raw.data, dict) and isinstance(raw.data.get("messages"), list):
        return {
            "input_messages_redacted": write_json(raw.data["messages"]),
            "input_text_redacted": messages.last_user_text(raw.data["messages"]),
        }
    return {"input_text_redacted": view.text("input.value")}


def _raw_output(view: AttributeView) -> Row:
    """Return the output of a span that has no message list."""
    raw = view.json("output.value")
    if raw is None:
        return {}
    if isinstance(raw.data, dict) and isinstance(raw.data.get("choices"), list):
        choices = raw.data["choices"]
        return {
            "output_messages_redacted": write_json(choices),
            "output_text_redacted": messages.answer_text(choices),
        }
    return {"output_text_redacted": view.text("output.value")}


def _messages(view: AttributeView, prefix: str) -> JsonText | None:
    """Return flattened messages as a JSON list of OpenAI-shaped messages."""
    if not any(name.startswith(prefix) for name in view.values):
        return None
    found = [
        _message(message) for message in messages.indexed_messages(view.values, prefix, "message.")
    ]
    view.take_prefix(prefix)
    return JsonText(write_json(found), found)


def _message(flat: dict[str, Any]) -> dict[str, Any]:
    """Return one message with its parts and tool calls as lists."""
    message = {
        name: value for name, value in flat.items() if name not in ("contents", "tool_calls")
    }
    parts = [
        part.get("message_content", part)
        for part in messages.listed(flat.get("contents"))
        if isinstance(part, dict)
    ]
    calls = [
        call.get("tool_call", call)
        for call in messages.listed(flat.get("tool_calls"))
        if isinstance(call, dict)
    ]
    if parts:
        message["content"] = parts
    if calls:
        message["tool_calls"] = calls
    return message


def _retrieval(view: AttributeView) -> Row:
    """Return what a retriever found; the documents themselves stay among the attributes.

    An empty list leaves no numbered attributes, so its only trace is the raw output.
    """
    documents: list[Any] | None = [
        holder.get("document") if isinstance(holder, dict) else None
        for holder in messages.indexed_messages(view.values, "retrieval.documents.")
    ]
    if not documents:
        raw = view.values.get("output.value")
        listed = parse_json_text(raw).data if isinstance(raw, str) else None
        if isinstance(listed, dict):
            listed = listed.get("documents")
        documents = listed if isinstance(listed, list) else None
    return {
        "retrieval_query_redacted": view.text("input.value"),
        "retrieved_document_count": None if documents is None else len(documents),
        "retrieval_score_max": best_score(documents or ()),
    }


def _drop_vectors(view: AttributeView) -> None:
    """Leave embedding vectors out: long, useless here, and the text can be guessed from them."""
    view.take("output.value")
    view.take(*(name for name in view.values if name.endswith(".embedding.vector")))


def _cost(view: AttributeView) -> Decimal | None:
    """Return the reported cost with twelve decimals."""
    text = view.text("llm.cost.total")
    try:
        cost = Decimal(text) if text else None
    except InvalidOperation:
        return None
    if cost is None or not cost.is_finite() or not 0 <= cost < _MAX_COST_USD:
        return None
    return cost.quantize(_COST_STEP)


def _choice_reasons(answer: dict[str, Any]) -> list[str]:
    """Return the finish reasons of a raw response."""
    choices = answer.get("choices")
    return [
        choice["finish_reason"]
        for choice in (choices if isinstance(choices, list) else ())
        if isinstance(choice, dict) and isinstance(choice.get("finish_reason"), str)
    ]


def _object(value: Any) -> dict[str, Any]:
    """Return a JSON object given as text; empty when it is none."""
    data = parse_json_text(value).data if isinstance(value, str) and value else None
    return data if isinstance(data, dict) else {}
