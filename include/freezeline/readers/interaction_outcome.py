"""How a logged interaction ended, from whichever of its fields says so."""

from collections.abc import Mapping
from typing import Any

from include.freezeline.readers.foreign import as_object
from include.freezeline.readers.otlp import Attributes
from include.freezeline.readers.values import to_boolean, to_integer, to_text

_UNSET, _OK, _ERROR = 0, 1, 2
_LEAST_STATUS, _FIRST_ERROR, _MOST_STATUS = 100, 400, 599
_SUCCESSES = frozenset(
    {"ok", "success", "succeeded", "successful", "completed", "complete", "done"}
)
_PLAIN_FAILURES = frozenset({"error", "failed", "failure", "false", "exception"})
_NAMED_FAILURES = frozenset(
    {"timeout", "cancelled", "canceled", "aborted", "rejected", "rate_limited"}
)


def interaction_outcome(fields: Mapping[str, Any]) -> tuple[int, str, Attributes]:
    """Return status code and message of a span, and what its failure was as attributes.

    A line without any word on it is neither a success nor a failure.

    Args:
        fields: Values by field, see ``interaction_fields``.
    """
    status = (to_text(fields.get("status")) or "").strip().lower()
    http_status = _http_status(fields, status)
    given = fields.get("error")
    says_error = given not in (None, False, 0, "", [], {}) and to_boolean(given) is not False
    failed = (
        says_error
        or any(fields.get(name) for name in ("error_type", "error_message"))
        or status in _PLAIN_FAILURES | _NAMED_FAILURES
        or (http_status is not None and http_status >= _FIRST_ERROR)
    )
    if not failed:
        succeeded = status in _SUCCESSES or status == "true" or http_status is not None
        return (_OK if succeeded else _UNSET), "", {}
    error = as_object(given)
    error_type = to_text(fields.get("error_type")) or to_text(error.get("type", error.get("code")))
    if error_type is None and status in _NAMED_FAILURES:
        error_type = status
    message = to_text(fields.get("error_message")) or to_text(error.get("message"))
    if message is None and isinstance(given, str):
        message = given
    attributes: Attributes = {"error.type": error_type, "http.response.status_code": http_status}
    return _ERROR, message or "", attributes


def _http_status(fields: Mapping[str, Any], status: str) -> int | None:
    """Return the HTTP status, which some logs write as their status."""
    error = as_object(fields.get("error"))
    for given in (fields.get("http_status"), status, error.get("status"), error.get("code")):
        number = to_integer(given)
        if number is not None and _LEAST_STATUS <= number <= _MOST_STATUS:
            return number
    return None
