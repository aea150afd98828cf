"""The plain text inside chat messages, whichever shape they were recorded in."""

from collections.abc import Iterable, Mapping
from typing import Any

_USER_ROLES = frozenset({"user", "human"})


def last_user_text(messages: Any) -> str | None:
    """Return the text of the last user message, None when there is none."""
    for message in reversed(_as_list(messages)):
        if isinstance(message, dict) and message.get("role") in _USER_ROLES:
            text = message_text(message)
            if text is not None:
                return text
    return None


def answer_text(messages: Any) -> str | None:
    """Return the text of the first output message that has any (a call may have several choices)."""
    for message in _as_list(messages):
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
        if isinstance(content, str):
            return content
        if isinstance(content, list):
            return _parts_text(content)
    refusal = message.get("refusal")
    return refusal if isinstance(refusal, str) else None


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
    found: dict[int, dict[str, Any]] = {}
    for name, value in attributes.items():
        if name.startswith(prefix):
            number, _, member = name[len(prefix) :].partition(".")
            if number.isdigit() and member.startswith(middle):
                message = found.setdefault(_index(number), {})
                _place(message, member[len(middle) :].split("."), value)
    return [found[index] for index in sorted(found)]


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
    return "\n".join(texts) if texts else None


def _part_text(part: Any) -> str | None:
    """Return the text of one part."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or part.get("type", "text") not in ("text", "input_text", "output_text", "refusal"):  # fmt: skip
        return None
    for member in ("content", "text", "refusal"):
        text = part.get(member)
        if isinstance(text, str):
            return text
    return None


def _as_list(messages: Any) -> list[Any]:
    """Return messages as a list; a single message is a list of one."""
    if isinstance(messages, list):
        return messages
    return [messages] if isinstance(messages, dict) else []
