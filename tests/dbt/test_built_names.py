"""A built warehouse: its types agree with its names, nothing old stays, dbt documents it."""

import json
from datetime import UTC, datetime

import pytest

from include.freezeline.adapters.dbt import load_manifest
from include.freezeline.adapters.warehouse import open_warehouse, publish_snapshot
from include.freezeline.jobs.build import build
from include.freezeline.jobs.dbt_docs import render_dbt_docs
from include.freezeline.settings import Settings
from tests.architecture.names import column_fault

pytestmark = [pytest.mark.integration, pytest.mark.slow]

AS_OF = datetime(2026, 10, 13, tzinfo=UTC)
_LAYERS = ("staging", "intermediate", "marts")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A warehouse in which an earlier version had built other models, built again."""
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        for schema in ("staging", "marts", "notes"):
            warehouse.execute(f"create schema {schema}")
        warehouse.execute("create table marts.dim_tenants as select 1 as tenant_key")
        warehouse.execute("create view staging.stg_otel__old as select 1 as span_key")
        warehouse.execute("create table notes.mine as select 1 as note_id")
    build(settings, AS_OF)
    publish_snapshot(settings, AS_OF)
    return settings


def test_every_built_column_is_named_by_its_type(built: Settings) -> None:
    with open_warehouse(built.warehouse_path, read_only=True) as warehouse:
        columns = warehouse.rows(
            "select table_schema, table_name, column_name, data_type from "
            f"information_schema.columns where table_schema in {_LAYERS}"
        )
    assert len({row["table_name"] for row in columns}) > 80
    faults = [
        f"{row['table_schema']}.{row['table_name']}.{row['column_name']}: {fault}"
        for row in columns
        if (fault := column_fault(row["column_name"], row["data_type"]))
    ]
    assert not faults


def test_what_no_model_builds_any_more_is_dropped_and_nothing_else(built: Settings) -> None:
    with open_warehouse(built.warehouse_path, read_only=True) as warehouse:
        rows = warehouse.rows(
            "select table_schema || '.' || table_name as name from information_schema.tables"
        )
    found = {row["name"] for row in rows}
    models = [n for n in load_manifest(built)["nodes"].values() if n["resource_type"] == "model"]
    stored = {
        f"{node['schema']}.{node['name']}"
        for node in models
        if node["config"]["materialized"] != "ephemeral"
    }
    assert {name for name in found if name.split(".")[0] in _LAYERS} == stored
    assert "notes.mine" in found


def test_dbt_documents_the_published_snapshot_without_a_server(built: Settings) -> None:
    (snapshot,) = built.snapshot_dir.glob("as_of=*.duckdb")
    before = snapshot.read_bytes()
    page = render_dbt_docs(built)
    assert snapshot.read_bytes() == before
    text = page.read_text(encoding="utf-8")
    for name in ("fct_llm_calls", "freeze_report", "canned_questions"):
        assert name in text
    catalog = json.loads(page.with_name("catalog.json").read_text(encoding="utf-8"))
    assert not catalog["errors"]
    calls = catalog["nodes"]["model.freezeline.fct_llm_calls"]
    assert calls["columns"]["called_at"]["type"] == "TIMESTAMP WITH TIME ZONE"
