"""One object in, every record accounted for."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from include.freezeline.contracts.lake import EVALUATIONS, SPANS
from include.freezeline.errors import ReadError
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import LandingRules
from tests.unit.readers import builders
from tests.unit.readers.builders import SPAN_ID, TRACE_ID, document, log_record, logs_document, span

ADDED_BY_LANDING = {"source_object", "source_sha256", "arrived_at"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}

Read = Callable[..., ReadResult]


def test_read_object_fills_exactly_the_contract_columns(read: Read) -> None:
    evaluated = builders.event("gen_ai.evaluation.result", 1, {"gen_ai.evaluation.name": "Tone"})
    result = read(document([span(CHAT, events=[evaluated])]))
    assert set(result.spans[0]) == set(SPANS.column_names) - ADDED_BY_LANDING
    assert set(result.evaluations[0]) == set(EVALUATIONS.column_names) - ADDED_BY_LANDING
    for column in SPANS.columns:
        if not column.nullable and column.name not in ADDED_BY_LANDING:
            assert result.spans[0][column.name] is not None, column.name


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        ({"traceId": ""}, "invalid_id"),
        ({"traceId": "0" * 32}, "invalid_id"),
        ({"traceId": "xyz" + TRACE_ID[3:]}, "invalid_id"),
        ({"spanId": "abc"}, "invalid_id"),
        ({"spanId": None}, "invalid_id"),
        ({"startTimeUnixNano": "0"}, "missing_start_time"),
        ({"startTimeUnixNano": "9" * 25}, "missing_start_time"),
    ],
)
def test_read_object_puts_the_record_aside_when_it_cannot_be_placed(
    read: Read, ids: dict[str, Any], reason: str
) -> None:
    result = read(document([span(CHAT), span(CHAT, **ids), span(CHAT)]))
    assert (result.record_count, result.used_count, len(result.spans)) == (3, 2, 2)
    assert [(reject.offset, reject.reason) for reject in result.rejects] == [(1, reason)]
    assert [row["source_offset"] for row in result.spans] == [0, 2]


def test_read_object_lowers_ids_when_they_are_upper_case(read: Read) -> None:
    row = read(document([span(CHAT, traceId=TRACE_ID.upper(), spanId=SPAN_ID.upper())])).spans[0]
    assert (row["trace_id"], row["span_id"]) == (TRACE_ID, SPAN_ID)


def test_read_object_keeps_repeated_records_with_their_own_offsets(read: Read) -> None:
    result = read(document([span(CHAT), span(CHAT)]))
    assert [row["source_offset"] for row in result.spans] == [0, 1]


@pytest.mark.parametrize(
    ("value", "reason", "form"),
    [
        ({"schemaType": "ModelInvocationLog", "modelId": "m"}, "unsupported_document:bedrock", "bedrock_json"),
        ({"Records": [{"eventSource": "aws:s3"}]}, "unsupported_document:s3_event", "s3_event_json"),
    ],
)  # fmt: skip
def test_read_object_names_the_producer_when_a_document_is_not_otlp(
    read: Read, value: Any, reason: str, form: str
) -> None:
    result = read(value)
    assert [reject.reason for reject in result.rejects] == [reason]
    assert (result.record_count, result.format) == (1, form)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"hello": 1}, "unknown_document"),
        ([1, 2], "unknown_document"),
        ({"resourceSpans": "x"}, "malformed_document"),
        ({"resourceSpans": [{"instrumentationLibrarySpans": []}]}, "not_otlp_json:instrumentationLibrarySpans"),
        (document([span(traceId="EzcGslwLi5snTKsQ2GrUBAA=")]), "not_otlp_json:base64_ids"),
        (document([span(kind="SPAN_KIND_MAGIC")]), "not_otlp_json:enum_names"),
    ],
)  # fmt: skip
def test_read_object_refuses_the_object_when_it_is_not_otlp_json(
    read: Read, value: Any, reason: str
) -> None:
    with pytest.raises(ReadError) as caught:
        read(value)
    assert caught.value.reason == reason


@pytest.mark.parametrize("value", [{}, {"resourceSpans": []}, {"resourceSpans": None}])
def test_read_object_returns_no_records_when_the_document_is_empty(read: Read, value: Any) -> None:
    result = read(value)
    assert (result.format, result.record_count, result.rejects) == ("otlp_json", 0, [])


def test_read_object_refuses_only_the_broken_parts_when_a_document_is_malformed(read: Read) -> None:
    good = document([span(CHAT), "not an object"])
    good["resourceSpans"].append(17)
    result = read(good)
    assert (result.record_count, result.used_count) == (3, 1)
    assert {reject.reason for reject in result.rejects} == {"malformed_document"}


def test_read_object_lands_genai_events_and_names_the_others_when_given_logs(
    read: Read, rules: LandingRules
) -> None:
    evaluation = {"gen_ai.evaluation.name": "Relevance", "gen_ai.evaluation.score.value": 4}
    logs = logs_document(
        [
            log_record("gen_ai.evaluation.result", evaluation),
            log_record("gen_ai.user.message", {}),
            log_record("", {"event.name": "gen_ai.choice"}),
            log_record("strange name\n", {}),
            log_record("gen_ai.evaluation.result", evaluation, spanId=""),
            log_record("gen_ai.evaluation.result", evaluation, observedTimeUnixNano="0"),
            log_record("gen_ai.evaluation.result", {}),
        ]
    )
    from_json = read(logs, "x/logs_1.json")
    assert (from_json.signal, from_json.record_count, from_json.used_count) == ("logs", 7, 4)
    assert [reject.reason for reject in from_json.rejects] == [
        "unsupported_signal:logs:other",
        "missing_time",
        "invalid_evaluation",
    ]
    row = from_json.evaluations[0]
    assert (row["evaluation_name"], row["evaluation_score"]) == ("Relevance", 4.0)
    assert (row["carrier"], row["trace_id"], row["span_id"]) == ("log_event", TRACE_ID, SPAN_ID)


@pytest.mark.parametrize("key", ["x/logs_1.binpb", "x/traces_1.binpb", "x/whatever", "metrics"])
def test_read_object_finds_the_signal_of_protobuf_when_the_name_misleads(
    rules: LandingRules, key: str
) -> None:
    logs = logs_document([log_record("gen_ai.user.message", {"a": "b"})])
    assert read_object(key, builders.logs_message(logs), rules).signal == "logs"
    traces = document([span(CHAT), span(CHAT)])
    result = read_object(key, builders.traces_message(traces), rules)
    assert (result.signal, len(result.spans)) == ("traces", 2)


def test_read_object_refuses_the_object_when_protobuf_is_cut(rules: LandingRules) -> None:
    message = builders.traces_message(document([span(CHAT)]))
    with pytest.raises(ReadError, match="unreadable_protobuf"):
        read_object("traces.binpb", message[:-7], rules)


def test_read_object_drops_blocked_attributes_when_they_are_anywhere(read: Read) -> None:
    secret = "s3cr3t-value"
    attributes = {
        **CHAT,
        "gen_ai.headers": secret,
        "http.request.header.x-auth": [secret],
        "My.Custom.API_KEY": secret,
    }
    events = [builders.event("note", 1, {"http.response.header.set-cookie": secret, "kept": "yes"})]
    result = read(
        document([span(attributes, events=events), span({"public_key": secret}, spanId="0")],
                 resource={"process.command_args": [secret]})
    )  # fmt: skip
    assert (len(result.spans), len(result.rejects)) == (1, 1)
    assert secret not in repr(result)
    assert '"kept":"yes"' in result.spans[0]["attributes_redacted"]


def test_read_object_never_leaves_a_person_among_other_attributes(read: Read) -> None:
    attributes = {**CHAT, "user.id": "u-17", "enduser.id": "u-17", "tenant.id": "acme-17", "k": 1,
                  "session.id": "s-17", "gen_ai.conversation.id": "c-17"}  # fmt: skip
    row: Row = read(document([span(attributes)], resource={"enduser.id": "u-17"})).spans[0]
    assert (row["user_key"], row["tenant_key"], row["session_key"]) == ("u-17", "acme-17", "c-17")
    assert json.loads(row["attributes_redacted"]) == {"k": 1}
    assert row["resource_attributes_redacted"] is None


def test_read_object_counts_a_span_that_breaks_the_reader(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Row:
        raise TypeError

    monkeypatch.setattr("include.freezeline.readers.whole_spans.build_span_row", broken)
    result = read(document([span(CHAT, traceState="a=1")]))
    assert [reject.reason for reject in result.rejects] == ["reader_error:TypeError"]
    assert result.spans == []


@pytest.mark.parametrize(
    "data",
    [b"[" * 600 + b"]" * 600, b"[[]]", b"[[{}]]", b"[" * 5_000 + b"]" * 5_000],
)
def test_read_object_refuses_the_object_when_arrays_lie_in_arrays(
    rules: LandingRules, data: bytes
) -> None:
    with pytest.raises(ReadError) as caught:
        read_object("traces_1.json", data, rules)
    assert caught.value.reason in {"nested_too_deeply", "invalid_json"}


def test_read_object_loses_only_one_document_when_it_is_nested_too_deeply(
    rules: LandingRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhaust(*_: Any) -> Any:
        raise RecursionError

    lines = [document([span(CHAT)]), [[1]], document([span(CHAT)])]
    data = b"\n".join(builders.encode(line) for line in lines)
    result = read_object("traces_1.json", data, rules)
    assert (len(result.spans), [reject.reason for reject in result.rejects]) == (
        2,
        ["nested_too_deeply"],
    )
    monkeypatch.setattr("include.freezeline.readers.reading.read_document", exhaust)
    with pytest.raises(ReadError, match="nested_too_deeply"):
        read_object("traces_1.json", data, rules)


def test_read_object_counts_as_traces_when_logs_come_before_spans(rules: LandingRules) -> None:
    logs = logs_document([log_record("other.event", {})])
    data = b"\n".join(builders.encode(line) for line in (logs, document([span(CHAT)])))
    result = read_object("otlp.json", data, rules)
    assert (result.signal, result.record_count, len(result.spans)) == ("traces", 2, 1)


def test_read_object_mends_a_message_when_a_text_is_not_utf8(rules: LandingRules) -> None:
    item = span({"note": "grüße", "list": ["grüße"]}, name="grüße")
    message = builders.traces_message(document([item]))
    torn = message.replace("ü".encode(), b"\xff\xfe")
    assert torn != message
    frames = b"".join(len(each).to_bytes(4, "big") + each for each in (message, torn))
    result = read_object("traces_1.binpb", frames, rules)
    assert (result.format, result.rejects) == ("otlp_protobuf_framed_mended", [])
    assert [row["span_name"] for row in result.spans] == ["grüße", "gr\ufffd\ufffdße"]
    assert result.spans[0]["trace_id"] == result.spans[1]["trace_id"] == builders.TRACE_ID
    assert json.loads(result.spans[1]["attributes_redacted"]) == {
        "note": "gr\ufffd\ufffdße",
        "list": ["gr\ufffd\ufffdße"],
    }
    logs = builders.logs_message(logs_document([log_record("a", {"note": "grüße"})]))
    read_logs = read_object("logs_1", logs.replace("ü".encode(), b"\xff\xfe"), rules)
    assert (read_logs.format, read_logs.record_count) == ("otlp_protobuf_mended", 1)
    with pytest.raises(ReadError, match="unreadable_protobuf"):
        read_object("traces_1.binpb", torn[:-3], rules)


def test_read_object_mends_a_json_document_when_a_text_is_not_utf8(rules: LandingRules) -> None:
    text = json.dumps(document([span(name="grüße")]), ensure_ascii=False).encode()
    torn = text.replace("ü".encode(), b"\xfc")  # as Latin-1 has it
    result = read_object("traces_1.json", text + b"\n" + torn, rules)
    assert (result.format, result.rejects) == ("otlp_json_lines_mended", [])
    assert [row["span_name"] for row in result.spans] == ["grüße", "gr\ufffdße"]
    assert read_object("traces_1.json", torn, rules).format == "otlp_json_mended"
