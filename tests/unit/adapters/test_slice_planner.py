"""From what arrived to the days it touches, on a lake of a few rows and without dbt."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from include.freezeline.adapters.built_state import BuiltState
from include.freezeline.adapters.slice_planner import SlicePlanner
from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.facts.spec import load_fact_specs
from include.freezeline.settings import Settings
from include.freezeline.slices.plan import BuiltInputs, Slice
from tests.dbt.tiny_lake import TinyLake, call

FIRST = datetime(2026, 10, 1, tzinfo=UTC)


def on(day: int, hour: float = 12) -> datetime:
    """Return an instant of a day of October."""
    return FIRST + timedelta(days=day - 1, hours=hour)


def days(*numbers: int) -> list[date]:
    """Return days of October."""
    return [date(2026, 10, number) for number in numbers]


class Nights:
    """A lake and the record of what was built from it."""

    def __init__(self, settings: Settings, warehouse: Warehouse) -> None:
        """Start with nothing."""
        self.lake = TinyLake(settings)
        self.settings, self._warehouse = settings, warehouse

    def planner(self, day: int) -> SlicePlanner:
        """Return the planner of the night after a day."""
        specs = load_fact_specs(config_dir(self.settings))
        return SlicePlanner(self._warehouse, self.settings.lake_dir, specs, on(day + 1, 0))

    def build(self, day: int, *, is_everything: bool = False) -> Slice | None:
        """Plan the night after a day and record it as built."""
        planner = self.planner(day)
        looked = planner.look(is_everything=is_everything)
        planned = None if is_everything else planner.slice(looked, [])
        self.planner(day).finish(looked, is_everything=is_everything)
        planner.state.finish(BuiltInputs(on(day + 1, 0), "c", "p", "t"))
        return planned

    def call(self, number: int, day: int, arrives: int | None = None, **values: Any) -> None:
        """Write a call of a day that arrives on it, or later."""
        known = {"started_at": on(day), "arrived_at": on(arrives or day, 20)}
        self.lake.spans(f"calls/{number}/{arrives}", [call(number, **{**known, **values})])

    def touched(self, day: int) -> list[date]:
        """Plan and record the night after a day; return the days of calls it touches."""
        planned = self.build(day)
        assert planned is not None
        return list(planned.touched["event"])


@pytest.fixture
def nights(settings: Settings) -> Iterator[Nights]:
    """Three calls of three days, built on the night after the third."""
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        BuiltState(warehouse)
        made = Nights(settings, warehouse)
        for number in (1, 2, 3):
            made.call(number, number, request_id=f"r{number}", response_id=f"p{number}")
        made.build(3, is_everything=True)
        yield made


def test_a_night_without_arrivals_touches_nothing(nights: Nights) -> None:
    assert nights.touched(4) == []


def test_a_late_call_touches_its_day_alone(nights: Nights) -> None:
    nights.call(9, 2, arrives=4)
    assert nights.touched(4) == days(2)
    assert nights.touched(4) == [], "it was seen"


def test_a_late_outcome_touches_the_day_of_its_call_and_its_own(nights: Nights) -> None:
    fact = {"request_id": "r1", "escalated_at": on(3), "recorded_at": on(4), "reason_code": "x"}
    nights.lake.facts("escalations", "e", [{**fact, "arrived_at": on(4)}])
    assert nights.touched(4) == days(1, 3)


def test_an_outcome_that_came_before_its_call_is_touched_by_the_call(nights: Nights) -> None:
    fact = {"request_id": "r7", "escalated_at": on(3), "recorded_at": on(3), "reason_code": "x"}
    nights.lake.facts("escalations", "e", [{**fact, "arrived_at": on(4)}])
    assert nights.touched(4) == days(3)
    nights.call(7, 2, arrives=5, request_id="r7")
    assert nights.touched(5) == days(2, 3)


def test_a_new_span_touches_every_day_of_its_trace_and_of_its_request(nights: Nights) -> None:
    nights.call(50, 4, trace_id=f"{1:032x}", request_id="r3")
    assert nights.touched(4) == days(1, 3, 4)


def test_a_judgement_by_response_touches_the_day_of_the_call(nights: Nights) -> None:
    judged = {"trace_id": None, "span_id": None, "response_id": "p2", "evaluation_name": "refusal"}
    judged |= {"evaluated_at": on(4), "arrived_at": on(4, 20)}
    nights.lake.evaluations("v", [judged])
    planned = nights.build(4)
    assert planned is not None
    assert list(planned.touched["event"]) == days(2, 4)
    nights.call(70, 5, response_id="p2")
    planned = nights.build(5)
    assert planned is not None
    assert list(planned.touched["event"]) == days(4, 5), "it may be the response's first call"
    assert list(planned.loaded["spans"]) == days(2, 5), "which has to be read"


def test_uploaded_content_touches_the_calls_that_name_it(nights: Nights) -> None:
    nights.call(8, 3, arrives=4, input_content_name="up")
    assert nights.touched(4) == days(3)
    piece = {"trace_id": None, "span_id": None, "content_name": "up", "direction": "input"}
    piece |= {"carrier": "upload_object", "recorded_at": on(5), "arrived_at": on(5, 20)}
    nights.lake.contents("c", [piece])
    assert nights.touched(5) == days(3, 5)


def test_rows_that_are_not_known_yet_wait_for_their_night(nights: Nights) -> None:
    nights.call(9, 6, arrives=4)
    fact = {"request_id": "r1", "escalated_at": on(4), "recorded_at": on(6), "reason_code": "x"}
    nights.lake.facts("escalations", "e", [{**fact, "arrived_at": on(4)}])
    assert nights.touched(4) == []
    assert nights.touched(5) == []
    assert nights.touched(6) == days(1, 4, 6)
    assert nights.touched(7) == []


def test_an_object_landed_again_touches_what_it_said_before(nights: Nights) -> None:
    both = {"started_at": on(4), "arrived_at": on(4, 20)}
    rows = [call(20, request_id="r1", **both), call(21, request_id="r21", **both)]
    nights.lake.spans("again", rows)
    assert nights.touched(4) == days(1, 4)
    nights.lake.spans("again", rows[1:])
    assert nights.touched(5) == days(1, 3, 4)[:1] + days(4)
    assert nights.touched(6) == []


def test_an_object_found_long_after_it_arrived_is_new(nights: Nights) -> None:
    nights.build(8)
    nights.call(9, 2, arrives=2)
    assert nights.touched(9) == days(2)


def test_a_counter_touches_its_next_point_and_reads_the_one_before(nights: Nights) -> None:
    def point(day: int, arrives: int) -> None:
        row = {"series_hash": "s", "measured_at": on(day), "instrument": "counter"}
        nights.lake.counters(f"m/{day}", [{**row, "arrived_at": on(arrives, 20)}])

    point(1, 4)
    point(4, 4)
    nights.build(4)
    point(3, 5)
    planned = nights.build(5)
    assert planned is not None
    assert list(planned.touched["counter"]) == days(3, 4)
    assert set(days(1, 3, 4)) <= set(planned.loaded["source_counters"])
    assert list(planned.touched["event"]) == [], "no call changed"


def test_a_moved_invoice_line_touches_both_days_and_no_call(nights: Nights) -> None:
    line = {"provider": "openai", "line_id": "1", "model": "m", "recorded_at": on(4)}
    nights.lake.facts(
        "invoice_lines", "a", [{**line, "usage_started_at": on(1), "arrived_at": on(4)}]
    )
    nights.build(4)
    nights.lake.facts(
        "invoice_lines", "b", [{**line, "usage_started_at": on(2), "arrived_at": on(5)}]
    )
    planned = nights.build(5)
    assert planned is not None
    assert list(planned.touched["invoice"]) == days(1, 2)
    assert list(planned.touched["event"]) == []


def test_books_touch_their_arrival_date_until_it_is_over(nights: Nights) -> None:
    nights.lake.ledger("o", arrived_at=on(4))
    planned = nights.build(4)
    assert planned is not None
    assert list(planned.touched["arrival"]) == days(4)
    planned = nights.build(5)
    assert planned is not None
    assert list(planned.touched["arrival"]) == []


def outcome(nights: Nights, key: str, event: int, arrives: int, **values: Any) -> None:
    """An escalation of a day that arrives on another."""
    row = {"request_id": None, "escalated_at": on(event), "recorded_at": on(arrives, 1)}
    nights.lake.facts("escalations", key, [{**row, **values, "arrived_at": on(arrives)}])


def loaded(planned: Slice | None, table: str) -> set[date]:
    assert planned is not None
    return set(planned.loaded[table])


def test_an_outcome_of_a_run_touches_the_days_of_its_trace(nights: Nights) -> None:
    outcome(nights, "e", 3, 4, trace_id=f"{1:032x}")
    assert nights.touched(4) == days(1, 3)
    outcome(nights, "f", 4, 5, trace_id=f"{77:032x}")
    assert nights.touched(5) == days(4), "a run that nobody has seen"
    nights.call(77, 2, arrives=6)
    assert nights.touched(6) == days(2, 4)


def test_an_outcome_of_a_conversation_touches_all_of_it(nights: Nights) -> None:
    for number in (11, 12, 13):
        nights.call(number, number - 10, arrives=4, session_key="s")
    nights.call(14, 1, arrives=4, session_key="another")
    nights.build(4)
    outcome(nights, "e", 2, 5, session_key="s")
    planned = nights.build(5)
    assert planned is not None
    assert list(planned.touched["event"]) == days(1, 2, 3)
    assert set(days(1, 2, 3)) <= loaded(planned, "spans")
    assert nights.touched(6) == []


def test_a_late_call_of_a_conversation_with_an_outcome_touches_all_of_it(nights: Nights) -> None:
    for number in (11, 12):
        nights.call(number, number - 10, arrives=4, session_key="s", request_id=f"q{number}")
    nights.build(4)
    nights.call(13, 3, arrives=5, session_key="s")
    assert nights.touched(5) == days(3), "no outcome names the conversation"
    outcome(nights, "e", 3, 6, session_key="s")
    nights.build(6)
    nights.call(14, 2, arrives=7, session_key="s")
    planned = nights.build(7)
    assert planned is not None
    assert list(planned.touched["event"]) == days(1, 2, 3)
    assert loaded(planned, "fact_escalations") == set(days(3))


def test_a_corrected_outcome_touches_what_the_earlier_record_judged(nights: Nights) -> None:
    nights.call(11, 1, arrives=4, session_key="s")
    outcome(nights, "e", 3, 4, request_id="nobody", session_key="s")
    nights.build(4)
    outcome(nights, "f", 4, 5, request_id="nobody")
    assert nights.touched(5) == days(1, 3, 4)


def test_an_outcome_is_read_with_those_that_may_judge_the_same_request(nights: Nights) -> None:
    nights.call(11, 1, arrives=4, session_key="s", request_id="q")
    nights.call(12, 2, arrives=4, request_id="q")
    outcome(nights, "e", 3, 4, session_key="s")
    outcome(nights, "f", 4, 4, trace_id=f"{12:032x}")
    nights.build(4)
    nights.call(20, 3, arrives=5)
    planned = nights.build(5)
    assert planned is not None
    assert list(planned.touched["event"]) == days(3), "nothing of theirs is new"
    assert loaded(planned, "fact_escalations") == set(days(3, 4))
    assert set(days(1, 2, 3)) <= loaded(planned, "spans")


def test_a_request_with_a_run_or_conversation_of_an_outcome_leads_to_its_other_days(
    nights: Nights,
) -> None:
    nights.call(11, 1, arrives=4, session_key="s", request_id="q")
    nights.call(12, 2, arrives=4, request_id="q")
    nights.build(4)
    outcome(nights, "e", 3, 5, session_key="s")
    assert nights.touched(5) == days(1, 2, 3)


def test_links_are_read_from_files_without_the_columns_of_today(nights: Nights) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from include.freezeline.contracts.arrow import arrow_schema
    from include.freezeline.facts.spec import fact_table

    spec = next(s for s in load_fact_specs(config_dir(nights.settings)) if s.name == "escalations")
    outcome(nights, "e", 3, 4, request_id="r1")
    (path,) = (nights.settings.lake_dir / "fact_escalations").rglob("*.parquet")
    old = pq.read_table(path, partitioning=None).drop_columns(["trace_id", "session_key"])
    pq.write_table(old, path)
    empty = pa.Table.from_pylist([], schema=arrow_schema(fact_table(spec)))
    pq.write_table(empty, nights.settings.lake_dir / "fact_escalations" / "schema_only.parquet")
    assert nights.touched(4) == days(1, 3)
