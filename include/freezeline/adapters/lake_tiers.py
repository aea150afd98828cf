"""What retention does to Parquet files: look into them, empty texts, drop and archive rows."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.freezeline.adapters.lake import WRITING

_TEXT_SUFFIX = "_redacted"
_MANIFEST = ".manifest.json"
_PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What became of a file.

    Attributes:
        n_rows: Rows that were touched; 0 when there was nothing left to do.
        sha256_before: Hash of the file before; None when it was gone already.
        sha256_after: Hash of the file after; None when no row was left and it was deleted.
    """

    n_rows: int
    sha256_before: str | None
    sha256_after: str | None


def file_sha256(path: Path) -> str | None:
    """Return the hash of a file, hex, or None when it is gone."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def have_texts(path: Path) -> list[bool]:
    """Return whether each row has a text left; texts are read only if needed."""
    texts = [name for name in pq.read_schema(path).names if name.endswith(_TEXT_SUFFIX)]
    texts = texts if _has_values(path, texts) else []
    data = pq.read_table(path, columns=texts, partitioning=None)
    found: list[bool] = _any_valid(data, texts, pq.read_metadata(path).num_rows).to_pylist()
    return found


def plain_texts(path: Path, mask: pa.Array) -> set[str]:
    """Return the plain texts of some rows, as the embedding cache knows them."""
    names = [name for name in pq.read_schema(path).names if name.endswith("text_redacted")]
    data = pq.read_table(path, columns=names, partitioning=None)
    columns = (data[name].combine_chunks().filter(mask).to_pylist() for name in names)
    return {text for values in columns for text in values if text is not None}


def latest_value(path: Path, column: str) -> Any:
    """Return the greatest value of a column, None when the file has no rows."""
    return pc.max(pq.read_table(path, columns=[column], partitioning=None)[column]).as_py()


def empty_texts(path: Path, mask: pa.Array) -> Rewrite:
    """Replace the redacted texts of some rows by null."""
    if not path.exists():
        return Rewrite(0, None, None)
    data = pq.read_table(path, partitioning=None)
    texts = [name for name in data.schema.names if name.endswith(_TEXT_SUFFIX)]
    n_rows = _count(pc.and_(mask, _any_valid(data, texts, data.num_rows)))
    before = file_sha256(path)
    if n_rows == 0:
        return Rewrite(0, before, before)
    _replace(path, _without_texts(data, mask, texts))
    return Rewrite(n_rows, before, file_sha256(path))


def drop_rows(path: Path, mask: pa.Array) -> Rewrite:
    """Drop some rows; a file without rows is deleted."""
    if not path.exists():
        return Rewrite(0, None, None)
    data = pq.read_table(path, partitioning=None)
    before, n_rows = file_sha256(path), _count(mask)
    if n_rows == data.num_rows:
        path.unlink()
    elif n_rows:
        _replace(path, data.filter(pc.invert(mask)))
    return Rewrite(n_rows, before, file_sha256(path))


def drop_numbered_rows(path: Path, numbers: Sequence[int]) -> None:
    """Drop rows by their place in the file, and keep an archive's manifest true.

    A file without rows is deleted, its manifest with it.
    """
    data = pq.read_table(path, partitioning=None)
    stays = pc.invert(pc.is_in(pa.array(range(data.num_rows)), value_set=pa.array(list(numbers))))
    kept, manifest = data.filter(stays), manifest_of(path)
    if kept.num_rows == 0:
        path.unlink()
        manifest.unlink(missing_ok=True)
        return
    _replace(path, kept)
    if manifest.exists():
        document = json.loads(manifest.read_text(encoding="utf-8"))
        document |= {"sha256": file_sha256(path), "n_rows": kept.num_rows}
        _write_manifest(path, document)


def archive_rows(path: Path, mask: pa.Array, target: Path, about: Mapping[str, Any]) -> str | None:
    """Copy some rows, without texts, to an archive file with a manifest.

    The manifest is written last, so an archive file without one is a remainder of a crash and
    is written again.

    Args:
        path: The lake's file.
        mask: Which rows.
        target: The archive file.
        about: What the manifest says of where the rows came from and whose they are.

    Returns:
        Hash of the archive file, or None when there was nothing to copy.
    """
    if not path.exists():
        return None
    data = pq.read_table(path, partitioning=None)
    chosen = data.filter(mask)
    if chosen.num_rows == 0:
        return None
    texts = [name for name in chosen.schema.names if name.endswith(_TEXT_SUFFIX)]
    everything = _constant(chosen.num_rows, value=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    _replace(target, _without_texts(chosen, everything, texts))
    manifest = {
        "file": target.name,
        "sha256": file_sha256(target),
        "n_rows": chosen.num_rows,
        "columns": chosen.schema.names,
        **about,
    }
    _write_manifest(target, manifest)
    return str(manifest["sha256"])


def _write_manifest(target: Path, document: Mapping[str, Any]) -> None:
    """Write an archive file's manifest whole or not at all."""
    partial = target.with_name(target.name + _PARTIAL)
    partial.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(manifest_of(target))


def manifest_of(target: Path) -> Path:
    """Return the manifest of an archive file."""
    return target.with_name(target.name + _MANIFEST)


def archive_files(root: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield archived files with their manifests, in name order."""
    for manifest in sorted(root.rglob(f"*{_MANIFEST}")):
        yield (
            manifest.with_name(manifest.name.removesuffix(_MANIFEST)),
            json.loads(manifest.read_text(encoding="utf-8")),
        )


def _without_texts(data: pa.Table, mask: pa.Array, texts: Sequence[str]) -> pa.Table:
    """Empty text columns where the mask is true."""
    for name in texts:
        place = data.schema.get_field_index(name)
        field = data.schema.field(place)
        emptied = pc.if_else(mask, pa.scalar(None, field.type), data[name].combine_chunks())
        data = data.set_column(place, field, emptied)
    return data


def _any_valid(data: pa.Table, names: Sequence[str], n_rows: int) -> pa.Array:
    """Return which rows have a value in any of the columns."""
    valid = [data[name].is_valid().combine_chunks() for name in names]
    return reduce(pc.or_, valid, _constant(n_rows, value=False))


def _constant(n_rows: int, *, value: bool) -> pa.Array:
    """Return one boolean for each row."""
    return pa.array([value] * n_rows, pa.bool_())


def _count(mask: pa.Array) -> int:
    """Count true values."""
    return int(pc.sum(mask).as_py() or 0)


def _has_values(path: Path, names: Sequence[str]) -> bool:
    """Whether any of the columns has a value, by the file's footer."""
    metadata = pq.read_metadata(path)
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for place in range(row_group.num_columns):
            column = row_group.column(place)
            if column.path_in_schema not in names:
                continue
            statistics = column.statistics
            if statistics is None or statistics.null_count < row_group.num_rows:
                return True
    return False


def _replace(path: Path, data: pa.Table) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(path.name + _PARTIAL)
    pq.write_table(data, partial, **WRITING)
    partial.replace(path)
