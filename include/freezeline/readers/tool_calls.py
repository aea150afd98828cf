"""Rows of ``tool_calls``, from whichever shape a request or an execution was recorded in."""

from collections.abc import Mapping
from typing import Any

from include.freezeline.readers.jsontext import JsonText, parse_json_text
from include.freezeline.readers.messages import listed
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.result import Row
from include.freezeline.readers.values import to_text

_STATUS_ERROR = 2
# Parts and output items that are a call: OpenTelemetry, Vercel, Anthropic, OpenAI's Responses API.
# Tuples, because a type can be anything that JSON can hold.
_REQUEST_TYPES = ("tool_call", "tool-call", "tool_use", "function_call")
_SERVER_TYPES = ("server_tool_call", "server_tool_use")  # the provider runs these itself
_WRAPPED_PARTS = ("toolUse", "functionCall")  # Bedrock and Gemini
_PART_MEMBERS = ("parts", "content")
_IDS = ("call_id", "id", "toolCallId", "toolUseId", "tool_call_id")
_NAMES = ("name", "toolName")
_ARGUMENTS = ("arguments", "input", "args", "server_tool_call")


def requested_calls(messages: Any) -> list[Row]:
    """Return the tool calls that an answer asks for.

    Args:
        messages: Output messages in parts (OpenTelemetry, Anthropic, Bedrock), as OpenAI's chat
            messages or choices, also flattened, or as the output items of its Responses API.
    """
    calls: list[Row] = []
    for message in _items(messages):
        _add_calls(calls, message)
    return calls


def executed_call(
    *,
    call_id: str | None,
    name: str | None,
    arguments: JsonText | str | None,
    result: JsonText | str | None,
    is_error: bool,
    tool_type: str | None = "function",
) -> Row:
    """Return the row of a tool that ran; arguments and result as JSON."""
    return {
        "role": "executed",
        "tool_call_id": call_id,
        "tool_name": name,
        "tool_type": tool_type,
        "arguments_redacted": _json_text(arguments),
        "result_redacted": _json_text(result),
        "is_error": is_error,
    }


def has_failed(span: Span) -> bool:
    """Return whether a span says that what it stands for failed."""
    return span.status_code == _STATUS_ERROR or bool(span.attributes.get("error.type"))


def _add_calls(calls: list[Row], message: Mapping[str, Any]) -> None:
    """Add the calls of one message, choice or output item."""
    inner = message.get("message")
    if isinstance(inner, dict):
        message = inner
    if message.get("type") in _REQUEST_TYPES:
        calls.append(_requested(message, message))
    for member in _PART_MEMBERS:
        if member in message:
            for part in _items(message[member]):
                _add_part(calls, part)
    if "tool_calls" in message:
        for call in _items(message["tool_calls"]):
            function = call.get("function")
            calls.append(_requested(call, function if isinstance(function, dict) else call))
    if isinstance(message.get("function_call"), dict):  # OpenAI before calls had ids
        calls.append(_requested(message["function_call"], message["function_call"]))


def _add_part(calls: list[Row], part: Mapping[str, Any]) -> None:
    """Add the call that a part is or wraps."""
    kind = part.get("type")
    if kind in _REQUEST_TYPES or kind in _SERVER_TYPES:
        calls.append(_requested(part, part))
    for member in _WRAPPED_PARTS:
        if member in part and isinstance(part[member], dict):
            calls.append(_requested(part[member], part[member]))  # noqa: PERF401 - mostly none


def _requested(call: Mapping[str, Any], function: Mapping[str, Any]) -> Row:
    """Return the row of a requested call; its function stands beside or inside it."""
    given = _first(function, _ARGUMENTS)
    return {
        "role": "requested",
        "tool_call_id": to_text(_first(call, _IDS)),
        "tool_name": to_text(_first(function, _NAMES)),
        "tool_type": "extension" if call.get("type") in _SERVER_TYPES else "function",
        "arguments_redacted": None if given is None else parse_json_text(given).text,
        "result_redacted": None,
        "is_error": None,
    }


def _json_text(given: JsonText | str | None) -> str | None:
    """Return the text of JSON."""
    return given.text if isinstance(given, JsonText) else given


def _first(holder: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first member that is there and not empty."""
    for name in names:
        value = holder.get(name)
        if value is not None and value != "":
            return value
    return None


def _items(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list or of numbered members; nothing for anything else."""
    items = value if isinstance(value, list) else listed(value)
    return [item for item in items if isinstance(item, dict)]
