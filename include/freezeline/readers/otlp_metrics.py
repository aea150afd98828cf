"""OTLP metrics to one record per data point, from either encoding.

A point with a value that cannot be used is refused by itself; unknown members are ignored.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

from include.freezeline.readers.otlp import Attributes, MetricPoint, Origin
from include.freezeline.readers.records import Record, Refused
from include.freezeline.readers.values import to_integer, to_number, to_time_ns

Json = dict[str, Any]

_INSTRUMENTS = {
    "sum": "sum",
    "gauge": "gauge",
    "histogram": "histogram",
    "exponentialHistogram": "exponential_histogram",
    "summary": "summary",
}
# A number by the specification, a name where protobuf's own JSON mapping wrote the document.
_TEMPORALITIES = {
    1: "delta",
    2: "cumulative",
    "AGGREGATION_TEMPORALITY_DELTA": "delta",
    "AGGREGATION_TEMPORALITY_CUMULATIVE": "cumulative",
}
_NO_RECORDED_VALUE = 1  # flag of a point that only says that its series ended


class _PointError(ValueError):
    """A point that cannot be used, as ``reason`` and ``detail``."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.refused = Refused(reason, detail, "metrics")


class _Observed(NamedTuple):
    """What a point observed; see :class:`MetricPoint`."""

    total: float | None
    n_observations: int | None = None
    least: float | None = None
    largest: float | None = None
    bounds: tuple[float, ...] = ()
    bucket_counts: tuple[int, ...] = ()


def read_metric(
    metric: Json, origin: Origin, attributes_of: Callable[[Any], Attributes]
) -> Iterator[Record]:
    """Yield the data points of a metric of an OTLP/JSON document.

    Args:
        metric: The parsed metric.
        origin: Its resource and scope.
        attributes_of: Reads a KeyValue list and leaves out what is blocked.
    """
    kinds = [kind for kind in _INSTRUMENTS if isinstance(metric.get(kind), dict)]
    name = metric.get("name")
    if not isinstance(name, str) or not name or len(kinds) != 1:
        detail = "a metric needs a name and one of sum, gauge, histogram or exponentialHistogram"
        yield Refused("malformed_metric", detail, "metrics")
        return
    data = metric[kinds[0]]
    points = data.get("dataPoints")
    if points is None and "data_points" in data:
        detail = "keys must be lowerCamelCase"
        yield Refused("not_otlp_json:snake_case_keys", detail, "metrics")
        return
    if not isinstance(points, list | None):
        yield Refused("malformed_metric", "dataPoints must be an array", "metrics")
        return
    for point in points or ():
        yield _read_point(metric, kinds[0], point, origin, attributes_of)


def read_metric_message(
    metric: Any, origin: Origin, attributes_of: Callable[[Any], Attributes]
) -> Iterator[Record]:
    """Yield the data points of a metric of an OTLP protobuf message.

    Args:
        metric: The protobuf metric.
        origin: Its resource and scope.
        attributes_of: Reads a KeyValue list in its JSON form and leaves out what is blocked.
    """
    kind = metric.WhichOneof("data")
    for point in getattr(metric, kind).data_points if kind else ():
        if kind != "summary":
            del point.exemplars[:]  # not read, and costly to convert
    yield from read_metric(MessageToDict(metric), origin, attributes_of)


def _read_point(
    metric: Json, kind: str, point: Any, origin: Origin, attributes_of: Callable[[Any], Attributes]
) -> MetricPoint | Refused:
    """Return one data point, or why it cannot be used."""
    if not isinstance(point, dict):
        return Refused("malformed_metric", "dataPoints must hold objects", "metrics")
    time_ns = to_time_ns(point.get("timeUnixNano"))
    if not time_ns:
        return Refused("missing_time", "timeUnixNano must be a time after 1970", "metrics")
    try:
        observed = _observed(kind, point)
    except _PointError as error:
        return error.refused
    data, unit = metric[kind], metric.get("unit")
    given = data.get("aggregationTemporality")
    return MetricPoint(
        origin=origin,
        name=metric["name"],
        unit=unit if isinstance(unit, str) else "",
        instrument=_INSTRUMENTS[kind],
        temporality=_TEMPORALITIES.get(given, "") if isinstance(given, int | str) else "",
        is_monotonic=data.get("isMonotonic") is True if kind == "sum" else None,
        start_ns=to_time_ns(point.get("startTimeUnixNano")),
        time_ns=time_ns,
        attributes=attributes_of(point.get("attributes")),
        **observed._asdict(),
    )


def _observed(kind: str, point: Json) -> _Observed:
    """Return what a point observed.

    Raises:
        _PointError: Its instrument or one of its values cannot be used.
    """
    if kind == "summary":
        _refuse("quantiles cannot be added up", "unsupported_metric:summary")
    if (to_integer(point.get("flags")) or 0) & _NO_RECORDED_VALUE:
        _refuse("the point marks the end of its series", "no_recorded_value")
    if kind in ("sum", "gauge"):
        return _Observed(_value(point))
    is_exponential = kind == "exponentialHistogram"
    bounds, counts = _exponential_buckets(point) if is_exponential else _buckets(point)
    return _Observed(
        total=None if point.get("sum") is None else _finite(point["sum"], "sum"),
        n_observations=_count(point.get("count", 0), "count"),
        least=to_number(point.get("min")),
        largest=to_number(point.get("max")),
        bounds=bounds,
        bucket_counts=counts,
    )


def _value(point: Json) -> float:
    """Return the value of a sum or gauge."""
    if "asInt" in point:
        whole = to_integer(point["asInt"])
        if whole is None:
            _refuse("asInt must be a 64-bit integer")
        return float(whole)
    if point.get("asDouble") is None:
        _refuse("asInt or asDouble must be there")
    return _finite(point["asDouble"], "asDouble")


def _buckets(point: Json) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return the bounds and counts of a histogram point."""
    bounds = tuple(
        _finite(bound, "explicitBounds") for bound in _listed(point.get("explicitBounds"))
    )
    counts = tuple(_count(n, "bucketCounts") for n in _listed(point.get("bucketCounts")))
    if (bounds or counts) and len(counts) != len(bounds) + 1:
        _refuse("bucketCounts must be one more than explicitBounds")
    return bounds, counts


def _exponential_buckets(point: Json) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return an exponential histogram's buckets as explicit bounds and counts.

    Bucket i of the positive ones holds values over base**i up to base**(i + 1) with
    base = 2**(2**-scale); the negative ones mirror it, and zeros lie between the two.
    """
    scale = to_integer(point.get("scale", 0))
    if scale is None:
        _refuse("scale must be an integer")
    above, above_counts = _one_side(point.get("positive"), scale)
    below, below_counts = _one_side(point.get("negative"), scale)
    zeros = _count(point.get("zeroCount", 0), "zeroCount")
    bounds = (*(-bound for bound in reversed(below)), *above)
    before = (0, *reversed(below_counts)) if below_counts else ()
    after = (*above_counts, 0) if above_counts else ()
    return bounds, (*before, zeros, *after)


def _one_side(side: Any, scale: int) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return the bounds around the buckets of one side, by size, and their counts."""
    if not isinstance(side, dict):
        return (), ()
    offset = to_integer(side.get("offset", 0))
    if offset is None:
        _refuse("offset must be an integer")
    counts = tuple(_count(n, "bucketCounts") for n in _listed(side.get("bucketCounts")))
    if not counts:
        return (), ()
    try:
        exponents = [math.ldexp(offset + place, -scale) for place in range(len(counts) + 1)]
        return tuple(2.0**exponent for exponent in exponents), counts
    except OverflowError:
        _refuse("scale and offset give bounds beyond any number")


def _listed(value: Any) -> list[Any]:
    """Return an array; a missing one is empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        _refuse("bounds and counts must be arrays")
    return value


def _count(value: Any, name: str) -> int:
    """Return a count."""
    count = to_integer(value)
    if count is None or count < 0:
        _refuse(f"{name} must be a count of at most 63 bits")
    return count


def _finite(value: Any, name: str) -> float:
    """Return a finite number."""
    number = to_number(value)
    if number is None:
        _refuse(f"{name} must be a finite number", "not_a_number")
    return number


def _refuse(detail: str, reason: str = "malformed_metric") -> NoReturn:
    """Refuse the point being read.

    Raises:
        _PointError: Always.
    """
    raise _PointError(reason, detail)
