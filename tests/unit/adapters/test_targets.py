"""Targets other than the DuckDB file: what they need, and what they refuse."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.freezeline.adapters import targets
from include.freezeline.adapters.shared_target import SharedTarget
from include.freezeline.adapters.spark_target import SparkTarget
from include.freezeline.adapters.targets import profile_secrets, target_of
from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.errors import ConfigError, WarehouseError
from include.freezeline.jobs import retention
from include.freezeline.settings import Settings, load_settings
from tests.engines.ports import free_port

SHARED = {
    "FREEZELINE_TARGET": "shared",
    "FREEZELINE_SHARED_CATALOG": "dbname=lake password=very-secret",
    "FREEZELINE_SHARED_DATA_URI": "s3://bucket/data",
}


@pytest.fixture
def everything_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a target needs is there."""
    monkeypatch.setattr(targets, "_is_installed", lambda _module: True)


def test_default_target_is_the_duckdb_file() -> None:
    assert target_of(load_settings({})) is None


@pytest.mark.parametrize("name", ["shared", "spark"])
def test_a_target_says_what_is_not_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_is_installed", lambda module: "." in module)
    with pytest.raises(ConfigError, match=f"FREEZELINE_TARGET={name}: .* not installed") as raised:
        target_of(load_settings({**SHARED, "FREEZELINE_TARGET": name}))
    assert f"include/requirements/{name}.txt" in str(raised.value)
    file = Path(__file__).parents[3] / "include" / "requirements" / f"{name}.txt"
    assert "==" in file.read_text(encoding="utf-8")


def test_a_module_of_a_missing_package_is_missing() -> None:
    assert not targets._is_installed("no_such_package.part")
    assert targets._is_installed("duckdb")


def test_unknown_target_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="FREEZELINE_TARGET: must be 'duckdb', 'shared' or 'spark'"
    ):
        load_settings({"FREEZELINE_TARGET": "snowflake"})


@pytest.mark.parametrize("name", ["FREEZELINE_SHARED_CATALOG", "FREEZELINE_SHARED_DATA_URI"])
def test_shared_needs_catalogue_and_data(name: str, everything_installed: None) -> None:
    given = {key: value for key, value in SHARED.items() if key != name}
    with pytest.raises(ConfigError, match=name):
        target_of(load_settings(given))


def test_shared_keeps_secrets_apart(
    everything_installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setattr(SharedTarget, "_install_extensions", lambda _self: None)
    settings = load_settings(SHARED)
    target = target_of(settings)
    assert target is not None
    known = {**target.variables(), "settings": repr(settings)}
    assert "very-secret" not in str(known)
    assert "hidden" not in str(known)
    with profile_secrets(target):
        assert "very-secret" in os.environ["DBT_ENV_SECRET_SHARED_CATALOG"]
        assert os.environ["DBT_ENV_SECRET_S3_SECRET"] == "hidden"
    assert "DBT_ENV_SECRET_S3_SECRET" not in os.environ


def test_spark_says_at_once_that_nobody_answers() -> None:
    port = free_port()
    target = SparkTarget(Settings(target="spark", spark_port=port))
    with pytest.raises(WarehouseError, match=f"127.0.0.1:{port}: no Spark Thrift server answers"):
        target.hand_over_lake([])


def test_spark_gets_the_judgement_tables_as_files(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "it's", target="spark")
    target = SparkTarget(settings)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        target.prepare_build(warehouse, [])
        folder = Path(str(target.variables()["judgement_dir"]))
        files = sorted(path.parent.name for path in folder.rglob("*.parquet"))
        known = warehouse.rows(
            "select table_name from duckdb_tables() where schema_name = 'judgement' order by 1"
        )
    assert files == [row["table_name"] for row in known]


@pytest.mark.parametrize("name", ["shared", "spark"])
def test_retention_does_not_claim_what_it_cannot_prove(name: str, settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"target": name})
    with pytest.raises(ConfigError, match=f"FREEZELINE_TARGET={name}: retention would leave rows"):
        retention.apply(elsewhere, "no-plan", datetime(2026, 10, 14, tzinfo=UTC))
