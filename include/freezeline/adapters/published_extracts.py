"""Published rows: extracts as Parquet or JSON lines, and the manifests beside them."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.adapters.object_store import ObjectStore
from include.freezeline.hashing import bytes_sha256

PARQUET, LINES = ".parquet", ".jsonl"
CONTENT_TYPES = {PARQUET: "application/vnd.apache.parquet", LINES: "application/jsonl"}
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Extract:
    """The rows of one object.

    Attributes:
        rows: Them, or of JSON lines the plain values of each object.
        lines: The lines themselves, of which each is a row; None of Parquet.
    """

    rows: pa.Table
    lines: Sequence[bytes] | None = None

    def without(self, mask: Sequence[bool]) -> bytes:
        """Return the object's bytes without some of its rows."""
        if self.lines is not None:
            kept = (line for line, is_gone in zip(self.lines, mask, strict=True) if not is_gone)
            return b"".join(kept)
        stays = pa.array([not is_gone for is_gone in mask], pa.bool_())
        buffer = io.BytesIO()
        pq.write_table(self.rows.filter(stays), buffer, compression="zstd", use_dictionary=False)
        return buffer.getvalue()


def parse_extract(suffix: str, data: bytes) -> Extract | None:
    """Return the rows of an object; None when it holds text of another kind.

    Args:
        suffix: What its key ends in.
        data: Its bytes.
    """
    if suffix == PARQUET:
        return Extract(pq.read_table(io.BytesIO(data)))
    lines = data.splitlines(keepends=True)
    try:
        parsed = [json.loads(line) for line in lines]
    except ValueError:
        return None
    if not parsed or not all(isinstance(row, dict) for row in parsed):
        return None
    names = sorted({name for row in parsed for name, value in row.items() if type(value) is str})
    columns = {name: _column(name, [row.get(name) for row in parsed]) for name in names}
    return Extract(pa.table(columns), lines) if columns else None


def keep_manifest_true(store: ObjectStore, key: str, data: bytes, n_rows: int, n_gone: int) -> None:
    """Note in the manifest beside an extract what it is now, where there is one.

    Args:
        store: Where both are.
        key: The extract.
        data: Its bytes now.
        n_rows: Its rows now.
        n_gone: Rows that were taken out.
    """
    folder, _, name = key.rpartition("/")
    manifest_key = f"{folder}/{_MANIFEST}" if folder else _MANIFEST
    if not store.exists(manifest_key):
        return
    manifest = json.loads(store.read_bytes(manifest_key))
    files = manifest.get("files") if isinstance(manifest, Mapping) else None
    if not isinstance(files, dict) or name not in files:
        return
    files[name] = {"sha256": bytes_sha256(data), "n_rows": n_rows}
    if name.endswith(LINES):  # the same rows are in every file of a sample
        manifest["n_erased"] = manifest.get("n_erased", 0) + n_gone
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    store.write_bytes(
        manifest_key, text.encode("utf-8", "surrogatepass"), content_type="application/json"
    )


def _column(name: str, values: Sequence[Any]) -> pa.Array:
    """Return the texts of a member; times and dates as such, and null where they are none."""
    if name.endswith(("_at", "_date")):
        return pa.array([_moment(value) for value in values], pa.timestamp("us", "UTC"))
    return pa.array([_text(value) for value in values], pa.string())


def _moment(value: Any) -> datetime | None:
    """Return a time; a missing offset means UTC."""
    try:
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(value: Any) -> str | None:
    """Return a value that may be an id; half a surrogate pair is in none."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None
