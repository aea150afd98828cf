"""Uploaded message contents: one row per list, or per line of it, named as spans refer to it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from include.freezeline.contracts.lake import MESSAGE_CONTENTS
from include.freezeline.landing.process import Pile, process_object
from include.freezeline.landing.records import Found, ReadAtOnce, Stream
from include.freezeline.readers.contents import assemble_call
from include.freezeline.readers.log_messages import content_name_of
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import LandingRules
from include.freezeline.readers.upload_hook import is_upload_hook
from tests.unit.landing.fakes import ARRIVED_AT, fake_delivery, fake_guard

Read = Callable[..., ReadResult]
TEXT = {"content": "Why?", "type": "text"}
INPUTS = [{"role": "system", "parts": [{"content": "Be brief.", "type": "text"}], "name": None},
          {"role": "user", "parts": [TEXT], "name": None}]  # fmt: skip
OUTPUTS = [{"role": "assistant", "parts": [{"content": "So.", "type": "text"}],
            "finish_reason": "stop", "name": None}]  # fmt: skip
SYSTEM = [{"content": "Be brief.", "type": "text"}, {"content": "No jokes.", "type": "text"}]
TOOLS = [{"name": "look", "description": "d", "parameters": {"type": "object"}, "type": "function"},
         {"name": "search", "type": "web_search"}]  # fmt: skip


def lines(items: list[dict[str, Any]]) -> bytes:
    """Return items as the hook writes them one per line."""
    return b"".join(
        json.dumps({**item, "index": index}).encode() + b"\n" for index, item in enumerate(items)
    )


@pytest.mark.parametrize(
    ("name", "items", "direction", "text", "finish_reason"),
    [
        ("aa_inputs.json", INPUTS, "input", "Why?", None),
        ("aa_outputs.json", OUTPUTS, "output", "So.", "stop"),
        ("no-hint.json", OUTPUTS, "output", "So.", "stop"),
        ("no-hint.json", INPUTS, "input", "Why?", None),
        ("aa_outputs.json", [{"role": "assistant", "parts": [TEXT]}], "output", "Why?", None),
        ("bb_system_instruction.json", SYSTEM, "system", "Be brief.\nNo jokes.", None),
        ("cc_tool.definitions.json", TOOLS, "tool_definitions", None, None),
    ],
)
def test_an_array_is_one_row_whose_direction_its_content_tells(
    read: Read, name: str, items: Any, direction: str, text: str | None, finish_reason: str | None
) -> None:
    result = read(items, f"llm-content/prompts/{name}")
    assert (result.format, result.signal, result.record_count) == (
        "upload_hook_json", "content", 1)  # fmt: skip
    (row,) = result.tables["message_contents"]
    assert (row["direction"], row["text_redacted"], row["finish_reason"]) == (
        direction, text, finish_reason)  # fmt: skip
    assert (row["content_name"], row["trace_id"], row["carrier"]) == (name, None, "upload_object")
    assert json.loads(row["messages_redacted"]) == items


@pytest.mark.parametrize(
    ("items", "direction"),
    [(INPUTS, "input"), (OUTPUTS, "output"), (SYSTEM, "system"), (TOOLS, "tool_definitions")],
)
def test_lines_are_a_row_each_and_make_up_the_same_call(
    rules: LandingRules, items: list[dict[str, Any]], direction: str
) -> None:
    result = read_object("p/aa_x.jsonl", lines(items), rules)
    rows = result.tables["message_contents"]
    assert [row["source_offset"] for row in rows] == list(range(len(items)))
    assert {row["direction"] for row in rows} == {direction}
    held = [json.loads(row["messages_redacted"])[0]["index"] for row in rows]
    assert held == list(range(len(items)))


def test_uploaded_lines_assemble_to_the_texts_of_the_call(rules: LandingRules) -> None:
    rows: list[Row] = []
    for name, items in (("b_outputs.jsonl", OUTPUTS), ("a_inputs.jsonl", [*INPUTS, *INPUTS])):
        found = read_object(name, lines(items), rules).tables["message_contents"]
        rows += [{**row, "source_object": name, "recorded_at": ARRIVED_AT} for row in found]
    call = assemble_call(rows)
    assert (call.input_text, call.output_text, len(call.input_messages)) == ("Why?", "So.", 4)


@pytest.mark.parametrize(
    "document",
    [
        [],
        [1],
        {},
        {"type": "text", "content": "a line without an index"},
        {"name": "look", "type": "function"},
        [{"role": "user", "content": "no parts"}],
        [{"role": "user", "parts": "no list"}],
        [INPUTS[0], {"other": 1}],
        [{"id": "1", "type": "GENERATION", "name": "answer", "traceId": "t"}],
        [{"type": "text", "content": "a", "trace_id": "t"}],
        {"role": 5, "parts": []},
        {"type": "text", "content": "a", "index": True},
    ],
)
def test_a_document_of_another_producer_is_not_claimed(document: Any) -> None:
    assert not is_upload_hook(document)


def test_the_probe_that_the_hook_leaves_behind_is_empty(rules: LandingRules) -> None:
    result = read_object(".one_off_test_to_see_if_upload_works.json", b"\n", rules)
    assert (result.format, result.record_count) == ("empty", 0)


def test_blocked_members_never_leave_the_parser(read: Read) -> None:
    arguments = {"password": "hunter2", "city": "Oslo"}
    part = {"type": "tool_call", "name": "login", "id": "c", "arguments": arguments}
    result = read([{"role": "assistant", "parts": [part]}], "x_inputs.json")
    assert "hunter2" not in str(result)
    assert "Oslo" in str(result)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("s3://bucket/prompts/aa_inputs.json", "aa_inputs.json"),
        ("file:///tmp/aa_inputs.jsonl", "aa_inputs.jsonl"),
        ("https://account.blob.example/c/aa_inputs.json?sig=secret", "aa_inputs.json"),
        ("prompts/aa_inputs.json.gz", "aa_inputs.json"),
        ("", None),
    ],
)
def test_a_reference_and_a_key_give_one_name(uri: str, name: str | None) -> None:
    assert content_name_of(uri) == name


def test_landing_dates_an_upload_by_its_arrival(read: Read) -> None:
    result = read(INPUTS, "p/0af76519_inputs.json")
    stream = Stream(
        MESSAGE_CONTENTS,
        ("trace_id", "span_id", "content_name", "direction"),
        "recorded_at",
        result.tables["message_contents"],
    )
    outcome = Found(result.format, result.signal, result.record_count)
    pile = Pile()
    landed = process_object(ReadAtOnce(outcome, (stream,)), fake_delivery(), fake_guard(), pile)
    ((table, event_date, rows),) = pile.data
    (row,) = rows.to_pylist()
    assert (table.name, event_date, row["recorded_at"]) == (
        "message_contents", ARRIVED_AT.date(), ARRIVED_AT)  # fmt: skip
    assert (landed.ledger["landed_count"], landed.ledger["late_count"]) == (1, 0)
    assert row["content_name"] == "0af76519_inputs.json"
