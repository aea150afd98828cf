"""Spark builds the marts that DuckDB builds, on a cluster of two workers."""

from pathlib import Path

import pytest

from include.freezeline.adapters.spark_target import SparkTarget
from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.jobs.build import BuildSummary, build
from include.freezeline.settings import Settings
from tests.engines.compare import differences, mart_names, row_counts
from tests.engines.conftest import copy_of
from tests.engines.spark import N_WORKERS, SparkCluster
from tests.engines.world import AS_OF

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.engines]
# Nobody opens a sealed original here, and no evaluator scores an answer.
_MAY_BE_EMPTY = frozenset({"fct_break_glass_events", "fct_call_scores", "fct_evaluator_agreements"})


@pytest.fixture(scope="module")
def built(
    here: tuple[Settings, BuildSummary],
    spark: SparkCluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Settings, BuildSummary]:
    """The same lake, built by Spark."""
    where = {"target": "spark", "spark_host": spark.host, "spark_port": spark.port}
    settings = copy_of(here[0], tmp_path_factory.mktemp("there"), **where)
    return settings, build(settings, AS_OF)


def test_every_model_is_built_and_every_data_test_holds(
    here: tuple[Settings, BuildSummary], built: tuple[Settings, BuildSummary], spark: SparkCluster
) -> None:
    assert spark.n_workers == N_WORKERS == 2
    assert (built[1].n_models, built[1].n_tests_passed) == (
        here[1].n_models,
        here[1].n_tests_passed,
    )
    assert (built[1].n_calls, built[1].unpriced_models) == (
        here[1].n_calls,
        here[1].unpriced_models,
    )


def test_every_mart_is_equal_cell_by_cell(
    here: tuple[Settings, BuildSummary], built: tuple[Settings, BuildSummary]
) -> None:
    names = mart_names(here[0].warehouse_path)
    assert len(names) >= 50
    assert mart_names(built[0].warehouse_path) == names
    # A comparison of empty marts says nothing.
    empty = {name for name, n_rows in row_counts(here[0].warehouse_path).items() if not n_rows}
    assert empty <= _MAY_BE_EMPTY
    found = differences(here[0].warehouse_path, built[0].warehouse_path, names)
    assert not found, "\n".join(found)


def test_verdict_views_are_equal_on_spark_itself(
    here: tuple[Settings, BuildSummary], built: tuple[Settings, BuildSummary], tmp_path: Path
) -> None:
    with open_warehouse(here[0].warehouse_path, read_only=True) as warehouse:
        views = warehouse.rows("select view_name from duckdb_views() where schema_name = 'marts'")
    names = sorted(row["view_name"] for row in views)
    assert len(names) >= 5
    fetched = tmp_path / "views.duckdb"
    with open_warehouse(fetched, read_only=False) as scratch:
        SparkTarget(built[0]).fetch(scratch, names)
    found = differences(here[0].warehouse_path, fetched, names)
    assert not found, "\n".join(found)
