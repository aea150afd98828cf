"""What may not land again."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from include.freezeline.erasure.subject import Digester, IdKind, SubjectKind
from include.freezeline.erasure.tombstones import Tombstone, Tombstones
from include.freezeline.landing.erased import ErasedRows
from include.freezeline.landing.records import Fates
from include.freezeline.retention.policy import LegalHold

LIMIT = datetime(2026, 10, 14, tzinfo=UTC)
EARLY, LATE = LIMIT - timedelta(days=1), LIMIT
DIGESTER = Digester(b"test-key")
HOLD = LegalHold(
    name="case",
    environment="production",
    from_date=date(2026, 10, 13),
    to_date=date(2026, 10, 13),
    reason="r",
)


def stone(
    id_kind: IdKind, value: str, before_at: datetime | None = None, kind: SubjectKind = "user"
) -> Tombstone:
    return Tombstone(kind, id_kind, DIGESTER.digest(id_kind, value), before_at)


def table(*rows: dict[str, Any]) -> pa.Table:
    names = ("user_key", "session_key", "trace_id", "span_id", "request_id", "environment")
    full = [{**dict.fromkeys(names), "started_at": EARLY, "source_offset": n, **row}
            for n, row in enumerate(rows)]  # fmt: skip
    types = [(name, pa.string()) for name in names]
    schema = pa.schema([*types, ("started_at", pa.timestamp("us", "UTC")),
                        ("source_offset", pa.int64())])  # fmt: skip
    return pa.Table.from_pylist(full, schema=schema)


def left(data: pa.Table, *stones: Tombstone, holds: tuple[LegalHold, ...] = ()) -> list[int]:
    """Ordinals that may land."""
    erased = ErasedRows(Tombstones(stones, DIGESTER, holds), Fates())
    kept = erased.without(data, "started_at")
    edit = erased.last_edit()
    offsets: list[int] = (kept if edit is None else edit(kept))["source_offset"].to_pylist()
    return offsets


def test_rows_that_name_an_erased_subject_stay_out_up_to_its_time() -> None:
    data = table({"user_key": "u"}, {"user_key": "u", "started_at": LATE}, {"user_key": "v"}, {})
    assert left(data, stone("user_key", "u", LIMIT)) == [1, 2, 3]
    assert left(data, stone("user_key", "w", LIMIT)) == [0, 1, 2, 3]
    assert left(data, stone("user_key", "u", LIMIT), stone("user_key", "u", EARLY)) == [1, 2, 3]


def test_rows_of_an_erased_trace_stay_out_unless_they_name_somebody_else() -> None:
    data = table(
        {"trace_id": "t"},
        {"trace_id": "t", "user_key": "v"},
        {"trace_id": "t", "span_id": "theirs"},
        {"trace_id": "x"},
    )
    assert left(data, stone("trace_id", "t")) == [1, 3]
    assert left(data, stone("trace_id", "t"), stone("span_id", "theirs")) == [1, 2, 3]


def test_a_trace_found_at_the_last_row_takes_its_first_rows_with_it() -> None:
    data = table(
        {"trace_id": "t"}, {"trace_id": "t", "user_key": "v"}, {"trace_id": "t", "user_key": "u"}
    )
    assert left(data, stone("user_key", "u", LIMIT)) == [1]


def test_sessions_hold_for_users_only_and_up_to_their_time() -> None:
    data = table(
        {"session_key": "s"},
        {"session_key": "s", "user_key": "v"},
        {"session_key": "s", "started_at": LATE},
    )
    assert left(data, stone("session_key", "s", LIMIT)) == [1, 2]
    assert left(data, stone("session_key", "s", LIMIT, kind="tenant")) == [0, 1, 2]


@pytest.mark.parametrize("kind", ["user", "tenant"])
def test_outcomes_of_erased_runs_and_conversations_stay_out(kind: SubjectKind) -> None:
    rows = table({"session_key": "s"}, {"trace_id": "t"}, {"session_key": "x", "trace_id": "y"},
                 {"session_key": "s", "started_at": LATE})  # fmt: skip
    outcomes = rows.drop_columns(["user_key", "span_id", "environment"])
    stones = (stone("session_key", "s", LIMIT, kind), stone("trace_id", "t", kind=kind))
    assert left(outcomes, *stones) == [2, 3]


def test_requests_hold_always() -> None:
    data = table({"request_id": "r", "started_at": LATE}, {"request_id": "q"})
    assert left(data, stone("request_id", "r")) == [1]


@pytest.mark.parametrize(
    ("environment", "kept"), [("production", [0]), ("staging", []), (None, [0])]
)
def test_a_legal_hold_lets_rows_through(environment: str | None, kept: list[int]) -> None:
    data = table({"user_key": "u", "environment": environment or "*"})
    assert left(data, stone("user_key", "u", LIMIT), holds=(HOLD,)) == kept


def test_dropped_records_are_counted_as_landed_and_erased() -> None:
    fates = Fates()
    fates.mark([1], 1)
    erased = ErasedRows(Tombstones([stone("user_key", "u", LIMIT)], DIGESTER), fates)
    erased.without(table({"user_key": "u"}, {"user_key": "v"}), "started_at")
    books = fates.settle("key", 2)
    assert (books.n_landed, books.n_erased) == (2, 1)


def test_tables_without_the_columns_pass() -> None:
    data = pa.table({"measured_at": pa.array([EARLY], pa.timestamp("us", "UTC"))})
    erased = ErasedRows(Tombstones([stone("user_key", "u", LIMIT)], DIGESTER), Fates())
    assert erased.without(data, "measured_at") is data


def test_quarantined_records_lose_what_quotes_an_erased_id() -> None:
    erased = ErasedRows(Tombstones([stone("raw_id", "jane/4711")], DIGESTER), Fates())
    row = {"reason": "r", "detail_redacted": "d", "sample_redacted": '{"u": "jane/4711", "n": 1}'}
    other = row | {"sample_redacted": '{"u": "jane/4712"}'}
    assert erased.without_quotes([row, other]) == (row | {"sample_redacted": None}, other)


@pytest.mark.parametrize(
    "sample",
    [
        "jane van doe,tone,warm,soon",
        '{"user_id": "jane van doe", "bucket": "warm"}',
        "bucket warm; jane van doe ; soon",
    ],
)
def test_raw_ids_with_spaces_are_found_where_they_are_a_field(sample: str) -> None:
    tombstones = Tombstones([stone("raw_id", "jane van doe")], DIGESTER)
    assert tombstones.are_quoted_in(sample)
    assert not tombstones.are_quoted_in(sample.replace("van", "von"))
