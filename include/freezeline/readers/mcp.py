"""Spans of the Model Context Protocol, of its clients and its servers."""

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.otel_genai import read_executed_tool
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.result import Row

_METHOD = "mcp.method.name"
_TOOL_CALL = "tools/call"


def is_mcp(span: Span) -> bool:
    """Return whether a span is a request or a notification of the protocol."""
    return _METHOD in span.attributes


def read_mcp(span: Span, view: AttributeView) -> Row:
    """Return the columns that a span of the protocol fills.

    A call of a tool is the tool that ran; client and server may each have a span of it.
    """
    method = view.text(_METHOD)
    row: Row = {
        "span_type": "mcp",
        "is_leaf_model_call": False,
        "operation_name": method,
        "tool_name": view.text("gen_ai.tool.name"),
        "prompt_name": view.text("gen_ai.prompt.name"),
    }
    if method == _TOOL_CALL:
        row["span_type"] = "tool"
        row["details"] = {"tool_calls": [read_executed_tool(span, view, row["tool_name"])]}
        view.take("gen_ai.operation.name")  # execute_tool, which the span type says
    return row
