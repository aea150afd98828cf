"""OpenLLMetry (Traceloop) spans: GenAI attributes plus ``traceloop.*``."""

from typing import Any

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.jsontext import parse_json_text, write_json
from include.freezeline.readers.otel_genai import (
    genai_span_type,
    read_executed_tool,
    read_otel_genai,
    read_retrieval,
)
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.result import Row
from include.freezeline.readers.retrieved import (
    document_rows,
    looks_like_documents,
    retrieval_columns,
)
from include.freezeline.readers.values import to_integer

_SCOPE = "opentelemetry.instrumentation."
_OTHER_SCOPES = ("opentelemetry.instrumentation.openai_v2", "opentelemetry.instrumentation.genai.")
_SPAN_KINDS = frozenset({"workflow", "task", "agent", "tool"})
_QUERY_EVENTS = frozenset({"db.query.result", "db.search.result"})
_INPUT, _OUTPUT = "traceloop.entity.input", "traceloop.entity.output"
_TOP_K_NAMES = ("top_k", "k")


def is_openllmetry(span: Span) -> bool:
    """Return whether a span was written by OpenLLMetry, new or old."""
    attributes, scope = span.attributes, span.origin.scope_name
    if scope.startswith(_SCOPE) and not scope.startswith(_OTHER_SCOPES):
        return any(name.startswith(("gen_ai.", "traceloop.")) for name in attributes)
    return "llm.request.type" in attributes or "\ntraceloop." in "\n".join(("", *attributes))


def read_openllmetry(span: Span, view: AttributeView) -> Row:
    """Return the columns that an OpenLLMetry span fills."""
    row = read_otel_genai(span, view)
    kind = view.text("traceloop.span.kind")
    row["span_type"] = span_type = _span_type(kind, span, row["operation_name"])
    row["is_leaf_model_call"] = span_type == "llm"
    row["workflow_name"] = row["workflow_name"] or view.text("traceloop.workflow.name")
    if span_type == "tool":
        row.update(_executed_tool(span, view, row))
    elif span_type == "agent":
        row["agent_name"] = row["agent_name"] or view.text("traceloop.entity.name")
    elif span_type == "retrieval":
        row.update(read_retrieval(span, view))
    elif span_type == "task":
        row.update(_retrieving_task(view))
    row["prompt_name"] = row["prompt_name"] or view.text("traceloop.prompt.key")
    row["prompt_version"] = row["prompt_version"] or view.text(
        "traceloop.prompt.version", "traceloop.prompt.version_name"
    )
    row["prompt_hash"] = view.text("traceloop.prompt.version_hash")
    return row


def _span_type(kind: str | None, span: Span, operation: str | None) -> str:
    """Return the span type; a vector database's query is a retrieval."""
    if kind in _SPAN_KINDS:
        return kind
    if "db.system" in span.attributes and any(e.name in _QUERY_EVENTS for e in span.events):
        return "retrieval"
    return genai_span_type(operation, span)


def _executed_tool(span: Span, view: AttributeView, row: Row) -> Row:
    """Return the name of a tool and its call as a side row."""
    name = row["tool_name"] or view.text("traceloop.entity.name")
    call = read_executed_tool(span, view, name)
    if call["arguments_redacted"] is None:
        call["arguments_redacted"] = _arguments(view)
    if call["result_redacted"] is None:
        result = view.json(_OUTPUT, "mcp.response.value")
        call["result_redacted"] = result.text if result else None
    return {"tool_name": name, "details": {"tool_calls": [call]}}


def _arguments(view: AttributeView) -> str | None:
    """Return the arguments of a tool's function: by name as they were requested, else as sent."""
    given = view.json(_INPUT, "mcp.request.argument")
    if given is None:
        return None
    named = given.data.get("kwargs") if isinstance(given.data, dict) else None
    return write_json(named) if named and not given.data.get("args") else given.text


def _retrieving_task(view: AttributeView) -> Row:
    """Return what a task found when its output is a list of scored documents.

    There is no kind for retrievals: a function that retrieves is a task like any other.
    """
    if _OUTPUT not in view.values:
        return {}
    found: Any = parse_json_text(view.values[_OUTPUT]).data
    if isinstance(found, dict):
        found = found.get("documents")
    if not looks_like_documents(found):
        return {}
    view.take(_OUTPUT)
    return {**retrieval_columns(document_rows(found)), "retrieval_top_k": _top_k(view)}


def _top_k(view: AttributeView) -> int | None:
    """Return how many documents a task was asked for."""
    given = view.values.get(_INPUT)
    asked = parse_json_text(given).data if given is not None else None
    arguments = asked.get("kwargs") if isinstance(asked, dict) else None
    if not isinstance(arguments, dict):
        return None
    found = (to_integer(arguments.get(name)) for name in _TOP_K_NAMES)
    return next((number for number in found if number is not None), None)
