"""How a call ended: finish reasons and the closed list of error classes."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from include.freezeline.readers import langfuse_names
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.error_words import class_of_code, class_said_in
from include.freezeline.readers.otlp import Span

_STATUS_ERROR = 2
_STATUSES = {1: "ok", _STATUS_ERROR: "error"}
_HTTP_STATUS = re.compile(r"(?:error code|status(?: code)?|http)[:= ]+([1-5]\d\d)\b", re.IGNORECASE)
_FINISH_REASONS = {
    "stop": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "complete": "stop",
    "completed": "stop",
    "eos": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "tool_call": "tool_call",
    "tool_calls": "tool_call",
    "tool_use": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "refusal": "content_filter",
    "safety": "content_filter",
    "error": "error",
    "failed": "error",
    "network_error": "error",
    "pause_turn": "other",
    "malformed_function_call": "error",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "recitation": "content_filter",
    "spii": "content_filter",
    "error_toxic": "content_filter",
    "error_limit": "length",
    "model_context_window_exceeded": "length",
    "end_of_turn": "stop",
    "eos_token": "stop",
    "finish_reason_stop": "stop",
    "finish_reason_max_tokens": "length",
    "tool_use_requested": "tool_call",
}
# In a message these name the cause whatever the type or status; "timeout" in a 429's would not.
_BEYOND_DOUBT = ("context_length_exceeded", "content_filter")
_CLASS_OF_STATUS: dict[int | None, str] = {
    401: "invalid_api_key",
    403: "invalid_api_key",
    408: "timeout",
    429: "rate_limit",
    499: "cancelled",
    504: "timeout",
    524: "timeout",  # Cloudflare
}
_FIRST_SERVER_ERROR = 500
_HTTP_STATUSES = range(100, 600)
# Codes that stand for a type where neither an attribute nor an exception names one.
_CODE_NAMES = ("rpc.response.status_code", "rpc.jsonrpc.error_code")


class Failure(NamedTuple):
    """What went wrong.

    Attributes:
        error_type: Class or code as the source named it.
        error_class: One of the closed list.
        message: Error text as sent.
        http_status: HTTP status, as an attribute or as mentioned in type or message.
    """

    error_type: str | None
    error_class: str | None
    message: str | None
    http_status: int | None


def status_name(span: Span) -> str:
    """Return ok, error or unset; a level of Langfuse says error where the status was never set."""
    if span.status_code != _STATUS_ERROR and _has_error_level(span):
        return "error"
    return _STATUSES.get(span.status_code, "unset")


def read_failure(span: Span, view: AttributeView) -> Failure:
    """Return how a span failed; all None when it did not.

    Args:
        span: Its status and exception events are used.
        view: Its attributes ``error.type`` and HTTP status are used.
    """
    error_type = view.text("error.type")
    if span.status_code != _STATUS_ERROR and error_type is None and not _has_error_level(span):
        return Failure(None, None, None, None)
    exception = next((e.attributes for e in span.events if e.name == "exception"), {})
    exception_type, exception_text = (
        exception.get("exception.type"),
        exception.get("exception.message"),
    )
    if error_type is None and isinstance(exception_type, str):
        error_type = exception_type
    error_type = error_type or view.text(*_CODE_NAMES)
    said = view.text(langfuse_names.STATUS_MESSAGE)
    message = span.status_message or said
    message = message or (exception_text if isinstance(exception_text, str) else None)
    status = http_status_of(view)
    status = status or _status_in(error_type) or _status_in(message)
    return Failure(error_type, classify_error(error_type, message, status), message, status)


def _has_error_level(span: Span) -> bool:
    """Return whether Langfuse's level says that an observation failed."""
    return span.attributes.get(langfuse_names.LEVEL) == langfuse_names.ERROR_LEVEL


def http_status_of(view: AttributeView) -> int | None:
    """Return the HTTP status that attributes give; a number that is none is unknown."""
    status = view.integer("http.response.status_code", "http.status_code")
    return status if status in _HTTP_STATUSES else None


def classify_error(error_type: str | None, message: str | None, http_status: int | None) -> str:
    """Return the error class that type, message and HTTP status speak for.

    A connection that broke counts as ``server_error``: the provider did not answer.
    """
    by_type, by_message = class_said_in(error_type), class_said_in(message)
    if by_message is not None and by_message in _BEYOND_DOUBT and by_type not in _BEYOND_DOUBT:
        return by_message
    by_type = by_type or class_of_code(error_type)
    if by_type is not None:
        return by_type
    status = http_status or _status_in(error_type) or _status_in(message)
    if status in _CLASS_OF_STATUS:
        return _CLASS_OF_STATUS[status]
    if status is not None and status >= _FIRST_SERVER_ERROR:
        return "server_error"
    return by_message or "other"


def normalise_finish_reasons(reasons: Iterable[str]) -> list[str] | None:
    """Return finish reasons in the closed list; None when the source gave none.

    An empty reason is what some dialects write for a stream that was cut: unknown, not "other".
    """
    known = [
        _FINISH_REASONS.get(reason.lower().replace("-", "_"), "other")
        for reason in reasons
        if reason
    ]
    return known or None


def _status_in(text: str | None) -> int | None:
    """Return the HTTP status that a text mentions."""
    if not text:
        return None
    if len(text) == 3 and text.isascii() and text.isdigit():
        return int(text)
    found = _HTTP_STATUS.search(text)
    return int(found.group(1)) if found else None
