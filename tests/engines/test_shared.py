"""Machines that share a DuckLake: nothing is lost or doubled, and the marts are DuckDB's."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest

from include.freezeline.adapters.shared_target import SharedTarget
from include.freezeline.adapters.warehouse import open_scratch, open_warehouse
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.lake import PRICE_BOOK, REDACTION_CANARIES
from include.freezeline.jobs.build import BuildSummary, lake_tables
from include.freezeline.settings import Settings
from tests.engines.compare import differences, mart_names
from tests.engines.postgres import Postgres
from tests.engines.world import AS_OF, judge_world, settings_in
from tests.integration.rgw import Rgw

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.engines]

ROOT = Path(__file__).resolve().parents[2]
_N_WRITERS = 3
_N_ROUNDS = 2
_PAUSE_S = 6
_BUCKET = "shared-lake"


@pytest.fixture(scope="module")
def credentials(rgw: Rgw) -> Iterator[None]:
    """A bucket on the gateway, and credentials where boto3 looks for them."""
    keys = {"AWS_ACCESS_KEY_ID": rgw.access_key, "AWS_SECRET_ACCESS_KEY": rgw.secret_key}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in keys.items():
            patch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=rgw.endpoint_url, region_name="us-east-1")
        client.create_bucket(Bucket=_BUCKET)
        yield


@pytest.fixture(scope="module")
def machines(
    here: tuple[Settings, BuildSummary],
    postgres: Postgres,
    rgw: Rgw,
    credentials: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Settings]:
    """Machines that each have landed a part of the lake; the first one judges."""
    made = []
    for number in range(_N_WRITERS):
        home = tmp_path_factory.mktemp(f"machine{number}")
        _copy_part(here[0].lake_dir, home / "lake", number)
        where = {
            "target": "shared",
            "shared_catalog": postgres.dsn,
            "shared_data_uri": f"s3://{_BUCKET}/data",
            "shared_writer": f"machine-{number}",
            "s3_endpoint_url": rgw.endpoint_url,
        }
        made.append(settings_in(home, **where))
    judge_world(made[0])
    return made


def test_machines_that_write_at_once_lose_and_double_nothing(
    here: tuple[Settings, BuildSummary], machines: list[Settings]
) -> None:
    with ExitStack() as stack:
        reader = stack.enter_context(_start(machines[0], "read"))
        writers = [stack.enter_context(_start(m, "write", str(_N_ROUNDS))) for m in machines]
        wrote = [_outcome(writer) for writer in writers]
        seen = _outcome(reader, "stop\n")
    assert seen["n_torn"] == 0
    assert seen["n_reads"] >= 5
    assert [each["n_left"] for each in wrote] == [0] * _N_WRITERS
    n_files = sum(each["n_files"] for each in wrote)
    assert n_files > 1.2 * len(list(here[0].lake_dir.rglob("dt=*/*.parquet")))
    with open_warehouse(machines[0].warehouse_path, read_only=False) as warehouse:
        SharedTarget(machines[0]).prepare_build(warehouse, lake_tables(here[0]))
    for table in lake_tables(here[0]):
        if table.name != PRICE_BOOK.name:
            assert _shared_rows(machines[0], table) == _local_rows(here[0], table), table.name


def test_marts_built_while_others_write_are_those_of_the_default_target(
    here: tuple[Settings, BuildSummary], machines: list[Settings]
) -> None:
    with ExitStack() as stack:
        reader = stack.enter_context(_start(machines[1], "read"))
        builder = stack.enter_context(_start(machines[0], "build", AS_OF.isoformat()))
        n_rounds = 0
        while builder.poll() is None:
            writers = [stack.enter_context(_start(m, "write", "1")) for m in machines[1:]]
            assert all(_outcome(writer)["n_files"] > 0 for writer in writers)
            n_rounds += 1
            # Machines land a batch now and then; without a pause they starve the build.
            time.sleep(_PAUSE_S)
        built, seen = _outcome(builder), _outcome(reader, "stop\n")
    assert n_rounds >= 2
    assert seen["n_torn"] == 0
    assert built == {"n_models": here[1].n_models, "n_tests_passed": here[1].n_tests_passed}
    names = mart_names(here[0].warehouse_path)
    assert mart_names(machines[0].warehouse_path) == names
    found = differences(here[0].warehouse_path, machines[0].warehouse_path, names)
    assert not found, "\n".join(found)


def _copy_part(lake_dir: Path, target: Path, number: int) -> None:
    """Copy every n-th file of a lake; what is planted counts on the machine that builds."""
    for place, path in enumerate(sorted(lake_dir.rglob("*.parquet"))):
        owner = 0 if REDACTION_CANARIES.name in path.parts else place % _N_WRITERS
        if owner == number:
            copied = target / path.relative_to(lake_dir)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)


def _start(settings: Settings, *words: str) -> subprocess.Popen[str]:
    """Start a machine's process."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FREEZELINE_")}
    return subprocess.Popen(  # noqa: S603 - our own words, no shell
        [sys.executable, "-m", "tests.engines.machine", *words],
        cwd=ROOT, env=inherited | settings.as_environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def _outcome(process: subprocess.Popen[str], text: str | None = None) -> dict[str, int]:
    """Wait for a process and return what it found; any error of it is one of ours."""
    printed, errors = process.communicate(text)
    assert process.returncode == 0, errors[-3000:]
    found: dict[str, int] = json.loads(printed.splitlines()[-1])
    return found


def _shared_rows(settings: Settings, table: Table) -> Counter[str]:
    """Return the rows of a shared table, each as often as it is there."""
    with open_scratch() as connection, SharedTarget(settings).attached(connection):
        names = ", ".join(table.column_names)
        return _counted(connection.rows(f"select {names} from shared.lake.{table.name}"))


def _local_rows(settings: Settings, table: Table) -> Counter[str]:
    """Return the rows of a lake table, each as often as it is there."""
    names = ", ".join(table.column_names)
    files = f"{settings.lake_dir}/{table.name}/**/*.parquet"
    with open_scratch() as connection:
        return _counted(
            connection.rows(
                f"select {names} from read_parquet(?, hive_partitioning = false, "
                "union_by_name = true)",
                [files],
            )
        )


def _counted(rows: list[dict[str, Any]]) -> Counter[str]:
    """Count equal rows."""
    return Counter(map(repr, rows))
