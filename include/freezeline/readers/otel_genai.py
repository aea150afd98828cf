"""OpenTelemetry GenAI spans, by the newest attribute names and all their predecessors."""

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.genai_columns import (
    content_references,
    latency,
    names_given,
    request_and_response,
    usage,
)
from include.freezeline.readers.genai_content import (
    content,
    content_columns,
    join_content_events,
    message_finish_reasons,
)
from include.freezeline.readers.jsontext import JsonText
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.providers import normalise_provider
from include.freezeline.readers.result import Row
from include.freezeline.readers.retrieved import (
    event_documents,
    retrieval_columns,
    taken_documents,
)
from include.freezeline.readers.tool_calls import executed_call, has_failed, requested_calls

__all__ = [
    "MODEL_OPERATIONS",
    "OPERATION_NAMES",
    "PROVIDER_NAMES",
    "add_details",
    "content_columns",
    "genai_span_type",
    "is_leaf_call",
    "is_otel_genai",
    "is_otel_genai_legacy",
    "read_otel_genai",
    "read_retrieval",
]

OPERATION_NAMES = ("gen_ai.operation.name", "llm.request.type")
PROVIDER_NAMES = ("gen_ai.provider.name", "gen_ai.system")
# fetch_response asks for the state of an earlier call: neither a call nor tokens of its own.
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
    "search_memory": "memory",
    "create_memory": "memory",
    "update_memory": "memory",
    "upsert_memory": "memory",
    "delete_memory": "memory",
    "create_memory_store": "memory",
    "delete_memory_store": "memory",
}
_TALKS = frozenset({"llm", "agent", "other"})  # spans whose events may be messages
# Without provider and operation these still say that a span is about a model.
_MODEL_MARKS = ("gen_ai.request.model", "gen_ai.response.model", "gen_ai.usage.prompt_tokens")
_MODEL_SERVER_MARK = "gen_ai.latency.e2e"
_DOCUMENTS = "gen_ai.retrieval.documents"


def is_otel_genai(span: Span) -> bool:
    """Return whether a span follows the conventions since ``gen_ai.provider.name``."""
    attributes = span.attributes
    if "gen_ai.provider.name" in attributes:
        return True
    return "gen_ai.system" not in attributes and (
        "gen_ai.operation.name" in attributes
        or _MODEL_SERVER_MARK in attributes
        or any(name in attributes for name in _MODEL_MARKS)
    )


def is_otel_genai_legacy(span: Span) -> bool:
    """Return whether a span follows the conventions up to 1.36."""
    return "gen_ai.system" in span.attributes


def read_otel_genai(span: Span, view: AttributeView) -> Row:
    """Return the columns that a GenAI span fills."""
    if span.events:
        join_content_events(span, view)
    operation = view.text(*OPERATION_NAMES)
    span_type = genai_span_type(operation, span)
    provider = normalise_provider(view.text(*PROVIDER_NAMES))
    row = {
        "span_type": span_type,
        "is_leaf_model_call": is_leaf_call(span, span_type),
        "operation_name": operation,
        "provider": provider,
        **names_given(view),
        **request_and_response(view),
        **usage(view, provider),
        **latency(span, view),
        **content_references(view),
    }
    view.take("gen_ai.system")
    texts, outputs = content(span, view, has_events=span_type in _TALKS)
    row.update(texts)
    row["finish_reasons"] = row["finish_reasons"] or message_finish_reasons(outputs)
    add_details(span, view, row, outputs)
    return row


def add_details(span: Span, view: AttributeView, row: Row, outputs: JsonText | None) -> None:
    """Add what a retrieval found, what a tool did or what an answer asks for."""
    if row["span_type"] == "retrieval" or _DOCUMENTS in view.values:
        row.update(read_retrieval(span, view))
    elif row["span_type"] == "tool":
        row["details"] = {"tool_calls": [read_executed_tool(span, view, row["tool_name"])]}
    elif outputs is not None and row["span_type"] == "llm":
        calls = requested_calls(outputs.data)
        if calls:
            row["details"] = {"tool_calls": calls}


def genai_span_type(operation: str | None, span: Span) -> str:
    """Return the span type of an operation.

    Before operations had names, a span with a model and anything that a model answers was a call.
    """
    if operation is not None and operation != "unknown":
        return "llm" if operation in MODEL_OPERATIONS else _SPAN_TYPES.get(operation, "other")
    attributes = span.attributes
    if _MODEL_SERVER_MARK in attributes:
        return "llm"
    if "gen_ai.request.model" in attributes and "embed" not in span.name.lower():
        return "llm"
    return "other"


def read_retrieval(span: Span, view: AttributeView) -> Row:
    """Return what a retrieval found, its documents as side rows."""
    documents = taken_documents(view, _DOCUMENTS)
    if documents is None and span.events:
        documents = event_documents(span, view)
    return {
        "retrieval_query_redacted": view.text("gen_ai.retrieval.query.text"),
        "retrieval_top_k": view.tokens(
            "gen_ai.retrieval.top_k", "gen_ai.request.top_k", "db.vector.query.top_k"
        ),
        **retrieval_columns(documents),
    }


def read_executed_tool(span: Span, view: AttributeView, name: str | None) -> Row:
    """Return the side row of a tool that ran."""
    return executed_call(
        call_id=view.text("gen_ai.tool.call.id"),
        name=name,
        tool_type=view.text("gen_ai.tool.type"),
        arguments=view.json("gen_ai.tool.call.arguments"),
        result=view.json("gen_ai.tool.call.result"),
        is_error=has_failed(span),
    )


def is_leaf_call(span: Span, span_type: str) -> bool:
    """Return whether a span is a model call whose tokens no other span counts.

    A model server's own span stands behind the span of whoever called it: vLLM, SGLang and
    TensorRT-LLM continue the caller's trace, whose span counts the same tokens.
    """
    if span_type != "llm":
        return False
    return _MODEL_SERVER_MARK not in span.attributes or not span.parent_span_id.strip("0")
