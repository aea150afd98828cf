"""Carry out a retention plan: files of lake and archive, snapshots, and rows of warehouse files."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from include.freezeline.adapters.database_tiers import TEXT_ROWS, RowGroup, open_tiered
from include.freezeline.adapters.embeddings import forget_texts
from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.lake_labels import RowLabels
from include.freezeline.adapters.lake_tiers import (
    archive_rows,
    drop_rows,
    empty_texts,
    file_sha256,
    manifest_of,
    plain_texts,
)
from include.freezeline.jobs.retention_inventory import cold_dir
from include.freezeline.retention.inventory import WarehouseKind
from include.freezeline.retention.plan import Action, RetentionPlan
from include.freezeline.retention.policy import ANY_ENVIRONMENT
from include.freezeline.settings import Settings

_IN_LAKE = ("archive_rows", "delete_rows", "empty_texts")
_IN_DATABASES = ("delete_warehouse_rows", "empty_warehouse_texts")


def carry_out(settings: Settings, stored: RetentionPlan) -> Iterator[dict[str, Any]]:
    """Do every action and yield its proof; a warehouse file is written again once for all of its."""
    labels = _labels(settings, stored)
    by_database: dict[str, list[Action]] = {}
    for action in stored.actions:
        if action.kind in _IN_DATABASES:
            file, _, _ = action.target.rpartition(":")
            by_database.setdefault(file, []).append(action)
        else:
            yield _change_files(settings, stored, action, labels)
    for file, actions in by_database.items():
        path = settings.home / file if file else settings.warehouse_path
        counts = _purge(path, actions)
        for action, n_rows in zip(actions, counts, strict=True):
            yield _proof(stored, action) | {"n_rows_done": n_rows}


def _labels(settings: Settings, stored: RetentionPlan) -> dict[str, RowLabels]:
    """Read the labels of the plan's lake files before any row leaves, by table."""
    lake, files = Lake(settings.lake_dir), dict[str, set[Path]]()
    for action in stored.actions:
        path = settings.home / action.target
        if action.kind in _IN_LAKE and path.exists():
            files.setdefault(_table_of(action), set()).add(path)
    return {table: RowLabels(lake, table, sorted(paths)) for table, paths in files.items()}


def _table_of(action: Action) -> str:
    """Return the lake table of an action."""
    return Path(action.target).relative_to("lake").parts[0]


def _proof(stored: RetentionPlan, action: Action) -> dict[str, Any]:
    """Return the proof of an action that has done nothing yet."""
    return {
        "plan_id": stored.plan_id,
        "as_of": stored.as_of.isoformat(),
        "kind": action.kind,
        "target": action.target,
        "event_date": action.event_date.isoformat(),
        "environments": list(action.environments),
        "data_class": action.data_class,
        "reason": action.reason,
        "n_rows_planned": action.n_rows,
        "n_rows_done": 0,
        "is_deleted": False,
    }


def _change_files(
    settings: Settings, stored: RetentionPlan, action: Action, labels: Mapping[str, RowLabels]
) -> dict[str, Any]:
    """Do one action on files and return its proof."""
    proof, path = _proof(stored, action), settings.home / action.target
    if action.kind in ("delete_archive", "delete_snapshot"):
        proof["sha256_before"] = file_sha256(path)
        proof["is_deleted"] = path.exists()
        path.unlink(missing_ok=True)
        manifest_of(path).unlink(missing_ok=True)
        return proof
    if not path.exists():
        return proof | {"sha256_before": None, "sha256_after": None}
    of_table = labels[_table_of(action)]
    mask = of_table.mask(path, action.environments[0], action.data_class)
    forget_texts(settings, plain_texts(path, mask))
    if action.kind == "archive_rows":
        proof |= _archive(settings, stored, action, mask)
    if action.kind == "empty_texts":
        done = empty_texts(path, mask)
    else:
        done = drop_rows(path, mask)
        of_table.drop(path, mask)
    proof["is_deleted"] = done.sha256_before is not None and done.sha256_after is None
    return proof | {
        "n_rows_done": done.n_rows,
        "sha256_before": done.sha256_before,
        "sha256_after": done.sha256_after,
    }


def _archive(
    settings: Settings, stored: RetentionPlan, action: Action, mask: Any
) -> dict[str, Any]:
    """Copy rows to the archive before they leave the lake."""
    table, path = _table_of(action), settings.home / action.target
    label = "-".join((*action.environments, action.data_class))
    name = f"{path.stem}.{label}.{stored.plan_id}.parquet"
    name = name.replace(ANY_ENVIRONMENT, "all").replace("/", "_")
    folder = cold_dir(settings) / table / f"dt={action.event_date.isoformat()}"
    about = {
        "environments": sorted(action.environments),
        "data_class": action.data_class,
        "source": action.target,
    }
    sha256 = archive_rows(path, mask, folder / name, about)
    return {"archived_to": f"cold/{table}/{folder.name}/{name}", "archived_sha256": sha256}


def _purge(path: Path, actions: Sequence[Action]) -> list[int]:
    """Take the rows, or texts, of all actions out of a warehouse file; it may be gone."""
    if not path.exists():
        return [0] * len(actions)
    groups = [
        RowGroup(
            table=action.target.rpartition(":")[2],
            holds=_holds(action),
            event_date=action.event_date,
            environment=action.environments[0],
            data_class=action.data_class,
        )
        for action in actions
    ]
    with open_tiered(path) as database:
        return database.purge(groups)


def _holds(action: Action) -> WarehouseKind:
    """Return what the rows of an action in a warehouse file are."""
    if action.kind == "empty_warehouse_texts":
        return "texts"
    table = action.target.rpartition(":")[2]
    return "text_rows" if table in TEXT_ROWS else "judgement"
