"""OpenTelemetry GenAI spans, by the newest attribute names and all their predecessors."""

from collections.abc import Iterable, Mapping
from typing import Any

from include.freezeline.readers import messages
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.jsontext import JsonText, parse_json_text, write_json
from include.freezeline.readers.otlp import Attributes, Span
from include.freezeline.readers.outcomes import normalise_finish_reasons
from include.freezeline.readers.providers import normalise_provider
from include.freezeline.readers.result import Row
from include.freezeline.readers.values import to_number

MODEL_OPERATIONS = frozenset({"chat", "text_completion", "generate_content", "completion"})
_SPAN_TYPES = {
    "embeddings": "embedding",
    "embedding": "embedding",
    "retrieval": "retrieval",
    "rerank": "rerank",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "plan": "agent",
    "invoke_workflow": "workflow",
}
_INPUT_NAMES = ("gen_ai.input.messages", "gen_ai.prompt")
_OUTPUT_NAMES = ("gen_ai.output.messages", "gen_ai.completion")
_DETAILS_EVENT = "gen_ai.client.inference.operation.details"
_DOCUMENT_EVENTS = frozenset({"gen_ai.retrieval.document", "db.query.result", "db.search.result"})
_S_TO_MS = 1000.0


def is_otel_genai(span: Span) -> bool:
    """Return whether a span follows the conventions since ``gen_ai.provider.name``."""
    attributes = span.attributes
    return "gen_ai.provider.name" in attributes or (
        "gen_ai.operation.name" in attributes and "gen_ai.system" not in attributes
    )


def is_otel_genai_legacy(span: Span) -> bool:
    """Return whether a span follows the conventions up to 1.36."""
    return "gen_ai.system" in span.attributes


def read_otel_genai(span: Span, view: AttributeView) -> Row:
    """Return the columns that a GenAI span fills."""
    operation = view.text("gen_ai.operation.name", "llm.request.type")
    span_type = genai_span_type(operation, span)
    row = {
        "span_type": span_type,
        "is_leaf_model_call": span_type == "llm",
        "operation_name": operation,
        "provider": normalise_provider(view.text("gen_ai.provider.name", "gen_ai.system")),
        "prompt_name": view.text("gen_ai.prompt.name"),
        "prompt_version": view.text("gen_ai.prompt.version"),
        "tool_name": view.text("gen_ai.tool.name"),
        "agent_name": view.text("gen_ai.agent.name"),
        "workflow_name": view.text("gen_ai.workflow.name"),
    }
    view.take("gen_ai.system")
    row.update(_request_and_response(view))
    row.update(_usage(view))
    row.update(_latency(view))
    row.update(_content(span, view))
    if span_type == "retrieval":
        row.update(read_retrieval(span, view))
    return row


def genai_span_type(operation: str | None, span: Span) -> str:
    """Return the span type of an operation.

    Before operations had names, a span with a model and anything that a model answers was a call.
    """
    if operation is not None:
        return "llm" if operation in MODEL_OPERATIONS else _SPAN_TYPES.get(operation, "other")
    attributes = span.attributes
    if "gen_ai.request.model" in attributes and "embed" not in span.name.lower():
        return "llm"
    return "other"


def read_retrieval(span: Span, view: AttributeView) -> Row:
    """Return what a retrieval found; the documents themselves stay among the attributes."""
    documents = view.values.get("gen_ai.retrieval.documents")
    listed = parse_json_text(documents).data if documents is not None else None
    if not isinstance(listed, list):
        events = [event.attributes for event in span.events if event.name in _DOCUMENT_EVENTS]
        listed = [_event_document(event) for event in events] or None
    return {
        "retrieval_query_redacted": view.text("gen_ai.retrieval.query.text"),
        "retrieved_document_count": None if listed is None else len(listed),
        "retrieval_score_max": best_score(listed or ()),
    }


def best_score(documents: Iterable[Any]) -> float | None:
    """Return the highest score of documents, None when none has one."""
    scores = [
        score
        for document in documents
        if isinstance(document, dict) and (score := to_number(document.get("score"))) is not None
    ]
    return max(scores, default=None)


def content_columns(inputs: JsonText | None, outputs: JsonText | None) -> Row:
    """Return the message columns and the plain texts in them."""
    return {
        "input_messages_redacted": inputs.text if inputs else None,
        "output_messages_redacted": outputs.text if outputs else None,
        "input_text_redacted": messages.last_user_text(inputs.data) if inputs else None,
        "output_text_redacted": messages.answer_text(outputs.data) if outputs else None,
    }


def _event_document(attributes: Attributes) -> Mapping[str, Any]:
    """Return a document that was recorded as a span event."""
    names = ("document.score", "db.query.result.score", "db.search.result.score")
    return {"score": next((attributes[name] for name in names if name in attributes), None)}


def _request_and_response(view: AttributeView) -> Row:
    """Return what was asked for and who answered."""
    return {
        "request_model": view.text("gen_ai.request.model"),
        "response_model": view.text("gen_ai.response.model"),
        "response_id": view.text("gen_ai.response.id"),
        "system_fingerprint": view.text(
            "openai.response.system_fingerprint",
            "gen_ai.openai.response.system_fingerprint",
            "gen_ai.response.system_fingerprint",
        ),
        "is_stream": view.boolean(
            "gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming"
        ),
        "temperature": view.number("gen_ai.request.temperature"),
        "max_tokens": view.integer(
            "gen_ai.request.max_tokens", "gen_ai.request.max_completion_tokens"
        ),
        "finish_reasons": normalise_finish_reasons(
            view.texts(
                "gen_ai.response.finish_reasons",
                "gen_ai.response.finish_reason",
                "gen_ai.finishReason",
            )
        ),
    }


def _usage(view: AttributeView) -> Row:
    """Return the token counts; cached and reasoning tokens are parts of the totals."""
    return {
        "input_tokens": view.tokens("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        "output_tokens": view.tokens(
            "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"
        ),
        "cache_read_tokens": view.tokens(
            "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"
        ),
        "cache_write_tokens": view.tokens(
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
        ),
        "reasoning_tokens": view.tokens(
            "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"
        ),
    }


def _latency(view: AttributeView) -> Row:
    """Return the latencies that were reported as attributes, in seconds by the conventions."""
    first_s = view.number(
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.client.inference.time_to_first_chunk",
        "gen_ai.server.time_to_first_token",
    )
    each_s = view.number(
        "gen_ai.server.time_per_output_token",
        "gen_ai.client.operation.time_per_output_chunk",
        "gen_ai.client.inference.time_per_output_chunk",
    )
    return {
        "ttft_ms": None if first_s is None else first_s * _S_TO_MS,
        "tpot_ms": None if each_s is None else each_s * _S_TO_MS,
    }


def _content(span: Span, view: AttributeView) -> Row:
    """Return messages from attributes, else flattened attributes, else events."""
    inputs = view.json(*_INPUT_NAMES) or _flattened(view, "gen_ai.prompt.")
    outputs = view.json(*_OUTPUT_NAMES) or _flattened(view, "gen_ai.completion.")
    system = view.json("gen_ai.system_instructions")
    for event in span.events:
        if event.name in (_DETAILS_EVENT, "gen_ai.content.prompt", "gen_ai.content.completion"):
            carried = AttributeView(event.attributes)
            inputs = inputs or carried.json(*_INPUT_NAMES)
            outputs = outputs or carried.json(*_OUTPUT_NAMES)
            system = system or carried.json("gen_ai.system_instructions")
    return {
        **content_columns(inputs, outputs),
        "system_instructions_redacted": system.text if system else None,
    }


def _flattened(view: AttributeView, prefix: str) -> JsonText | None:
    """Return messages that very old instrumentations wrote as numbered attributes."""
    if not any(name.startswith(prefix) for name in view.values):
        return None
    found = messages.indexed_messages(view.values, prefix)
    if not found:
        return None
    for number in range(len(found)):
        view.take_prefix(f"{prefix}{number}.")
    return JsonText(write_json(found), found)
