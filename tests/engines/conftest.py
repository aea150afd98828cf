"""Servers and the default target's marts, once per session."""

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa

from include.freezeline.jobs.build import BuildSummary, build
from include.freezeline.settings import Settings
from tests.engines.postgres import Postgres, program, running_postgres
from tests.engines.spark import SPARK_PACKAGES, SparkCluster, running_spark
from tests.engines.world import AS_OF, judge_world, land_world, settings_in


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, BuildSummary]:
    """The world on the default target."""
    settings = settings_in(tmp_path_factory.mktemp("here"))
    land_world(settings)
    judge_world(settings)
    return settings, build(settings, AS_OF)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """A running Spark cluster."""
    missing = [name for name in ("pyhive",) if find_spec(name) is None]
    missing += [] if (SPARK_PACKAGES / "pyspark").is_dir() else ["pyspark"]
    missing += [name for name in ("java",) if shutil.which(name) is None]
    _skip_without(missing, "make test-spark installs the Python packages; Java is Debian's")
    with running_spark(tmp_path_factory.mktemp("spark")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL server."""
    missing = [name for name in ("initdb", "postgres") if program(name) is None]
    missing += [name for name in ("psql", "setpriv") if shutil.which(name) is None]
    missing += [name for name in ("duckdb_extension_ducklake",) if find_spec(name) is None]
    _skip_without(missing, "apt-get install postgresql; make test-shared installs the rest")
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> sa.URL:
    """The server's database as SQLAlchemy connects to it, its superuser's password included."""
    missing = [name for name in ("psycopg",) if find_spec(name) is None]
    _skip_without(missing, "make test-shared installs it")
    words = dict(word.split("=") for word in postgres.dsn.split())
    return sa.URL.create(
        "postgresql+psycopg", words["user"], words["password"], words["host"], int(words["port"]),
        words["dbname"],
    )  # fmt: skip


def copy_of(here: Settings, home: Path, **values: object) -> Settings:
    """Return settings of a home of its own that holds the same lake and judgement rows."""
    shutil.copytree(here.lake_dir, home / "lake")
    settings = settings_in(home, **values)
    judge_world(settings)
    return settings


def _skip_without(missing: list[str], remedy: str) -> None:
    """Skip where something is missing; in CI that is a failure, or the target goes untested."""
    if missing:
        reason = f"{', '.join(missing)}: not installed ({remedy})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
