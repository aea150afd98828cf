"""When and as what a day's spans reach the bucket, with the faults that deliveries have.

A collector uploads batches all day; here a feature has five or six a day, which is enough to
mix both encodings, late objects, a repeated upload and broken objects.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from include.freezeline.demo.calls import iter_calls
from include.freezeline.demo.encoding import encode_json, encode_protobuf
from include.freezeline.demo.incidents import Columns
from include.freezeline.demo.outcomes import FactRow, outcome_rows
from include.freezeline.demo.spans import build_spans
from include.freezeline.demo.traffic import draw_day
from include.freezeline.demo.world import FEATURES, FeatureSpec

TRACE_PREFIX = "otel/"
FACT_PREFIX = "facts/"

_CUT_HOURS = (7.0, 10.0, 13.0, 16.0, 23.0 + 50 / 60, 24.0)
"""Hours at which a batch ends; the last minutes of a day arrive after midnight."""

LATE_HOURS: dict[tuple[str, date, int], float] = {
    ("support-assistant", date(2026, 9, 8), 1): 7.0,
    ("code-helper", date(2026, 9, 13), 2): 26.0,
    ("risk-summariser", date(2026, 9, 24), 0): 52.0,
    ("support-assistant", date(2026, 9, 29), 3): 9.0,
    ("risk-summariser", date(2026, 10, 12), 2): 17.0,
}
"""Batches (feature, day, number) and how many hours late they come."""

DUPLICATED: frozenset[tuple[str, date, int]] = frozenset(
    {("risk-summariser", date(2026, 9, 15), 1), ("support-assistant", date(2026, 10, 2), 2)}
)
"""Batches that an upload retry stored under a second key."""

CUT_OFF: frozenset[tuple[str, date, int]] = frozenset({("code-helper", date(2026, 9, 23), 1)})
"""Batches whose first upload broke off; the retry under another key is whole."""

EMPTY: frozenset[tuple[str, date, int]] = frozenset({("risk-summariser", date(2026, 9, 18), 3)})
"""Batches beside which an empty object lies."""

INVALID_SPAN: frozenset[tuple[str, date, int]] = frozenset(
    {("support-assistant", date(2026, 9, 30), 0)}
)
"""Batches that carry one more span, with an all-zero trace id."""


@dataclass(frozen=True, slots=True)
class DemoObject:
    """One object of the bucket: its key, bytes and upload time."""

    key: str
    data: bytes
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class DayDelivery:
    """Everything one day's traffic leads to."""

    objects: tuple[DemoObject, ...]
    facts: dict[str, list[FactRow]]
    n_calls: int
    n_spans: int


def deliver_day(day: date, *, seed: int, scale: float, active: frozenset[str]) -> DayDelivery:
    """Draw a day, encode its spans and collect its outcomes."""
    objects: list[DemoObject] = []
    facts: dict[str, list[FactRow]] = {}
    n_calls = n_spans = 0
    for feature in FEATURES:
        columns = draw_day(feature, day, seed=seed, scale=scale, active=active)
        spans = list(build_spans(iter_calls(feature, columns)))
        objects += _feature_objects(feature, day, spans, columns)
        for name, rows in outcome_rows(feature, columns).items():
            facts.setdefault(name, []).extend(rows)
        n_calls += len(columns["started_ns"])
        n_spans += len(spans)
    return DayDelivery(tuple(objects), facts, n_calls, n_spans)


def _feature_objects(
    feature: FeatureSpec, day: date, spans: list[ReadableSpan], columns: Columns
) -> Iterator[DemoObject]:
    """Yield the objects of one feature's day."""
    spans_per_call = 3 if feature.has_retrieval else 2
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    cuts = [int((start + timedelta(hours=hours)).timestamp()) * 10**9 for hours in _CUT_HOURS]
    ends = [int(end) * spans_per_call for end in columns["started_ns"].searchsorted(cuts)]
    for number, (first, last) in enumerate(zip([0, *ends], ends, strict=False)):
        if last > first:
            uploaded_at = start + timedelta(hours=_CUT_HOURS[number], minutes=2 + feature.number)
            yield from _batch_objects((feature.name, day, number), spans[first:last], uploaded_at)


def _batch_objects(
    batch: tuple[str, date, int], spans: list[ReadableSpan], uploaded_at: datetime
) -> Iterator[DemoObject]:
    """Yield one batch's objects: usually one, more where a fault is planted."""
    uploaded_at += timedelta(hours=LATE_HOURS.get(batch, 0.0))
    is_json = _number(batch, "encoding") % 2 == 0 or batch in INVALID_SPAN
    if is_json:
        amend = _add_invalid_span if batch in INVALID_SPAN else None
        extension, data = "json.gz", encode_json(spans, amend)
    else:
        extension, data = "binpb.gz", encode_protobuf(spans)
    put = partial(_object, batch, uploaded_at, extension)
    yield put("first", data)
    if batch in DUPLICATED:
        yield put("retry", data)
    if batch in CUT_OFF:
        yield put("broken", data[: len(data) // 2])
    if batch in EMPTY:
        yield put("empty", b"")


def _object(
    batch: tuple[str, date, int], uploaded_at: datetime, extension: str, attempt: str, data: bytes
) -> DemoObject:
    """Name an object as the collector's S3 exporter does."""
    folder = uploaded_at.strftime("year=%Y/month=%m/day=%d/hour=%H")
    key = f"{TRACE_PREFIX}{folder}/traces_{_number(batch, attempt)}.{extension}"
    return DemoObject(key, data, uploaded_at)


def _number(batch: tuple[str, date, int], purpose: str) -> int:
    """Return nine digits that belong to the batch, where the exporter draws at random."""
    feature, day, number = batch
    checksum = zlib.crc32(f"{feature}/{day.isoformat()}/{number}/{purpose}".encode())
    return 100_000_000 + checksum % 899_999_999


def _add_invalid_span(document: dict[str, Any]) -> None:
    """Append a copy of the first span whose trace id was lost on the way."""
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans.append({**spans[0], "traceId": "0" * 32})
