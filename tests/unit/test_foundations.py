"""Settings, hashes and the warehouse's append-only tables."""

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.adapters.warehouse import (
    latest_snapshot,
    open_warehouse,
    publish_snapshot,
)
from include.freezeline.config import config_dir, load_yaml
from include.freezeline.contracts.judgement import FREEZE_TRANSITIONS, JUDGEMENT_TABLES
from include.freezeline.contracts.lake import LAKE_TABLES
from include.freezeline.errors import ConfigError, WarehouseError
from include.freezeline.hashing import stable_hash
from include.freezeline.settings import Settings, load_settings

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)


def transition(reason: str) -> dict[str, object]:
    return {
        "transition_key": "k1",
        "feature": "support-assistant",
        "environment": "production",
        "from_state": "OPEN",
        "to_state": "FROZEN",
        "transitioned_at": AS_OF,
        "slo_name": "support-escalation",
        "reason": reason,
        "actor": "nightly",
    }


def test_settings_name_the_variable_when_it_is_unknown() -> None:
    with pytest.raises(ConfigError, match=r"FREEZELINE_SORCE_URI: no such setting"):
        load_settings({"FREEZELINE_SORCE_URI": "file:///x"})


def test_settings_ignore_other_variables_and_survive_a_round_trip() -> None:
    settings = load_settings(
        {"PATH": "/bin", "FREEZELINE_PSEUDONYM_KEY": "k", "FREEZELINE_HOME": "h"}
    )
    assert load_settings(settings.as_environment()) == settings


def test_settings_never_print_the_pseudonym_key() -> None:
    settings = load_settings({"FREEZELINE_PSEUDONYM_KEY": "very-secret"})
    assert "very-secret" not in repr(settings)


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none(), min_size=2))
def test_stable_hash_does_not_depend_on_key_order(values: dict[str, object]) -> None:
    assert stable_hash(values) == stable_hash(dict(reversed(values.items())))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nfrom_date: 2026-13-02\n", r":2: must be a valid timestamp, got '2026-13-02' \("),
        ("at: 2026-10-02T25:00:00", ":1: must be a valid timestamp, got '2026-10-02T25:00:00'"),
        ("n: !!int abc", ":1: must be a valid int, got 'abc'"),
        ('n: !!int ""', ":1: must be a valid int, got ''"),
        ("n: !!bool x", ":1: must be a valid bool, got 'x'"),
        ("at: !!timestamp x", ":1: must be a valid timestamp, got 'x'"),
        ("2026-13-02: key", ":1: must be a valid timestamp, got '2026-13-02'"),
        ("version: 1\nseed: 2\nversion: 1\n", r":3: key 'version' is written twice \(keep one\)"),
        ("a:\n  - {b: 1,\n     b: 2}", ":3: key 'b' is written twice"),
        ("1: a\n0x1: b", ":2: key 1 is written twice"),
        ("base: &base {x: 1}\nown: {<<: *base, y: 1, y: 2}", ":2: key 'y' is written twice"),
        ("a: [1", r":1: not valid YAML \(fix the syntax\)"),
        ("[" * 5000, r"not valid YAML \(fix the syntax\)"),
    ],
)
def test_yaml_error_names_the_file_and_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "drift.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"drift.yml.*{message}"):
        load_yaml(path)


def test_folder_in_the_place_of_a_policy_file_is_an_error_of_configuration(tmp_path: Path) -> None:
    (tmp_path / "drift.yml").mkdir()
    with pytest.raises(ConfigError, match=r"drift.yml: must be a file that can be read, got Is a"):
        load_yaml(tmp_path / "drift.yml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("base: &b {x: 1}\nown: {<<: *b, x: 2}", {"base": {"x": 1}, "own": {"x": 2}}),
        # `c` merges the inner mapping before it is built itself.
        (
            "k: &k {y: 0}\na: {x: &b {<<: *k, y: 1}}\nc: {<<: *b, y: 3}",
            {"k": {"y": 0}, "a": {"x": {"y": 1}}, "c": {"y": 3}},
        ),
        ("[{a: 1}, {a: 2}]", [{"a": 1}, {"a": 2}]),
        ('{"1": a, 1: b}', {"1": "a", 1: "b"}),
    ],
)
def test_key_that_only_a_merge_or_another_mapping_repeats_is_read(
    tmp_path: Path, text: str, expected: object
) -> None:
    (tmp_path / "drift.yml").write_text(text, encoding="utf-8")
    assert load_yaml(tmp_path / "drift.yml") == expected


def test_every_packaged_file_reads_as_plain_yaml_does() -> None:
    paths = sorted(config_dir(Settings()).rglob("*.yml"))
    assert paths
    for path in paths:
        assert load_yaml(path) == yaml.safe_load(path.read_text(encoding="utf-8"))


def test_append_revisions_writes_news_only(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb", read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        first = warehouse.append_revisions(FREEZE_TRANSITIONS, [transition("a")])
        again = warehouse.append_revisions(FREEZE_TRANSITIONS, [transition("a")])
        changed = warehouse.append_revisions(FREEZE_TRANSITIONS, [transition("b")])
        rows = warehouse.rows(
            "select revision, reason from judgement.freeze_transitions order by 1"
        )
    assert (first, again, changed) == (1, 0, 1)
    assert rows == [{"revision": 1, "reason": "a"}, {"revision": 2, "reason": "b"}]


def test_new_warehouse_has_the_small_format_and_an_old_file_keeps_its_own(
    settings: Settings,
) -> None:
    asked = (
        "select tags['storage_version'] as version from duckdb_databases() where path is not null"
    )
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        assert warehouse.rows(asked) == [{"version": "v1.3.0+"}]
    settings.warehouse_path.unlink()
    duckdb.connect(str(settings.warehouse_path)).close()
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        assert warehouse.rows(asked) == [{"version": "v1.0.0+"}]
        warehouse.ensure_judgement_tables()


def test_readers_keep_their_snapshot_while_the_next_night_is_written(settings: Settings) -> None:
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        warehouse.append_revisions(FREEZE_TRANSITIONS, [transition("a")])
    publish_snapshot(settings, AS_OF)
    with (
        open_warehouse(latest_snapshot(settings), read_only=True) as reader,
        open_warehouse(settings.warehouse_path, read_only=False) as writer,
    ):
        writer.append_revisions(FREEZE_TRANSITIONS, [transition("b")])
        seen = reader.rows("select count(*) as n from judgement.freeze_transitions")
    assert seen == [{"n": 1}]


def test_snapshot_pointer_names_its_as_of(settings: Settings) -> None:
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
    publish_snapshot(settings, AS_OF)
    pointer = json.loads((settings.snapshot_dir / "current.json").read_text())
    assert datetime.fromisoformat(pointer["as_of"]) == AS_OF


def test_reading_before_anything_is_published_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match=r"nothing published yet \(run the nightly DAG"):
        latest_snapshot(settings)


def test_contract_columns_are_described_and_keys_exist() -> None:
    tables = (*LAKE_TABLES, *JUDGEMENT_TABLES)
    assert tables
    for table in tables:
        assert set(table.key) <= set(table.column_names)
        for column in table.columns:
            assert column.description.endswith("."), f"{table.name}.{column.name}: end the sentence"
