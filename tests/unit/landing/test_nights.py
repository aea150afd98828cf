"""The ledger of nights: counts, what is usual, verdicts, and that the order of runs is no matter."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from include.freezeline.errors import AccountingError
from include.freezeline.landing.arrival import arrival_date_of, night_of_date
from include.freezeline.landing.nights import last_full_night, nights_to_count, recount_nights
from include.freezeline.landing.sources import Source

DAY = timedelta(days=1)
FIRST = date(2026, 9, 1)
TRACES = Source(name="traces", prefixes=("otel/",), expected=True)
FACTS = Source(name="escalations", kind="fact", prefixes=("facts/",))
Row = dict[str, Any]


def item(day: int, n_records: int, *, n_aside: int = 0, name: str = "traces") -> Row:
    """A ledger row of an object that arrived some days after the first."""
    n_landed = n_records - n_aside
    return {
        "source_name": name,
        "night_as_of": night_of_date(FIRST + DAY * day),
        "status": "landed" if n_landed else "quarantined" if n_aside else "empty",
        "object_size_bytes": 100,
        "record_count": n_records,
        "landed_count": n_landed,
        "duplicate_count": 0,
        "quarantined_count": n_aside,
        "late_count": 0,
        "redaction_count": 2,
    }


class Book:
    """A ledger of objects and one of nights, kept as a run keeps them."""

    def __init__(self, sources: tuple[Source, ...] = (TRACES, FACTS)) -> None:
        self.sources = sources
        self.ledger: list[Row] = []
        self.nights: list[Row] = []

    def run(self, day: int, landed: list[Row]) -> None:
        """Land objects with ``as_of`` at the end of a day."""
        self.ledger += landed
        as_of = night_of_date(FIRST + DAY * day)
        nights = nights_to_count(
            {arrival_date_of(row["night_as_of"]) for row in self.ledger},
            {row["night_as_of"] for row in self.nights},
            {row["night_as_of"] for row in landed},
            as_of,
        )
        rows = [row for row in self.ledger if row["night_as_of"] in nights]
        self.nights = recount_nights([dict(row) for row in self.nights], rows, nights, self.sources)

    def verdicts(self, name: str = "traces") -> list[str]:
        return [row["verdict"] for row in self.nights if row["source_name"] == name]

    def last(self, name: str = "traces") -> Row:
        return [row for row in self.nights if row["source_name"] == name][-1]


def usual_book(n_nights: int = 10) -> Book:
    """Nights of two objects with 50 records each."""
    book = Book()
    for day in range(n_nights):
        book.run(day, [item(day, 50), item(day, 50)])
    return book


def test_counts_and_verdicts_of_ordinary_nights() -> None:
    book = usual_book()
    assert book.verdicts() == ["insufficient_evidence"] * 7 + ["ok"] * 3
    last = book.last()
    assert last["usual_record_count"] == 100
    assert (last["object_count"], last["landed_object_count"]) == (2, 2)
    assert (last["record_count"], last["object_size_bytes"], last["redaction_count"]) == (
        100,
        200,
        4,
    )
    assert book.verdicts("escalations") == ["silent"] * 10
    assert not book.last("escalations")["is_expected"]


@pytest.mark.parametrize(
    ("landed", "verdict"),
    [
        ([], "silent"),
        ([item(10, 0)], "silent"),
        ([item(10, 80, n_aside=80)], "silent"),
        ([item(10, 9)], "low_volume"),
        ([item(10, 100, n_aside=91)], "low_volume"),
        ([item(10, 10)], "ok"),
    ],
)
def test_verdict_counts_only_what_can_be_used(landed: list[Row], verdict: str) -> None:
    book = usual_book()
    book.run(10, landed)
    assert book.last()["verdict"] == verdict
    assert book.last()["usual_record_count"] == 100


def test_ratio_of_zero_asks_for_no_volume() -> None:
    book = usual_book()
    book.sources = (TRACES.model_copy(update={"least_volume_ratio": 0.0}), FACTS)
    book.run(10, [item(10, 1)])
    assert book.last()["verdict"] == "ok"


def test_usual_is_the_median_of_the_known_nights_of_four_weeks() -> None:
    """By hand: the 28 nights before night 40 have 13..40 records; their median is 26.5."""
    book = Book((TRACES,))
    for day in range(41):
        book.run(day, [item(day, day + 1)])
    assert book.last()["usual_record_count"] == 26


def test_silent_nights_are_known_and_those_before_the_first_delivery_are_not() -> None:
    book = Book((TRACES, FACTS))
    for day in range(12):
        facts = [item(day, 30, name="escalations")] if day >= 5 and day % 2 else []
        book.run(day, [item(day, 10), *facts])
    # Night 12 of the fact knows nights 6 to 11 of it: six are too few.
    assert book.last("escalations")["usual_record_count"] is None
    book.run(12, [item(12, 10)])
    assert book.last("escalations")["usual_record_count"] == 30  # 30 0 30 0 30 0 30


def test_rows_are_the_same_however_the_nights_were_run() -> None:
    rng = random.Random(7)  # noqa: S311 - made-up deliveries
    days = [day for day in range(40) if day not in (11, 12, 25)]
    objects = [item(day, rng.randint(0, 90)) for day in days for _ in range(3)]
    objects += [item(day, 5, name="gone") for day in (3, 4)]
    nightly, once, late = Book(), Book(), Book()
    for day in range(40):
        nightly.run(
            day, [row for row in objects if row["night_as_of"] == night_of_date(FIRST + DAY * day)]
        )
    once.run(39, list(objects))
    shuffled = rng.sample(objects, len(objects))
    for number, start in enumerate(range(0, len(shuffled), 10)):
        late.run(39 if number else 20, shuffled[start : start + 10])
    late.run(39, [])
    assert nightly.nights == once.nights
    assert late.nights == once.nights
    assert {
        row["verdict"]
        for row in once.nights
        if row["night_as_of"] == night_of_date(FIRST + DAY * 11)
    } == {"silent"}


def test_a_stray_object_of_another_century_does_not_fill_the_ledger_of_nights() -> None:
    book = usual_book()
    stray = item(-40_000, 1)
    book.run(10, [stray, item(10, 50)])
    assert len(book.nights) < 1000


def test_damaged_books_are_refused() -> None:
    book = Book()
    with pytest.raises(AccountingError, match=r"traces, night of 2026-09-02: 50 records, but 49"):
        book.run(0, [item(0, 50) | {"landed_count": 49}])


def test_a_night_is_over_at_midnight() -> None:
    assert last_full_night(datetime(2026, 9, 2, 23, 59, tzinfo=UTC)) == night_of_date(FIRST)
    assert last_full_night(datetime(2026, 9, 2, tzinfo=UTC)) == night_of_date(FIRST)
