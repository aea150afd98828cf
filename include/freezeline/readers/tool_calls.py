"""Rows of ``tool_calls``, from whichever shape a request or an execution was recorded in."""

from collections.abc import Iterator, Mapping
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
_IDS = ("call_id", "id", "toolCallId", "toolUseId", "tool_call_id")
_NAMES = ("name", "toolName")
_ARGUMENTS = ("arguments", "input", "args", "server_tool_call")


def requested_calls(messages: Any) -> list[Row]:
    """Return the tool calls that an answer asks for.

    Args:
        messages: Output messages in parts (OpenTelemetry, Anthropic, Bedrock), as OpenAI's chat
            messages or choices, also flattened, or as the output items of its Responses API.
    """
    return [row for message in _items(messages) for row in _calls_of(message)]


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


def _calls_of(message: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the calls of one message, choice or output item."""
    inner = message.get("message")
    if isinstance(inner, dict):
        message = inner
    if message.get("type") in _REQUEST_TYPES:
        yield _requested(message, message)
    for member in ("parts", "content"):
        for part in _items(message.get(member)):
            yield from _calls_of_part(part)
    for call in _items(message.get("tool_calls")):
        function = call.get("function")
        yield _requested(call, function if isinstance(function, dict) else call)
    if isinstance(message.get("function_call"), dict):  # OpenAI before calls had ids
        yield _requested(message["function_call"], message["function_call"])


def _calls_of_part(part: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the call that a part is or wraps."""
    kind = part.get("type")
    if kind in _REQUEST_TYPES or kind in _SERVER_TYPES:
        yield _requested(part, part)
    for member in _WRAPPED_PARTS:
        if isinstance(part.get(member), dict):
            yield _requested(part[member], part[member])


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
    return next((holder[name] for name in names if holder.get(name) not in (None, "")), None)


def _items(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list or of numbered members; nothing for anything else."""
    items = value if isinstance(value, list) else listed(value)
    return [item for item in items if isinstance(item, dict)]
