"""Protobuf's own JSON mapping is rewritten into OTLP/JSON, and nothing in it is guessed."""

import json
from typing import Any

import pytest
from google.protobuf import json_format  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from include.freezeline.readers.otlp_canonical import as_otlp_json, is_canonical
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import LandingRules
from tests.unit.readers import builders
from tests.unit.readers.builders import SPAN_ID, TRACE_ID, document, event, span

TRACE_ID_BASE64 = "CvdlGRbNQ92ESOshHIAxnA=="  # TRACE_ID, worked out with coreutils' base64
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7, "trace_id": "my_key"}
WHOLE = document(
    [
        span(CHAT, parentSpanId="00f067aa0ba902b7", status={"code": 2, "message": "no_such_thing"}),
        span(CHAT, spanId="00f067aa0ba902b7", events=[event("first_token", 5, {"a_b": b"\0"})]),
    ],
    resource={"some_key": {"inner_key": ["a_b"]}},
)


def read(value: Any, rules: LandingRules) -> ReadResult:
    return read_object("traces_1.json", builders.encode(value), rules)


def rows_of(result: ReadResult) -> list[Row]:
    assert result.rejects == []
    return result.spans


@pytest.mark.parametrize("with_snake_keys", [False, True])
@pytest.mark.parametrize("with_enum_numbers", [False, True])
def test_every_style_of_the_mapping_gives_the_same_rows(
    rules: LandingRules, with_snake_keys: bool, with_enum_numbers: bool
) -> None:
    message = TracesData.FromString(builders.traces_message(WHOLE))
    text = json_format.MessageToJson(
        message,
        preserving_proto_field_name=with_snake_keys,
        use_integers_for_enums=with_enum_numbers,
    )
    assert TRACE_ID_BASE64 in text
    result = read(json.loads(text), rules)
    assert result.format == "otlp_canonical_json"
    as_sent = read_object("traces_1.binpb", message.SerializeToString(), rules)
    assert rows_of(result) == rows_of(as_sent)
    assert result.spans[0]["trace_id"] == TRACE_ID
    assert result.spans[0]["parent_span_id"] == "00f067aa0ba902b7"


def test_logs_with_names_of_severities_are_read(rules: LandingRules) -> None:
    logs = builders.logs_document([builders.log_record("gen_ai.user.message", {}, body={})])
    message = LogsData.FromString(builders.logs_message(logs))
    message.resource_logs[0].scope_logs[0].log_records[0].severity_number = 9
    written = json_format.MessageToDict(message)
    result = read(written, rules)
    assert (result.format, result.signal, result.rejects) == ("otlp_canonical_json", "logs", [])
    assert result.tables["message_contents"][0]["span_id"] == SPAN_ID


@pytest.mark.parametrize(
    "trace_id",
    [
        TRACE_ID_BASE64.rstrip("="),
        TRACE_ID,  # hex digits that a reader took for base64 come back as they were
        TRACE_ID.upper(),
    ],
)
def test_ids_of_other_spellings_are_the_same_id(rules: LandingRules, trace_id: str) -> None:
    (row,) = rows_of(read(document([span(traceId=trace_id, kind="SPAN_KIND_CLIENT")]), rules))
    assert (row["trace_id"], row["otel_kind"]) == (TRACE_ID, 3)


def test_base64_of_the_web_alphabet_is_read(rules: LandingRules) -> None:
    (row,) = rows_of(read(document([span(traceId="-_8AAAAAAAAAAAAAAAAAAA==")]), rules))
    assert row["trace_id"] == "fbff" + "00" * 14


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"traceId": "EzcGslwLi5snTKsQ2GrUBAA="}, "not_otlp_json:base64_ids"),  # 17 bytes
        ({"kind": "SPAN_KIND_MAGIC"}, "not_otlp_json:enum_names"),
        ({"traceId": TRACE_ID_BASE64, "spanId": "AAA="}, "invalid_id"),
    ],
)
def test_only_the_record_that_cannot_be_rewritten_is_put_aside(
    rules: LandingRules, members: dict[str, Any], reason: str
) -> None:
    good = span(CHAT, traceId=TRACE_ID_BASE64, spanId="t61rcWkgMzE=", kind="SPAN_KIND_CLIENT")
    result = read(document([good, span(CHAT, **members)]), rules)
    assert [row["span_id"] for row in result.spans] == [SPAN_ID]
    assert [reject.reason for reject in result.rejects] == [reason]


def test_attributes_keep_the_names_that_their_writer_chose() -> None:
    pair = {"key": "user_defined_key", "value": {"string_value": "SPAN_KIND_CLIENT"}}
    assert as_otlp_json(pair) == {
        "key": "user_defined_key",
        "value": {"stringValue": "SPAN_KIND_CLIENT"},
    }


def test_a_document_of_otlp_json_is_left_alone() -> None:
    assert not is_canonical(WHOLE)
    assert not is_canonical({"resourceSpans": []})
    assert as_otlp_json(WHOLE) == WHOLE


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8))
@settings(max_examples=200, deadline=None)
def test_an_id_comes_back_as_its_bytes(trace_id: bytes, span_id: bytes) -> None:
    message = TracesData()
    item = message.resource_spans.add().scope_spans.add().spans.add()
    item.trace_id, item.span_id, item.kind = trace_id, span_id, 3
    written = json_format.MessageToDict(message)
    assert is_canonical(written)
    (resource,) = as_otlp_json(written)["resourceSpans"]
    (found,) = resource["scopeSpans"][0]["spans"]
    assert (found["traceId"], found["spanId"]) == (trace_id.hex(), span_id.hex())
