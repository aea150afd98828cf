"""The floor that landing is measured against gives the columns that landing gives."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.freezeline.jobs import land_object
from include.freezeline.landing.plan import DueObject
from include.freezeline.settings import Settings
from tests.bench.bench_land import ARRIVED_AT, land_some, start_landing
from tests.bench.land_floor import land_bare
from tests.bench.otlp_traffic import write_traffic

_OTHERWISE = {
    "tenant_key", "user_key", "session_key", "resource_attributes_redacted", "source_object",
    "source_sha256", "arrived_at",
}  # fmt: skip


@pytest.fixture
def landed(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Land an object without redaction; return it and the home."""
    (path,) = write_traffic(tmp_path / "bucket", 300_000, seed=3)
    bucket, home = tmp_path / "bucket", tmp_path / "home"
    settings = Settings.model_validate(
        {"home": home, "source_uri": bucket.as_uri(), "pseudonym_key": "bench"}
    )
    key = path.relative_to(bucket).as_posix()
    size = path.stat().st_size
    due = DueObject(key, "traces", "traces", "bench", size, ARRIVED_AT, may_replace=False)
    start_landing(settings, is_redacted=False)
    try:
        assert land_some([due]) > 50
        yield path, home
    finally:
        land_object._worker_tools = None


def test_floor_gives_the_columns_that_landing_gives(
    landed: tuple[Path, Path], tmp_path: Path
) -> None:
    path, home = landed
    land_bare(path, tmp_path / "floor")
    for table in ("spans", "retrieval_documents", "tool_calls"):
        files = sorted((home / "lake" / table).rglob("*.parquet"))
        ours = _rows(pa.concat_tables([pq.read_table(file, partitioning=None) for file in files]))
        assert ours
        assert _rows(pq.read_table(tmp_path / "floor" / f"{path.stem}_{table}.parquet")) == ours


def _rows(data: pa.Table) -> list[dict[str, Any]]:
    """Return what both are to agree on."""
    return [
        {name: value for name, value in row.items() if name not in _OTHERWISE}
        for row in data.to_pylist()
    ]
