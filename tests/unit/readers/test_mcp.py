"""Spans of the Model Context Protocol."""

import json
from collections.abc import Callable

import pytest

from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import LandingRules
from tests.unit.readers.builders import document, span, traces_message

Read = Callable[..., ReadResult]
CALL = {
    "mcp.method.name": "tools/call",
    "mcp.session.id": "2f6a",
    "mcp.protocol.version": "2025-06-18",
    "jsonrpc.request.id": "7",
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "lookup",
    "gen_ai.tool.call.arguments": '{"city": "Paris"}',
    "gen_ai.tool.call.result": '{"celsius": 21}',
}


def _row_of(result: ReadResult) -> Row:
    """Return the only span of a result that refused nothing."""
    assert result.rejects == []
    assert len(result.spans) == 1
    return result.spans[0]


def test_a_tool_call_is_the_tool_that_ran(read: Read) -> None:
    result = read(document([span(CALL, name="tools/call lookup")]))
    row = _row_of(result)
    assert (row["dialect"], row["span_type"], row["operation_name"]) == (
        "mcp",
        "tool",
        "tools/call",
    )
    assert (row["tool_name"], row["is_leaf_model_call"]) == ("lookup", False)
    (call,) = result.tables["tool_calls"]
    assert (call["role"], call["tool_name"], call["is_error"]) == ("executed", "lookup", False)
    assert json.loads(call["arguments_redacted"]) == {"city": "Paris"}
    assert json.loads(call["result_redacted"]) == {"celsius": 21}
    assert json.loads(row["attributes_redacted"]) == {
        "mcp.session.id": "2f6a",
        "mcp.protocol.version": "2025-06-18",
        "jsonrpc.request.id": "7",
    }


@pytest.mark.parametrize(
    "method",
    ["initialize", "resources/read", "prompts/get", "tools/list", "notifications/progress"],
)
def test_other_methods_are_requests_of_the_protocol(read: Read, method: str) -> None:
    result = read(document([span({"mcp.method.name": method, "mcp.resource.uri": "file:///a"})]))
    assert (_row_of(result)["span_type"], "tool_calls" in result.tables) == ("mcp", False)


@pytest.mark.parametrize(
    ("attributes", "status", "error_type", "error_class"),
    [
        ({"error.type": "tool_error"}, 2, "tool_error", "other"),
        ({"error.type": "-32602"}, 2, "-32602", "other"),
        ({"error.type": "-32603"}, 0, "-32603", "server_error"),
        ({"rpc.response.status_code": "-32001"}, 2, "-32001", "timeout"),
    ],
)
def test_a_failed_call_keeps_its_code(
    read: Read, attributes: dict[str, str], status: int, error_type: str, error_class: str
) -> None:
    result = read(document([span({**CALL, **attributes}, status={"code": status})]))
    row = _row_of(result)
    assert (row["error_type"], row["error_class"]) == (error_type, error_class)
    assert result.tables["tool_calls"][0]["is_error"] is True


def test_protobuf_gives_the_same_rows(read: Read, rules: LandingRules) -> None:
    made = document([span(CALL)])
    from_protobuf = read_object("traces_1.binpb", traces_message(made), rules)
    assert from_protobuf.tables == read(made).tables
