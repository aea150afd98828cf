"""Objects are what the protocol says: protobuf as it is, JSON in OTLP's own mapping."""

import base64
import gzip
import json
import math
import re
from typing import Any

from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

from include.freezeline.demo.calls import iter_calls
from include.freezeline.demo.encoding import encode_json, encode_protobuf, otlp_json
from include.freezeline.demo.spans import build_spans, error_of
from include.freezeline.demo.traffic import draw_day
from include.freezeline.demo.world import CODE, DATES, FEATURES, SUPPORT, FeatureSpec

_SCALAR = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8"), max_size=20),
)


def _spans(feature: FeatureSpec) -> list[ReadableSpan]:
    columns = draw_day(feature, DATES[1], seed=7, scale=0.1, active=frozenset())
    return list(build_spans(iter_calls(feature, columns)))


def _message_of(document: dict[str, Any]) -> TracesData:
    """Read OTLP/JSON with protobuf's reader, which wants ids in base64."""

    def with_base64_ids(node: Any) -> Any:
        if isinstance(node, list):
            return [with_base64_ids(item) for item in node]
        if not isinstance(node, dict):
            return node
        return {
            name: base64.b64encode(bytes.fromhex(value)).decode()
            if name in ("traceId", "spanId", "parentSpanId")
            else with_base64_ids(value)
            for name, value in node.items()
        }

    return json_format.ParseDict(with_base64_ids(document), TracesData())


def test_json_says_the_same_as_protobuf() -> None:
    for feature in FEATURES:
        spans = _spans(feature)
        from_json = _message_of(json.loads(gzip.decompress(encode_json(spans))))
        from_protobuf = TracesData.FromString(gzip.decompress(encode_protobuf(spans)))
        n_spans = sum(len(s.spans) for r in from_protobuf.resource_spans for s in r.scope_spans)
        assert n_spans == len(spans) > 20
        assert from_json == from_protobuf


def test_json_ids_are_hex_and_64_bit_integers_are_strings() -> None:
    document = json.loads(gzip.decompress(encode_json(_spans(CODE))))
    spans = [s for r in document["resourceSpans"] for g in r["scopeSpans"] for s in g["spans"]]
    assert len(spans) > 20
    for span in spans:
        assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
        assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
        assert span["startTimeUnixNano"].isdecimal()
        assert isinstance(span["kind"], int)
        for pair in span["attributes"]:
            assert isinstance(pair["value"].get("intValue", "0"), str)


@given(st.dictionaries(st.text(min_size=1, max_size=5), _SCALAR | st.lists(_SCALAR, max_size=3)))
def test_any_attribute_survives_the_json(attributes: dict[str, Any]) -> None:
    span = ReadableSpan(
        name="s",
        context=SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(1)),
        resource=Resource({"service.name": "x"}),
        attributes=attributes,
        instrumentation_scope=InstrumentationScope("scope"),
        start_time=1,
        end_time=2,
    )
    message = encode_spans([span])
    copy = _message_of(json.loads(json.dumps(otlp_json(message))))
    assert copy.SerializeToString(deterministic=True) == message.SerializeToString(
        deterministic=True
    )


def test_nan_is_spelt_out() -> None:
    span = ReadableSpan(
        name="s",
        context=SpanContext(1, 2, is_remote=False),
        resource=Resource({}),
        attributes={"x": math.nan},
        start_time=1,
        end_time=2,
    )
    assert '{"doubleValue": "NaN"}' in json.dumps(otlp_json(encode_spans([span])))


def test_gzip_carries_no_time() -> None:
    data = encode_protobuf(_spans(CODE)[:4])
    assert data[4:8] == b"\0\0\0\0"


def _chat(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_request_is_one_trace_with_its_spans() -> None:
    retrieval, chat, root = _spans(SUPPORT)[:3]
    assert [s.name.split()[0] for s in (retrieval, chat, root)] == [
        "retrieval",
        "chat",
        "invoke_workflow",
    ]
    assert {s.context.trace_id for s in (retrieval, chat, root)} == {root.context.trace_id}
    assert retrieval.parent == chat.parent == root.context
    assert root.start_time <= retrieval.start_time < retrieval.end_time <= chat.start_time
    assert chat.end_time <= root.end_time


def test_stream_timing_follows_tokens() -> None:
    chats = [s for s in _spans(CODE) if s.name.startswith("chat")]
    assert len(chats) > 50
    for span in chats:
        values = _chat(span)
        if "error.type" in values:
            continue
        ttft_ms = values["gen_ai.response.time_to_first_chunk"] * 1000
        tpot_ms = ((span.end_time - span.start_time) / 1e6 - ttft_ms) / (
            values["gen_ai.usage.output_tokens"] - 1
        )
        assert 8 < tpot_ms < 60


def test_failed_call_has_type_and_event_but_no_answer() -> None:
    columns = draw_day(SUPPORT, DATES[1], seed=7, scale=0.1, active=frozenset())
    columns["is_error"][:] = True
    chats = [s for s in build_spans(iter_calls(SUPPORT, columns)) if s.name.startswith("chat")]
    assert len(chats) > 10
    for span in chats:
        values = _chat(span)
        assert values["error.type"].endswith("Error")
        assert span.events[0].name == "exception"
        assert span.status.description
        assert not [name for name in values if "usage" in name or "output" in name]
    assert error_of(0)[0] == "RateLimitError"
    assert error_of(99)[0] == "BadRequestError"
