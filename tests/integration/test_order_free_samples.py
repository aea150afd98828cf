"""Objects of real instrumentations, shuffled and split into runs, give the same bytes."""

import shutil
import tarfile
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from include.freezeline.adapters.object_store import open_store
from include.freezeline.config import config_dir
from include.freezeline.landing.arrival import arrival_of
from include.freezeline.settings import Settings
from tests.unit.landing.shuffling import keys_below, land_in_runs, share_tools

pytestmark = [pytest.mark.integration, pytest.mark.shared]


def test_samples_in_any_order_and_number_of_runs_give_the_same_bytes(
    settings: Settings, shared_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(shared_dir / "data" / "trace_samples.tar.gz") as archive:
        archive.extractall(tmp_path / "samples", filter="data")
    objects = tmp_path / "samples" / "bucket"
    policies = tmp_path / "config"
    shutil.copytree(config_dir(settings), policies)
    (policies / "sources.yml").write_text('sources: [{name: bucket, prefixes: [""]}]\n')
    own = settings.model_copy(update={"config_dir": policies})
    store = open_store(objects.as_uri(), own)
    last = max(arrival_of(item.key, item.modified_at) for item in store.list_objects())
    as_of = datetime.combine(last.date() + timedelta(days=1), time(), tzinfo=UTC)
    share_tools(monkeypatch, own, as_of)
    keys = keys_below(objects)
    assert len(keys) > 100
    lakes = []
    for n_runs in (1, 3, 20):
        folder = tmp_path / f"runs{n_runs}"
        update = {"home": folder / "home", "source_uri": (folder / "bucket").as_uri()}
        run = own.model_copy(update=update)
        lakes.append(land_in_runs(run, objects, keys, as_of, n_runs, seed=n_runs))
    assert lakes[1] == lakes[0]
    assert lakes[2] == lakes[0]
    assert len(lakes[0]) > 100
