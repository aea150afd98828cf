"""Message contents in log events: the details of a call, or one older event per message."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.contents import DETAILS_EVENT, content_row
from include.freezeline.readers.jsontext import parse_json_text
from include.freezeline.readers.otlp import LogRecord
from include.freezeline.readers.result import Row

# Events that carry whole lists of messages, in attributes or, in drafts, in a body of that form.
DETAILS_EVENTS = frozenset({DETAILS_EVENT, "gen_ai.content.prompt", "gen_ai.content.completion"})
# Events up to 1.36: one per message.
_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.developer.message": "developer",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
MESSAGE_EVENTS = frozenset(_ROLES)
ANSWER_EVENT = "gen_ai.choice"
_PIECES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("input", ("gen_ai.input.messages", "gen_ai.prompt")),
    ("output", ("gen_ai.output.messages", "gen_ai.completion")),
    ("system", ("gen_ai.system_instructions",)),
    ("tool_definitions", ("gen_ai.tool.definitions",)),
)
_SYSTEM_ROLES = frozenset({"system", "developer"})
_TAKEN = frozenset({"role", "content", "parts", "tool_calls", "id", "refusal", "message"})
_EVENT_CONTENT = "gen_ai.event.content"


def read_details(record: LogRecord) -> list[Row]:
    """Return a row for each piece of content that an event with whole lists carries.

    Content that an upload hook took out is only referred to: such a row has the name of the
    uploaded object and no content. An event without either gives no row.
    """
    body = record.body if isinstance(record.body, dict) else {}
    view = AttributeView({**body, **record.attributes})
    return [
        content_row(direction, content, event_name=record.event_name, content_name=name)
        for direction, names in _PIECES
        for content, name in _carried(view, names)
    ]


def content_name_of(uri: str) -> str | None:
    """Return the last part of an uploaded object's URI or key; None when there is none."""
    name = PurePosixPath(uri.split("?", 1)[0]).name
    for packing in (".gz", ".zst"):
        name = name.removesuffix(packing)
    return name or None


def _carried(view: AttributeView, names: tuple[str, ...]) -> Iterator[tuple[Any, str | None]]:
    """Yield the content of a piece, or the name of the object it is in."""
    found = view.json(*names)
    uri = view.text(f"{names[0]}_ref")
    name = content_name_of(uri) if uri is not None else None
    if found is not None and found.data != []:
        # What is not JSON (cut off, or plain words) stays one string of the list.
        yield found.data if found.data is not None else view.text(*names), name
    elif name is not None:
        yield None, name


def read_message(record: LogRecord) -> Row:
    """Return the row of an event that is one message.

    Without content (its capture is off by default) the row says only that there was a message.
    """
    message = event_message(record.event_name, _body(record))
    direction = _direction(record.event_name, message["role"])
    content: Any = [message] if message["parts"] or "finish_reason" in message else None
    if direction == "system" and content:
        content = message["parts"]
    return content_row(direction, content, event_name=record.event_name)


def _direction(event_name: str, role: str) -> str:
    """Return the direction of a message."""
    if event_name == ANSWER_EVENT:
        return "output"
    return "system" if role in _SYSTEM_ROLES else "input"


def _body(record: LogRecord) -> dict[str, Any]:
    """Return what an event says: its body, or the attribute that some senders use instead."""
    given = record.body
    if given is None:
        given = record.attributes.get(_EVENT_CONTENT)
    if isinstance(given, str):
        parsed = parse_json_text(given).data
        given = parsed if isinstance(parsed, dict) else given
    return dict(given) if isinstance(given, dict) else {"content": given}


def event_message(event_name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message in the form of today's conventions: a role and parts.

    What the form has no place for is kept as it came.

    Args:
        event_name: One of :data:`MESSAGE_EVENTS`.
        body: What the event says; an answer stands in a member of its own.
    """
    inner = body.get("message")
    said = inner if isinstance(inner, dict) else {} if inner is None else {"content": inner}
    message = {"role": _ROLES[event_name], **body, **said}
    others = {
        name: value for name, value in message.items() if name not in _TAKEN and value is not None
    }
    role = str(message["role"] or _ROLES[event_name])
    return {"role": role, "parts": list(_parts(message)), **others}


def _parts(message: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the parts of a message."""
    if isinstance(message.get("parts"), list):
        yield from message["parts"]
    content = message.get("content")
    if message.get("role") == "tool" and content is not None:
        yield {"type": "tool_call_response", "id": message.get("id"), "response": content}
    elif isinstance(content, list):
        yield from map(_part, content)
    elif content is not None:
        yield _part(content)
    if isinstance(message.get("refusal"), str):
        yield {"type": "refusal", "content": message["refusal"]}
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        yield _tool_call(call)


def _part(part: Any) -> Any:
    """Return a part of an OpenAI message; one without text is kept as it came."""
    if isinstance(part, str):
        return {"type": "text", "content": part}
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return {"type": "text", "content": part["text"]}
    return part


def _tool_call(call: Any) -> Any:
    """Return a requested tool call; its arguments as an object when their text is one."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return call
    arguments = function.get("arguments")
    parsed = parse_json_text(arguments).data if isinstance(arguments, str) else None
    return {
        "type": "tool_call",
        "id": call.get("id"),
        "name": function.get("name"),
        "arguments": parsed if isinstance(parsed, dict) else arguments,
    }
