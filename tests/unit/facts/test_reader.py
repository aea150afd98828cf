"""Fact files: every format, every defect, nothing lost."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.errors import ReadError
from include.freezeline.facts.reader import FactRead, MissingColumnError, read_fact
from include.freezeline.facts.spec import FactSpec, load_fact_specs
from include.freezeline.readers.foreign_ids import foreign_trace_id
from include.freezeline.redaction.controls import CONTROL

_SPECS = {
    spec.name: spec for spec in load_fact_specs(Path(str(files("include").joinpath("config"))))
}
_HEADER = "request_id,escalated_at,recorded_at,reason_code"
_ROW = "r-1,2026-10-01T10:00:00Z,2026-10-01T12:30:00+02:00,unsure"


def _csv(*rows: str, header: str = _HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def _parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def test_csv_row_is_typed_in_utc() -> None:
    read = read_fact(_SPECS["escalations"], "k", _csv(_ROW))
    assert (read.format, read.record_count, read.rejects) == ("csv", 1, [])
    assert read.rows == [
        {
            "request_id": "r-1",
            "escalated_at": datetime(2026, 10, 1, 10, tzinfo=UTC),
            "recorded_at": datetime(2026, 10, 1, 10, 30, tzinfo=UTC),
            "reason_code": "unsure",
            "session_key": None,
            "trace_id": None,
        }
    ]


def test_columns_may_come_in_any_order_with_others_between() -> None:
    header = "extra,recorded_at,reason_code,request_id,escalated_at"
    read = read_fact(
        _SPECS["escalations"],
        "k",
        b"\xef\xbb\xbf" + _csv("x,2026-10-02,,r-1,2026-10-01", header=header),
    )
    assert read.rows[0]["request_id"] == "r-1"
    assert read.rows[0]["reason_code"] is None


def test_parquet_row_is_typed_when_nanoseconds_and_whole_number_ids() -> None:
    moment = datetime(2026, 10, 1, 10, tzinfo=UTC)
    data = _parquet(
        request_id=pa.array([17]),
        overridden_at=pa.array([moment], pa.timestamp("ns", tz="UTC")),
        recorded_at=pa.array([moment.replace(tzinfo=None)], pa.timestamp("us")),
        override_type=pa.array([None], pa.string()),
    )
    read = read_fact(_SPECS["overrides"], "k", data)
    assert read.format == "parquet"
    assert read.rows == [
        {
            "request_id": "17",
            "overridden_at": moment,
            "recorded_at": moment,
            "override_type": None,
            "session_key": None,
            "trace_id": None,
        }
    ]


def test_json_lines_row_keeps_raw_id_under_the_lake_name() -> None:
    record = {
        "tenant_id": "acme",
        "tier": "gold",
        "valid_from_at": "2026-09-01T00:00:00Z",
        "recorded_at": "2026-09-01T00:00:00Z",
    }
    data = (json.dumps(record) + "\nnot json\n[1]\n").encode()
    read = read_fact(_SPECS["subscription_tiers"], "k", data)
    assert read.format == "json_lines"
    assert read.rows[0]["tenant_key"] == "acme"
    assert [reject.reason for reject in read.rejects] == ["not_json", "not_an_object"]


def test_whole_object_is_rejected_when_a_column_is_missing() -> None:
    data = _csv("r-1,2026-10-01T10:00:00Z,x", header="request_id,escalated_at,reason_code")
    with pytest.raises(MissingColumnError) as caught:
        read_fact(_SPECS["escalations"], "facts/escalations/dt=2026-10-01/escalations.csv", data)
    assert caught.value.reason == "missing_column:recorded_at"
    message = str(caught.value)
    assert "facts/escalations/dt=2026-10-01/escalations.csv: column recorded_at" in message
    assert "expected request_id, escalated_at, recorded_at, reason_code" in message


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",2026-10-01,2026-10-01,x", "missing_subject"),
        ("r,yesterday,2026-10-01,x", "bad_time:escalated_at"),
        ("r,2026-10-01,,x", "empty_value:recorded_at"),
        ("r,2026-10-01,2026-10-01", "wrong_field_count"),
        ("r,2026-10-01,2026-10-01,x,y", "wrong_field_count"),
        ('r,2026-10-01,2026-10-01,"x" y', "malformed_row"),
    ],
)
def test_row_alone_is_rejected_when_it_is_bad(row: str, reason: str) -> None:
    read = read_fact(_SPECS["escalations"], "k", _csv(_ROW, row, _ROW.replace("r-1", "r-2")))
    assert [(reject.offset, reject.reason) for reject in read.rejects] == [(1, reason)]
    assert [row["request_id"] for row in read.rows] == ["r-1", "r-2"]
    assert read.record_count == 3


def test_number_is_rejected_when_not_finite() -> None:
    header = "request_id,converted_at,recorded_at,value_usd"
    rows = [
        f"r{i},2026-10-01,2026-10-01,{value}" for i, value in enumerate(["1.5", "NaN", "1e999", ""])
    ]
    read = read_fact(_SPECS["conversions"], "k", _csv(*rows, header=header))
    assert [row["value_usd"] for row in read.rows] == [1.5, None]
    assert {reject.reason for reject in read.rejects} == {"bad_number:value_usd"}


def test_sample_has_no_id_of_a_person_and_detail_no_value() -> None:
    header = "user_id,experiment_name,bucket_name,assigned_at,recorded_at"
    read = read_fact(
        _SPECS["experiment_buckets"], "k", _csv("jane,exp,b,soonish,2026-10-01", header=header)
    )
    (reject,) = read.rejects
    assert reject.sample is not None
    assert "jane" not in reject.sample
    assert "soonish" not in reject.detail


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PAR1 not parquet", "corrupt_parquet"),
        (b"\xff\xfe\x41", "not_utf8"),
        (b"a\x00b", "unknown_format"),
        (b"a,a\n1,2\n", "repeated_column"),
    ],
)
def test_whole_object_is_rejected_when_bytes_are_no_format(data: bytes, reason: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_fact(_SPECS["escalations"], "k", data)
    assert caught.value.reason == reason


@pytest.mark.parametrize("data", [b"", b" \n"])
def test_object_is_empty_when_there_are_no_bytes(data: bytes) -> None:
    read = read_fact(_SPECS["escalations"], "k", data)
    assert (read.format, read.record_count) == ("empty", 0)


@given(st.lists(st.text(max_size=30), max_size=8))
def test_nothing_is_lost_whatever_the_rows_are(rows: list[str]) -> None:
    text = "\n".join([_HEADER, *rows])
    read = read_fact(_SPECS["escalations"], "k", text.encode("utf-8", "replace"))
    assert len(read.rows) + len(read.rejects) == read.record_count


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_rejected(data: bytes) -> None:
    try:
        read = read_fact(_SPECS["escalations"], "k", data)
    except ReadError:
        return
    assert len(read.rows) + len(read.rejects) == read.record_count


@pytest.mark.parametrize("amount", ["412.37", "-0.1", "0.000000000001", "1e3"])
def test_money_is_read_exactly(amount: str) -> None:
    (row,) = read_fact(_SPECS["invoice_lines"], "k", _invoice(amount)).rows
    assert row["billed_usd"] == Decimal(amount)
    assert isinstance(row["billed_usd"], Decimal)


@pytest.mark.parametrize("amount", ["a lot", "nan", "inf", "0.0000000000001", "1000000000000"])
def test_money_that_cannot_be_stored_exactly_is_put_aside(amount: str) -> None:
    read = read_fact(_SPECS["invoice_lines"], "k", _invoice(amount))
    assert read.rows == []
    assert [reject.reason for reject in read.rejects] == ["bad_number:billed_usd"]
    assert "at most 12 decimals" in read.rejects[0].detail


def _invoice(amount: str) -> bytes:
    header = "provider,line_id,model,usage_started_at,recorded_at,billed_usd"
    return _csv(f"openai,l1,gpt-4.1,2026-10-12,2026-10-13,{amount}", header=header)


_BY_REQUEST = FactSpec.model_validate(
    {
        **_SPECS["escalations"].model_dump(exclude={"columns"}),
        "columns": [
            column.model_dump() | ({"role": "key"} if column.name == "request_id" else {})
            for column in _SPECS["escalations"].columns
            if column.name not in ("conversation_id", "run_id")
        ],
    }
)
"""The fact as it was before a row could be about a conversation or a run."""
_SUBJECT_HEADER = "conversation_id,run_id,escalated_at,recorded_at,reason_code"
_TRACE = "4BF92F3577B34DA6A3CE929D0E0E4736"


@pytest.mark.parametrize(
    ("given", "session", "trace"),
    [
        ("chat-1,", "chat-1", None),
        (f",{_TRACE}", None, _TRACE.lower()),
        (f"chat-1, {_TRACE.lower()} ", "chat-1", _TRACE.lower()),
        # what is no W3C id becomes what it becomes on the spans of an interaction log
        (",run 7", None, foreign_trace_id("run 7")),
    ],
)
def test_row_may_be_about_a_conversation_or_a_run(
    given: str, session: str | None, trace: str | None
) -> None:
    data = _csv(f"{given},2026-10-01,2026-10-01,x", header=_SUBJECT_HEADER)
    (row,) = read_fact(_SPECS["escalations"], "k", data).rows
    assert (row["request_id"], row["session_key"], row["trace_id"]) == (None, session, trace)


@pytest.mark.parametrize("empty", [",", " , ", "\x00,"])
def test_row_about_nothing_is_put_aside(empty: str) -> None:
    data = _csv(f"{empty},2026-10-01,2026-10-01,x", header=_SUBJECT_HEADER)
    read = read_fact(_SPECS["escalations"], "k", data)
    (reject,) = read.rejects
    assert reject.reason == "missing_subject"
    assert "request_id, conversation_id, run_id" in reject.detail


def test_quarantined_sample_has_no_conversation_id() -> None:
    data = _csv("chat-jane,,soon,2026-10-01,x", header=_SUBJECT_HEADER)
    (reject,) = read_fact(_SPECS["escalations"], "k", data).rejects
    assert reject.reason == "bad_time:escalated_at"
    assert reject.sample is not None
    assert "jane" not in reject.sample


def test_file_without_any_subject_is_rejected_whole() -> None:
    data = _csv("2026-10-01,2026-10-01,x", header="escalated_at,recorded_at,reason_code")
    with pytest.raises(MissingColumnError) as caught:
        read_fact(_SPECS["escalations"], "k", data)
    assert caught.value.reason == "missing_column:request_id"


def test_json_lines_may_name_another_subject_in_each_record() -> None:
    times = {"escalated_at": "2026-10-01", "recorded_at": "2026-10-01"}
    records = [{"request_id": "r"}, {"run_id": _TRACE}, {"conversation_id": 17}, {}]
    data = "\n".join(json.dumps(record | times) for record in records).encode()
    read = read_fact(_SPECS["escalations"], "k", data)
    ids = [(row["request_id"], row["trace_id"], row["session_key"]) for row in read.rows]
    assert ids == [("r", None, None), (None, _TRACE.lower(), None), (None, None, "17")]
    assert [(reject.offset, reject.reason) for reject in read.rejects] == [(3, "missing_subject")]


_CELLS = st.one_of(st.text(max_size=12), st.sampled_from(["r-1", "2026-10-01", "", "x"]))


@given(st.lists(st.tuples(_CELLS, _CELLS, _CELLS, _CELLS), max_size=6))
def test_files_of_requests_land_as_before(rows: list[tuple[str, str, str, str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([_HEADER.split(","), *rows])
    data = text.getvalue().encode("utf-8", "replace")
    before, after = (_read_or_reason(spec, data) for spec in (_BY_REQUEST, _SPECS["escalations"]))
    if isinstance(before, str) or isinstance(after, str):
        assert before == after
        return
    unprintable = {row["request_id"] for row in before.rows} - {
        row["request_id"] for row in after.rows
    }
    assert all(not CONTROL.sub("", request).strip() for request in unprintable)
    kept = [row for row in before.rows if row["request_id"] not in unprintable]
    assert after.rows == [row | {"session_key": None, "trace_id": None} for row in kept]
    if not unprintable:
        assert [r.offset for r in after.rejects] == [r.offset for r in before.rejects]
        for old, new in zip(before.rejects, after.rejects, strict=True):
            # A row may lack more than its request.
            assert new.reason == old.reason or old.reason == "empty_key:request_id"


def _read_or_reason(spec: FactSpec, data: bytes) -> FactRead | str:
    try:
        return read_fact(spec, "k", data)
    except ReadError as error:
        return error.reason
