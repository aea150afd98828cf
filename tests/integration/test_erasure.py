"""A person is erased from every store, and nothing brings them back."""

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.freezeline.adapters.embedding_cache import EmbeddingCache, text_hash
from include.freezeline.adapters.embeddings import forget_texts
from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.lake_books import LakeBooks
from include.freezeline.adapters.lake_tiers import archive_files, archive_rows, file_sha256
from include.freezeline.adapters.object_store import open_store
from include.freezeline.adapters.warehouse import latest_snapshot, open_warehouse, publish_snapshot
from include.freezeline.contracts.judgement import CALL_SCORES, VERDICT_EXAMPLES, VERDICTS
from include.freezeline.contracts.lake import QUARANTINE, SPANS
from include.freezeline.erasure.receipt import ErasurePlan, Receipt, parse_receipt
from include.freezeline.erasure.subject import parse_subject
from include.freezeline.jobs.build import build
from include.freezeline.jobs.erase import apply_erasure, plan_erasure, verify_erasures
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings
from tests.integration.erasable import (
    AS_OF,
    OTHER,
    VICTIM,
    Turn,
    everything_below,
    otlp,
    turns_object,
    write_buckets,
    write_escalations,
    write_turns,
)
from tests.unit.landing.bucket import trace_key, write

pytestmark = [pytest.mark.integration, pytest.mark.slow]

KEY = b"test-key"
THEIRS = Turn(1, VICTIM, "s-alone", "planted secret of one")
ANONYMOUS = Turn(2, None, "s-alone", "planted secret of two")
SHARED = Turn(3, VICTIM, "s-shared", "planted secret of three")
MINE = Turn(4, OTHER, "s-shared", "harmless four")
NOBODY_SHARED = Turn(5, None, "s-shared", "harmless five")
OLD = Turn(6, VICTIM, "s-old", "planted secret of six", day=1)
CROWD = [Turn(10 + n, f"crowd-{n}", f"s-{n}", f"harmless {n}") for n in range(6)]
GONE = (THEIRS, ANONYMOUS, SHARED, OLD)
STAY = (MINE, NOBODY_SHARED, *CROWD)
BEFORE = datetime(2026, 10, 14, 9, tzinfo=UTC)


@dataclass(slots=True)
class Story:
    """What a module's tests look at.

    Attributes:
        settings: The company.
        before: Every file before the erasure.
        planned: The plan.
        after_plan: Every file after the plan.
        receipt: The receipt.
        after: Every file after the erasure.
    """

    settings: Settings
    planned: ErasurePlan
    receipt: Receipt
    before: dict[str, bytes] = field(default_factory=dict)
    after_plan: dict[str, bytes] = field(default_factory=dict)
    after: dict[str, bytes] = field(default_factory=dict)
    call_keys: dict[int, str] = field(default_factory=dict)


def rows(path: Path, sql: str) -> list[dict[str, Any]]:
    with open_warehouse(path, read_only=True) as warehouse:
        return warehouse.rows(sql)


def make_company(settings: Settings) -> dict[int, str]:
    """Land, build and publish; then quote the victim wherever people may have."""
    write_turns(settings, "a", THEIRS, ANONYMOUS, SHARED, MINE, NOBODY_SHARED, *CROWD)
    write_turns(settings, "old", OLD)
    write_escalations(settings, THEIRS, MINE)
    write_buckets(settings, VICTIM, OTHER)
    land(settings, AS_OF)
    build(settings, AS_OF)
    archive_one(settings)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        found = warehouse.rows("select trace_id, call_key from marts.fct_llm_calls")
        keys = {int(row["trace_id"], 16) - 0xABCD0000: row["call_key"] for row in found}
        quoted = {"example_call_keys": [keys[THEIRS.number], keys[MINE.number]]}
        warehouse.append_revisions(VERDICTS, [verdict(json.dumps(quoted), 20, "semantic_shift"),
                                              verdict("{}", 2, "input_tokens_creep")])  # fmt: skip
        warehouse.append_revisions(
            CALL_SCORES, [score(keys[turn.number]) for turn in (THEIRS, ANONYMOUS, MINE)]
        )
        warehouse.append_revisions(VERDICT_EXAMPLES, [example(keys[THEIRS.number], 1, "planted secret"),
                                                      example(keys[MINE.number], 2, "harmless")])  # fmt: skip
    publish_snapshot(settings, AS_OF)
    store = open_store(settings.published_uri, settings)
    store.write_bytes("reports/2026-10-14/freeze_report.json", json.dumps(quoted).encode())
    extract = io.BytesIO()
    ids = [keys[turn.number] for turn in (MINE, THEIRS)]
    pq.write_table(pa.table({"call_key": ids, "note": ["harmless", "planted secret"]}), extract)
    store.write_bytes("extracts/labels.parquet", extract.getvalue())
    cache = EmbeddingCache(settings.cache_dir / "embeddings.sqlite")
    cache.save("m", {key: np.full(8, 0.5, dtype=np.float32) for key in vector_keys()})
    return keys


def example(call_key: str, rank: int, excerpt: str) -> dict[str, Any]:
    """A row of the answers that moved a verdict."""
    return {
        "verdict_key": "v", "example_rank": rank, "as_of": AS_OF, "question": "semantic_shift",
        "feature": "support-assistant", "environment": "production", "call_key": call_key,
        "called_at": AS_OF, "prompt_version": "v1", "output_excerpt_redacted": excerpt,
    }  # fmt: skip


def vector_keys() -> list[str]:
    """Cache keys of everybody's answers."""
    return [text_hash(f"answer to {turn.text}") for turn in (*GONE, *STAY)]


def archive_one(settings: Settings) -> None:
    """Move the old trace's spans to the archive, as retention does."""
    (file,) = [
        f for f in Lake(settings.lake_dir).files("spans") if str(f.event_date).endswith("01")
    ]
    target = settings.home / "cold" / "spans" / "dt=2026-10-01" / f"{file.object_hash}.all.parquet"
    everything = pa.array([True] * pq.read_metadata(file.path).num_rows)
    archive_rows(file.path, everything, target, {"environments": ["production"]})
    file.path.unlink()


def verdict(details: str, n_current: int, question: str) -> dict[str, object]:
    row: dict[str, Any] = {column.name: None for column in VERDICTS.columns}
    del row["revision"], row["content_hash"]
    return row | {
        "verdict_key": question, "as_of": AS_OF, "family": "drift", "question": question,
        "feature": "helper", "environment": "production", "window_started_at": AS_OF,
        "window_ended_at": AS_OF, "unit": "none", "n_reference": 20, "n_current": n_current,
        "verdict": "ok", "reason": "r", "method": "m", "method_version": "1", "input_hash": "h",
        "evidence_query": f"select '{THEIRS.trace_id}'", "details": details,
    }  # fmt: skip


def score(call_key: str) -> dict[str, object]:
    row: dict[str, Any] = {column.name: None for column in CALL_SCORES.columns}
    del row["revision"], row["content_hash"]
    return row | {
        "call_score_key": f"score of {call_key}", "as_of": AS_OF, "call_key": call_key,
        "feature": "helper", "environment": "production", "called_at": AS_OF, "is_canary": False,
        "evaluator": "refusal", "evaluator_version": "1", "evaluation_score": 0.5,
        "sample_weight": 1.0, "reason": "r", "details": "{}",
    }  # fmt: skip


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The company before, planned, and after."""
    folder = tmp_path_factory.mktemp("erasure")
    settings = Settings(
        home=folder / "home", source_uri=(folder / "bucket").as_uri(), pseudonym_key="test-key"
    )
    keys = make_company(settings)
    subject = parse_subject(f"user:{VICTIM}", KEY)
    before = everything_below(settings.home)
    planned = plan_erasure(settings, subject, BEFORE)
    after_plan = everything_below(settings.home)
    receipt = apply_erasure(settings, subject, planned.plan_id)
    return Story(
        settings, planned, receipt, before, after_plan, everything_below(settings.home), keys
    )


def test_planning_changes_no_data(story: Story) -> None:
    new = set(story.after_plan) - set(story.before)
    assert new == {f"erasure/plans/{story.planned.plan_id}.json"}
    changed = [name for name, data in story.before.items() if story.after_plan[name] != data]
    assert changed == []


def test_plan_and_receipt_count_every_store(story: Story) -> None:
    planned = {finding.store: finding.n_found for finding in story.planned.findings}
    assert planned["lake/spans"] == 6
    assert planned["cold/spans"] == 2
    assert planned["lake/evaluations"] == 4
    assert planned["lake/fact_escalations"] == 1
    assert planned["lake/fact_experiment_buckets"] == 1
    assert planned["lake/quarantine"] == 1
    assert planned["embeddings"] == 4
    assert planned["published/reports/2026-10-14/freeze_report.json"] == 1
    assert planned["published/extracts/labels.parquet"] == 1
    for file in ("warehouse", "snapshots/as_of=2026-10-14T000000Z.duckdb"):
        assert planned[f"{file}/marts.fct_llm_calls"] == 4
        assert planned[f"{file}/marts.fct_call_texts"] == 4
        # The day on which they were alone goes, the day they share with seven others stays.
        assert planned[f"{file}/marts.agg_feature_daily"] == 1
        assert planned[f"{file}/judgement.verdicts"] == 1
        assert planned[f"{file}/judgement.verdicts (quotes)"] == 2
        assert planned[f"{file}/judgement.call_scores"] == 2
        assert planned[f"{file}/judgement.verdict_examples"] == 1
    done = {finding.store: finding.n_deleted for finding in story.receipt.stores}
    assert done == planned
    assert {item["name"] for item in story.receipt.may_stay} >= {"the bucket that is landed from"}


def test_no_byte_below_home_holds_the_person(story: Story) -> None:
    user = parse_subject(f"user:{VICTIM}", KEY).key
    session = parse_subject("session:s-alone", KEY).key
    planted = [user, session, VICTIM, "planted secret"]
    planted += [turn.trace_id for turn in GONE] + [turn.request_id for turn in GONE]
    planted += [story.call_keys[turn.number] for turn in GONE]
    kept = [parse_subject(f"user:{OTHER}", KEY).key, "harmless five", MINE.trace_id]
    databases = [name for name in story.after if name.endswith(".duckdb")]
    assert len(databases) == 3, "the warehouse, its snapshot, and the link to that"
    everything = b"\n".join([*story.after.values(), *readable(story.settings)])
    was = b"\n".join(story.before.values())
    for text in planted:
        assert text.encode() not in everything, text
    assert all(text.encode() in everything for text in kept)
    assert planted[0].encode() in was
    assert not [name for name in story.after if user in name or name.endswith(".wal")]


def readable(settings: Settings) -> Iterator[bytes]:
    """Every value of every table: compressed pages hide bytes."""
    from tests.integration.readable import texts_of_home

    yield from (text.encode() for _, text in texts_of_home(settings.home, without="dbt"))


def test_everybody_else_is_as_before(story: Story) -> None:
    left = {span["trace_id"] for span in Lake(story.settings.lake_dir).read_rows(SPANS)}
    assert left == {turn.trace_id for turn in STAY}
    assert forget_texts(story.settings, [f"answer to {MINE.text}"], is_trial=True) == 1
    for path in (story.settings.warehouse_path, latest_snapshot(story.settings)):
        calls = rows(path, "select trace_id from marts.fct_llm_calls")
        assert {row["trace_id"] for row in calls} == left
        (day,) = rows(path, "select call_date from marts.agg_feature_daily")
        assert day["call_date"] == date(2026, 10, 13)
        (shown,) = rows(path, "select details from judgement.verdicts")
        assert json.loads(shown["details"])["example_call_keys"] == [
            "erased",
            story.call_keys[MINE.number],
        ]
        (kept,) = rows(path, "select * from judgement.verdict_examples")
        assert (kept["example_rank"], kept["output_excerpt_redacted"]) == (2, "harmless")


def test_scores_of_their_answers_go_and_those_of_others_stay(story: Story) -> None:
    for path in (story.settings.warehouse_path, latest_snapshot(story.settings)):
        left = rows(path, "select call_key from marts.fct_call_scores")
        assert [row["call_key"] for row in left] == [story.call_keys[MINE.number]]


def test_extracts_keep_their_other_rows(story: Story) -> None:
    store = open_store(story.settings.published_uri, story.settings)
    left = pq.read_table(io.BytesIO(store.read_bytes("extracts/labels.parquet")))
    assert left.to_pylist() == [{"call_key": story.call_keys[MINE.number], "note": "harmless"}]


def test_views_and_permissions_of_a_snapshot_survive(story: Story) -> None:
    path = latest_snapshot(story.settings)
    assert path.stat().st_mode & 0o777 == 0o444
    assert rows(path, "select count(*) as n from marts.fct_verdicts")[0]["n"] == 1


def test_archive_and_ledger_still_add_up(story: Story) -> None:
    assert list(archive_files(story.settings.home / "cold")) == []
    ledger = {
        row["source_object"]: row for row in LakeBooks(Lake(story.settings.lake_dir)).ledger()
    }
    row = ledger[trace_key("a")]
    assert (row["landed_count"], row["erased_count"]) == (22, 6)
    assert (
        row["landed_count"] + row["duplicate_count"] + row["quarantined_count"]
        == (row["record_count"])
    )


def test_nothing_brings_the_person_back(story: Story, tmp_path: Path) -> None:
    """A changed object, a backfill from nothing, a late object: none of them does."""
    settings = copied(story, tmp_path)
    write_turns(settings, "a", THEIRS, ANONYMOUS, SHARED, MINE, NOBODY_SHARED)
    late = Turn(20, VICTIM, "s-late", "planted secret of twenty", day=12)
    root, call = late.spans()
    write(settings, trace_key("late"), otlp(call, root))
    write(settings, trace_key("child"), otlp(list(THEIRS.spans())[1]))
    again = Turn(21, VICTIM, "s-new", "welcome back", day=14)
    write(settings, trace_key("again", day=14), turns_object(again))
    land(settings, AS_OF + timedelta(days=1), is_full=True)
    check_only_the_living(settings, {MINE, NOBODY_SHARED}, also="welcome back")
    ledger = {row["source_object"]: row for row in LakeBooks(Lake(settings.lake_dir)).ledger()}
    assert [ledger[trace_key(name)]["erased_count"] for name in ("a", "late", "child")] == [6, 2, 1]
    for row in ledger.values():
        assert row["record_count"] == (
            row["landed_count"] + row["duplicate_count"] + row["quarantined_count"]
        )
    shutil.rmtree(settings.lake_dir)
    shutil.rmtree(settings.home / "landing")
    land(settings, AS_OF + timedelta(days=1), is_full=True)
    check_only_the_living(settings, {MINE, NOBODY_SHARED}, also="welcome back")
    samples = str(Lake(settings.lake_dir).read_rows(QUARANTINE))
    assert OTHER in samples
    assert VICTIM not in samples
    assert verify_erasures(settings, AS_OF + timedelta(days=1)).n_came_back == 0


def copied(story: Story, folder: Path) -> Settings:
    """A copy of the company after the erasure."""
    shutil.copytree(story.settings.home, folder / "home")
    bucket = Path(str(story.settings.source_uri).removeprefix("file://"))
    shutil.copytree(bucket, folder / "bucket")
    return story.settings.model_copy(
        update={"home": folder / "home", "source_uri": (folder / "bucket").as_uri()}
    )


def check_only_the_living(settings: Settings, turns: set[Turn], *, also: str) -> None:
    spans = Lake(settings.lake_dir).read_rows(SPANS)
    texts = "\n".join(str(span["input_text_redacted"]) for span in spans)
    assert "planted" not in texts
    assert also in texts
    assert {turn.trace_id for turn in turns} <= {span["trace_id"] for span in spans}


def test_the_next_night_removes_what_slipped_in(story: Story, tmp_path: Path) -> None:
    """A span that lands before the one that names its trace's user is found by the night."""
    settings = copied(story, tmp_path)
    late = Turn(30, VICTIM, "s-30", "planted secret of thirty", day=12)
    root, call = late.spans()
    write(settings, trace_key("child"), otlp(call))
    land(settings, AS_OF, is_full=True)
    assert "planted secret of thirty" in str(Lake(settings.lake_dir).read_rows(SPANS))
    settings = settings.model_copy()
    tombstones = settings.home / "erasure" / "tombstones"
    hidden = tombstones.rename(tombstones.with_name("hidden"))
    write(settings, trace_key("root"), otlp(root))
    land(settings, AS_OF, is_full=True)
    hidden.rename(tombstones)
    summary = verify_erasures(settings, AS_OF + timedelta(days=1))
    assert (summary.n_erasures, summary.n_came_back) == (1, 3)
    assert "planted secret" not in str(Lake(settings.lake_dir).read_rows(SPANS))
    path = settings.home / "erasure" / "receipts" / f"{story.receipt.erasure_id}.json"
    noted = parse_receipt(path.read_text())
    assert noted.first_verified_as_of == AS_OF + timedelta(days=1)
    assert [item["stores"] for item in noted.came_back] == [
        {"lake/evaluations": 1, "lake/spans": 2}
    ]
    assert verify_erasures(settings, AS_OF + timedelta(days=2)).n_came_back == 0
    assert file_sha256(path) is not None
