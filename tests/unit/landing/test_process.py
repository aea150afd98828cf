"""One object: privacy, duplicates, books."""

from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import as_file, files
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.lake import EVALUATIONS, LEDGER, QUARANTINE, SPANS
from include.freezeline.errors import AccountingError, ReadError
from include.freezeline.landing.guard import Guard
from include.freezeline.landing.process import (
    ObjectResult,
    Pile,
    process_object,
    process_unreadable,
)
from include.freezeline.landing.quarantine import outline_of, show_sample
from include.freezeline.landing.records import Found, ReadAtOnce, Reading, Refusal, Stream
from include.freezeline.landing.repeats import RepeatFinder
from include.freezeline.landing.scopes import FIELDS_DROPPED
from include.freezeline.landing.texts import DROPPED
from include.freezeline.redaction.engine import load_redactor
from include.freezeline.redaction.pseudonyms import Pseudonymiser
from tests.unit.landing.fakes import fake_delivery, fake_guard, span_row

SPAN_KEY = ("trace_id", "span_id")
RAW = "jane@example.com"


class Landed(NamedTuple):
    """The books of an object and its rows."""

    result: ObjectResult
    data: list[tuple[Table, date, pa.Table]]

    @property
    def ledger(self) -> dict[str, Any]:
        return self.result.ledger

    @property
    def quarantine(self) -> tuple[dict[str, Any], ...]:
        return self.result.quarantine


def processed(reading: Reading) -> Landed:
    pile = Pile()
    return Landed(process_object(reading, fake_delivery(), fake_guard(), pile), pile.data)


def landed(*rows: dict[str, Any], n_records: int | None = None, **kwargs: Any) -> Landed:
    stream = Stream(SPANS, SPAN_KEY, "started_at", rows)
    found = Found("otlp_json", "traces", len(rows) if n_records is None else n_records)
    return processed(ReadAtOnce(found, (stream,), kwargs.get("rejects", ())))


def spans_of(result: Landed) -> list[dict[str, Any]]:
    tables = [rows for table, _, rows in result.data if table is SPANS]
    return pa.concat_tables(tables).to_pylist() if tables else []


def test_text_ids_and_labels_are_guarded_when_they_hold_personal_data() -> None:
    row = span_row(
        0,
        input_text_redacted=f"I am {RAW}, again {RAW}",
        output_text_redacted=f"Dear {RAW}",
        user_key=RAW,
        tool_name=f"mail_{RAW}",
        attributes_redacted='{"a": "' + RAW + '"}',
        request_id="01J9ZQ7M0Y7K5T9GQ2V3W4X5Y6",
    )
    (span,) = spans_of(landed(row))
    assert span["input_text_redacted"] == "I am <EMAIL_1>, again <EMAIL_1>"
    assert span["output_text_redacted"] == "Dear <EMAIL_1>"
    assert span["user_key"] == "u_16"
    assert span["tool_name"] == "<EMAIL_1>"
    assert span["request_id"] == row["request_id"]
    assert RAW not in str(span)


def test_counts_are_written_by_entity_type() -> None:
    result = landed(span_row(0, input_text_redacted=f"{RAW} and bob@example.com"))
    counts = {row["entity_type"]: row["value_count"] for row in result.result.redaction_counts}
    assert counts["EMAIL"] == 2
    assert counts["FIELDS_SCANNED"] > 0
    assert result.ledger["redaction_count"] == 2


def test_a_field_is_dropped_and_counted_when_it_cannot_be_scanned() -> None:
    text = f"UNSCANNABLE {RAW}"
    result = landed(span_row(0, input_text_redacted=text, span_name=text))
    (span,) = spans_of(result)
    assert span["input_text_redacted"] is None
    assert span["span_name"] == DROPPED
    assert {r["entity_type"]: r["value_count"] for r in result.result.redaction_counts}[
        FIELDS_DROPPED
    ] == 2


def test_identical_copies_are_duplicates_and_differing_ones_are_kept() -> None:
    first = span_row(0)
    copy = {**first, "source_offset": 1}
    richer = {**first, "source_offset": 2, "input_tokens": 7}
    result = landed(first, copy, richer)
    assert [span["source_offset"] for span in spans_of(result)] == [0, 2]
    assert result.ledger["landed_count"] == 2
    assert result.ledger["duplicate_count"] == 1


def test_rows_go_to_their_event_date_and_late_ones_are_counted() -> None:
    late = span_row(0, started_at=datetime(2026, 10, 12, 23, 59, tzinfo=UTC))
    result = landed(late, span_row(1))
    assert [str(event_date) for _, event_date, _ in result.data] == ["2026-10-12", "2026-10-13"]
    assert result.ledger["late_count"] == 1


def test_a_row_is_quarantined_when_it_does_not_fit_the_contract() -> None:
    huge = span_row(0, input_tokens=2**70)
    nameless = span_row(1, started_at=None)
    torn = span_row(2, route="a\ud800b")
    result = landed(huge, nameless, torn, span_row(3))
    assert [span["source_offset"] for span in spans_of(result)] == [3]
    reasons = {row["source_offset"]: row["reason"] for row in result.quarantine}
    assert reasons == {
        0: "bad_value:input_tokens",
        1: "missing_value:started_at",
        2: "bad_value:route",
    }
    assert result.ledger["quarantined_count"] == 3
    assert result.ledger["status"] == "landed"


def test_evaluations_of_a_span_do_not_count_as_records_of_their_own() -> None:
    evaluation = {
        "trace_id": span_row(0)["trace_id"],
        "span_id": span_row(0)["span_id"],
        "evaluation_name": "helpfulness",
        "carrier": "span_event",
        "evaluated_at": datetime(2026, 10, 13, tzinfo=UTC),
        "source_offset": 0,
    }
    streams = (
        Stream(SPANS, SPAN_KEY, "started_at", [span_row(0)]),
        Stream(EVALUATIONS, (*SPAN_KEY, "evaluation_name"), "evaluated_at", [evaluation] * 2),
    )
    result = processed(ReadAtOnce(Found("otlp_json", "traces", 1), streams))
    assert [(table.name, rows.num_rows) for table, _, rows in result.data] == [
        ("spans", 1),
        ("evaluations", 1),
    ]
    assert (result.ledger["landed_count"], result.ledger["duplicate_count"]) == (1, 0)


def test_books_are_refused_when_a_record_is_unaccounted_for() -> None:
    with pytest.raises(AccountingError, match=r"traces/a.json: 3 records read, but 1 landed"):
        landed(span_row(0), n_records=3)


def test_an_object_is_empty_when_it_holds_no_record() -> None:
    result = landed()
    assert (result.ledger["status"], result.ledger["reason"]) == ("empty", "no_records")


def test_an_unreadable_object_is_quarantined_whole_without_its_values() -> None:
    data = b'{"user": "' + RAW.encode() + b'", "customer": "C-4711", "note": 1}'
    result = process_unreadable(ReadError("unknown"), data, fake_delivery(), fake_guard())
    (row,) = result.quarantine
    assert (row["source_offset"], row["reason"]) == (-1, "unknown")
    assert row["sample_redacted"] == "fields: user, customer, note"
    assert RAW not in str(row)
    assert "4711" not in str(row)
    assert (result.ledger["status"], result.ledger["reason"]) == ("quarantined", "unknown")
    assert result.ledger["record_count"] == result.ledger["quarantined_count"] == 1


def test_rows_of_the_books_fit_their_contracts() -> None:
    result = landed(span_row(0), n_records=2, rejects=(Refusal(1, "invalid_id", RAW, RAW),))
    assert set(result.ledger) == set(LEDGER.column_names)
    pa.Table.from_pylist([result.ledger], schema=arrow_schema(LEDGER)).validate()
    assert [set(row) for row in result.quarantine] == [set(QUARANTINE.column_names)]
    assert RAW not in str(result.quarantine)


def test_sample_hides_values_behind_json_escapes_and_torn_ends() -> None:
    tally: Counter[str] = Counter()
    escaped = '{"user": "jane\\u0040example.com", "note": "' + "long " * 20 + '", "to": "bob@exa'
    shown = show_sample(escaped, fake_guard(), tally)
    assert shown is not None
    assert "<EMAIL_1>" in shown
    assert "jane" not in shown
    assert "bob" not in shown


@pytest.mark.parametrize(
    ("data", "outline"),
    [
        (b"\x89PNG\r\n\x1a\n", "starts with bytes 89 50 4e 47"),
        (b"jane@example.com,1\n", None),
        (b"", None),
        (b'{"a": {"b.c": "secret"}}', "fields: a, b.c"),
    ],
)
def test_outline_names_the_format_but_no_value(data: bytes, outline: str | None) -> None:
    assert outline_of(data) == outline


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 1), st.sampled_from([None, 5, 2**70])),
        max_size=25,
    )
)
def test_books_always_add_up(records: list[tuple[int, int, int | None]]) -> None:
    rows = [
        span_row(offset, span_id=f"{span:016x}", otel_kind=kind, input_tokens=tokens)
        for offset, (span, kind, tokens) in enumerate(records)
    ]
    ledger = landed(*rows).ledger
    assert ledger["record_count"] == len(records)
    parts = ("landed_count", "duplicate_count", "quarantined_count")
    assert sum(ledger[name] for name in parts) == len(records)


def test_keys_lose_control_characters_and_texts_keep_their_lines() -> None:
    row = span_row(
        0,
        feature="a\0b",
        environment="\x01\x02",
        route="\0",
        user_key="jane\0@example.com",
        finish_reasons=["st\0op"],
        input_text_redacted=f"one\n\ttwo\r\n{RAW[:4]}\0{RAW[4:]}",
    )
    result = landed(row, n_records=2, rejects=(Refusal(1, "b\0ad", "de\0tail", "sam\0ple"),))
    (span,) = spans_of(result)
    assert (span["feature"], span["environment"], span["route"]) == ("ab", DROPPED, None)
    assert (span["user_key"], span["finish_reasons"]) == ("u_16", ["stop"])
    assert span["input_text_redacted"] == "one\n\ttwo\r\n<EMAIL_1>"
    assert (result.quarantine[0]["reason"], result.quarantine[0]["detail_redacted"]) == (
        "bad",
        "detail",
    )
    assert "\0" not in str(result.quarantine)


def test_repeats_are_found_in_linear_time_when_many_rows_share_a_key() -> None:
    class Counted(int):
        n_compared = 0
        __hash__ = int.__hash__

        def __eq__(self, other: object) -> bool:
            Counted.n_compared += 1
            return int.__eq__(self, other)

    rows = [
        span_row(0, input_tokens=Counted(number % 1_000), finish_reasons=["stop"])
        for number in range(2_000)
    ]
    kept, repeats = RepeatFinder(SPAN_KEY).split(rows)
    assert (len(kept), len(repeats)) == (1_000, 1_000)
    assert Counted.n_compared < 10_000


@pytest.mark.parametrize(
    ("value", "is_kept"),
    [
        ("chatcmpl-AbC123xyz", True),
        ("01HZX3J5Q8Y7M2N4P6R8T0V2W4", True),
        ("550E8400E29B41D4A716446655440000", True),
        ("1790000000123456", True),
        ("AKIAXM49PCQ1FKA4WZS5", False),
        ("DE89370400440532013000", False),
        ("203.0.113.7", False),
        ("512-48-7223", False),
        ("sk-test-9O16xwuLaykTzDlCVNy8pz1MfbduD3AGvfH1uNP0", False),
    ],
)
def test_ids_pass_unless_they_tell_of_a_person_or_a_secret(value: str, is_kept: bool) -> None:
    guard = _real_guard()
    rows = [{"request_id": value, "source_offset": 0}]
    columns = guard.guard_columns(SPANS, rows, guard.scopes(), Counter())
    assert (columns["request_id"][0] == value) is is_kept


@cache
def _real_guard() -> Guard:
    """The guard with the packaged rules."""
    with as_file(files("include").joinpath("config")) as config:
        return Guard(load_redactor(config).scope, Pseudonymiser(b"k"))
