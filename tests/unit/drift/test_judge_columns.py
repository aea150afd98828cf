"""Columns that questions name are looked up before a night is judged."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.drift.anomaly_policy import AnomalyPolicy, load_anomaly_policy
from include.freezeline.errors import ConfigError
from include.freezeline.jobs.judge_columns import asked_columns, check_columns
from include.freezeline.settings import Settings

POLICY = load_anomaly_policy(config_dir(Settings()))


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    """Marts with the columns that the shipped questions name, and a text."""
    with open_warehouse(tmp_path / "w.duckdb", read_only=False) as opened:
        opened.execute("create schema marts")
        for mart in ("fct_llm_calls", "agg_calls_hourly"):
            asked = {column: kind for _, column, of, kind in asked_columns(POLICY) if of == mart}
            types = {"flag": "boolean", "number": "decimal(18, 9)"}
            columns = [f"{name} {types[kind]}" for name, kind in asked.items()]
            opened.execute(f"create table marts.{mart} (feature varchar, {', '.join(columns)})")
        yield opened


def _with(policy: AnomalyPolicy, period: str, **changes: Any) -> AnomalyPolicy:
    """Return the policy with its first daily or hourly question changed."""
    if period == "daily":
        first = policy.questions[0].model_copy(update=changes)
        return policy.model_copy(update={"questions": (first, *policy.questions[1:])})
    first_hourly = policy.hourly.questions[0].model_copy(update=changes)
    hourly = policy.hourly.model_copy(
        update={"questions": (first_hourly, *policy.hourly.questions[1:])}
    )
    return policy.model_copy(update={"hourly": hourly})


def test_shipped_questions_name_columns_of_their_marts(warehouse: Warehouse) -> None:
    assert len(list(asked_columns(POLICY))) > len(POLICY.questions)
    check_columns(warehouse, POLICY)


@pytest.mark.parametrize(
    ("period", "changes", "message"),
    [
        (
            "daily",
            {"column": POLICY.questions[0].column + "x"},
            f"questions.0.column: must be a column of numbers of marts.fct_llm_calls, got "
            f"{POLICY.questions[0].column}x (write {POLICY.questions[0].column})",
        ),
        ("daily", {"column": "zzzz"}, "got zzzz (docs/warehouse.md lists them)"),
        ("daily", {"column": "feature"}, "got feature, which is a text"),
        ("daily", {"kind": "ratio"}, "must be a yes/no column of marts.fct_llm_calls"),
        ("hourly", {"count": "n_cals"}, "hourly.questions.0.count: must be a column of numbers"),
        ("hourly", {"uncounted": "zzzz"}, "hourly.questions.0.uncounted"),
        ("hourly", {"quantiles": ("zzzz",)}, "hourly.questions.0.quantiles.0"),
    ],
)
def test_column_that_cannot_be_asked_is_named_with_its_place(
    warehouse: Warehouse, period: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_columns(warehouse, _with(POLICY, period, **changes))
    assert message in str(caught.value)


def test_mart_that_was_never_built_is_left_to_who_reads_it(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "w.duckdb", read_only=False) as empty:
        check_columns(empty, POLICY)
