"""Messages of a GenAI span: in attributes, flattened attributes or span events."""

from typing import Any

from include.freezeline.readers import messages
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.jsontext import JsonText, write_json
from include.freezeline.readers.log_messages import DETAILS_EVENTS
from include.freezeline.readers.names import Names
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.outcomes import normalise_finish_reasons
from include.freezeline.readers.result import Row

_INPUT_NAMES = ("gen_ai.input.messages", "gen_ai.prompt")
_OUTPUT_NAMES = ("gen_ai.output.messages", "gen_ai.completion")
_SYSTEM_NAME = "gen_ai.system_instructions"
_FLATTENED = {"gen_ai.prompt.": "", "gen_ai.completion.": ""}
# One of them is there whenever anything is flattened; asking for them spares a pass over all.
_FLATTENED_MARKS = frozenset(
    f"{prefix}0.{member}"
    for prefix in _FLATTENED
    for member in ("role", "content", "finish_reason", "tool_calls.0.name")
)
_NAMES = _FLATTENED_MARKS | {*_INPUT_NAMES, *_OUTPUT_NAMES, _SYSTEM_NAME}
_NOTHING_FLATTENED: dict[str, JsonText | None] = dict.fromkeys(_FLATTENED)


def join_content_events(span: Span, view: AttributeView) -> None:
    """Let attributes of events that carry a call's content count as the span's own.

    What the span says itself wins.
    """
    for number, event in enumerate(span.events):
        if event.name in DETAILS_EVENTS:
            view.join(event.attributes)
            view.held_events[number] = {}


def has_content(names: Names) -> bool:
    """Return whether attributes of these names may hold messages."""
    return not _NAMES.isdisjoint(names)


def content(
    span: Span, view: AttributeView, *, has_events: bool
) -> tuple[Row, JsonText | None]:  # fmt: skip
    """Return the message columns and the output messages.

    Args:
        span: Its events are used when attributes hold no message.
        view: Its attributes.
        has_events: Whether events of the span may be messages; on a tool's span they are not.
    """
    inputs, outputs = view.json(*_INPUT_NAMES), view.json(*_OUTPUT_NAMES)
    system = view.json(_SYSTEM_NAME)
    if inputs is None or outputs is None:
        flat = _flattened(view)
        inputs = inputs or flat["gen_ai.prompt."]
        outputs = outputs or flat["gen_ai.completion."]
    if span.events and has_events and inputs is None and outputs is None:
        inputs, outputs = _event_messages(span, view)
    row = content_columns(inputs, outputs)
    row["system_instructions_redacted"] = system.text if system else None
    return row, outputs


def message_finish_reasons(outputs: JsonText | None) -> list[str] | None:
    """Return the finish reasons that output messages name, normalised."""
    given = [
        message.get("finish_reason")
        for message in messages.message_list(outputs.data if outputs else None)
        if isinstance(message, dict)
    ]
    return normalise_finish_reasons(reason for reason in given if isinstance(reason, str))


def content_columns(inputs: JsonText | None, outputs: JsonText | None) -> Row:
    """Return the message columns and the plain texts in them."""
    return {
        "input_messages_redacted": inputs.text if inputs else None,
        "output_messages_redacted": outputs.text if outputs else None,
        "input_text_redacted": messages.last_user_text(inputs.data) if inputs else None,
        "output_text_redacted": messages.answer_text(outputs.data) if outputs else None,
    }


def as_json(value: list[Any]) -> JsonText | None:
    """Return a list as JSON; None when it is empty."""
    return JsonText(write_json(value), value) if value else None


def _flattened(view: AttributeView) -> dict[str, JsonText | None]:
    """Return messages that very old instrumentations wrote as numbered attributes."""
    if view.values.keys().isdisjoint(_FLATTENED_MARKS):
        return _NOTHING_FLATTENED
    found = messages.numbered(view.values, _FLATTENED)
    for each in found.values():
        view.take(*each.names)
    return {prefix: as_json(each.items) for prefix, each in found.items()}


def _event_messages(
    span: Span, view: AttributeView
) -> tuple[JsonText | None, JsonText | None]:  # fmt: skip
    """Return input and output messages from one span event per message."""
    asked: list[Any] = []
    answered: list[Any] = []
    for number, event in enumerate(span.events):
        if event.name in messages.MESSAGE_EVENTS:
            said = answered if messages.is_answer_event(event.name) else asked
            said.append(messages.event_message(event.name, event.attributes))
            view.held_events[number] = {}
    return as_json(asked), as_json(answered)
