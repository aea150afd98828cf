"""Metric points that the source counted itself, as rows of ``source_counters``."""

from include.freezeline.hashing import stable_hash
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.otlp import MetricPoint
from include.freezeline.readers.providers import normalise_provider
from include.freezeline.readers.records import SideRows
from include.freezeline.readers.result import Row
from include.freezeline.readers.rules import LandingRules
from include.freezeline.readers.side_columns import origin_columns, rest_as_json
from include.freezeline.readers.values import to_timestamp

_TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 - a token of text
_TOKEN_TYPES = {
    "input": "input",
    "prompt": "input",
    "output": "output",
    "completion": "output",
    "cache_read": "cache_read",
    "cached": "cache_read",
    "cache_write": "cache_write",
    "cache_creation": "cache_write",
    "reasoning": "reasoning",
}
# Newer conventions have one metric per type; the longer endings come first.
_TOKEN_TYPE_OF_METRIC = (
    (".cache_read.input_tokens", "cache_read"),
    (".cache_write.input_tokens", "cache_write"),
    (".cache_creation.input_tokens", "cache_write"),
    (".reasoning.output_tokens", "reasoning"),
    (".input_tokens", "input"),
    (".output_tokens", "output"),
)


def read_metric_point(point: MetricPoint, rules: LandingRules) -> SideRows:
    """Return the row of a metric point."""
    view, resource = AttributeView(point.attributes), AttributeView(point.origin.resource)
    row: Row = {
        "series_hash": _series_hash(point),
        "metric_name": point.name,
        "unit": point.unit or None,
        "instrument": point.instrument,
        "temporality": point.temporality or None,
        "is_monotonic": point.is_monotonic,
        "started_at": to_timestamp(point.start_ns),
        "measured_at": to_timestamp(point.time_ns),
        **origin_columns(view, resource, rules.attributes),
        **_genai_columns(point.name, view),
        "point_count": point.n_observations,
        "point_sum": point.total,
        "point_min": point.least,
        "point_max": point.largest,
        "bucket_bounds": list(point.bounds) or None,
        "bucket_counts": list(point.bucket_counts) or None,
    }
    row["attributes_redacted"] = rest_as_json(view, resource, rules.attributes)
    return SideRows("metrics", {"source_counters": [row]})


def _series_hash(point: MetricPoint) -> str:
    """Return what all points of one series share; landing adds the key."""
    return stable_hash(
        point.origin.resource,
        point.origin.scope_name,
        point.origin.scope_version,
        point.name,
        point.unit,
        point.instrument,
        point.temporality,
        point.attributes,
    )


def _genai_columns(name: str, view: AttributeView) -> Row:
    """Return what the GenAI conventions say of a point."""
    return {
        "operation_name": view.text("gen_ai.operation.name"),
        "provider": normalise_provider(view.text("gen_ai.provider.name", "gen_ai.system")),
        "request_model": view.text("gen_ai.request.model"),
        "response_model": view.text("gen_ai.response.model"),
        "token_type": _token_type(name, view),
        "error_type": view.text("error.type"),
    }


def _token_type(name: str, view: AttributeView) -> str | None:
    """Return which tokens a point counts; an unknown type stays among the attributes."""
    given = view.values.get(_TOKEN_TYPE)
    known = _TOKEN_TYPES.get(given.lower()) if isinstance(given, str) else None
    if known is not None:
        view.take(_TOKEN_TYPE)
        return known
    if not name.startswith("gen_ai."):
        return None
    return next((kind for ending, kind in _TOKEN_TYPE_OF_METRIC if name.endswith(ending)), None)
