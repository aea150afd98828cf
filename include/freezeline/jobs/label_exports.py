"""Labelling: export a sample of calls from a published snapshot, and take its labels back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from include.freezeline.adapters.export_register import Export, ExportRegister, export_register
from include.freezeline.adapters.object_store import open_store
from include.freezeline.adapters.tombstone_files import load_tombstones
from include.freezeline.adapters.warehouse import Warehouse, open_warehouse, snapshot_files
from include.freezeline.config import config_dir
from include.freezeline.errors import LabellingError
from include.freezeline.hashing import stable_hash
from include.freezeline.labelling.files import LINES, MANIFEST, parse_sample, sample_files
from include.freezeline.labelling.labels import parse_labels, rate_of_labels
from include.freezeline.labelling.policy import (
    LabellingPolicy,
    RateColumn,
    Stratum,
    load_labelling_policy,
    parse_strata,
    require_shorter_than_hot,
)
from include.freezeline.labelling.sampling import Sample, count_reasons, draw_sample, exclusions
from include.freezeline.retention.plan import is_over
from include.freezeline.retention.policy import load_retention_policy
from include.freezeline.settings import Settings
from include.freezeline.stats.result import BoolArray, StatResult

_TYPES = {".json": "application/json", ".jsonl": "application/jsonl"}
_PARQUET = "application/vnd.apache.parquet"
_IDS = ("trace_id", "request_id", "response_id", "user_key", "session_key", "tenant_key")
_COLUMNS = tuple(
    dict.fromkeys(
        (
            "call_key", "span_id", *_IDS, "called_at", "sample_weight", "is_canary",
            "is_text_withheld", "consent", *get_args(Stratum), *get_args(RateColumn),
        )
    )
)  # fmt: skip
_CALLS_SQL = f"""
    select {", ".join(f"calls.{name}" for name in _COLUMNS)}, texts.call_key is not null as has_text
    from marts.fct_llm_calls as calls
    left join marts.fct_call_texts as texts on calls.call_key = texts.call_key
    where calls.called_at >= $start and calls.called_at < $as_of
    order by calls.call_key
"""
_TEXTS_SQL = """
    select call_key, input_text_redacted, output_text_redacted
    from marts.fct_call_texts where call_key in (select unnest($keys))
"""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What sample is asked for; what is None comes from the policy.

    Attributes:
        as_of: Night whose snapshot is read.
        seed: Another one draws another sample.
        size: Calls.
        strata: Columns, with commas.
        to_uri: Store to write to; where everything is published when None.
    """

    as_of: datetime
    seed: int
    size: int | None = None
    strata: str | None = None
    to_uri: str | None = None


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What was exported.

    Attributes:
        uri: Where it lies.
        n_sampled: Calls in the sample.
        n_eligible: Calls that could be drawn.
        n_calls: Calls of the window.
        excluded: Calls that could not be drawn, by reason.
        strata_sampled: Calls drawn, by stratum; strata of which nothing could be drawn have 0.
        sample_sha256: Hash of the sample's JSON lines.
    """

    uri: str
    n_sampled: int
    n_eligible: int
    n_calls: int
    excluded: dict[str, int]
    strata_sampled: dict[str, int]
    sample_sha256: str

    def lines(self) -> list[str]:
        """Return the summary as lines for people."""
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in self.excluded.items()) or "none"
        empty = [stratum for stratum, n in self.strata_sampled.items() if not n]
        return [
            f"{self.n_sampled:,} of {self.n_eligible:,} calls that may be drawn, of "
            f"{self.n_calls:,} calls: {self.uri}",
            f"left out: {reasons}",
            *(f"  {n:>6,} of {stratum}" for stratum, n in self.strata_sampled.items() if n),
            *(f"  nothing of {stratum}" for stratum in empty),
        ]


@dataclass(frozen=True, slots=True)
class SampleExpiry:
    """What an end of samples did.

    Attributes:
        n_deleted: Samples deleted.
        n_kept: Samples that stay.
    """

    n_deleted: int
    n_kept: int


def export_sample(settings: Settings, request: ExportRequest) -> ExportSummary:
    """Draw a sample from the snapshot of a night and write it to object storage.

    The manifest is written last: a folder without one is not a sample.

    Raises:
        LabellingError: The night has no snapshot, or the sample cannot be drawn so.
        ConfigError: A policy, or a column of the strata, is wrong.
        StoreError: The store cannot be used.
    """
    policies = config_dir(settings)
    policy = load_labelling_policy(policies)
    require_shorter_than_hot(policy, load_retention_policy(policies))
    strata = policy.strata if request.strata is None else parse_strata(request.strata)
    size = policy.size if request.size is None else request.size
    snapshot = _snapshot(settings, request.as_of)
    with open_warehouse(snapshot, read_only=True) as warehouse:
        start = request.as_of - timedelta(days=policy.window_days)
        calls = warehouse.query(_CALLS_SQL, {"start": start, "as_of": request.as_of})
        reasons = exclusions(calls, policy, _erased(settings, calls))
        sample = draw_sample(
            calls, reasons, strata, size=size, seed=request.seed,
            allocation=policy.allocation, max_strata=policy.max_strata,
        )  # fmt: skip
        rows = _rows(warehouse, calls, sample)
    excluded = count_reasons(reasons)
    about = {
        "as_of": request.as_of.isoformat(),
        "window_started_at": start.isoformat(),
        "snapshot": snapshot.name,
        "seed": request.seed,
        "size_asked": size,
        "strata_columns": list(strata),
        "policy": policy.model_dump(mode="json"),
        "excluded": excluded,
    }
    files = sample_files(rows, sample, about)
    uri = _write(settings, policy, request, stable_hash(about)[:12], files)
    manifest, _ = parse_sample(files)
    return ExportSummary(
        uri=uri,
        n_sampled=len(rows),
        n_eligible=manifest["n_eligible"],
        n_calls=len(calls),
        excluded=excluded,
        strata_sampled={stratum.stratum: stratum.n_sampled for stratum in sample.strata},
        sample_sha256=manifest["files"][LINES]["sha256"],
    )


def expire_samples(settings: Settings, as_of: datetime) -> SampleExpiry:
    """Delete every exported sample whose days are over, from wherever it was exported to.

    Raises:
        StoreError: A store cannot be used; run it again.
    """
    register = export_register(settings)
    due = [e for e in register.all() if is_over(e.as_of.date(), e.keep_days, as_of.date())]
    for export in due:
        _delete(settings, register, export)
    return SampleExpiry(len(due), len(register.all()))


def estimate_from_labels(settings: Settings, sample_uri: str, labels_path: Path) -> StatResult:
    """Estimate a rate from the labels of an exported sample.

    Args:
        settings: How to reach the store.
        sample_uri: Folder of the sample, as the export printed it.
        labels_path: CSV or JSON lines with ``call_key`` and ``label``.

    Raises:
        LabellingError: The labels cannot be read or do not fit the sample.
        StoreError: The sample cannot be read.
    """
    store = open_store(sample_uri, settings)
    manifest, rows = parse_sample({name: store.read_bytes(name) for name in (MANIFEST, LINES)})
    try:
        text = labels_path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{labels_path}: cannot be read ({type(error).__name__}; give a UTF-8 file)"
        raise LabellingError(message) from None
    return rate_of_labels(manifest, rows, parse_labels(text, str(labels_path)))


def _snapshot(settings: Settings, as_of: datetime) -> Path:
    """Return the snapshot of a night.

    Raises:
        LabellingError: There is none.
    """
    path = settings.snapshot_dir / f"as_of={as_of:%Y-%m-%dT%H%M%SZ}.duckdb"
    if not path.exists():
        known = [p.stem.removeprefix("as_of=") for p in snapshot_files(settings.snapshot_dir)]
        message = (
            f"--as-of {as_of:%Y-%m-%dT%H:%M:%SZ}: no published snapshot of that night "
            f"(there are {', '.join(known[-5:]) or 'none; run the nightly DAG, or `make demo`'})"
        )
        raise LabellingError(message)
    return path


def _erased(settings: Settings, calls: pd.DataFrame) -> BoolArray:
    """Return which calls are of somebody who was erased."""
    tombstones = load_tombstones(settings)
    if tombstones is None or calls.empty:
        return np.zeros(len(calls), dtype=np.bool_)
    names = [*_IDS, "environment", "called_at"]
    data = pa.Table.from_pandas(calls[names], preserve_index=False)
    for place, name in enumerate(names[:-1]):  # a column of nulls has no type of its own
        data = data.set_column(place, name, data[name].cast(pa.string()))
    found = np.zeros(len(calls), dtype=np.bool_)
    for mask in tombstones.of_subjects(data, "called_at").values():
        found |= np.asarray(mask.to_pylist(), dtype=np.bool_)
    hanging = tombstones.of_ids(data, "called_at")
    if hanging is not None:
        found |= np.asarray(hanging.to_pylist(), dtype=np.bool_)
    return found


def _rows(warehouse: Warehouse, calls: pd.DataFrame, sample: Sample) -> list[dict[str, Any]]:
    """Return the drawn calls with their texts, in the order of the sample."""
    drawn = _records(sample.rows)
    keys = [row["call_key"] for row in drawn]
    columns = ("trace_id", "span_id", "called_at", "feature", "environment", "request_model",
               "prompt_version", "sample_weight")  # fmt: skip
    known = calls.set_index("call_key").loc[keys, list(columns)]
    known = known.astype(object).where(known.notna(), None)
    texts = {row["call_key"]: row for row in warehouse.rows(_TEXTS_SQL, {"keys": keys})}
    return [
        {**about, **row, **texts[row["call_key"]], "called_at": about["called_at"].to_pydatetime()}
        for row, about in zip(drawn, _records(known), strict=True)
    ]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _write(
    settings: Settings,
    policy: LabellingPolicy,
    request: ExportRequest,
    sample_id: str,
    files: dict[str, bytes],
) -> str:
    """Write the files, the manifest last, after noting where they go."""
    store = open_store(request.to_uri or settings.published_uri, settings)
    prefix = f"labels/as_of={request.as_of:%Y-%m-%d}/{sample_id}/"
    is_at_home = request.to_uri is None and settings.publish_uri is None
    uri = "" if is_at_home else store.uri
    export_register(settings).add(Export(uri, prefix, request.as_of, policy.keep_days))
    for name, content in files.items():
        kind = _TYPES.get(Path(name).suffix, _PARQUET)
        store.write_bytes(prefix + name, content, content_type=kind)
    return f"{store.uri.rstrip('/')}/{prefix.rstrip('/')}"


def _delete(settings: Settings, register: ExportRegister, export: Export) -> None:
    """Delete a sample, the manifest first, and forget it."""
    store = open_store(export.uri or settings.published_uri, settings)
    names: Sequence[str] = sorted(
        (info.key for info in store.list_objects(export.prefix)),
        key=lambda key: not key.endswith(MANIFEST),
    )
    for key in names:
        store.delete(key)
    register.remove(export)
