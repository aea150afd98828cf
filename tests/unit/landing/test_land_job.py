"""The whole of landing on a folder as bucket: once, again, changed, cut off, late, silent."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.lake import Lake, object_hash
from include.freezeline.adapters.lake_books import LakeBooks
from include.freezeline.adapters.local_store import LocalStore
from include.freezeline.contracts.lake import LEDGER, QUARANTINE, REDACTION_COUNTS, SPANS
from include.freezeline.errors import ConfigError, EmptyNightError, StoreNotFoundError
from include.freezeline.jobs import land_batches, land_object
from include.freezeline.jobs.build import lake_tables
from include.freezeline.jobs.land import land
from include.freezeline.jobs.land_object import open_tools
from include.freezeline.settings import Settings
from tests.unit.landing.bucket import EMAIL, content, spans_json, trace_key, write

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)


def rows(settings: Settings, table: Any) -> list[dict[str, Any]]:
    return Lake(settings.lake_dir).read_rows(table)


def test_landing_writes_redacted_rows_and_books(settings: Settings) -> None:
    write(settings, trace_key("a"), spans_json(3, text=f"I am {EMAIL}"))
    summary = land(settings, AS_OF)
    assert (summary.total.n_objects_landed, summary.total.n_landed) == (1, 3)
    spans = rows(settings, SPANS)
    assert len(spans) == 3
    assert all("<EMAIL" in span["input_text_redacted"] for span in spans)
    assert all(span["user_key"].startswith("u_") for span in spans)
    assert EMAIL not in str(spans)
    (ledger,) = rows(settings, LEDGER)
    assert (ledger["status"], ledger["source_name"]) == ("landed", "traces")
    assert {row["entity_type"] for row in rows(settings, REDACTION_COUNTS)} >= {"EMAIL"}
    assert "traces: 1 objects" in "\n".join(summary.lines())


def test_landing_again_does_nothing_and_changes_no_byte(settings: Settings) -> None:
    write(settings, trace_key("a"), spans_json(3))
    land(settings, AS_OF)
    before = content(settings)
    assert len(before) >= 3
    again = land(settings, AS_OF)
    assert (again.total.n_objects_landed, again.total.n_objects_skipped) == (0, 1)
    assert content(settings) == before


def test_a_changed_object_replaces_all_its_files(settings: Settings) -> None:
    write(settings, trace_key("a"), spans_json(3, text=f"I am {EMAIL}", day=12))
    write(settings, trace_key("b"), b"broken")
    land(settings, AS_OF)
    write(settings, trace_key("a"), spans_json(2, day=13))
    write(settings, trace_key("b"), spans_json(1, seed=9))
    summary = land(settings, AS_OF)
    assert summary.total.n_objects_landed == 2
    assert {span["started_at"].day for span in rows(settings, SPANS)} == {13}
    assert len(rows(settings, SPANS)) == 3
    assert len(rows(settings, LEDGER)) == 2
    assert rows(settings, QUARANTINE) == []


def test_an_object_is_done_again_when_a_run_was_cut_off(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings, trace_key("a"), spans_json(3, day=12))

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(LakeBooks, "enter", fail)
    with pytest.raises(KeyboardInterrupt):
        land(settings, AS_OF)
    monkeypatch.undo()
    assert rows(settings, LEDGER) == []
    assert len(rows(settings, SPANS)) == 3
    write(settings, trace_key("a"), spans_json(2, day=13))
    land(settings, AS_OF)
    assert {span["started_at"].day for span in rows(settings, SPANS)} == {13}
    assert not Lake(settings.lake_dir).is_resumed()


def test_later_objects_wait_for_their_night(settings: Settings) -> None:
    write(settings, trace_key("a", day=13), spans_json(1))
    write(settings, trace_key("b", day=14), spans_json(1, seed=1, day=14))
    assert land(settings, AS_OF).total.n_objects_not_due == 1
    assert land(settings, AS_OF + timedelta(days=1)).total.n_objects_landed == 1
    nights = {row["source_object"][-6]: row["night_as_of"].day for row in rows(settings, LEDGER)}
    assert nights == {"a": 14, "b": 15}


def test_corrupt_and_empty_objects_do_not_stop_the_night(settings: Settings) -> None:
    write(settings, trace_key("good"), spans_json(2))
    write(settings, trace_key("bad"), b"\x1f\x8b\x08\x00 not gzip")
    write(settings, trace_key("noise"), bytes(range(256)))
    write(settings, trace_key("empty"), b"")
    write(settings, "facts/escalations/dt=2026-10-13/escalations.csv", b"request_id,wrong\na,b\n")
    summary = land(settings, AS_OF)
    states = {row["source_object"]: row["status"] for row in rows(settings, LEDGER)}
    assert sorted(states.values()) == ["empty", "landed", *["quarantined"] * 3]
    assert summary.by_source["escalations"].n_objects_quarantined == 1
    assert any("missing_column" in problem for problem in summary.problems)
    assert all(row["reason"] for row in rows(settings, QUARANTINE))


def test_facts_land_with_pseudonyms(settings: Settings) -> None:
    write(settings, trace_key("a"), spans_json(1))
    header = "tenant_id,tier,valid_from_at,recorded_at\n"
    line = "ACME GmbH,gold,2026-10-12T00:00:00Z,2026-10-13T04:00:00Z\n"
    key = "facts/subscription_tiers/dt=2026-10-13/subscription_tiers.csv"
    write(settings, key, (header + line + line).encode())
    summary = land(settings, AS_OF)
    counts = summary.by_source["subscription_tiers"]
    assert (counts.n_landed, counts.n_duplicates, counts.n_late) == (1, 1, 1)
    (file,) = Lake(settings.lake_dir).files("fact_subscription_tiers")
    assert (str(file.event_date), file.object_hash) == ("2026-10-12", object_hash(key))
    assert b"ACME" not in file.path.read_bytes()


def test_a_silent_expected_source_raises_after_the_rest_has_landed(settings: Settings) -> None:
    key = "facts/overrides/dt=2026-10-13/x.csv"
    write(settings, key, b"request_id,overridden_at,recorded_at,override_type\n")
    write(settings, trace_key("old", day=11), spans_json(1, day=11))
    with pytest.raises(
        EmptyNightError, match=r"nothing arrived from traces in the day before 2026"
    ):
        land(settings, AS_OF)
    assert {row["source_object"] for row in rows(settings, LEDGER)} == {key, trace_key("old", 11)}


def test_messages_say_what_to_set_when_settings_are_missing(settings: Settings) -> None:
    with pytest.raises(StoreNotFoundError, match=r"no such folder"):
        land(settings, AS_OF)
    write(settings, trace_key("a"), spans_json(1))
    with pytest.raises(ConfigError, match=r"FREEZELINE_PSEUDONYM_KEY: not set"):
        land(settings.model_copy(update={"pseudonym_key": None}), AS_OF)
    with pytest.raises(ConfigError, match=r"FREEZELINE_SOURCE_URI: not set"):
        land(settings.model_copy(update={"source_uri": None}), AS_OF)
    assert content(settings).keys() <= {".landing"}


@pytest.mark.parametrize("name", ["ObjectReading", "process_object"])
def test_an_object_is_quarantined_whole_when_a_reader_breaks_on_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write(settings, trace_key("a"), spans_json(2))
    write(settings, trace_key("b"), spans_json(2, text="strange", seed=1))
    original = getattr(land_object, name)

    def stumble(*args: Any) -> Any:
        if any(b"strange" in arg for arg in args if isinstance(arg, bytes)):
            raise ZeroDivisionError(EMAIL)
        return original(*args)

    def stumble_later(reading: Any, delivery: Any, *args: Any) -> Any:
        if delivery.due.key == trace_key("b"):
            raise ZeroDivisionError(EMAIL)
        return original(reading, delivery, *args)

    monkeypatch.setattr(land_object, name, stumble if name == "ObjectReading" else stumble_later)
    summary = land(settings, AS_OF)
    assert (summary.total.n_objects_landed, summary.total.n_objects_quarantined) == (1, 1)
    (aside,) = rows(settings, QUARANTINE)
    assert (aside["reason"], aside["source_offset"]) == ("reader_error:ZeroDivisionError", -1)
    assert EMAIL not in str(aside)
    assert len(rows(settings, SPANS)) == 2


def test_deeply_nested_arrays_do_not_stop_the_night(settings: Settings) -> None:
    write(settings, trace_key("a"), spans_json(1))
    write(settings, trace_key("b"), b"[" * 600 + b"]" * 600)
    assert land(settings, AS_OF).total.n_objects_quarantined == 1
    assert [row["reason"] for row in rows(settings, QUARANTINE)] == ["nested_too_deeply"]


def test_a_file_name_that_is_not_utf8_lands_once(settings: Settings) -> None:
    write(settings, trace_key("a\udcff"), spans_json(1))
    assert land(settings, AS_OF).total.n_objects_landed == 1
    assert land(settings, AS_OF).total.n_objects_skipped == 1
    assert [row["source_object"] for row in rows(settings, LEDGER)] == [trace_key("a%FF")]


def test_an_object_is_left_for_later_when_it_vanishes_after_it_was_listed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings, trace_key("a"), spans_json(1))
    write(settings, trace_key("b"), spans_json(1, seed=1))
    original = LocalStore.read_bytes

    def vanish(self: LocalStore, key: str) -> bytes:
        if key == trace_key("b"):
            raise StoreNotFoundError(key)
        return original(self, key)

    monkeypatch.setattr(LocalStore, "read_bytes", vanish)
    summary = land(settings, AS_OF)
    assert (summary.total.n_objects_landed, summary.total.n_objects_vanished) == (1, 1)
    assert summary.by_source["traces"].n_objects_vanished == 1
    assert "1 vanished" in summary.lines()[0]
    assert [row["source_object"] for row in rows(settings, LEDGER)] == [trace_key("a")]
    monkeypatch.undo()
    again = land(settings, AS_OF)
    assert (again.total.n_objects_landed, again.total.n_objects_vanished) == (1, 0)


def test_the_night_ends_when_the_whole_bucket_vanishes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings, trace_key("a"), spans_json(1))
    bucket = Path(str(settings.source_uri).removeprefix("file://"))
    original = land_batches.open_tools

    def rename_first(*args: Any) -> Any:
        bucket.rename(bucket.with_name("elsewhere"))
        return original(*args)

    monkeypatch.setattr(land_batches, "open_tools", rename_first)
    with pytest.raises(StoreNotFoundError, match="no such folder"):
        land(settings, AS_OF)


@pytest.mark.slow
def test_worker_processes_write_the_same_bytes(settings: Settings, tmp_path: Path) -> None:
    for number in range(40):
        write(settings, trace_key(f"{number:02}"), spans_json(2, text=EMAIL, seed=number))
    land(settings, AS_OF, n_workers=1)
    other = settings.model_copy(update={"home": tmp_path / "other"})
    lines: list[str] = []
    land(other, AS_OF, n_workers=2, progress=lines.append)
    assert len(content(settings)) > 40
    assert content(other) == content(settings)
    assert lines[-1] == "landing: 40 of 40 objects"
    keyless = settings.model_copy(update={"home": tmp_path / "third", "pseudonym_key": None})
    with pytest.raises(ConfigError, match=r"FREEZELINE_PSEUDONYM_KEY: not set"):
        land(keyless, AS_OF, n_workers=2)


def test_the_bucket_is_listed_once_and_tools_are_not_loaded_when_nothing_is_due(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings, trace_key("a"), spans_json(1))
    land(settings, AS_OF)
    monkeypatch.setattr(land_batches, "open_tools", lambda *_: pytest.fail("nothing is due"))
    assert land(settings, AS_OF).total.n_objects_skipped == 1
    assert open_tools(settings, AS_OF).facts


def test_outcomes_land_with_the_ids_that_spans_have(settings: Settings) -> None:
    trace = f"{random.Random(0).getrandbits(127) + 1:032x}"  # noqa: S311 - the first of spans_json
    spans = spans_json(1).replace(b"user.id", b"session.id")
    write(settings, trace_key("a"), spans)
    lines = [
        "conversation_id,run_id,escalated_at,recorded_at,reason_code",
        f"{EMAIL},,2026-10-13T11:00:00Z,2026-10-13T12:00:00Z,asked {EMAIL}",
        f",{trace.upper()},2026-10-13T11:00:00Z,2026-10-13T12:00:00Z,",
        ",,2026-10-13T11:00:00Z,2026-10-13T12:00:00Z,about nobody",
    ]
    write(settings, "facts/escalations/dt=2026-10-13/e.csv", "\n".join(lines).encode())
    old = "request_id,escalated_at,recorded_at,reason_code\nr,2026-10-13,2026-10-13,\n"
    write(settings, "facts/escalations/dt=2026-10-13/old.csv", old.encode())
    summary = land(settings, AS_OF).by_source["escalations"]
    assert (summary.n_landed, summary.n_quarantined) == (3, 1)
    (span,) = rows(settings, SPANS)
    table = next(t for t in lake_tables(settings) if t.name == "fact_escalations")
    facts = [
        (row["request_id"], row["session_key"], row["trace_id"]) for row in rows(settings, table)
    ]
    assert sorted(facts, key=str) == sorted(
        [(None, span["session_key"], None), (None, None, span["trace_id"]), ("r", None, None)],
        key=str,
    )
    assert [row["reason"] for row in rows(settings, QUARANTINE)] == ["missing_subject"]
    assert EMAIL not in str([*rows(settings, QUARANTINE), *rows(settings, table)])
