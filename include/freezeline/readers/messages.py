"""The plain text inside chat messages, whichever shape they were recorded in."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from include.freezeline.readers.jsontext import parse_json_text

_USER_ROLES = ("user", "human")  # tuples, because a role or type can be anything in JSON
# Parts whose text is what was said; every other type (reasoning, calls, media, compaction) is
# kept in the messages and has no plain text.
_TEXT_PARTS = ("text", "input_text", "output_text", "refusal")
# Events of the conventions up to 1.36, one per message; some write them on the span.
_ROLE_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.developer.message": "developer",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE_EVENT = "gen_ai.choice"
MESSAGE_EVENTS = frozenset({*_ROLE_EVENTS, _CHOICE_EVENT})
_EVENT_CONTENT = "gen_ai.event.content"  # where Azure's SDKs put the body of such an event
_NOT_OF_THE_MESSAGE = frozenset({"gen_ai.system", "gen_ai.provider.name", "event.name"})


class Numbered(NamedTuple):
    """What a dialect flattened into numbered attributes.

    Attributes:
        items: One mapping per number in order, nested members rebuilt from their dotted names.
        names: The attributes that it was rebuilt from.
    """

    items: list[dict[str, Any]]
    names: list[str]


def last_user_text(messages: Any) -> str | None:
    """Return the text of the last user message, None when there is none."""
    for message in reversed(message_list(messages)):
        if isinstance(message, dict) and message.get("role") in _USER_ROLES:
            text = message_text(message)
            if text is not None:
                return text
    return None


def answer_text(messages: Any) -> str | None:
    """Return the text of the first output message that has any (a call may have several choices)."""
    for message in message_list(messages):
        if isinstance(message, dict):
            inner = message.get("message")  # a raw OpenAI choice
            text = message_text(inner if isinstance(inner, dict) else message)
            if text is not None:
                return text
    return None


def message_text(message: Mapping[str, Any]) -> str | None:
    """Return the text of one message; tool calls, reasoning and media have none.

    Args:
        message: With ``parts`` (OpenTelemetry), or ``content`` as text or parts (OpenAI).
    """
    for member in ("parts", "content"):
        content = message.get(member)
        if content is None:
            continue
        if isinstance(content, str):
            return content
        if isinstance(content, list):
            return _parts_text(content)
        if isinstance(content, dict):
            return _part_text(content)
    refusal = message.get("refusal")
    return refusal if isinstance(refusal, str) else None


def message_list(messages: Any) -> list[Any]:
    """Return messages as a list; a single message is a list of one."""
    if isinstance(messages, list):
        return messages
    return [messages] if isinstance(messages, dict) else []


def event_message(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message of an event of :data:`MESSAGE_EVENTS`.

    Args:
        name: Name of the event.
        fields: Its body, or the attributes that stand for it on a span event.
    """
    given = fields.get(_EVENT_CONTENT)
    body = parse_json_text(given).data if isinstance(given, str) else given
    if not isinstance(body, dict):
        body = {
            member: _structured(value)
            for member, value in fields.items()
            if member not in _NOT_OF_THE_MESSAGE
        }
    if name != _CHOICE_EVENT:
        return {"role": _ROLE_EVENTS[name], **body}
    said = body.get("message")
    others = {member: value for member, value in body.items() if member != "message"}
    message = said if isinstance(said, dict) else {} if said is None else {"content": said}
    return {"role": "assistant", **message, **others}


def is_answer_event(name: str) -> bool:
    """Return whether an event of :data:`MESSAGE_EVENTS` holds an answer rather than an input."""
    return name == _CHOICE_EVENT


def indexed_messages(
    attributes: Mapping[str, Any], prefix: str, middle: str = ""
) -> list[dict[str, Any]]:
    """Rebuild the messages that a dialect flattened into numbered attributes.

    Args:
        attributes: All attributes of the span.
        prefix: What stands before the number, such as ``llm.input_messages.``.
        middle: What stands after the number, such as ``message.``.

    Returns:
        One mapping per message in index order, nested members rebuilt from their dotted names.
    """
    return numbered(attributes, {prefix: middle})[prefix].items


def numbered(attributes: Mapping[str, Any], heads: Mapping[str, str]) -> dict[str, Numbered]:
    """Rebuild several lists that were flattened into numbered attributes, in one pass.

    Args:
        attributes: All attributes of the span.
        heads: What stands before the number, and what stands after it.
    """
    prefixes = tuple(heads)
    found: dict[str, dict[int, dict[str, Any]]] = {prefix: {} for prefix in prefixes}
    names: dict[str, list[str]] = {prefix: [] for prefix in prefixes}
    for name, value in attributes.items():
        if name.startswith(prefixes):
            for prefix in prefixes:  # a generator would cost more than all the rest
                if name.startswith(prefix):
                    break
            number, _, member = name[len(prefix) :].partition(".")
            middle = heads[prefix]
            if number.isdigit() and member.startswith(middle):
                item = found[prefix].setdefault(_index(number), {})
                _place(item, member[len(middle) :].split("."), value)
                names[prefix].append(name)
    return {
        prefix: Numbered([items[index] for index in sorted(items)], names[prefix])
        for prefix, items in found.items()
    }


def listed(value: Any) -> list[Any]:
    """Return a mapping with numbered members, as :func:`indexed_messages` makes them, as a list."""
    if not isinstance(value, dict):
        return []
    numbers = sorted((name for name in value if name.isdigit()), key=_index)
    return [value[number] for number in numbers]


def _place(holder: dict[str, Any], path: list[str], value: Any) -> None:
    """Set a nested member; a member that is both a value and a mapping keeps the mapping."""
    for step in path[:-1]:
        inner = holder.get(step)
        if not isinstance(inner, dict):
            inner = holder[step] = {}
        holder = inner
    if not isinstance(holder.get(path[-1]), dict):
        holder[path[-1]] = value


def _index(number: str) -> int:
    """Return the index that digits stand for; absurdly long ones sort last."""
    return int(number) if number.isascii() and len(number) < 10 else 10**9


def _parts_text(parts: Iterable[Any]) -> str | None:
    """Return the text parts joined by line breaks."""
    texts = [text for part in parts if (text := _part_text(part)) is not None]
    if len(texts) == 1:
        return texts[0]
    return "\n".join(texts) if texts else None


def _part_text(part: Any) -> str | None:
    """Return the text of one part."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or part.get("type", "text") not in _TEXT_PARTS:
        return None
    for member in ("content", "text", "refusal"):
        text = part.get(member)
        if isinstance(text, str):
            return text
    return None


def _structured(value: Any) -> Any:
    """Return a member of an event's body; a structured one may be written as JSON text."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        data = parse_json_text(value).data
        return value if data is None else data
    return value
