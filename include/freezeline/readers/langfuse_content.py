"""What went into a Langfuse observation and came out: texts of any shape, mostly JSON."""

from typing import Any

from include.freezeline.readers import langfuse_names as names
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.jsontext import JsonText, parse_json_text, write_json
from include.freezeline.readers.otel_genai import content_columns
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.result import Row
from include.freezeline.readers.retrieved import document_rows, retrieval_columns
from include.freezeline.readers.tool_calls import executed_call, requested_calls
from include.freezeline.readers.values import to_integer

_MESSAGE_MEMBERS = ("role", "content", "parts", "message", "tool_calls")
_HOLDERS = ("messages", "choices")
_SYSTEM_ROLES = ("system", "developer")  # a role can be anything in JSON
_QUERY_MEMBERS = ("query", "question", "input", "text")
_LIMIT_MEMBERS = ("top_k", "k", "limit")
_DOCUMENT_MEMBERS = ("documents", "results", "matches", "chunks")


def read_content(span: Span, view: AttributeView, span_type: str, *, failed: bool) -> Row:
    """Return the text columns of an observation, and the rows that hang on it."""
    given = _own_or_traces(view, names.INPUT, names.TRACE_INPUT)
    answer = _own_or_traces(view, names.OUTPUT, names.TRACE_OUTPUT)
    if span_type == "tool":
        return _tool(span, view, given, answer, failed=failed)
    if span_type == "retrieval":
        return _retrieval(given, answer)
    if span_type == "embedding":
        # Its output is vectors: long, useless here, and the text can be guessed from them.
        return {"input_text_redacted": _plain(given)}
    return _messages(view, given, answer, is_call=span_type == "llm")


def _value(view: AttributeView, name: str) -> JsonText | None:
    """Return what an attribute holds; plain words are a JSON string."""
    found = view.json(name)
    if found is None or found.text == "null":
        return None
    return found if found.data is not None else parse_json_text(found.text)


def _own_or_traces(view: AttributeView, name: str, trace_name: str) -> JsonText | None:
    """Return the observation's value, or the trace's, which a root span carries too."""
    own = _value(view, name)
    if own is None:
        return _value(view, trace_name)
    if view.values.get(trace_name) in (own.text, own.data):
        view.take(trace_name)
    return own


def _tool(
    span: Span,
    view: AttributeView,
    given: JsonText | None,
    answer: JsonText | None,
    *,
    failed: bool,
) -> Row:
    """Return the call that a tool executed."""
    call = executed_call(
        name=span.name or None,
        call_id=view.text("metadata.tool_call_id"),
        tool_type=None,
        arguments=given,
        result=answer,
        is_error=failed,
    )
    return {"details": {"tool_calls": [call]}}


def _retrieval(given: JsonText | None, answer: JsonText | None) -> Row:
    """Return what a retriever was asked and found."""
    asked = given.data if given and isinstance(given.data, dict) else {}
    query = next((asked[name] for name in _QUERY_MEMBERS if isinstance(asked.get(name), str)), None)
    found = answer.data if answer else None
    if isinstance(found, dict):
        found = next((found[name] for name in _DOCUMENT_MEMBERS if name in found), None)
    row = retrieval_columns(document_rows(found) if isinstance(found, list) else None)
    row["retrieval_query_redacted"] = query or _plain(given)
    limits = (to_integer(asked.get(name)) for name in _LIMIT_MEMBERS)
    row["retrieval_top_k"] = next((limit for limit in limits if limit is not None), None)
    return row


def _messages(
    view: AttributeView, given: JsonText | None, answer: JsonText | None, *, is_call: bool
) -> Row:
    """Return messages where there are any, and the plain texts."""
    asked, answered = _as_messages(given), _as_messages(answer)
    row = content_columns(asked, answered)
    if asked is None:
        row["input_text_redacted"] = _plain(given)
    if answered is None:
        row["output_text_redacted"] = _plain(answer)
    row["system_instructions_redacted"] = _system(asked)
    calls = requested_calls(answered.data) if answered and is_call else []
    calls = calls or (_listed_calls(view) if is_call else [])
    if calls:
        row["details"] = {"tool_calls": calls}
    return row


def _as_messages(value: JsonText | None) -> JsonText | None:
    """Return the messages that a value is or holds; None when it is anything else.

    A request with tools is kept with its messages inside, an answer may be a raw response.
    """
    if value is None:
        return None
    data = value.data
    if isinstance(data, dict):
        inner = next((data[m] for m in _HOLDERS if isinstance(data.get(m), list)), None)
        data = [data] if inner is None else inner
        value = JsonText(write_json(data), data)
    is_list = isinstance(data, list) and bool(data) and all(map(_is_message, data))
    return value if is_list else None


def _is_message(item: Any) -> bool:
    """Return whether an item of a list is a chat message."""
    return isinstance(item, dict) and any(member in item for member in _MESSAGE_MEMBERS)


def _system(asked: JsonText | None) -> str | None:
    """Return the system's instructions among messages, as parts."""
    parts = [
        {"type": "text", "content": message["content"]}
        for message in (asked.data if asked else ())
        if message.get("role") in _SYSTEM_ROLES and message.get("content")
    ]
    return write_json(parts) if parts else None


def _listed_calls(view: AttributeView) -> list[Row]:
    """Return the tool calls that an export lists beside the answer, names in a list of their own."""
    calls, called = view.json(names.TOOL_CALLS), view.json(names.TOOL_CALL_NAMES)
    listed = calls.data if calls and isinstance(calls.data, list) else []
    named = called.data if called and isinstance(called.data, list) else []
    items = []
    for number, call in enumerate(listed):
        data = parse_json_text(call).data if isinstance(call, str) else call
        name = named[number] if number < len(named) else None
        if isinstance(data, dict):
            items.append({"name": name, **data})
    return requested_calls([{"tool_calls": items}]) if items else []


def _plain(value: JsonText | None) -> str | None:
    """Return a text as it reads, anything else as JSON."""
    if value is None:
        return None
    return (value.data if isinstance(value.data, str) else value.text) or None
