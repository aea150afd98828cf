"""Message contents that came apart from their span, and how they make up a call again."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from include.freezeline.readers.jsontext import parse_json_text, write_json
from include.freezeline.readers.messages import answer_text, last_user_text, message_text
from include.freezeline.readers.outcomes import normalise_finish_reasons
from include.freezeline.readers.result import Row
from include.freezeline.readers.values import to_text

DETAILS_EVENT = "gen_ai.client.inference.operation.details"


def content_row(direction: str, content: Any, **columns: Any) -> Row:
    """Return the row of one piece of content.

    Args:
        direction: input, output, system or tool_definitions.
        content: Messages, parts of system instructions or definitions, as a list or a single
            one; None when the piece was delivered without its content.
        **columns: The other columns; those left out are null.
    """
    pieces = content if isinstance(content, list) else [] if content is None else [content]
    return {
        "trace_id": None,
        "span_id": None,
        "content_name": None,
        "event_name": None,
        "recorded_at": None,
        **columns,
        "direction": direction,
        "messages_redacted": None if content is None else write_json(pieces),
        "text_redacted": _text_of(direction, pieces),
        "finish_reason": _finish_reason(direction, pieces),
    }


def _text_of(direction: str, pieces: list[Any]) -> str | None:
    """Return the plain text that matters of a piece, as on a span that carries its content."""
    if direction == "input":
        return last_user_text(pieces)
    if direction == "output":
        return answer_text(pieces)
    return message_text({"parts": pieces}) if direction == "system" else None


def _finish_reason(direction: str, pieces: list[Any]) -> str | None:
    """Return the first finish reason that output messages give."""
    if direction != "output":
        return None
    given = (to_text(piece.get("finish_reason")) for piece in pieces if isinstance(piece, dict))
    reasons = normalise_finish_reasons(reason for reason in given if reason)
    return reasons[0] if reasons else None


class CallContents(NamedTuple):
    """What the pieces of one call make up together.

    Attributes:
        input_messages: Input messages in order.
        output_messages: Output messages in order, one per choice.
        system_instructions: Parts of the system instructions in order.
        input_text: Last user message as plain text; None when no piece has one.
        output_text: First answer as plain text; None when no piece has one.
        finish_reasons: Normalised, in the order of the answers.
    """

    input_messages: list[Any]
    output_messages: list[Any]
    system_instructions: list[Any]
    input_text: str | None
    output_text: str | None
    finish_reasons: list[str]


def assemble_call(pieces: Iterable[Mapping[str, Any]]) -> CallContents:
    """Put the pieces of one call together; this is the definition that the warehouse follows.

    A piece belongs to a call by its trace_id and span_id, or, when it was uploaded, by a
    content_name that the span names. Pieces are ordered by recorded_at, then source_offset, then
    source_object. Delivery is at least once, so a piece that says the same as an earlier one, of
    another object, is left out: on log events recorded_at is part of what it says, on uploads the
    arrival is not. Content that came in several ways is taken from one of them, per direction:
    from an event with the call's details, else from an upload, else from events of one message
    each. The input's text is the last one that is not null, the output's the first.

    Args:
        pieces: Rows of ``message_contents``, in any order.
    """
    kept = _distinct(sorted(pieces, key=_place))
    inputs, outputs, system = (
        _of_one_way([piece for piece in kept if piece["direction"] == direction])
        for direction in ("input", "output", "system")
    )
    return CallContents(
        input_messages=_messages(inputs),
        output_messages=_messages(outputs),
        system_instructions=_messages(system),
        input_text=next(iter(_given("text_redacted", reversed(inputs))), None),
        output_text=next(iter(_given("text_redacted", outputs)), None),
        finish_reasons=_given("finish_reason", outputs),
    )


def _place(piece: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what pieces are ordered by."""
    return (piece["recorded_at"], piece["source_offset"], piece["source_object"])


def _distinct(pieces: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return pieces without what another object delivered again."""
    first_objects: dict[tuple[Any, ...], str] = {}
    kept = []
    for piece in pieces:
        is_upload = piece["carrier"] == "upload_object"
        said = (
            piece["direction"],
            piece["event_name"],
            piece["content_name"],
            None if is_upload else piece["recorded_at"],
            piece["messages_redacted"],
        )
        if first_objects.setdefault(said, piece["source_object"]) == piece["source_object"]:
            kept.append(piece)
    return kept


def _of_one_way(pieces: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the pieces that came in the best of the ways content comes in."""
    with_content = [piece for piece in pieces if piece["messages_redacted"] is not None]
    details = [piece for piece in with_content if piece["event_name"] == DETAILS_EVENT]
    uploads = [piece for piece in with_content if piece["carrier"] == "upload_object"]
    return details or uploads or with_content


def _messages(pieces: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Return the messages of pieces in their order."""
    listed = (parse_json_text(text).data for text in _given("messages_redacted", pieces))
    return [message for messages in listed if isinstance(messages, list) for message in messages]


def _given(column: str, pieces: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a column's values that are not null."""
    return [piece[column] for piece in pieces if piece[column] is not None]
