"""Writing the bucket: once, again, another world, and never over somebody else's objects."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from include.freezeline.cli.demo import command
from include.freezeline.errors import ConfigError, StoreError
from include.freezeline.jobs.demo import MANIFEST_KEY, DemoSummary, make_demo_bucket
from include.freezeline.settings import Settings

_SCALE = 0.02


def _bucket(settings: Settings) -> Path:
    return Path(str(settings.source_uri).removeprefix("file://"))


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST_KEY
    }


def _make(settings: Settings, **options: Any) -> DemoSummary:
    return make_demo_bucket(settings, **{"scale": _SCALE, **options})


def test_bucket_is_written_once_and_the_same_each_time(settings: Settings, tmp_path: Path) -> None:
    lines: list[str] = []
    first = _make(settings, progress=lines.append)
    before = _hashes(_bucket(settings))
    assert first.n_objects == len(before) > 500
    assert first.n_calls > 5_000
    assert first.n_spans > 2 * first.n_calls
    assert lines[-1].startswith("demo bucket: 43 of 43 days")
    again = _make(settings)
    assert again.is_skipped
    assert (again.n_objects, again.size_bytes) == (first.n_objects, first.size_bytes)
    other = settings.model_copy(update={"source_uri": (tmp_path / "other").as_uri()})
    assert not _make(other).is_skipped
    assert _hashes(tmp_path / "other") == before


def test_manifest_lies_outside_every_source_prefix(settings: Settings) -> None:
    _make(settings)
    assert (_bucket(settings) / MANIFEST_KEY).is_file()
    assert {key.split("/")[0] for key in _hashes(_bucket(settings))} == {"otel", "facts"}


def test_other_parameters_replace_the_world(settings: Settings) -> None:
    _make(settings)
    loud = _hashes(_bucket(settings))
    summary = _make(settings, incidents=False)
    quiet = _hashes(_bucket(settings))
    assert summary.incidents == ()
    assert len(quiet) == summary.n_objects
    changed = {key for key in loud.keys() & quiet.keys() if loud[key] != quiet[key]}
    assert changed
    early = ("otel/year=2026/month=09/day=1", "facts/subscription", "facts/overrides")
    assert not [key for key in changed if key.startswith(early)]


def test_interrupted_write_is_begun_again(settings: Settings) -> None:
    summary = _make(settings)
    whole = _hashes(_bucket(settings))
    manifest = _bucket(settings) / MANIFEST_KEY
    manifest.write_text('{"parameters_hash": "of an unfinished run"}')
    (_bucket(settings) / next(iter(whole))).unlink()
    assert not _make(settings).is_skipped
    assert _hashes(_bucket(settings)) == whole
    assert len(whole) == summary.n_objects


def test_foreign_objects_are_never_replaced(settings: Settings) -> None:
    path = _bucket(settings) / "facts" / "escalations" / "mine.csv"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(StoreError, match="not a demo bucket"):
        _make(settings)
    assert path.read_text() == "mine"


def test_scale_must_be_positive(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="demo scale: must be above 0"):
        _make(settings, scale=0.0)


def test_bucket_must_be_named(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="FREEZELINE_SOURCE_URI"):
        _make(settings.model_copy(update={"source_uri": None}))


def test_command_writes_named_incidents(tmp_path: Path) -> None:
    uri = (tmp_path / "bucket").as_uri()
    arguments = ["--uri", uri, "--scale", str(_SCALE), "--only", "token_creep", "--quiet"]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "planted incidents: token_creep" in done.output


def test_command_refuses_contradicting_switches(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["--no-incidents", "--only", "token_creep"])
    assert done.exit_code == 2
    assert "exclude each other" in done.output
