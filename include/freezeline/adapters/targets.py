"""Where dbt builds: in the DuckDB file, in a shared DuckLake, or on a Spark cluster.

Land, judge, decide and publish are the same for every target. Where the marts are built elsewhere,
the lake and the judgement rows are handed over before the build, and the marts are fetched into
the DuckDB file after it: what is judged, checked, published and read is always that file.
"""

import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from include.freezeline.adapters.shared_target import SharedTarget
from include.freezeline.adapters.spark_target import SparkTarget
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.contracts.columns import Table
from include.freezeline.errors import ConfigError
from include.freezeline.settings import Settings


class Target(Protocol):
    """A place beside the DuckDB file where the marts are built."""

    @property
    def modules(self) -> tuple[str, ...]:
        """What must be installed to use it."""

    def variables(self) -> Mapping[str, object]:
        """Return what the dbt profile must know of it, without secrets."""

    def secrets(self) -> Mapping[str, str]:
        """Return environment variables that only the dbt profile reads."""

    def hand_over_lake(self, tables: Sequence[Table]) -> int:
        """Give it what this machine has landed; return how many files that took."""

    def prepare_build(self, warehouse: Warehouse, tables: Sequence[Table]) -> None:
        """Give it what only the machine that builds has, the judgement tables for instance."""

    def fetch_marts(self, warehouse: Warehouse) -> None:
        """Copy its marts into the DuckDB file."""


def target_of(settings: Settings) -> Target | None:
    """Return where the marts are built; None for the DuckDB file itself.

    Raises:
        ConfigError: The target lacks a setting, or something it needs is not installed.
    """
    if settings.target == "duckdb":
        return None
    target: Target = SparkTarget(settings) if settings.target == "spark" else SharedTarget(settings)
    missing = [name for name in target.modules if not _is_installed(name)]
    if missing:
        message = (
            f"FREEZELINE_TARGET={settings.target}: {', '.join(missing)} not installed (pip install "
            f"-r include/requirements/{settings.target}.txt, or unset FREEZELINE_TARGET)"
        )
        raise ConfigError(message)
    return target


def refuse_elsewhere(settings: Settings, what: str) -> None:
    """Refuse what cannot prove that rows are gone from another target than the DuckDB file.

    Raises:
        ConfigError: The marts are built elsewhere.
    """
    if settings.target != "duckdb":
        message = (
            f"FREEZELINE_TARGET={settings.target}: {what} would leave rows over there and call "
            "them gone (set FREEZELINE_TARGET=duckdb for it, then land and build again: "
            "docs/how-to/choose-a-target.md)"
        )
        raise ConfigError(message)


@contextmanager
def landed_spans(settings: Settings, warehouse: Warehouse) -> Iterator[str]:
    """Give what to select the landed spans from: those of all machines where machines share."""
    target = target_of(settings)
    if isinstance(target, SharedTarget):
        with target.attached(warehouse):
            yield "shared.lake.spans"
    else:
        files = str(settings.lake_dir / "spans" / "**/*.parquet").replace("'", "''")
        yield f"read_parquet('{files}', hive_partitioning = false, union_by_name = true)"


@contextmanager
def profile_secrets(target: Target | None) -> Iterator[None]:
    """Let dbt's profile see a target's secrets, as variables whose values dbt keeps out of logs."""
    given = target.secrets() if target else {}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _is_installed(module: str) -> bool:
    """Whether a module can be imported; its parents may be missing too."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
