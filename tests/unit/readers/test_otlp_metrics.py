"""Metric documents become one counter row per data point, equal in both encodings."""

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.columns import Privacy
from include.freezeline.contracts.lake import SOURCE_COUNTERS
from include.freezeline.errors import ReadError
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import LandingRules, load_landing_rules
from tests.unit.readers import builders
from tests.unit.readers.builders import START_NS, pairs
from tests.unit.readers.conftest import CONFIG_DIR

Read = Callable[..., ReadResult]
RULES = load_landing_rules(CONFIG_DIR)
END_NS = START_NS + 60 * 10**9
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "az.ai.openai",
    "gen_ai.request.model": "gpt-4.1",
    "gen_ai.response.model": "gpt-4.1-2025-04-14",
}


def point(attributes: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """Return a data point of one minute."""
    return {
        "startTimeUnixNano": str(START_NS),
        "timeUnixNano": str(END_NS),
        "attributes": pairs(CHAT if attributes is None else attributes),
        **members,
    }


def metric(kind: str, *points: Any, name: str = "m", **data: Any) -> dict[str, Any]:
    """Return a metric."""
    return {"name": name, "unit": "{token}", kind: {"dataPoints": list(points), **data}}


def document(*metrics: Any, **resource: Any) -> dict[str, Any]:
    """Return a MetricsData document."""
    described = {"service.name": "shop", "deployment.environment.name": "staging", **resource}
    scoped = {"scope": {"name": "s", "version": "1"}, "metrics": list(metrics)}
    return {
        "resourceMetrics": [
            {"resource": {"attributes": pairs(described)}, "scopeMetrics": [scoped]}
        ]
    }


def as_protobuf(value: dict[str, Any]) -> bytes:
    """Return a document as the protobuf library writes it."""
    return ParseDict(value, MetricsData()).SerializeToString()


HISTOGRAM = point(
    count="3", sum=70.5, min=10, max=40.5, explicitBounds=[16, 64], bucketCounts=["1", "2", 0]
)
EXPONENTIAL = point(count=9, sum=5, scale=0, zeroCount="2", positive={"offset": 1, "bucketCounts": [3, "1"]},
                    negative={"offset": -1, "bucketCounts": ["3"]})  # fmt: skip
EVERYTHING = document(
    metric("histogram", HISTOGRAM, name="gen_ai.client.token.usage", aggregationTemporality=2),
    metric("exponentialHistogram", EXPONENTIAL, aggregationTemporality=1),
    metric("sum", point(asInt="41"), point(asDouble=0.5), isMonotonic=True, aggregationTemporality=1),
    metric("gauge", point({"n": 1, "list": ["a", 2.5], "deep": {"x": None}}, asInt=-3)),
)  # fmt: skip


def counters(result: ReadResult) -> list[Row]:
    """Return the rows of a document in which every point is usable."""
    assert (result.signal, result.rejects) == ("metrics", [])
    return result.tables["source_counters"]


def test_each_instrument_gives_its_values(read: Read) -> None:
    histogram, exponential, whole, part, gauge = counters(read(EVERYTHING, "metrics_1.json"))
    assert (histogram["instrument"], histogram["temporality"]) == ("histogram", "cumulative")
    assert (histogram["point_count"], histogram["point_sum"]) == (3, 70.5)
    assert (histogram["point_min"], histogram["point_max"]) == (10.0, 40.5)
    assert (histogram["bucket_bounds"], histogram["bucket_counts"]) == ([16.0, 64.0], [1, 2, 0])
    assert (histogram["is_monotonic"], histogram["unit"]) == (None, "{token}")
    assert (histogram["started_at"].minute + 1, histogram["measured_at"].second) == (
        histogram["measured_at"].minute, histogram["started_at"].second)  # fmt: skip
    # Scale 0 is base 2: (2, 4] and (4, 8] above, [-1, -0.5) below, zeros between.
    assert exponential["bucket_bounds"] == [-1.0, -0.5, 2.0, 4.0, 8.0]
    assert exponential["bucket_counts"] == [0, 3, 2, 3, 1, 0]
    assert (whole["point_sum"], part["point_sum"], whole["is_monotonic"]) == (41.0, 0.5, True)
    assert (whole["point_count"], whole["bucket_counts"]) == (None, None)
    assert (gauge["point_sum"], gauge["is_monotonic"], gauge["temporality"]) == (-3.0, None, None)
    assert json.loads(gauge["attributes_redacted"]) == {
        "n": 1, "list": ["a", 2.5], "deep": {"x": None}}  # fmt: skip


def test_origin_and_genai_columns_are_normalised(read: Read) -> None:
    (row,) = counters(read(document(metric("sum", point(asInt=1)))))
    assert (row["service_name"], row["environment"], row["feature"]) == ("shop", "staging", "shop")
    assert (row["operation_name"], row["provider"]) == ("chat", "azure.ai.openai")
    assert (row["request_model"], row["response_model"]) == ("gpt-4.1", "gpt-4.1-2025-04-14")
    assert (row["token_type"], row["error_type"], row["attributes_redacted"]) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "attributes", "token_type"),
    [
        ("gen_ai.client.token.usage", {"gen_ai.token.type": "input"}, "input"),
        ("gen_ai.client.token.usage", {"gen_ai.token.type": "completion"}, "output"),
        ("gen_ai.client.token.usage", {"gen_ai.token.type": "martian"}, None),
        ("gen_ai.client.token.usage", {"gen_ai.token.type": 7}, None),
        ("gen_ai.client.inference.usage.input_tokens", {}, "input"),
        ("gen_ai.client.inference.usage.output_tokens", {}, "output"),
        ("gen_ai.client.inference.usage.cache_read.input_tokens", {}, "cache_read"),
        ("gen_ai.client.inference.usage.cache_write.input_tokens", {}, "cache_write"),
        ("gen_ai.client.inference.usage.reasoning.output_tokens", {}, "reasoning"),
        ("gen_ai.client.embeddings.operation.input_tokens", {}, "input"),
        ("game.input_tokens", {}, None),
    ],
)
def test_token_types_come_from_the_attribute_or_the_name(
    read: Read, name: str, attributes: dict[str, Any], token_type: str | None
) -> None:
    (row,) = counters(read(document(metric("sum", point(attributes, asInt=1), name=name))))
    assert row["token_type"] == token_type
    if attributes and token_type is None:
        assert json.loads(row["attributes_redacted"]) == attributes


def test_a_series_is_told_by_resource_name_and_attributes_and_not_by_time_or_value(
    read: Read,
) -> None:
    def series(document_: dict[str, Any]) -> str:
        return str(counters(read(document_))[0]["series_hash"])

    base = series(document(metric("sum", point(asInt=1))))
    later = point(asInt=9, timeUnixNano=str(END_NS + 1))
    assert series(document(metric("sum", later))) == base
    others = {
        series(document(metric("sum", point(asInt=1)), **{"service.instance.id": "i-2"})),
        series(document(metric("sum", point(asInt=1), name="other"))),
        series(document(metric("sum", point({}, asInt=1)))),
        series(document(metric("gauge", point(asInt=1)))),
    }
    assert len({base, *others}) == 5


def test_nobody_is_named_in_what_is_kept(read: Read) -> None:
    attributes = {"user.id": "someone-77", "note": "for someone-77", "http.request.header.x": "v"}
    (row,) = counters(read(document(metric("sum", point(attributes, asInt=1)))))
    assert json.loads(row["attributes_redacted"]) == {"note": "for <USER>"}
    assert SOURCE_COUNTERS.column("series_hash").privacy is Privacy.PSEUDONYM


def test_json_and_protobuf_give_equal_rows(read: Read, rules: LandingRules) -> None:
    nan = point({"a": float("nan"), "b": b"\x00\xff", "big": 2**60, "t": True, "e": ""}, asDouble=1)
    value = document(*EVERYTHING["resourceMetrics"][0]["scopeMetrics"][0]["metrics"],
                     metric("gauge", nan))  # fmt: skip
    for key in ("metrics_1.binpb", "misleading_traces"):
        from_protobuf = read_object(key, as_protobuf(value), rules)
        assert from_protobuf.format == "otlp_protobuf"
        assert counters(from_protobuf) == counters(read(value))


@pytest.mark.parametrize("temporality", [2, "AGGREGATION_TEMPORALITY_CUMULATIVE"])
def test_temporality_is_a_number_or_its_name(read: Read, temporality: Any) -> None:
    value = document(metric("sum", point(asInt=1), aggregationTemporality=temporality))
    assert counters(read(value))[0]["temporality"] == "cumulative"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (metric("summary", point(count=1, sum=2)), "unsupported_metric:summary"),
        (metric("sum", point(asDouble="NaN")), "not_a_number"),
        (metric("sum", point(asDouble="Infinity")), "not_a_number"),
        (metric("sum", point(asInt="1.5")), "malformed_metric"),
        (metric("sum", point(asInt=2**63)), "malformed_metric"),
        (metric("sum", point(asInt=True)), "malformed_metric"),
        (metric("sum", point()), "malformed_metric"),
        (metric("gauge", point(flags=1)), "no_recorded_value"),
        (metric("gauge", point(asInt=1, timeUnixNano=0)), "missing_time"),
        (metric("histogram", point(count=-1)), "malformed_metric"),
        (metric("histogram", point(count="many")), "malformed_metric"),
        (metric("histogram", point(count=1, sum="NaN")), "not_a_number"),
        (metric("histogram", point(count=1, bucketCounts=[1, 2])), "malformed_metric"),
        (metric("histogram", point(count=1, explicitBounds="16")), "malformed_metric"),
        (metric("histogram", point(count=1, explicitBounds=["NaN"], bucketCounts=[1, 0])), "not_a_number"),
        (metric("exponentialHistogram", point(scale="x")), "malformed_metric"),
        (metric("exponentialHistogram", point(scale=-40, positive={"offset": 5, "bucketCounts": [1]})),
         "malformed_metric"),
        (metric("exponentialHistogram", point(positive={"offset": 0.5, "bucketCounts": [1]})),
         "malformed_metric"),
        (metric("sum", 7), "malformed_metric"),
        ({"name": "m"}, "malformed_metric"),
        ({"sum": {"dataPoints": []}}, "malformed_metric"),
        ({"name": "m", "sum": {"dataPoints": {}}}, "malformed_metric"),
        ({"name": "m", "sum": {"data_points": []}}, "not_otlp_json:snake_case_keys"),
    ],
)  # fmt: skip
def test_a_point_that_cannot_be_used_is_refused_alone(read: Read, made: Any, reason: str) -> None:
    good = metric("sum", point(asInt=1))
    result = read(document(made, good), "metrics_1.json")
    assert [reject.reason for reject in result.rejects] == [reason]
    assert len(result.tables["source_counters"]) == 1


def test_missing_values_are_null_and_never_zero(read: Read) -> None:
    bare = point({}, count=0, startTimeUnixNano=0)
    (row,) = counters(read(document(metric("histogram", bare))))
    assert (row["point_count"], row["point_sum"], row["point_min"]) == (0, None, None)
    assert (row["bucket_bounds"], row["bucket_counts"], row["started_at"]) == (None, None, None)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)  # fmt: skip
members = st.dictionaries(
    st.sampled_from(
        ("timeUnixNano", "startTimeUnixNano", "count", "sum", "min", "max", "asInt", "asDouble",
         "explicitBounds", "bucketCounts", "scale", "zeroCount", "positive", "negative", "flags",
         "attributes", "offset")
    ),
    values,
    max_size=6,
)  # fmt: skip
kinds = st.sampled_from(("sum", "gauge", "histogram", "exponentialHistogram", "summary"))


@settings(deadline=None)
@given(kinds, members, st.sampled_from(("dataPoints", "aggregationTemporality", "x")), values)
def test_no_point_ends_the_night(kind: str, given_: dict[str, Any], member: str, odd: Any) -> None:
    data = {"dataPoints": [{**point(asInt=1), **given_}], member: odd}
    body = builders.encode(document({"name": "m", "unit": odd, kind: data}))
    try:
        result = read_object("metrics.json", body, RULES)
    except ReadError:
        return
    assert result.record_count == result.used_count + len(result.rejects)
    assert not [r for r in result.rejects if r.reason.startswith("reader_error")]
    extra = {"source_object": "k", "source_sha256": "h"}
    rows = [{**row, **extra, "arrived_at": row["measured_at"]}
            for row in result.tables.get("source_counters", [])]  # fmt: skip
    pa.Table.from_pylist(rows, schema=arrow_schema(SOURCE_COUNTERS)).validate(full=True)
