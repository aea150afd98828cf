"""OpenLLMetry (Traceloop) spans: GenAI attributes plus ``traceloop.*``."""

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.otel_genai import genai_span_type, read_otel_genai, read_retrieval
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.result import Row

_SCOPE = "opentelemetry.instrumentation."
_OTHER_SCOPES = ("opentelemetry.instrumentation.openai_v2", "opentelemetry.instrumentation.genai.")
_SPAN_KINDS = frozenset({"workflow", "task", "agent", "tool"})
_QUERY_EVENTS = frozenset({"db.query.result", "db.search.result"})


def is_openllmetry(span: Span) -> bool:
    """Return whether a span was written by OpenLLMetry, new or old."""
    attributes, scope = span.attributes, span.origin.scope_name
    if scope.startswith(_SCOPE) and not scope.startswith(_OTHER_SCOPES):
        return any(name.startswith(("gen_ai.", "traceloop.")) for name in attributes)
    return "llm.request.type" in attributes or any(
        name.startswith("traceloop.") for name in attributes
    )


def read_openllmetry(span: Span, view: AttributeView) -> Row:
    """Return the columns that an OpenLLMetry span fills."""
    row = read_otel_genai(span, view)
    kind = view.text("traceloop.span.kind")
    entity = view.values.get("traceloop.entity.name")
    name = entity if isinstance(entity, str) else None
    row["span_type"] = span_type = _span_type(kind, span, row["operation_name"])
    row["is_leaf_model_call"] = span_type == "llm"
    row["workflow_name"] = row["workflow_name"] or view.text("traceloop.workflow.name")
    if span_type == "tool":
        row["tool_name"] = row["tool_name"] or name
    elif span_type == "agent":
        row["agent_name"] = row["agent_name"] or name
    elif span_type == "retrieval":
        row.update(read_retrieval(span, view))
    row["prompt_name"] = row["prompt_name"] or view.text("traceloop.prompt.key")
    row["prompt_version"] = row["prompt_version"] or view.text(
        "traceloop.prompt.version", "traceloop.prompt.version_name"
    )
    if row["input_tokens"] is None:
        row["input_tokens"] = view.tokens("llm.usage.prompt_tokens")
    if row["output_tokens"] is None:
        row["output_tokens"] = view.tokens("llm.usage.completion_tokens")
    return row


def _span_type(kind: str | None, span: Span, operation: str | None) -> str:
    """Return the span type; a vector database's query is a retrieval."""
    if kind in _SPAN_KINDS:
        return kind
    if "db.system" in span.attributes and any(e.name in _QUERY_EVENTS for e in span.events):
        return "retrieval"
    return genai_span_type(operation, span)
