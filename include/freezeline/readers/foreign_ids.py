"""Ids of producers that are not OTLP, in the form that OTLP has.

An id that already is a W3C id stays as it is, so that records of one trace meet whichever way they
came. Any other id becomes a hash of itself alone: the same text gives the same id in every file,
table and run, and the hash of a trace never equals the hash of a span.
"""

from typing import Any

from include.freezeline.hashing import stable_hash
from include.freezeline.readers.otlp import is_span_id, is_trace_id
from include.freezeline.readers.values import to_text

_SPAN_ID_DIGITS = 16


def foreign_trace_id(given: Any) -> str:
    """Return a trace id of 32 hex digits; empty when none is given."""
    text = (to_text(given) or "").strip()
    folded = text.lower()
    return folded if not text or is_trace_id(folded) else stable_hash("trace", text)


def foreign_span_id(given: Any) -> str:
    """Return a span id of 16 hex digits; empty when none is given."""
    text = (to_text(given) or "").strip()
    folded = text.lower()
    if not text or is_span_id(folded):
        return folded
    return stable_hash("span", text)[:_SPAN_ID_DIGITS]


def whole_trace_span_id(given: Any) -> str:
    """Return the id of the span that stands for a whole trace; empty when no trace is given."""
    trace_id = foreign_trace_id(given)
    return stable_hash("whole trace", trace_id)[:_SPAN_ID_DIGITS] if trace_id else ""
