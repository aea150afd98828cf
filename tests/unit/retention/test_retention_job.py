"""Planning, applying and verifying on a real lake and warehouse."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from include.freezeline.adapters.embedding_cache import EmbeddingCache, text_hash
from include.freezeline.adapters.embeddings import forget_texts
from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.judgement import (
    CALL_SCORES,
    ROOT_CAUSES,
    STYLE_FINGERPRINTS,
    VERDICTS,
)
from include.freezeline.contracts.lake import LEDGER, QUARANTINE, SPANS, TOOL_CALLS
from include.freezeline.errors import RetentionError
from include.freezeline.jobs.retention import apply, plan, verify
from include.freezeline.settings import Settings

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
POLICY = """
hot: {default_days: 30, days_by_environment: {staging: 7}, days_by_class: {health: 5}}
warm:
  spans: {default_days: 90, days_by_environment: {staging: 20}, then: archive}
  quarantine: {default_days: 40, then: delete}
  judgement: {default_days: 300, then: delete}
cold: {default_days: 200}
snapshots: {max_count: 2, max_days: 30}
"""


@pytest.fixture
def tiered(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a short policy."""
    policies = tmp_path / "config"
    policies.mkdir()
    (policies / "retention.yml").write_text(POLICY)
    return settings.model_copy(update={"config_dir": policies})


def write_spans(settings: Settings, age_days: int, *environments: str) -> Path:
    started_at = AS_OF - timedelta(days=age_days)
    rows = [_span(n, started_at, environment) for n, environment in enumerate(environments)]
    return _write(settings, SPANS, rows, "a" * 32, started_at)


def _span(offset: int, started_at: datetime, environment: str) -> dict[str, Any]:
    zero = {"string": "x", "int8": 0, "int32": 0, "int64": 0, "float64": 1.0, "bool": False}
    row = {c.name: None if c.nullable else zero.get(c.type) for c in SPANS.columns}
    return row | {
        "trace_id": "t", "span_id": f"s{offset}", "dialect": "plain", "span_name": "chat",
        "otel_kind": 1, "span_type": "llm", "is_leaf_model_call": True, "started_at": started_at,
        "environment": environment, "feature": "f", "status": "ok", "sample_weight": 1.0,
        "input_text_redacted": f"question {offset}", "output_text_redacted": "answer",
        "input_tokens": 5, "source_offset": offset, "source_object": "o", "source_sha256": "0",
        "arrived_at": started_at,
    }  # fmt: skip


def _write(
    settings: Settings, table: Table, rows: list[dict[str, Any]], name: str, at: datetime | None
) -> Path:
    lake = Lake(settings.lake_dir)
    path = lake.path_of(table.name, name, at.date() if at else None)
    lake.write_rows(table, rows, path)
    return path


def run(settings: Settings, as_of: datetime = AS_OF) -> list[dict[str, Any]]:
    found = plan(settings, as_of)
    summary = apply(settings, found.plan_id, as_of)
    verify(settings, found.plan_id)
    return [json.loads(line) for line in summary.proof_path.read_text().splitlines()]


def test_planning_changes_nothing(tiered: Settings) -> None:
    path = write_spans(tiered, 100, "production")
    before = path.read_bytes()
    found = plan(tiered, AS_OF)
    assert [action.kind for action in found.actions] == ["archive_rows"]
    assert path.read_bytes() == before
    assert plan(tiered, AS_OF).plan_id == found.plan_id


def test_texts_are_emptied_for_the_environments_past_the_hot_tier_only(tiered: Settings) -> None:
    path = write_spans(tiered, 10, "production", "staging")
    (proof,) = run(tiered)
    rows = {row["environment"]: row for row in pq.read_table(path, partitioning=None).to_pylist()}
    assert rows["production"]["input_text_redacted"] == "question 0"
    assert rows["staging"]["input_text_redacted"] is None
    assert rows["staging"]["output_text_redacted"] is None
    assert rows["staging"]["input_tokens"] == 5
    assert (proof["kind"], proof["n_rows_done"]) == ("empty_texts", 1)
    assert proof["sha256_before"] != proof["sha256_after"]
    assert plan(tiered, AS_OF).actions == ()


def test_rows_are_archived_without_texts_and_leave_the_lake(tiered: Settings) -> None:
    path = write_spans(tiered, 100, "production", "production")
    (proof,) = run(tiered)
    assert not path.exists()
    archived = tiered.home / proof["archived_to"]
    data = pq.read_table(archived, partitioning=None)
    assert data.num_rows == 2
    assert data["input_text_redacted"].null_count == 2
    assert data["input_tokens"].to_pylist() == [5, 5]
    assert proof["is_deleted"]
    assert plan(tiered, AS_OF).actions == ()


def test_archive_goes_when_the_cold_tier_is_over(tiered: Settings) -> None:
    write_spans(tiered, 100, "production")
    archived = tiered.home / run(tiered)[0]["archived_to"]
    assert archived.exists()
    proofs = run(tiered, AS_OF + timedelta(days=101))
    assert [proof["kind"] for proof in proofs] == ["delete_archive"]
    assert not archived.exists()


def test_applying_twice_does_each_action_once(tiered: Settings) -> None:
    write_spans(tiered, 100, "production", "staging")
    found = plan(tiered, AS_OF)
    first = apply(tiered, found.plan_id, AS_OF)
    archived = sorted((tiered.home / "cold").rglob("*.parquet"))
    before = [path.read_bytes() for path in archived]
    second = apply(tiered, found.plan_id, AS_OF)
    assert (first.n_done, second.n_done) == (2, 0)
    assert len(before) == 2
    assert [path.read_bytes() for path in archived] == before


def test_quarantine_snapshots_and_ledger_follow_their_own_rules(tiered: Settings) -> None:
    old = AS_OF - timedelta(days=50)
    quarantined: dict[str, Any] = {
        "source_object": "o", "source_offset": -1, "source_sha256": "0", "reason": "unknown",
        "detail_redacted": "d", "sample_redacted": "s", "arrived_at": old, "night_as_of": old,
    }  # fmt: skip
    sample = _write(tiered, QUARANTINE, [quarantined], "part", old)
    ledger = tiered.lake_dir / LEDGER.name / "kept.parquet"
    ledger.parent.mkdir(parents=True)
    ledger.write_bytes(b"not looked at")
    tiered.snapshot_dir.mkdir(parents=True)
    for day in (10, 11, 12):
        with open_warehouse(
            tiered.snapshot_dir / f"as_of=2026-10-{day}T000000Z.duckdb", read_only=False
        ) as snapshot:
            snapshot.ensure_judgement_tables()
    assert [proof["kind"] for proof in run(tiered)] == ["delete_rows", "delete_snapshot"]
    assert not sample.exists()
    assert ledger.exists()
    assert sorted(path.name[6:16] for path in tiered.snapshot_dir.iterdir()) == [
        "2026-10-11",
        "2026-10-12",
    ]


def make_texts(path: Path) -> None:
    """A warehouse file with texts of two dates, environments and classes."""
    with open_warehouse(path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        warehouse.execute("create schema marts")
        warehouse.execute(
            "create table marts.fct_llm_calls as select * from (values ('a', 'production', null), "
            "('b', 'staging', null), ('c', 'production', 'health')) "
            "as v(call_key, environment, data_class)"
        )
        warehouse.execute(
            "create table marts.fct_call_texts as select *, 'planted text of ' || call_key as "
            "output_text_redacted from (values (date '2026-10-01', 'a', 'production'), "
            "(date '2026-10-01', 'b', 'staging'), (date '2026-10-01', 'c', 'production')) "
            "as v(call_date, call_key, environment)"
        )
        warehouse.execute(
            "create table marts.fct_evaluations as select timestamptz '2026-10-01' as evaluated_at,"
            " call_key, 'planted reason of ' || call_key as explanation_redacted "
            "from marts.fct_llm_calls"
        )


def test_texts_past_the_hot_tier_leave_warehouse_and_snapshots_for_good(tiered: Settings) -> None:
    snapshot = tiered.snapshot_dir / "as_of=2026-10-13T000000Z.duckdb"
    tiered.snapshot_dir.mkdir(parents=True)
    for path in (tiered.warehouse_path, snapshot):
        make_texts(path)
        assert b"planted text of b" in path.read_bytes()
    snapshot.chmod(0o444)
    proofs = run(tiered)
    kinds = sorted((proof["kind"], proof["data_class"], proof["n_rows_done"]) for proof in proofs)
    assert kinds == [
        ("delete_warehouse_rows", "*", 1),
        ("delete_warehouse_rows", "*", 1),
        ("delete_warehouse_rows", "health", 1),
        ("delete_warehouse_rows", "health", 1),
        ("empty_warehouse_texts", "*", 1),
        ("empty_warehouse_texts", "*", 1),
        ("empty_warehouse_texts", "health", 1),
        ("empty_warehouse_texts", "health", 1),
    ]
    for path in (tiered.warehouse_path, snapshot):
        data = path.read_bytes()
        assert [key for key in "abc" if f"planted text of {key}".encode() in data] == ["a"]
        assert [key for key in "abc" if f"planted reason of {key}".encode() in data] == ["a"]
        with open_warehouse(path, read_only=True) as warehouse:
            assert warehouse.rows("select count(*) as n from marts.fct_evaluations")[0]["n"] == 3
    assert snapshot.stat().st_mode & 0o777 == 0o444


def test_excerpts_go_with_the_texts_they_are_of_and_their_verdicts_stay(tiered: Settings) -> None:
    make_texts(tiered.warehouse_path)
    with open_warehouse(tiered.warehouse_path, read_only=False) as warehouse:
        warehouse.execute(
            "insert into judgement.verdict_examples by name select 'v' || call_key as verdict_key, "
            "1 as example_rank, 1 as revision, 'h' as content_hash, timestamptz '2026-10-02' as "
            "as_of, 'semantic_shift' as question, 'f' as feature, environment, call_key, "
            "timestamptz '2026-10-01 12:00:00' as called_at, 'v1' as prompt_version, "
            "'planted excerpt of ' || call_key as output_excerpt_redacted from marts.fct_llm_calls"
        )
    run(tiered)
    data = tiered.warehouse_path.read_bytes()
    assert [key for key in "abc" if f"planted excerpt of {key}".encode() in data] == ["a"]
    with open_warehouse(tiered.warehouse_path, read_only=True) as warehouse:
        kept = warehouse.rows("select verdict_key from judgement.verdict_examples")
    assert kept == [{"verdict_key": "va"}]


def test_judgements_stay_as_long_as_the_policy_says(tiered: Settings) -> None:
    with open_warehouse(tiered.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        for table in (VERDICTS, ROOT_CAUSES, STYLE_FINGERPRINTS):
            for age_days in (299, 302):
                warehouse.append_revisions(table, [_judgement(table, AS_OF - timedelta(age_days))])
    run(tiered)
    with open_warehouse(tiered.warehouse_path, read_only=True) as warehouse:
        for table in (VERDICTS, ROOT_CAUSES, STYLE_FINGERPRINTS):
            kept = warehouse.rows(f"select as_of from judgement.{table.name}")
            assert [row["as_of"] for row in kept] == [AS_OF - timedelta(299)], table.name


def _judgement(table: Table, as_of: datetime) -> dict[str, Any]:
    filled = {
        "string": "x", "int64": 1, "float64": 1.0, "timestamp": as_of, "json": "{}",
        "date": as_of.date(),
    }  # fmt: skip
    own = {
        c.name: filled[c.type] for c in table.columns if c.name not in ("revision", "content_hash")
    }
    return own | {table.key[0]: as_of.isoformat()}


def test_side_rows_follow_the_environment_and_class_of_their_span(tiered: Settings) -> None:
    started_at = AS_OF - timedelta(days=10)
    write_spans(tiered, 10, "production", "staging")
    rows = [
        {
            **dict.fromkeys(TOOL_CALLS.column_names),
            "trace_id": "t", "span_id": span_id, "call_index": 0, "role": "executed",
            "arguments_redacted": f"planted arguments of {span_id}", "called_at": started_at,
            "source_offset": n, "source_object": "o", "source_sha256": "0",
            "arrived_at": started_at,
        }
        for n, span_id in enumerate(("s0", "s1", "unknown"))
    ]  # fmt: skip
    path = _write(tiered, TOOL_CALLS, rows, "b" * 32, started_at)
    run(tiered)
    left = [row["arguments_redacted"] for row in pq.read_table(path, partitioning=None).to_pylist()]
    assert left == ["planted arguments of s0", None, "planted arguments of unknown"]


def test_vectors_go_with_their_texts(tiered: Settings) -> None:
    write_spans(tiered, 10, "staging")
    cache = EmbeddingCache(tiered.cache_dir / "embeddings.sqlite")
    for text in ("answer", "another answer"):
        cache.save("m", {text_hash(text): np.ones(4, dtype=np.float32)})
    run(tiered)
    assert forget_texts(tiered, ["answer"], is_trial=True) == 0
    assert forget_texts(tiered, ["another answer"], is_trial=True) == 1


def test_apply_is_refused_when_the_plan_is_unknown_or_the_policy_changed(tiered: Settings) -> None:
    write_spans(tiered, 100, "production")
    with pytest.raises(RetentionError, match=r"no such plan"):
        apply(tiered, "0123456789abcdef", AS_OF)
    found = plan(tiered, AS_OF)
    with pytest.raises(RetentionError, match=r"is after"):
        apply(tiered, found.plan_id, AS_OF - timedelta(days=1))
    assert tiered.config_dir is not None
    policy = tiered.config_dir / "retention.yml"
    policy.write_text(POLICY.replace("default_days: 90", "default_days: 99"))
    with pytest.raises(RetentionError, match=r"changed since"):
        apply(tiered, found.plan_id, AS_OF)


def test_verify_fails_when_a_plan_was_not_applied_or_an_archive_is_damaged(
    tiered: Settings,
) -> None:
    write_spans(tiered, 100, "production")
    found = plan(tiered, AS_OF)
    with pytest.raises(RetentionError, match=r"still to do"):
        verify(tiered, found.plan_id)
    apply(tiered, found.plan_id, AS_OF)
    assert verify(tiered, found.plan_id).n_archives == 1
    (archived,) = (tiered.home / "cold").rglob("*.parquet")
    archived.write_bytes(b"damaged")
    with pytest.raises(RetentionError, match=r"differs from its manifest"):
        verify(tiered, found.plan_id)


def test_scores_of_answers_leave_with_the_other_judgements(tiered: Settings) -> None:
    blank: dict[str, object] = {column.name: None for column in CALL_SCORES.columns}
    del blank["revision"], blank["content_hash"]
    with open_warehouse(tiered.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        rows = [
            blank | {
                "call_score_key": f"k{days}", "as_of": AS_OF - timedelta(days=days),
                "call_key": f"c{days}", "feature": "f", "environment": "production",
                "called_at": AS_OF - timedelta(days=days), "is_canary": False,
                "evaluator": "refusal", "evaluator_version": "1", "sample_weight": 1.0,
                "reason": "r", "details": "{}",
            }
            for days in (299, 301)
        ]  # fmt: skip
        warehouse.append_revisions(CALL_SCORES, rows)
    assert [proof["kind"] for proof in run(tiered)] == ["delete_warehouse_rows"]
    with open_warehouse(tiered.warehouse_path, read_only=True) as warehouse:
        left = warehouse.rows("select call_key from judgement.call_scores")
    assert left == [{"call_key": "c299"}]
