"""Nights one after the other: incidents, late objects, replaced versions, cut-off runs, few files."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.lake import Lake, object_hash
from include.freezeline.adapters.lake_books import LakeBooks
from include.freezeline.adapters.local_store import LocalStore
from include.freezeline.adapters.unchecked import UncheckedObjects
from include.freezeline.contracts.lake import (
    LEDGER,
    LEDGER_NIGHTS,
    QUARANTINE,
    REDACTION_COUNTS,
    SPANS,
)
from include.freezeline.errors import (
    EmptyNightError,
    LowVolumeError,
    StoreError,
    StoreNotFoundError,
)
from include.freezeline.jobs import land as land_job
from include.freezeline.jobs import land_batches
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings
from tests.unit.landing.bucket import EMAIL, content, spans_json, trace_key, write, write_at
from tests.unit.landing.shuffling import share_tools

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
DAY = timedelta(days=1)
FLAT = "otel/flat/spans.json"


@pytest.fixture(autouse=True)
def _tools(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load the redactor once per test."""
    share_tools(monkeypatch, settings, AS_OF)


def rows(settings: Settings, table: Any) -> list[dict[str, Any]]:
    return Lake(settings.lake_dir).read_rows(table)


def night(settings: Settings, as_of: datetime = AS_OF) -> dict[str, Any]:
    """The traces' row of a night."""
    found = [
        row
        for row in rows(settings, LEDGER_NIGHTS)
        if (row["source_name"], row["night_as_of"]) == ("traces", as_of)
    ]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Prefixes whose whole content was listed."""
    prefixes: list[str] = []
    original = LocalStore.list_objects

    def note(self: LocalStore, prefix: str = "") -> Any:
        prefixes.append(prefix)
        return original(self, prefix)

    monkeypatch.setattr(LocalStore, "list_objects", note)
    return prefixes


def test_books_are_one_file_per_arrival_date(settings: Settings) -> None:
    for number in range(20):
        day = 12 + number % 2
        write(
            settings,
            trace_key(f"{number}", day, number),
            spans_json(2, text=EMAIL, seed=number, day=day),
        )
    write(settings, trace_key("bad", 12), b"bad")
    land(settings, AS_OF)
    for table in (LEDGER, REDACTION_COUNTS):
        paths = [
            path.relative_to(settings.lake_dir)
            for path in sorted((settings.lake_dir / table.name).rglob("*.*"))
        ]
        assert [str(path) for path in paths] == [
            f"{table.name}/dt=2026-10-{day}/part.parquet" for day in (12, 13)
        ]
    assert len(rows(settings, LEDGER)) == 21
    keys = [
        row["source_object"]
        for row in LakeBooks(Lake(settings.lake_dir)).ledger([date(2026, 10, 12)])
    ]
    assert keys == sorted(keys)
    assert len(keys) == 11
    (aside,) = rows(settings, QUARANTINE)
    assert aside["source_object"] == trace_key("bad", 12)


def test_an_object_without_a_time_in_its_key_is_replaced_wherever_it_stood(
    settings: Settings,
) -> None:
    """Written anew 60 days later it is found under its old date, and stands under the new one."""
    write_at(settings, FLAT, b"bad", AS_OF - DAY * 60)
    write(settings, trace_key("a"), spans_json(1))
    land(settings, AS_OF)
    assert len(rows(settings, QUARANTINE)) == 1
    write_at(settings, FLAT, spans_json(2, text=EMAIL, seed=5), AS_OF - timedelta(hours=5))
    assert land(settings, AS_OF).total.n_objects_landed == 1
    ledger = {row["source_object"]: row for row in rows(settings, LEDGER)}
    assert len(ledger) == len(rows(settings, LEDGER)) == 2
    assert ledger[FLAT]["arrived_at"] == AS_OF - timedelta(hours=5)
    assert rows(settings, QUARANTINE) == []
    assert night(settings, AS_OF - DAY * 59)["object_count"] == 0
    assert night(settings)["object_count"] == 2
    fresh = settings.model_copy(update={"home": settings.home.with_name("fresh")})
    land(fresh, AS_OF)
    # The nights of the earlier version were counted and tested; a fresh lake never saw them.
    by_night = ("ledger_nights", "redaction_canaries")
    mine, other = content(settings), content(fresh)
    assert {name: mine[name] for name in mine if not name.startswith(by_night)} == {
        name: other[name] for name in other if not name.startswith(by_night)
    }


def test_a_file_copied_again_with_the_same_bytes_is_not_landed_again(settings: Settings) -> None:
    write_at(settings, FLAT, spans_json(2), AS_OF - DAY * 40)
    write(settings, trace_key("a"), spans_json(1))
    land(settings, AS_OF)
    write_at(settings, FLAT, spans_json(2), AS_OF - timedelta(hours=5))
    summary = land(settings, AS_OF)
    assert (summary.total.n_objects_landed, summary.total.n_objects_skipped) == (0, 2)


def test_a_late_object_under_an_old_prefix_is_found_within_seven_nights(
    settings: Settings, listed: list[str]
) -> None:
    for age in range(60):
        day = AS_OF - DAY * (age + 1)
        write(settings, trace_key("n", day.day, month=day.month), spans_json(1, seed=age))
    land(settings, AS_OF)
    assert listed == ["facts/client_outcomes/", "facts/conversions/", "facts/escalations/",
                      "facts/experiment_buckets/", "facts/invoice_lines/", "facts/overrides/",
                      "facts/subscription_tiers/", "otel/"]  # fmt: skip
    late = trace_key("late", 3, month=9)
    write(settings, late, spans_json(1, seed=99, day=3))
    found = []
    for number in range(1, 8):
        as_of = AS_OF + DAY * number
        write(settings, trace_key("n", as_of.day - 1), spans_json(1, seed=500 + number))
        listed.clear()
        land(settings, as_of, interval_start=as_of - DAY)
        days = [prefix for prefix in listed if "day=" in prefix]
        assert len(days) <= 15
        if late in {row["source_object"] for row in rows(settings, LEDGER)}:
            found.append(number)
    assert found
    assert night(settings, datetime(2026, 9, 4, tzinfo=UTC))["object_count"] == 2
    assert object_hash(late) in UncheckedObjects(settings).read()


def test_a_full_landing_finds_what_is_older_than_any_listing(settings: Settings) -> None:
    write(settings, trace_key("a"), spans_json(1))
    land(settings, AS_OF)
    write(settings, trace_key("old", 2, month=1), spans_json(1, seed=3))
    assert land(settings, AS_OF).total.n_objects_landed == 0
    assert land(settings, AS_OF, is_full=True).total.n_objects_landed == 1
    write(settings, trace_key("old2", 2, month=1), spans_json(1, seed=4))
    again = land(settings, AS_OF, interval_start=datetime(2026, 1, 1, tzinfo=UTC))
    assert again.total.n_objects_landed == 1


def test_ledger_is_read_for_the_dates_listed_only(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age in range(31):
        day = AS_OF - DAY * (age + 1)
        write(settings, trace_key("n", day.day, month=day.month), spans_json(1, seed=age))
    land(settings, AS_OF - DAY)
    read: set[date] = set()
    original = LakeBooks._read

    def note(self: LakeBooks, table: Any, day: date, *args: Any) -> Any:
        read.add(day)
        return original(self, table, day, *args)

    monkeypatch.setattr(LakeBooks, "_read", note)
    land(settings, AS_OF, interval_start=AS_OF - DAY)
    there = {day for day in read if day >= date(2026, 9, 13) and day < AS_OF.date()}
    assert len(there) <= 4 + 4


def test_an_expected_source_of_which_nothing_is_usable_is_an_incident(settings: Settings) -> None:
    write(settings, trace_key("a"), b"bad")
    with pytest.raises(EmptyNightError, match=r"nothing usable arrived from traces \(1 objects, 1"):
        land(settings, AS_OF)
    assert night(settings)["verdict"] == "silent"
    assert len(rows(settings, QUARANTINE)) == 1


def test_a_source_whose_only_object_vanished_is_silent(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings, trace_key("a"), spans_json(1))
    monkeypatch.setattr(LocalStore, "read_bytes", _vanished)
    with pytest.raises(EmptyNightError, match=r"nothing arrived from traces.*1 vanished"):
        land(settings, AS_OF)


def _vanished(self: LocalStore, key: str) -> bytes:
    raise StoreNotFoundError(key)


def test_far_fewer_records_than_usual_are_an_incident_after_they_have_landed(
    settings: Settings,
) -> None:
    for age in range(1, 9):
        day = AS_OF - DAY * (age + 1)
        write(settings, trace_key("n", day.day, month=day.month), spans_json(40, seed=age))
    write(settings, trace_key("few"), spans_json(3))
    with pytest.raises(
        LowVolumeError,
        match=r"traces delivered 3 usable records, usually 40, at least 10% of them expected, in "
        r"the day before 2026-10-14 00:00Z .*lower least_volume_ratio",
    ):
        land(settings, AS_OF)
    assert len(rows(settings, SPANS)) == 8 * 40 + 3
    assert (night(settings)["verdict"], night(settings)["usual_record_count"]) == ("low_volume", 40)
    write(settings, trace_key("rest", minute=44), spans_json(30, seed=77))
    summary = land(settings, AS_OF)
    assert "traces delivered 33 usable of 33 records in 2 objects, usual 40: ok" in "\n".join(
        summary.lines()
    )


def test_what_was_done_stays_done_when_a_later_object_cannot_be_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(land_batches, "_BATCH_OBJECTS", (1, 1))
    for number in range(4):
        write(settings, trace_key(f"{number}"), spans_json(1, seed=number))
    original = LocalStore.read_bytes

    def break_at_last(self: LocalStore, key: str) -> bytes:
        if key == trace_key("3"):
            message = f"{key}: cannot be read"
            raise StoreError(message)
        return original(self, key)

    monkeypatch.setattr(LocalStore, "read_bytes", break_at_last)
    with pytest.raises(StoreError, match=r"traces_3\.json: cannot be read"):
        land(settings, AS_OF)
    assert len(rows(settings, LEDGER)) == 3
    monkeypatch.undo()
    assert land(settings, AS_OF).total.n_objects_landed == 1
    assert night(settings)["object_count"] == 4


def test_a_cut_off_run_leaves_nothing_of_objects_that_went_away(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings, trace_key("a"), spans_json(1))
    land(settings, AS_OF)
    before = content(settings)
    write(settings, trace_key("b"), spans_json(1, seed=1))
    monkeypatch.setattr(land_job, "_flush", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        land(settings, AS_OF)
    monkeypatch.undo()
    assert len(rows(settings, SPANS)) == 2
    (Path(str(settings.source_uri).removeprefix("file://")) / trace_key("b")).unlink()
    land(settings, AS_OF)
    assert content(settings) == before


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
