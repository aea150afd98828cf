"""OpenInference (Arize Phoenix) spans: lists flattened into numbered attributes."""

from decimal import Decimal, InvalidOperation
from typing import Any

from include.freezeline.readers import messages
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.genai_content import as_json, content_columns
from include.freezeline.readers.jsontext import JsonText, parse_json_text, write_json
from include.freezeline.readers.messages import Numbered, numbered
from include.freezeline.readers.openinference_call import call_columns
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.providers import normalise_provider
from include.freezeline.readers.result import Row
from include.freezeline.readers.retrieved import (
    document_rows,
    retrieval_columns,
    taken_documents,
)
from include.freezeline.readers.tool_calls import executed_call, has_failed, requested_calls

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
_INPUTS, _OUTPUTS = "llm.input_messages.", "llm.output_messages."
_PROMPTS, _CHOICES = "llm.prompts.", "llm.choices."
_DOCUMENTS, _RERANKED = "retrieval.documents.", "reranker.output_documents."
_FLATTENED = {
    _INPUTS: "message.",
    _OUTPUTS: "message.",
    _PROMPTS: "prompt.",
    _CHOICES: "completion.",
    _DOCUMENTS: "document.",
    _RERANKED: "document.",
}
_COST_STEP = Decimal("1e-12")
_MAX_COST_USD = Decimal(100_000)

Lists = dict[str, Numbered]


def is_openinference(span: Span) -> bool:
    """Return whether a span says what kind of OpenInference span it is."""
    return "openinference.span.kind" in span.attributes


def read_openinference(span: Span, view: AttributeView) -> Row:
    """Return the columns that an OpenInference span fills."""
    kind = view.text("openinference.span.kind") or "UNKNOWN"
    span_type = _SPAN_TYPES.get(kind.upper(), "other")
    row: Row = {
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
    lists = numbered(view.values, _FLATTENED)
    row.update(_usage(view))
    row.update(call_columns(view, span_type))
    row.update(_content(view, span_type, lists))
    if span_type == "retrieval":
        row.update(_retrieval(view, lists[_DOCUMENTS]))
    elif span_type == "rerank":
        row.update(_reranking(view, lists[_RERANKED]))
    elif span_type == "tool":
        row["details"] = {"tool_calls": [_executed_tool(span, view, row["tool_name"])]}
    elif span_type == "embedding":
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


def _content(view: AttributeView, span_type: str, lists: Lists) -> Row:
    """Return messages, texts and requested tool calls.

    ``input.value`` and ``output.value`` of a model call repeat its messages as raw requests and
    responses, so they are left out when the messages are there.
    """
    inputs = _messages(view, lists[_INPUTS]) or _plain(view, lists[_PROMPTS], "user")
    outputs = _messages(view, lists[_OUTPUTS]) or _plain(view, lists[_CHOICES], "assistant")
    row = content_columns(inputs, outputs)
    if span_type in _TEXT_TYPES:
        if inputs is None:
            row.update(_raw_input(view))
        if outputs is None:
            row.update(_raw_output(view))
    if span_type == "llm":
        view.take(*(["input.value"] if inputs else []), *(["output.value"] if outputs else []))
        said = row["output_messages_redacted"]
        calls = requested_calls(outputs.data if outputs else parse_json_text(said or "").data)
        if calls:
            row["details"] = {"tool_calls": calls}
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


def _messages(view: AttributeView, flat: Numbered) -> JsonText | None:
    """Return flattened messages as a JSON list of OpenAI-shaped messages."""
    view.take(*flat.names)
    return as_json([_message(message) for message in flat.items])


def _plain(view: AttributeView, flat: Numbered, role: str) -> JsonText | None:
    """Return the prompts or answers of a text completion, which have no roles, as messages."""
    view.take(*flat.names)
    return as_json([{"role": role, "content": item.get("text")} for item in flat.items])


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


def _retrieval(view: AttributeView, flat: Numbered) -> Row:
    """Return what a retriever found, its documents as side rows.

    An empty list leaves no numbered attributes, so its only trace is the raw output.
    """
    view.take(*flat.names)
    documents = document_rows(flat.items) or taken_documents(view, "output.value")
    if flat.items:
        view.take("output.value")  # the same documents once more
    return {
        "retrieval_query_redacted": view.text("input.value"),
        **retrieval_columns(documents),
    }


def _reranking(view: AttributeView, flat: Numbered) -> Row:
    """Return what a reranker kept; the documents it was given stay attributes."""
    view.take(*flat.names)
    documents = document_rows(flat.items)
    return {
        "request_model": view.text("reranker.model_name"),
        "retrieval_query_redacted": view.text("reranker.query"),
        "retrieval_top_k": view.tokens("reranker.top_k"),
        "details": {"retrieval_documents": documents} if documents else {},
    }


def _executed_tool(span: Span, view: AttributeView, name: str | None) -> Row:
    """Return the side row of a tool that ran."""
    return executed_call(
        call_id=view.text("tool.id", "tool_call.id"),
        name=name or span.name or None,
        arguments=view.json("input.value"),
        result=view.json("output.value"),
        is_error=has_failed(span),
    )


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
