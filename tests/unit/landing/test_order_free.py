"""Objects in any order, twice, late, in one run or in twenty: byte for byte the same lake."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.freezeline.settings import Settings
from tests.unit.landing.bucket import EMAIL, spans_json, trace_key, write, write_at
from tests.unit.landing.shuffling import keys_below, land_in_runs, share_tools

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)


@pytest.fixture
def objects(settings: Settings) -> Path:
    """A bucket with a bit of everything: duplicates, late, undated, broken and empty objects."""
    for n in range(24):
        body = spans_json(1 + n % 3, text=f"{EMAIL} {n}", seed=n % 20, day=12 + n % 2)
        write(settings, trace_key(f"{n}", 8 + n % 6, n), gzip.compress(body) if n % 3 else body)
    write(settings, trace_key("broken"), b"\x1f\x8b no gzip")
    write(settings, trace_key("empty", 10), b"")
    write_at(settings, "otel/flat/a.json", spans_json(2, seed=70), AS_OF - timedelta(days=3))
    write_at(settings, "otel/flat/b.json", b"bad", AS_OF - timedelta(days=30))
    header = "tenant_id,tier,valid_from_at,recorded_at\n"
    line = "ACME GmbH,gold,2026-10-12T00:00:00Z,2026-10-13T04:00:00Z\n"
    for day in (11, 13):
        key = f"facts/subscription_tiers/dt=2026-10-{day}/subscription_tiers.csv"
        write(settings, key, (header + line + line + "x,,,\n").encode())
    return Path(str(settings.source_uri).removeprefix("file://"))


def test_any_order_and_any_number_of_runs_gives_the_same_bytes(
    settings: Settings, objects: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_tools(monkeypatch, settings, AS_OF)
    keys = keys_below(objects)
    lakes = []
    for n_runs in (1, 3, 20):
        folder = tmp_path / f"runs{n_runs}"
        own = settings.model_copy(
            update={"home": folder / "home", "source_uri": (folder / "bucket").as_uri()}
        )
        lakes.append(land_in_runs(own, objects, keys, AS_OF, n_runs, seed=n_runs))
    assert lakes[1] == lakes[0]
    assert lakes[2] == lakes[0]
    names = {name.partition("/")[0] for name in lakes[0]}
    assert names >= {"spans", "ledger", "ledger_nights", "quarantine", "redaction_counts"}
    assert len(lakes[0]) >= 40
