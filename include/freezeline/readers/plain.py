"""Spans without any LLM attribute: they hold the trace together, and carry the request's route."""

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.result import Row


def is_plain(_: Span) -> bool:
    """Return True: every span that no dialect claims is a plain one."""
    return True


def read_plain(_: Span, __: AttributeView) -> Row:
    """Return the columns of a plain span."""
    return {"span_type": "other", "is_leaf_model_call": False}
