"""Message contents that the GenAI upload hook writes to objects of their own.

An object holds one list, as an array or as a line per item with its index, and carries neither
ids nor times: spans name it by the last part of its key, and landing dates it by its arrival.
"""

from collections.abc import Iterator
from typing import Any

from include.freezeline.readers.contents import content_row
from include.freezeline.readers.log_messages import content_name_of
from include.freezeline.readers.privacy import without_blocked
from include.freezeline.readers.records import Record, SideRows
from include.freezeline.readers.rules import BlockList

_INDEX = "index"  # what the hook adds to the items of a file with one per line
_PART_MEMBERS = frozenset(
    {
        "type", "content", "name", "id", "arguments", "response", "result", "server_tool_call",
        "server_tool_call_response", "mime_type", "modality", "file_id", "uri", _INDEX,
    }
)  # fmt: skip
_CONTENT_MEMBERS = frozenset({"content", "response", "result", "uri", "file_id"})
_DEFINITION_MEMBERS = frozenset(
    {
        "type", "name", "description", "parameters", "response", "strict", "inputSchema",
        "input_schema", "title", "annotations", _INDEX,
    }
)  # fmt: skip
_OUTPUT_NAME = "_outputs."


def is_upload_hook(document: Any) -> bool:
    """Return whether a document is message content that a GenAI upload hook wrote."""
    if isinstance(document, list):
        return _kind_of(document) is not None
    if not isinstance(document, dict):
        return False
    kind = _kind_of([document])
    return kind == "messages" or (kind is not None and type(document.get(_INDEX)) is int)


def read_upload_hook(key: str, document: Any, blocked: BlockList) -> Iterator[Record]:
    """Yield the content of an object, or of one line of it."""
    items = document if isinstance(document, list) else [document]
    kept = without_blocked({"content": items}, blocked)["content"]
    name = content_name_of(key)
    row = content_row(
        _direction(_kind_of(items), items, name or ""),
        kept,
        content_name=name,
        carrier="upload_object",
    )
    yield SideRows("content", {"message_contents": [row]})


def _direction(kind: str | None, items: list[Any], name: str) -> str:
    """Return the direction of items; only answers give a finish reason, or have such a name."""
    if kind == "definitions":
        return "tool_definitions"
    if kind == "parts":
        return "system"
    is_output = any("finish_reason" in item for item in items) or _OUTPUT_NAME in name
    return "output" if is_output else "input"


def _kind_of(items: list[Any]) -> str | None:
    """Return what all items are: messages, parts of instructions or definitions of tools."""
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    if all(_is_message(item) for item in items):
        return "messages"
    if all(_is_definition(item) for item in items):
        return "definitions"
    return "parts" if all(_is_part(item) for item in items) else None


def _is_message(item: dict[str, Any]) -> bool:
    """Return whether an item is a message."""
    return isinstance(item.get("role"), str) and isinstance(item.get("parts"), list)


def _is_definition(item: dict[str, Any]) -> bool:
    """Return whether an item defines a tool."""
    named = isinstance(item.get("name"), str)
    return named and "type" in item and item.keys() <= _DEFINITION_MEMBERS


def _is_part(item: dict[str, Any]) -> bool:
    """Return whether an item is a part of instructions; other records have other members too."""
    return (
        isinstance(item.get("type"), str)
        and item.keys() <= _PART_MEMBERS
        and not _CONTENT_MEMBERS.isdisjoint(item)
    )
