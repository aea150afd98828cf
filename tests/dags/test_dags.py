"""The DAGs parse, are exactly the expected ones, and declare what people on call need."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.airflow.local_run import airflow_environment

ROOT = Path(__file__).resolve().parents[2]
EXPECTED_DAGS = {"nightly", "apply_retention", "erase_subject", "export_for_labelling"}
MAX_STATEMENT_LINES = 80
HEAVY = {"pandas", "torch", "scipy", "great_expectations", "sentence_transformers", "dbt", "duckdb"}


@pytest.fixture(scope="module")
def dag_bag(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Parse the DAG folder once, with a throw-away Airflow home."""
    home = tmp_path_factory.mktemp("airflow")
    for name, value in airflow_environment(home, ROOT).items():
        os.environ[name] = value
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags"))


def test_dags_are_exactly_the_expected_ones_and_import(dag_bag: Any) -> None:
    assert dag_bag.import_errors == {}
    assert set(dag_bag.dags) == EXPECTED_DAGS


def test_every_dag_declares_owner_docs_tags_retries_and_catchup(dag_bag: Any) -> None:
    assert dag_bag.dags
    for dag_id, dag in dag_bag.dags.items():
        file = Path(dag.fileloc)
        assert file.stem == dag_id, f"{file.name}: rename the file or the function; dag_id = file"
        assert not dag_id.startswith("dbt_"), f"{file.name}: dbt imports dbt_* modules; rename it"
        assert "## When it fails" in (dag.doc_md or ""), f"{dag_id}: add a 'When it fails' heading"
        assert sum(tag.startswith("impact/") for tag in dag.tags) == 1, f"{dag_id}: one impact tag"
        assert dag.catchup is False, f"{dag_id}: say catchup=False"
        assert dag.max_active_runs == 1, f"{dag_id}: the warehouse has one writer"
        for task in dag.tasks:
            assert task.owner == "freezeline", f"{dag_id}.{task.task_id}: use declare.DEFAULT_ARGS"
            assert task.retries >= 1, f"{dag_id}.{task.task_id}: set retries"
            assert task.pool == "freezeline_writer", f"{dag_id}.{task.task_id}: use the writer pool"


def test_nightly_runs_its_stages_in_the_order_of_the_design(dag_bag: Any) -> None:
    dag = dag_bag.dags["nightly"]
    order = [task.task_id for task in dag.topological_sort()]
    assert order == [
        "land.land_objects",
        "land.check_landed_batch",
        "build.build_warehouse",
        "build.check_marts",
        "judge_features",
        "decide_freezes",
        "publish_night",
        "send_alerts",
    ]


def test_erasures_are_looked_for_every_night_and_never_given_raw_ids(dag_bag: Any) -> None:
    assert "verify_erasures" in dag_bag.dags["apply_retention"].task_ids
    assert {"expire_originals", "expire_samples"} <= set(dag_bag.dags["apply_retention"].task_ids)
    dag = dag_bag.dags["erase_subject"]
    assert dag.params.get_param("apply").value is False
    with pytest.raises(ValueError, match="does not match"):
        dag.params.get_param("subject_key").resolve("alice@example.com")
    assert dag.params.get_param("subject_key").resolve("u_" + "0" * 32)


def test_marts_and_freeze_document_are_announced_as_assets(dag_bag: Any) -> None:
    dag = dag_bag.dags["nightly"]
    outlets = {asset.name for task in dag.tasks for asset in task.outlets}
    assert outlets == {"freezeline_marts", "freezeline_freeze_document"}


@pytest.mark.parametrize("file", sorted((ROOT / "dags").glob("*.py")), ids=lambda file: file.name)
def test_dag_file_is_a_short_declaration_without_heavy_imports(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docstring_lines = len((ast.get_docstring(tree) or "").splitlines())
    body_lines = len(file.read_text(encoding="utf-8").splitlines()) - docstring_lines
    assert body_lines <= MAX_STATEMENT_LINES, f"{file.name}: move work into include/freezeline/jobs"
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
    roots = {module.split(".")[0] for module in modules}
    assert not roots & HEAVY, f"{file.name}: import {roots & HEAVY} inside the task"
    assert not any(module.startswith("include.freezeline.jobs") for module in modules), (
        f"{file.name}: import the job inside the task, parsing must stay cheap"
    )


def test_parsing_a_dag_file_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, runpy; runpy.run_path('dags/nightly.py');"
        "print(','.join(m for m in ('pandas','torch','dbt','great_expectations') if m in sys.modules))"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | airflow_environment(tmp_path, ROOT),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "", f"parsing imports {done.stdout.strip()}"
