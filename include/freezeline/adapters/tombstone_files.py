"""Tombstones on disk: one Parquet file per erasure, without any id that names somebody."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.config import config_dir
from include.freezeline.erasure.subject import Digester
from include.freezeline.erasure.tombstones import Tombstone, Tombstones
from include.freezeline.retention.policy import load_retention_policy
from include.freezeline.settings import Settings

_SCHEMA = pa.schema(
    [
        pa.field("subject_kind", pa.string(), nullable=False),
        pa.field("id_kind", pa.string(), nullable=False),
        pa.field("digest", pa.string(), nullable=False),
        pa.field("before_at", pa.timestamp("us", tz="UTC")),
    ]
)


def tombstone_dir(settings: Settings) -> Path:
    """Return the folder of the tombstones."""
    return settings.home / "erasure" / "tombstones"


def has_tombstones(settings: Settings) -> bool:
    """Whether anybody was ever erased."""
    return any(tombstone_dir(settings).glob("*.parquet"))


def load_tombstones(settings: Settings) -> Tombstones | None:
    """Return all tombstones; None when nobody was ever erased, which then costs nothing.

    Raises:
        ConfigError: The retention policy, whose legal holds win, is wrong.
    """
    stones = read_tombstones(settings)
    if not stones:
        return None
    holds = load_retention_policy(config_dir(settings)).legal_holds
    return Tombstones(stones, Digester(settings.required_pseudonym_key()), holds)


def read_tombstones(settings: Settings, name: str = "*") -> list[Tombstone]:
    """Return the tombstones as they are stored, all or those of one erasure."""
    files = sorted(tombstone_dir(settings).glob(f"{name}.parquet"))
    return [Tombstone(**row) for file in files for row in pq.read_table(file).to_pylist()]


def write_tombstones(settings: Settings, name: str, stones: Iterable[Tombstone]) -> Path:
    """Add tombstones to those of one erasure, the file whole or not at all."""
    path = tombstone_dir(settings) / f"{name}.parquet"
    order = sorted(
        {*read_tombstones(settings, name), *stones},
        key=lambda s: (s.subject_kind, s.id_kind, s.digest, str(s.before_at)),
    )
    rows = [
        {
            "subject_kind": stone.subject_kind,
            "id_kind": stone.id_kind,
            "digest": stone.digest,
            "before_at": stone.before_at,
        }
        for stone in order
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), partial, compression="zstd")
    partial.replace(path)
    return path
