"""Bad input: one clear message, the right exit or task state, and nothing lost."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from include.freezeline.adapters.airflow.local_run import airflow_environment
from include.freezeline.adapters.warehouse import open_warehouse, snapshot_files
from tests.integration.line import LAST_AS_OF, ROOT, freezeline
from tests.integration.rgw import Rgw

pytestmark = [pytest.mark.integration]

AS_OF = "2026-09-03T00:00:00Z"
NIGHT = ("2026-09-02T00:00:00+00:00", AS_OF.replace("Z", "+00:00"))


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo bucket to copy and break."""
    folder = tmp_path_factory.mktemp("world")
    done = freezeline(folder, "demo-bucket", "--scale", "0.02", "--quiet", environ=bucket(folder))
    assert done.returncode == 0, done.stderr
    return folder / "bucket"


def bucket(home: Path, **more: str) -> dict[str, str]:
    """Settings for a bucket under ``home``."""
    return {
        "FREEZELINE_SOURCE_URI": (home / "bucket").as_uri(),
        "FREEZELINE_PSEUDONYM_KEY": "test-key",
        **more,
    }


def run_nightly(
    home: Path, environ: dict[str, str], night: tuple[str, str] = NIGHT
) -> subprocess.CompletedProcess[str]:
    """Run the nightly DAG for one night through Airflow."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FREEZELINE_")}
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "include.freezeline.adapters.airflow.local_run", "nightly",
         "--interval", *night],
        cwd=ROOT,
        env=clean | airflow_environment(home / "airflow", ROOT)
        | {"FREEZELINE_HOME": str(home)} | environ,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


def break_slo(folder: Path) -> Path:
    """Copy the policies to a folder and write a percentage where a ratio belongs."""
    shutil.copytree(ROOT / "include" / "config", folder)
    file = folder / "slos" / "support-escalation.yml"
    text = file.read_text(encoding="utf-8")
    assert '"0.05"' in text
    file.write_text(text.replace('"0.05"', '"5"'), encoding="utf-8")
    return folder


def drop_column(world: Path, column: str) -> Path:
    """Take a column out of the first file of escalations."""
    file = sorted((world / "facts" / "escalations").rglob("*.csv"))[0]
    lines = [line.split(",") for line in file.read_text(encoding="utf-8").splitlines()]
    dropped = lines[0].index(column)
    kept = (",".join(cell for i, cell in enumerate(line) if i != dropped) for line in lines)
    file.write_text("\n".join(kept), encoding="utf-8")
    return file


def wrong_credentials(rgw: Rgw) -> dict[str, str]:
    """Settings for a bucket that these credentials may not read."""
    return {
        "FREEZELINE_SOURCE_URI": "s3://some-bucket",
        "FREEZELINE_S3_ENDPOINT_URL": rgw.endpoint_url,
        "FREEZELINE_PSEUDONYM_KEY": "test-key",
        "AWS_ACCESS_KEY_ID": "WRONGWRONGWRONGWRONG",
        "AWS_SECRET_ACCESS_KEY": "wrong-secret-value",
    }


def test_missing_bucket_fails_the_task_and_names_the_folder(tmp_path: Path) -> None:
    done = run_nightly(tmp_path, bucket(tmp_path))
    assert done.returncode == 1
    assert "land.land_objects: failed" in done.stderr
    assert "no such folder" in done.stdout + done.stderr
    assert str(tmp_path / "bucket") in done.stdout + done.stderr


def test_wrong_credentials_say_what_to_check(tmp_path: Path, rgw: Rgw) -> None:
    done = freezeline(tmp_path, "land", "--as-of", AS_OF, environ=wrong_credentials(rgw))
    assert done.returncode == 1
    assert "s3://some-bucket" in done.stderr
    assert "access refused" in done.stderr
    assert "AWS_ACCESS_KEY_ID" in done.stderr
    assert "wrong-secret-value" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_wrong_credentials_fail_the_landing_task(tmp_path: Path, rgw: Rgw) -> None:
    done = run_nightly(tmp_path, wrong_credentials(rgw))
    output = done.stdout + done.stderr
    assert done.returncode == 1
    assert "land.land_objects: failed" in done.stderr
    assert "publish_night: upstream_failed" in done.stderr
    assert "s3://some-bucket" in output
    assert "access refused" in output
    assert "wrong-secret-value" not in output
    assert not (tmp_path / "published").exists(), "a night without input publishes nothing"


def test_missing_pseudonym_key_says_which_variable_to_set(
    small_world: Path, tmp_path: Path
) -> None:
    environ = {"FREEZELINE_SOURCE_URI": small_world.as_uri()}
    done = freezeline(tmp_path, "land", "--as-of", AS_OF, environ=environ)
    assert done.returncode == 1
    assert "FREEZELINE_PSEUDONYM_KEY" in done.stderr


def test_empty_night_fails_and_keeps_what_had_landed(small_world: Path, tmp_path: Path) -> None:
    environ = {"FREEZELINE_SOURCE_URI": small_world.as_uri(), "FREEZELINE_PSEUDONYM_KEY": "k"}
    first = freezeline(tmp_path, "land", "--as-of", AS_OF, environ=environ)
    assert first.returncode == 0, first.stderr
    landed = sorted((tmp_path / "lake" / "spans").rglob("*.parquet"))
    assert landed
    late = freezeline(tmp_path, "land", "--as-of", "2027-01-01T00:00:00Z", environ=environ)
    assert late.returncode == 1
    assert "nothing" in late.stderr
    assert set(landed) <= set((tmp_path / "lake" / "spans").rglob("*.parquet"))


def test_corrupt_object_is_quarantined_and_the_rest_lands(
    small_world: Path, tmp_path: Path
) -> None:
    world = tmp_path / "bucket"
    shutil.copytree(small_world, world)
    folder = sorted((world / "otel").rglob("hour=*"))[0]
    (folder / "traces_000000001.json.gz").write_bytes(gzip.compress(b'{"resourceSpans": [')[:-6])
    (folder / "traces_000000002.binpb").write_bytes(os.urandom(64))
    done = freezeline(tmp_path, "land", "--as-of", AS_OF, environ=bucket(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "traces_000000001.json.gz" in done.stdout
    assert "traces_000000002.binpb" in done.stdout
    assert list((tmp_path / "lake" / "spans").rglob("*.parquet"))


def test_fact_file_with_a_missing_column_names_file_and_column(
    small_world: Path, tmp_path: Path
) -> None:
    world = tmp_path / "bucket"
    shutil.copytree(small_world, world)
    file = drop_column(world, "escalated_at")
    done = freezeline(tmp_path, "land", "--as-of", LAST_AS_OF, environ=bucket(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "missing_column:escalated_at" in done.stdout
    assert file.name in done.stdout


@pytest.mark.slow
def test_night_goes_on_without_a_fact_file_that_misses_a_column(
    small_world: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_world, tmp_path / "bucket")
    file = drop_column(tmp_path / "bucket", "escalated_at")
    recorded = datetime.fromisoformat(f"{file.parent.name.removeprefix('dt=')}T00:00:00+00:00")
    night = tuple((recorded + timedelta(days=days)).isoformat() for days in (0, 1))
    done = run_nightly(tmp_path, bucket(tmp_path), (night[0], night[1]))
    assert done.returncode == 0, done.stderr[-3000:]
    pointer = json.loads((tmp_path / "snapshots" / "current.json").read_text(encoding="utf-8"))
    (snapshot,) = snapshot_files(tmp_path / "snapshots")
    assert snapshot.name in json.dumps(pointer)
    with open_warehouse(snapshot, read_only=True) as warehouse:
        found = warehouse.rows(
            "select source_object, landed_count from marts.fct_landed_objects "
            "where status = 'quarantined'"
        )
        reasons = warehouse.rows("select reason from marts.fct_quarantined_records")
    assert [row["source_object"] for row in found] == [str(file.relative_to(tmp_path / "bucket"))]
    assert found[0]["landed_count"] == 0
    assert {row["reason"] for row in reasons} == {"missing_column:escalated_at"}
    report = tmp_path / "published" / "reports" / "latest" / "freeze_report.json"
    assert "missing_column:escalated_at" in report.read_text(encoding="utf-8")


def test_broken_slo_file_names_file_field_value_and_remedy(tmp_path: Path) -> None:
    config = break_slo(tmp_path / "config")
    done = freezeline(tmp_path, "slo", "validate", environ={"FREEZELINE_CONFIG_DIR": str(config)})
    assert done.returncode != 0
    assert "support-escalation.yml" in done.stderr
    assert "0.05" in done.stderr, "the message says what to write instead"
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_broken_slo_file_fails_the_night_and_publishes_nothing(
    small_world: Path, tmp_path: Path
) -> None:
    config = break_slo(tmp_path / "config")
    environ = {
        "FREEZELINE_SOURCE_URI": small_world.as_uri(),
        "FREEZELINE_PSEUDONYM_KEY": "test-key",
        "FREEZELINE_CONFIG_DIR": str(config),
    }
    done = run_nightly(tmp_path, environ)
    output = done.stdout + done.stderr
    assert done.returncode == 1
    assert "decide_freezes: failed" in done.stderr
    assert "publish_night: upstream_failed" in done.stderr
    assert "support-escalation.yml" in output
    assert "0.05" in output, "the message says what to write instead"
    published = {path.name for path in (tmp_path / "published").iterdir()}
    assert published == {"data_docs"}, "what was checked is shown, nothing is decided"
    assert not (tmp_path / "snapshots").exists()


def test_unknown_setting_is_refused(tmp_path: Path) -> None:
    done = freezeline(tmp_path, "land", environ={"FREEZELINE_SORCE_URI": "file:///x"})
    assert done.returncode == 1
    assert "FREEZELINE_SORCE_URI: no such setting" in done.stderr


def test_help_of_every_command_is_printed_without_settings(tmp_path: Path) -> None:
    top = freezeline(tmp_path, "--help")
    assert top.returncode == 0
    from include.freezeline.cli.main import command

    names = command.list_commands(None)  # type: ignore[arg-type]
    assert len(names) >= 8
    for name in names:
        done = freezeline(tmp_path, name, "--help")
        assert done.returncode == 0, (name, done.stderr)
        assert "Usage:" in done.stdout


def test_long_interval_turned_around_fails_with_the_remedy(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "include.freezeline.adapters.airflow.local_run", "nightly",
         "--interval", NIGHT[1], NIGHT[0]],
        cwd=ROOT,
        env=os.environ | airflow_environment(tmp_path / "airflow", ROOT)
        | {"FREEZELINE_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "interval_start must be before interval_end" in done.stdout + done.stderr
