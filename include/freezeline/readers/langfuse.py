"""Langfuse observations, as its SDKs send them over OTLP and as its export is turned into spans."""

from typing import Any

from include.freezeline.readers import langfuse_names as names
from include.freezeline.readers.answers import finish_reasons
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.jsontext import parse_json_text
from include.freezeline.readers.langfuse_content import read_content
from include.freezeline.readers.langfuse_usage import read_cost, read_usage
from include.freezeline.readers.otel_genai import read_otel_genai
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.outcomes import normalise_finish_reasons
from include.freezeline.readers.providers import normalise_provider, provider_of_model
from include.freezeline.readers.result import Row
from include.freezeline.readers.times import any_time_ns
from include.freezeline.readers.values import to_boolean, to_integer, to_number, to_text

_SCOPE = "langfuse-sdk"
_STATUS_ERROR = 2
_NS_PER_MS = 1_000_000
_SPAN_TYPES = {
    "generation": "llm",
    "embedding": "embedding",
    "agent": "agent",
    "tool": "tool",
    "chain": "workflow",
    "retriever": "retrieval",
    "evaluator": "evaluator",
    "guardrail": "guardrail",
    "trace": "workflow",  # an exported row of the table traces
}
_QUIET_LEVELS = frozenset({names.ERROR_LEVEL, "DEFAULT"})  # said by the status already
_FINISH_NAMES = ("metadata.finish_reason", "metadata.stop_reason")


def is_langfuse(span: Span) -> bool:
    """Return whether an SDK of Langfuse wrote a span."""
    return names.TYPE in span.attributes or span.origin.scope_name == _SCOPE


def is_langfuse_export(span: Span) -> bool:
    """Return whether a span was made of a row of a blob export."""
    return names.EXPORT_TABLE in span.attributes


def read_langfuse(span: Span, view: AttributeView) -> Row:
    """Return the columns of an observation.

    A span may carry both Langfuse's attributes and GenAI ones, when an application adds the former
    to the spans of another instrumentation. Langfuse's come first, as they do in Langfuse.
    """
    kind = _kind(view)
    row: Row = {} if kind is None else _observation(span, view, kind)
    if any(name.startswith("gen_ai.") for name in span.attributes):
        for column, value in read_otel_genai(span, view).items():
            if row.get(column) is None:
                row[column] = value
    row.setdefault("span_type", "other")
    row.setdefault("is_leaf_model_call", False)
    return row


def _kind(view: AttributeView) -> str | None:
    """Return the type of the observation; what names a model and no type is a generation."""
    view.take(names.EXPORT_TABLE)
    given = view.text(names.TYPE)
    if given is not None:
        return given.lower()
    return "generation" if names.MODEL in view.values else None


def _observation(span: Span, view: AttributeView, kind: str) -> Row:
    """Return the columns of an observation of a known type."""
    span_type = _SPAN_TYPES.get(kind, "other")
    failed = _has_failed(span, view)
    row: Row = {
        "span_type": span_type,
        "is_leaf_model_call": span_type == "llm",
        "operation_name": kind,
        "agent_name": span.name or None if span_type == "agent" else None,
        "workflow_name": _workflow_name(span, view, span_type),
        "prompt_name": view.text(names.PROMPT_NAME, "langfuse.prompt.name"),
        "prompt_version": view.text(names.PROMPT_VERSION, "langfuse.prompt.version"),
        "cost_reported_usd": read_cost(_data(view, names.COST)),
        **read_usage(_data(view, names.USAGE)),
        **_request_and_response(view, failed=failed),
        **_first_token(span, view),
    }
    if span_type == "llm":
        reasons = view.texts(*_FINISH_NAMES) or finish_reasons(_data(view, names.OUTPUT))
        row["finish_reasons"] = normalise_finish_reasons(reasons)
    row.update(read_content(span, view, span_type, failed=failed))
    if span_type == "tool":
        row["tool_name"] = span.name or None
    return row


def _has_failed(span: Span, view: AttributeView) -> bool:
    """Return whether the observation failed; a level is a column's only when it repeats that."""
    level = str(view.values.get(names.LEVEL) or "DEFAULT").upper()
    if level in _QUIET_LEVELS:
        view.take(names.LEVEL)
    return level == names.ERROR_LEVEL or span.status_code == _STATUS_ERROR


def _workflow_name(span: Span, view: AttributeView, span_type: str) -> str | None:
    """Return the chain's name, else the trace's."""
    trace_name = view.text(names.TRACE_NAME)
    return span.name or trace_name if span_type == "workflow" else trace_name


def _request_and_response(view: AttributeView, *, failed: bool) -> Row:
    """Return what was asked for and who answered.

    Langfuse keeps one model name: the one asked for, until an answer names a more exact one.
    Limits that were never set stand among the parameters as "Infinity" or null: unknown.
    """
    asked = _data(view, names.PARAMETERS)
    asked = asked if isinstance(asked, dict) else {}
    model = view.text(names.MODEL)
    provider = normalise_provider(view.text("metadata.ls_provider"))  # LangChain's handler
    limits = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens")
    return {
        "provider": provider or provider_of_model(model),
        "request_model": to_text(asked.get("model")) or model,
        "response_model": None if failed else model,
        "is_stream": to_boolean(asked.get("stream")),
        "temperature": to_number(asked.get("temperature")),
        "top_p": to_number(asked.get("top_p", asked.get("topP"))),
        "max_tokens": next((n for limit in limits if (n := to_integer(asked.get(limit)))), None),
        "seed": to_integer(asked.get("seed")),
        "reasoning_level": to_text(asked.get("reasoning_effort")),
        "service_tier": to_text(asked.get("service_tier")),
    }


def _first_token(span: Span, view: AttributeView) -> Row:
    """Return when the answer began, which only streams say; the time is JSON inside the text."""
    given = view.text(names.FIRST_TOKEN_TIME)
    first_ns = any_time_ns(given.strip().strip('"')) if given else 0
    if first_ns and span.start_ns:
        first_ms = (first_ns - span.start_ns) / _NS_PER_MS
        return {"is_stream": True, "ttft_ms": first_ms, "ttft_source": "timestamp"}
    reported_ms = view.number(names.FIRST_TOKEN_MS)
    return {} if reported_ms is None else {"is_stream": True, "ttft_ms": reported_ms}


def _data(view: AttributeView, name: str) -> Any:
    """Return what a JSON attribute means, without counting it as taken."""
    given = view.values.get(name)
    return None if given is None else parse_json_text(given).data
