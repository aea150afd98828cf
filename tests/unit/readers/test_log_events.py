"""Log events become evaluations, message contents and call events; nothing else is landed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from include.freezeline.readers.contents import assemble_call, content_row
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import LandingRules
from tests.unit.readers import builders
from tests.unit.readers.builders import SPAN_ID, START_NS, TRACE_ID, any_value, log_record

Read = Callable[..., ReadResult]
DETAILS = "gen_ai.client.inference.operation.details"
STARTED_AT = datetime.fromtimestamp(START_NS // 10**9, UTC)
SCORE = {"gen_ai.evaluation.name": "Relevance", "gen_ai.evaluation.score.value": 0.25}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"q": "x"}'}}
EVENTS = [
    log_record("gen_ai.system.message", {}, body=any_value({"content": "Be brief."})),
    log_record("gen_ai.developer.message", {}, body=any_value({"content": "No jokes."})),
    log_record("gen_ai.user.message", {}, body=any_value({"content": "Why?"})),
    log_record("gen_ai.assistant.message", {}, body=any_value({"tool_calls": [CALL]})),
    log_record("gen_ai.tool.message", {}, body=any_value({"id": "c1", "content": '{"a": 1}'})),
    log_record("gen_ai.user.message", {}, body=any_value({"content": [{"type": "text", "text": "A"},
                                                                      {"type": "image_url"}]})),
    log_record("gen_ai.choice", {}, body=any_value(
        {"index": 0, "finish_reason": "tool-calls",
         "message": {"role": "assistant", "content": "Because.", "tool_calls": [CALL]}})),
]  # fmt: skip


def rows_of(read: Read, table: str, *records: dict[str, Any]) -> list[Row]:
    """Read log records that are all usable and return the rows of a table."""
    result = read(builders.logs_document(records), "logs_1.json")
    assert (result.rejects, result.used_count) == ([], len(records))
    return result.tables[table]


def reason_of(read: Read, record: dict[str, Any]) -> str:
    """Read one log record that is refused and return why."""
    result = read(builders.logs_document([record]), "logs_1.json")
    assert result.tables == {}
    return result.rejects[0].reason


def test_old_events_become_one_piece_each(read: Read) -> None:
    rows = rows_of(read, "message_contents", *EVENTS)
    assert [(row["direction"], row["text_redacted"], row["finish_reason"]) for row in rows] == [
        ("system", "Be brief.", None),
        ("system", "No jokes.", None),
        ("input", "Why?", None),
        ("input", None, None),
        ("input", None, None),
        ("input", "A", None),
        ("output", "Because.", "tool_call"),
    ]
    assert {(row["trace_id"], row["span_id"], row["carrier"]) for row in rows} == {
        (TRACE_ID, SPAN_ID, "log_event")
    }
    assert {row["recorded_at"] for row in rows} == {STARTED_AT}
    call = {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"q": "x"}}
    response = {"type": "tool_call_response", "id": "c1", "response": '{"a": 1}'}
    assert [json.loads(row["messages_redacted"]) for row in rows[2:]] == [
        [{"role": "user", "parts": [{"type": "text", "content": "Why?"}]}],
        [{"role": "assistant", "parts": [call]}],
        [{"role": "tool", "parts": [response]}],
        [{"role": "user", "parts": [{"type": "text", "content": "A"}, {"type": "image_url"}]}],
        [{"role": "assistant", "parts": [{"type": "text", "content": "Because."}, call],
          "index": 0, "finish_reason": "tool-calls"}],
    ]  # fmt: skip
    (asked,) = rows_of(read, "tool_calls", *EVENTS)
    assert (asked["role"], asked["tool_name"], asked["call_index"]) == ("requested", "look", 0)
    assert (asked["tool_call_id"], json.loads(asked["arguments_redacted"])) == ("c1", {"q": "x"})


def test_an_event_without_captured_content_lands_as_unknown(read: Read) -> None:
    user, choice = rows_of(
        read,
        "message_contents",
        log_record("gen_ai.user.message", {}),
        log_record("gen_ai.choice", {}, body=any_value({"index": 1, "finish_reason": "stop"})),
    )
    assert (user["direction"], user["messages_redacted"], user["text_redacted"]) == (
        "input", None, None)  # fmt: skip
    assert (choice["finish_reason"], choice["text_redacted"]) == ("stop", None)


def test_a_message_in_an_attribute_or_a_plain_body_is_read(read: Read) -> None:
    in_attribute = {"gen_ai.event.content": json.dumps({"content": "From an attribute"})}
    rows = rows_of(
        read,
        "message_contents",
        log_record("gen_ai.user.message", in_attribute),
        log_record("gen_ai.user.message", {}, body=any_value("Just words")),
        log_record("gen_ai.choice", {}, body=any_value({"message": {"refusal": "I will not."}})),
    )
    assert [row["text_redacted"] for row in rows] == [
        "From an attribute",
        "Just words",
        "I will not.",
    ]


@pytest.mark.parametrize("is_text", [False, True])
def test_details_give_a_row_per_direction(read: Read, *, is_text: bool) -> None:
    inputs = [
        {"role": "user", "parts": [{"type": "text", "content": "First"}]},
        {"role": "user", "parts": [{"type": "text", "content": "Second"}]},
    ]
    outputs = [{"role": "assistant", "parts": [{"type": "text", "content": "Yes"}],
                "finish_reason": "length"}]  # fmt: skip
    given: dict[str, Any] = {
        "gen_ai.input.messages": inputs,
        "gen_ai.output.messages": outputs,
        "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}],
        "gen_ai.tool.definitions": [],
    }
    sent = {name: json.dumps(value) for name, value in given.items()} if is_text else given
    rows = rows_of(read, "message_contents", log_record(DETAILS, sent))
    assert [(row["direction"], row["text_redacted"], row["finish_reason"]) for row in rows] == [
        ("input", "Second", None),
        ("output", "Yes", "length"),
        ("system", "Be brief.", None),
    ]
    assert json.loads(rows[0]["messages_redacted"]) == inputs


def test_references_to_uploaded_content_are_rows_without_content(read: Read) -> None:
    refs = {
        "gen_ai.input.messages_ref": "s3://bucket/prompts/aa_inputs.json",
        "gen_ai.tool.definitions_ref": "s3://bucket/prompts/bb_tool.definitions.json",
    }
    rows = rows_of(read, "message_contents", log_record(DETAILS, refs))
    assert [(r["direction"], r["content_name"], r["messages_redacted"]) for r in rows] == [
        ("input", "aa_inputs.json", None),
        ("tool_definitions", "bb_tool.definitions.json", None),
    ]


def test_a_failure_and_an_unknown_event_are_kept_as_call_events(read: Read) -> None:
    failed = {
        "exception.type": "openai.RateLimitError",
        "exception.message": "Error code: 429 - slow down",
        "exception.stacktrace": "Traceback ...",
        "user.id": "someone-77",
        "note": "said someone-77",
    }
    rows = rows_of(
        read,
        "call_events",
        log_record("gen_ai.client.operation.exception", failed),
        log_record(DETAILS, {"gen_ai.response.id": "r1", "gen_ai.input.messages": []}),
        log_record("gen_ai.something.new", {}, traceId="", spanId="", body=any_value({"a": 1})),
    )
    assert (rows[0]["error_type"], rows[0]["error_class"]) == (
        "openai.RateLimitError",
        "rate_limit",
    )
    assert rows[0]["error_stacktrace_redacted"] == "Traceback ..."
    assert json.loads(rows[0]["attributes_redacted"]) == {"note": "said <USER>"}
    assert (rows[1]["response_id"], rows[1]["error_class"]) == ("r1", None)
    assert (rows[2]["trace_id"], json.loads(rows[2]["attributes_redacted"])) == (
        None, {"body": {"a": 1}})  # fmt: skip


def test_an_evaluation_may_name_a_trace_a_response_or_a_session_instead_of_a_span(
    read: Read,
) -> None:
    name = "gen_ai.evaluation.result"
    human = {**SCORE, "gen_ai.evaluation.annotator_kind": "HUMAN"}
    span, trace, response, session = rows_of(
        read,
        "evaluations",
        log_record(name, human, traceId=TRACE_ID.upper()),
        log_record(name, SCORE, spanId="0" * 16),
        log_record(name, {**SCORE, "gen_ai.response.id": "r-9"}, traceId="", spanId=""),
        log_record(name, {**SCORE, "session.id": "s-9"}, traceId="", spanId=""),
    )
    assert (span["trace_id"], span["span_id"]) == (TRACE_ID, SPAN_ID)
    assert (span["annotator_kind"], trace["annotator_kind"]) == ("human", None)
    assert (trace["trace_id"], trace["span_id"]) == (TRACE_ID, None)
    assert (response["trace_id"], response["response_id"]) == (None, "r-9")
    assert (session["session_key"], session["evaluation_score"]) == ("s-9", 0.25)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (log_record("gen_ai.evaluation.result", SCORE, traceId="", spanId=""), "invalid_id"),
        (log_record("gen_ai.evaluation.result", SCORE, traceId=""), "invalid_id"),
        (log_record("gen_ai.evaluation.result", SCORE, spanId="12"), "invalid_id"),
        (log_record("gen_ai.user.message", {}, spanId=""), "invalid_id"),
        (log_record("gen_ai.user.message", {}, traceId="0" * 32), "invalid_id"),
        (log_record("gen_ai.client.operation.exception", {}, traceId="xyz"), "invalid_id"),
        (log_record("gen_ai.choice", {}, observedTimeUnixNano="0"), "missing_time"),
        (log_record("", {}, body=any_value("GET / 200")), "unsupported_signal:logs:other"),
        (log_record("http.request", {}), "unsupported_signal:logs:http.request"),
    ],
)
def test_a_log_record_that_cannot_be_used_is_refused_with_its_reason(
    read: Read, record: dict[str, Any], reason: str
) -> None:
    assert reason_of(read, record) == reason


@pytest.mark.parametrize(
    "body", [None, 7, True, [], [1], {"message": [1]}, {"content": {"a": []}}, {"tool_calls": [3]},
             {"finish_reason": 4, "index": "x"}, {"role": 5, "parts": "p"}, "{", "[]"]
)  # fmt: skip
@pytest.mark.parametrize("name", ["gen_ai.choice", "gen_ai.tool.message", "gen_ai.system.message"])
def test_a_senseless_body_is_kept_and_never_stops_the_night(
    read: Read, name: str, body: Any
) -> None:
    (row,) = rows_of(read, "message_contents", log_record(name, {}, body=any_value(body)))
    assert row["messages_redacted"] is None or isinstance(
        json.loads(row["messages_redacted"]), list
    )


def test_json_and_protobuf_give_equal_rows(read: Read, rules: LandingRules) -> None:
    records = [*EVENTS, log_record(DETAILS, {"gen_ai.input.messages": [{"role": "user"}]}),
               log_record("gen_ai.evaluation.result", SCORE, timeUnixNano=str(START_NS + 5000)),
               log_record("gen_ai.client.operation.exception", {"exception.type": "E"})]  # fmt: skip
    document = builders.logs_document(records)
    from_json = read(document, "logs_1.json")
    from_protobuf = read_object("logs_1.binpb", builders.logs_message(document), rules)
    assert from_json.tables == from_protobuf.tables
    assert from_json.evaluations[0]["evaluated_at"] == STARTED_AT.replace(microsecond=5)


def placed(row: Row, offset: int, source_object: str = "a", **columns: Any) -> Row:
    """Return a piece as the lake holds it."""
    given = {"carrier": "log_event", "recorded_at": STARTED_AT, **columns}
    return {**row, **given, "source_offset": offset, "source_object": source_object}


def user(text: str) -> list[Any]:
    """Return a user message."""
    return [{"role": "user", "parts": [{"type": "text", "content": text}]}]


def answer(text: str) -> list[Any]:
    """Return an answer."""
    parts = [{"type": "text", "content": text}]
    return [{"role": "assistant", "parts": parts, "finish_reason": "stop"}]


def test_a_call_is_put_together_in_order_and_without_what_came_twice(read: Read) -> None:
    rows = [{**row, "source_object": name} for name in ("b", "a")
            for row in rows_of(read, "message_contents", *EVENTS)]  # fmt: skip
    call = assemble_call(reversed(rows))
    assert [message["role"] for message in call.input_messages] == [
        "user", "assistant", "tool", "user"]  # fmt: skip
    assert (call.input_text, call.output_text) == ("A", "Because.")
    assert [part["content"] for part in call.system_instructions] == ["Be brief.", "No jokes."]
    assert (len(call.output_messages), call.finish_reasons) == (1, ["tool_call"])


def test_a_call_takes_its_content_from_details_before_uploads_before_single_messages() -> None:
    single = placed(content_row("input", user("single"), event_name="gen_ai.user.message"), 0)
    upload = placed(
        content_row("input", user("upload"), content_name="n"), 1, carrier="upload_object"
    )
    details = placed(content_row("input", user("details"), event_name=DETAILS), 2)
    reference = placed(content_row("input", None, event_name=DETAILS, content_name="n"), 3)
    assert assemble_call([single, upload, details, reference]).input_text == "details"
    assert assemble_call([single, upload, reference]).input_text == "upload"
    assert assemble_call([single, reference]).input_text == "single"
    again = {**upload, "source_object": "b", "recorded_at": STARTED_AT.replace(year=2030)}
    assert assemble_call([upload, again]).input_messages == user("upload")


def test_the_first_choice_is_the_answer() -> None:
    pieces = [
        placed(content_row("output", answer("late")), 5),
        placed(content_row("output", None), 0),
        placed(content_row("output", answer("early")), 4),
    ]
    call = assemble_call(pieces)
    assert (call.output_text, call.finish_reasons) == ("early", ["stop", "stop"])
    assert assemble_call([]).input_text is None
