"""Messages and texts of Vercel AI SDK spans with ``ai.*`` names."""

from typing import Any

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.genai_content import content_columns
from include.freezeline.readers.jsontext import JsonText, parse_json_text, write_json
from include.freezeline.readers.result import Row
from include.freezeline.readers.tool_calls import requested_calls

_TEXT_FIELDS = ("ai.response.text", "ai.response.object", "ai.result.text", "ai.result.object")
_CALL_FIELDS = ("ai.response.toolCalls", "ai.result.toolCalls")


def embedded_texts(view: AttributeView) -> Row:
    """Return the texts that were embedded, each written as JSON; vectors are left out.

    They are long and useless here, and a text can be guessed from its vector.
    """
    values = view.values.get("ai.values", view.values.get("ai.value"))
    view.take("ai.values", "ai.value", "ai.embeddings", "ai.embedding")
    items = values if isinstance(values, list) else [values]
    read = [parse_json_text(item).data if isinstance(item, str) else item for item in items]
    texts = [text for text in read if isinstance(text, str)]
    return {"input_text_redacted": "\n".join(texts) or None}


def message_columns(view: AttributeView, *, is_call: bool) -> Row:
    """Return messages, texts and, on the call itself, the tool calls that it asks for."""
    inputs, system = _input(view)
    output = _output(view)
    row = content_columns(inputs, output)
    row["system_instructions_redacted"] = write_json(system) if system else None
    calls = requested_calls(output.data) if output is not None and is_call else []
    if calls:
        row["details"] = {"tool_calls": calls}
    return row


def _input(view: AttributeView) -> tuple[JsonText | None, list[Any]]:
    """Return the messages asked with, and the system's instructions among or beside them."""
    given = view.json("ai.prompt.messages", "ai.prompt")
    view.take("ai.prompt.format")
    if given is None or not isinstance(given.data, dict):
        data = given.data if given is not None and isinstance(given.data, list) else []
        system = [m.get("content") for m in data if _role(m) == "system"]
        return given, [_text_part(each) for each in system if each]
    asked = given.data.get("messages", given.data.get("prompt"))
    messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    instructions = given.data.get("system") or given.data.get("instructions")
    system = [_text_part(instructions)] if instructions else []
    return JsonText(write_json(messages), messages) if messages else None, system


def _role(message: Any) -> str | None:
    """Return who speaks in a message."""
    return message.get("role") if isinstance(message, dict) else None


def _text_part(content: Any) -> Any:
    """Return a text as a message part; anything else as it is."""
    return {"type": "text", "content": content} if isinstance(content, str) else content


def _output(view: AttributeView) -> JsonText | None:
    """Return the answer as one message in parts; an empty text counts when there is nothing else."""
    parts: list[Any] = []
    reasoning = view.text("ai.response.reasoning", "ai.response.reasoningText")
    if reasoning is not None:
        parts.append({"type": "reasoning", "content": reasoning})
    text = view.text(*_TEXT_FIELDS)
    called = view.json(*_CALL_FIELDS)
    if text is None and called is None and view.values.get("ai.response.text") == "":
        text = ""
    view.take(*_TEXT_FIELDS, *_CALL_FIELDS)
    if text is not None:
        parts.append({"type": "text", "content": text})
    if called is not None and isinstance(called.data, list):
        parts.extend(_call_part(call) for call in called.data if isinstance(call, dict))
    if not parts:
        return None
    messages = [{"role": "assistant", "parts": parts}]
    return JsonText(write_json(messages), messages)


def _call_part(call: dict[str, Any]) -> dict[str, Any]:
    """Return a requested tool call as a message part; version 4 wrote ``args`` for ``input``."""
    return {
        "type": "tool_call",
        "id": call.get("toolCallId"),
        "name": call.get("toolName"),
        "arguments": call.get("input", call.get("args")),
    }
