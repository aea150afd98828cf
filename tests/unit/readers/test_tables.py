"""Objects that are tables: found by content, read row by row, refused whole or in part."""

import io
import json
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.freezeline.errors import ReadError
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult
from include.freezeline.readers.rules import LandingRules, load_landing_rules
from include.freezeline.readers.tables import open_table
from tests.unit.readers.conftest import CONFIG_DIR
from tests.unit.readers.langfuse_files import GENERATION, OBSERVATIONS, as_csv, as_parquet

RULES = load_landing_rules(CONFIG_DIR)
KEY = "object"
HEADER = b"id,trace_id,project_id,type,start_time,end_time,parent_observation_id,input\n"
START = b",prj,SPAN,2026-08-22 08:00:00.000,2026-08-22 08:00:01.000,,"


def row(number: int, text: bytes = b"hello") -> bytes:
    """Return a line of a table with eight columns."""
    return f"{number:016x},{'ab' * 16}".encode() + START + text + b"\n"


def read(data: bytes, rules: LandingRules = RULES) -> ReadResult:
    """Read an object."""
    return read_object(KEY, data, rules)


def parquet(**columns: Any) -> bytes:
    """Return a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def test_csv_keeps_line_ends_and_commas_inside_quotes() -> None:
    result = read(b"\xef\xbb\xbf" + HEADER + row(1, b'"a,\n""{b"') + b"\n" + row(2) + row(3, b""))
    assert [each["input_text_redacted"] for each in result.spans] == ['a,\n"{b', "hello", None]
    assert (result.format, result.record_count) == ("langfuse_export_csv", 3)


def test_csv_field_may_be_longer_than_the_library_allows_by_itself() -> None:
    result = read(HEADER + row(1, b"x" * 300_000))
    assert len(result.spans[0]["input_text_redacted"]) == 300_000


def test_csv_rows_are_refused_alone() -> None:
    lines = [row(1), b"too,few\n", row(2, b'"quo"te"'), row(3, b"gr\xfc\xdfe"), row(4), row(5, b'"torn')]  # fmt: skip
    result = read(HEADER + b"".join(lines))
    assert [each["source_offset"] for each in result.spans] == [0, 4]
    assert [(reject.offset, reject.reason) for reject in result.rejects] == [
        (1, "malformed_row"), (2, "malformed_row"), (3, "not_utf8"), (5, "malformed_row"),
    ]  # fmt: skip


def test_torn_first_line_with_commas_does_not_hide_the_lines_below() -> None:
    lines = b"abc,def\n" + json.dumps(GENERATION).encode() + b"\n"
    result = read(lines)
    assert (len(result.spans), [each.reason for each in result.rejects]) == (1, ["invalid_json"])


def test_table_without_rows_names_its_producer() -> None:
    for data, form in ((HEADER, "csv"), (as_parquet(OBSERVATIONS[:1]), "parquet")):
        empty = data if form == "csv" else _without_rows(data)
        result = read(empty)
        assert (result.format, result.signal, result.record_count) == (f"langfuse_export_{form}", "traces", 0)  # fmt: skip


def _without_rows(data: bytes) -> bytes:
    """Return a Parquet file with the same columns and no rows."""
    sink = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(data)).slice(0, 0), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (parquet(name=["Jo Doe"], mail=["jo@example.com"]), "unknown_table:parquet_of_2_columns"),
        (b"name,mail\nJo Doe,jo@example.com\n", "unknown_table:csv_of_2_columns"),
        (b"a,b,a\n1,2,3\n", "repeated_column:csv"),
        (as_parquet(OBSERVATIONS)[:-9], "corrupt_parquet"),
        (b"PAR1" + b"\0" * 40 + b"PAR1", "corrupt_parquet"),
        (b"Hello there, this is prose.\nIt has commas, too.\n", "unknown_format"),
        (b"one word", "unknown_format"),
    ],
)
def test_whole_object_is_refused_when_the_table_is_nobodys(data: bytes, reason: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(data)
    assert caught.value.reason == reason
    assert str(caught.value) == reason


def test_parquet_with_a_damaged_page_is_refused_as_a_whole() -> None:
    sink = io.BytesIO()
    rows = pa.Table.from_pylist([{**GENERATION, "metadata": None, "usage_details": None, "cost_details": None, "tool_calls": None, "tool_call_names": None, "tool_definitions": None}] * 50)  # fmt: skip
    pq.write_table(
        rows,
        sink,
        write_page_checksum=True,
        compression="none",
        use_dictionary=False,
        write_statistics=False,
    )
    data = sink.getvalue()
    place = data.index(b"Hi,")
    with pytest.raises(ReadError, match="corrupt_parquet"):
        read(data[:place] + b"Ha" + data[place + 2 :])


def test_parquet_row_with_a_value_python_cannot_hold_is_refused_alone() -> None:
    columns = {name: [GENERATION[name]] * 3 for name in ("id", "trace_id", "type", "project_id")}
    times = pa.array([0, 2**62, 1_787_385_600_000], type=pa.timestamp("ms"))
    result = read(parquet(**columns, start_time=times))
    assert [reject.reason for reject in result.rejects] == ["missing_start_time", "malformed_row"]
    assert [each["source_offset"] for each in result.spans] == [2]


def test_parquet_times_of_any_unit_and_zone_are_the_same_moment() -> None:
    core = {name: [GENERATION[name]] for name in ("id", "trace_id", "type", "project_id")}
    kinds = (
        (9, pa.timestamp("ns")),
        (6, pa.timestamp("us", tz="Europe/Berlin")),
        (3, pa.timestamp("ms", tz="UTC")),
        (0, pa.timestamp("s")),
        (0, pa.int64()),
    )
    starts = set()
    for digits, kind in kinds:
        start = pa.array([1_787_385_600 * 10**digits], type=kind)
        starts.add(str(read(parquet(**core, start_time=start)).spans[0]["started_at"]))
    assert starts == {"2026-08-22 08:00:00+00:00"}


def test_rows_are_read_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("include.freezeline.readers.tables._BATCH_ROWS", 2)
    table = open_table(as_parquet(OBSERVATIONS * 3))
    assert table is not None
    assert sum(1 for _ in table.rows) == 9
    assert len(read(as_parquet(OBSERVATIONS * 3)).spans) == 9


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_tables_end_in_rows_or_in_one_error(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([as_csv(OBSERVATIONS), as_parquet(OBSERVATIONS)]))
    torn = bytearray(whole[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else whole)  # fmt: skip
    for _ in range(data.draw(st.integers(0, 6)) if torn else 0):
        torn[data.draw(st.integers(0, len(torn) - 1))] = data.draw(st.integers(0, 255))
    _read_or_refuse(bytes(torn))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.binary(max_size=60))
def test_garbage_below_a_header_or_a_magic_ends_in_rows_or_in_one_error(
    text: str, tail: bytes
) -> None:
    _read_or_refuse(HEADER + text.encode("utf-8", "surrogatepass"))
    _read_or_refuse(HEADER + tail)
    _read_or_refuse(b"PAR1" + tail + b"PAR1")


def _read_or_refuse(data: bytes) -> None:
    """Read bytes; every record must be a row or a reject."""
    with suppress(ReadError):
        result = read(data)
        assert result.record_count == result.used_count + len(result.rejects)
        assert not any(reject.reason.startswith("reader_error") for reject in result.rejects)
