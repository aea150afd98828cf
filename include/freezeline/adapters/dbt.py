"""Run dbt in this process, on the target of the settings, and report what it did.

DuckDB allows one writing process, so dbt runs in the one that holds the night, not beside it.
After a run its connection is closed for good: dbt keeps one per process, and a forgotten one
would lock the next stage out.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from include.freezeline.adapters.targets import profile_secrets, target_of
from include.freezeline.errors import WarehouseError
from include.freezeline.hashing import stable_hash
from include.freezeline.settings import Settings

_MESSAGE_LENGTH = 600
_SOURCES = frozenset({".sql", ".yml"})
# Folders that dbt writes, where somebody ran it by hand.
_WRITTEN = frozenset({"target", "logs", "dbt_packages"})
_MANIFESTS: dict[str, Any] = {}
_MAX_MANIFESTS = 2


@dataclass(frozen=True, slots=True)
class DbtSummary:
    """What one dbt build did.

    Attributes:
        n_models: Models built.
        n_tests_passed: Data tests that held.
        n_tests_warned: Data tests that only warn, and did.
        seconds_by_node: Run time of every model and test, slowest first.
    """

    n_models: int
    n_tests_passed: int
    n_tests_warned: int
    seconds_by_node: Mapping[str, float]


def project_dir() -> Path:
    """Return the dbt project's folder, which lies beside ``include``."""
    return Path(str(files("include.freezeline"))).parents[1] / "dbt_project"


@cache
def project_hash() -> str:
    """Return a hash of everything the models are made of: the project, dbt and the engine."""
    root = project_dir()
    paths = sorted(path.relative_to(root) for path in root.rglob("*") if path.suffix in _SOURCES)
    texts = [
        (str(path), (root / path).read_text(encoding="utf-8"))
        for path in paths
        if not _WRITTEN & set(path.parts)
    ]
    versions = [version(name) for name in ("dbt-core", "dbt-duckdb", "duckdb")]
    return stable_hash(versions, texts)


def run_dbt_build(
    settings: Settings,
    variables: Mapping[str, object],
    *,
    has_unit_tests: bool = False,
    has_data_tests: bool = True,
    select: Sequence[str] = (),
) -> DbtSummary:
    """Build and test models.

    Args:
        settings: The target, and where the warehouse and dbt's own files go.
        variables: dbt variables.
        has_unit_tests: Whether to run the models' unit tests too; the nightly does not, since
            they test code and not data.
        has_data_tests: Whether to run the data tests.
        select: Models to build, as dbt selects them; every model when empty.

    Raises:
        ConfigError: The target lacks a setting, or something it needs is not installed.
        WarehouseError: A model or test failed, or the project cannot be read.
    """
    left_out = {"unit_test": not has_unit_tests, "test": not has_data_tests}
    kinds = [kind for kind, is_out in left_out.items() if is_out]
    selection = [word for kind in kinds for word in ("--exclude-resource-type", kind)]
    selection += ["--select", *select] if select else []
    manifest = _parsed(settings, variables)
    outcome = _invoke(settings, "build", variables, ["--no-write-json", *selection], manifest)
    results = list(getattr(outcome.result, "results", None) or ())
    if not outcome.success:
        raise WarehouseError(_explain(outcome.exception, results))
    return _summarise(results)


def write_dbt_docs(settings: Settings, variables: Mapping[str, object]) -> Path:
    """Write dbt's own documentation of a snapshot as one page that needs no server.

    Args:
        settings: Where dbt's own files go.
        variables: dbt variables; ``warehouse_path`` is the snapshot.

    Returns:
        The page.

    Raises:
        WarehouseError: The project cannot be read, or the snapshot is not one of it.
    """
    folder = settings.home.resolve() / "dbt" / "docs"
    # The folder is named again after every command's own: the last one counts.
    extra = ["--static", "--target", "snapshot", "--target-path", str(folder)]
    outcome = _invoke(_on_duckdb(settings), "docs generate", variables, extra)
    if not outcome.success:
        raise WarehouseError(_explain(outcome.exception, []))
    return folder / "static_index.html"


def load_manifest(settings: Settings) -> dict[str, Any]:
    """Parse the project and return its manifest.

    Raises:
        WarehouseError: The project cannot be parsed.
    """
    outcome = _invoke(_on_duckdb(settings), "parse", {}, [])
    if not outcome.success:
        raise WarehouseError(_explain(outcome.exception, []))
    path = _work_dir(settings) / "target" / "manifest.json"
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def _parsed(settings: Settings, variables: Mapping[str, object]) -> Any:
    """Return the project's manifest, parsed once in a process for the same code and places.

    Reading the project takes longer than building a small night, and dbt reads all of it again
    whenever a variable differs, as ``as_of`` does every night. What it read depends only on where
    things lie. The mark that a model is compiled goes, or ephemeral models would be the last
    night's.
    """
    places = {name: variables.get(name) for name in ("lake_dir", "warehouse_path")}
    key = stable_hash(project_hash(), places, settings.target, str(_work_dir(settings)))
    if key not in _MANIFESTS:
        outcome = _invoke(settings, "parse", places, [])
        if not outcome.success:
            raise WarehouseError(_explain(outcome.exception, []))
        for oldest in list(_MANIFESTS)[: -_MAX_MANIFESTS + 1]:
            del _MANIFESTS[oldest]
        _MANIFESTS[key] = outcome.result
    manifest = _MANIFESTS[key]
    for node in manifest.nodes.values():
        if getattr(node, "compiled", False):
            node.compiled, node.extra_ctes_injected = False, False
    return manifest


def _invoke(
    settings: Settings,
    command: str,
    variables: Mapping[str, object],
    extra: Sequence[str],
    manifest: Any = None,
) -> Any:
    """Run one dbt command, quietly, with all of its files under the home folder."""
    from dbt.cli.main import dbtRunner

    target = target_of(settings)
    known = {**variables, **(target.variables() if target else {})}
    project = str(project_dir())
    work_dir = _work_dir(settings)
    globals_ = ["--quiet", "--log-level", "none", "--no-use-colors", "--no-version-check"]
    globals_ += ["--log-level-file", "info", "--log-path", str(work_dir / "logs")]
    paths = ["--project-dir", project, "--profiles-dir", project]
    # What dbt remembers of a parse holds for one target.
    memory = "target" if target is None else f"target_{settings.target}"
    paths += ["--target", settings.target, "--target-path", str(work_dir / memory)]
    paths += ["--vars", json.dumps(known)]
    try:
        with profile_secrets(target):
            return dbtRunner(manifest).invoke([*globals_, *command.split(), *paths, *extra])
    finally:
        _close_connection()


def _on_duckdb(settings: Settings) -> Settings:
    """Return the settings for what needs no target: what the project says, or a snapshot."""
    return settings.model_copy(update={"target": "duckdb"})


def _work_dir(settings: Settings) -> Path:
    """Return where dbt writes its target and logs."""
    return settings.home.resolve() / "dbt"


def _close_connection() -> None:
    """Close the DuckDB connection that dbt keeps for the life of the process."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    environment = DuckDBConnectionManager._ENV
    if environment is not None:
        environment.close()
    DuckDBConnectionManager.close_all_connections()


def _summarise(results: Iterable[Any]) -> DbtSummary:
    """Count a successful run's results."""
    rows = [
        (str(r.node.resource_type), str(r.status), r.node.name, r.execution_time) for r in results
    ]
    seconds = sorted(((name, float(s)) for _, _, name, s in rows), key=lambda item: -item[1])
    return DbtSummary(
        n_models=sum(kind == "model" for kind, *_ in rows),
        n_tests_passed=sum((kind, status) == ("test", "pass") for kind, status, *_ in rows),
        n_tests_warned=sum((kind, status) == ("test", "warn") for kind, status, *_ in rows),
        seconds_by_node=dict(seconds),
    )


def _explain(exception: BaseException | None, results: Sequence[Any]) -> str:
    """Say what failed first, why, and where its SQL lies."""
    failed = [result for result in results if str(result.status) in {"error", "fail"}]
    if not failed:
        return f"dbt: {_shorten(str(exception))} (see `dbt parse` in {project_dir().name})"
    first = failed[0]
    where = getattr(first.node, "compiled_path", None) or first.node.original_file_path
    others = f"; {len(failed) - 1} more failed" if len(failed) > 1 else ""
    return (
        f"dbt {first.node.resource_type} {first.node.name}: {_shorten(first.message or '')}"
        f"{others} (run the compiled SQL to see the rows: {where})"
    )


def _shorten(message: str) -> str:
    """Put a message on one line of bounded length."""
    line = " ".join(message.split())
    return line if len(line) <= _MESSAGE_LENGTH else line[: _MESSAGE_LENGTH - 1] + "…"
