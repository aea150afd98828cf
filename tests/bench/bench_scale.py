"""What one machine holds: bytes, build seconds and query seconds by how many spans are stored.

``python -m tests.bench.bench_scale [--spans N ...] [--build-spans N] [--day-spans N] [--quick]``
lands and builds one day of realistic traffic, then multiplies it (``scale_growth``): the lake,
from which the whole warehouse is built anew up to ``--build-spans``, and the built warehouse file,
which is asked what people ask (``scale_questions``). One file at a time lies on disk. A size whose
file grows past ``--disk-gb`` is left out and said so.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from pathlib import Path

from include.freezeline.jobs.build import build
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings
from tests.bench.bench_night import folder_bytes, tell
from tests.bench.night_traffic import make_templates, write_bucket, write_segments
from tests.bench.processes import run_watched
from tests.bench.scale_growth import TooLargeError, grow_lake, grow_warehouse

DAY = date(2026, 10, 13)
AS_OF = datetime.combine(DAY, clock(), UTC) + timedelta(days=1)
SPANS_PER_CALL = 3.9  # of the traffic; how many calls a day of so many spans needs
WHOLE = {"spans": [1_000_000, 10_000_000, 30_000_000, 100_000_000], "build": 10_000_000, "day": 250_000}  # fmt: skip
QUICK = {"spans": [20_000, 60_000], "build": 20_000, "day": 10_000}


@dataclass(frozen=True, slots=True)
class Base:
    """The landed and built day.

    Attributes:
        settings: Its home.
        n_spans: Its spans.
        n_calls: Its calls.
    """

    settings: Settings
    n_spans: int
    n_calls: int

    @property
    def day_bytes(self) -> int:
        """Return what a day adds to lake and warehouse together while texts are kept."""
        return folder_bytes(self.settings.lake_dir) + self.settings.warehouse_path.stat().st_size


def make_base(folder: Path, n_spans: int, seed: int) -> Base:
    """Land and build one day."""
    n_calls = round(n_spans / SPANS_PER_CALL)
    templates = make_templates(folder / "templates", n_calls, seed)
    write_bucket(folder / "bucket", templates, [(DAY, n_calls)], tell)
    write_segments(folder / "bucket", DAY)
    settings = _settings(folder / "base", folder / "bucket")
    landed = land(settings, AS_OF, progress=tell)
    built = build(settings, AS_OF)
    shutil.rmtree(folder / "bucket")
    return Base(settings, landed.by_source["traces"].n_landed, built.n_calls)


def measure_build(base: Base, folder: Path, n_days: int) -> None:
    """Build the whole warehouse from a lake of so many days, and print what it took."""
    settings = _settings(folder / "grown", folder / "bucket")
    grow_lake(base.settings.lake_dir, settings.lake_dir, n_days)
    shutil.rmtree(settings.warehouse_path.parent, ignore_errors=True)
    environment = os.environ | settings.as_environment()
    watched = run_watched("tests.bench.scale_build", [AS_OF.isoformat()], environment)
    lake_bytes = folder_bytes(settings.lake_dir)
    file_bytes = settings.warehouse_path.stat().st_size
    n_spans = base.n_spans * n_days
    print(
        f"build {n_spans / 1e6:>6.1f} M spans: {watched.wall_s:>8.1f} s, "
        f"{n_spans / watched.wall_s:>8,.0f} spans/s, {watched.peak_bytes() / 1e9:.2f} GB memory, "
        f"lake {lake_bytes / 1e9:.2f} GB, warehouse {file_bytes / 1e9:.2f} GB",
        flush=True,
    )


def measure_questions(
    base: Base, folder: Path, n_days: int, disk_gb: float
) -> dict[str, list[float]]:
    """Multiply the warehouse file, print its size, ask the questions and return their seconds."""
    path, out = folder / "grown.duckdb", folder / "questions.json"
    began = time.perf_counter()
    grow_warehouse(base.settings.warehouse_path, path, n_days, disk_gb * 1e9)
    took_s = time.perf_counter() - began
    words = [str(path), "--as-of", AS_OF.isoformat(), "--out", str(out)]
    watched = run_watched("tests.bench.scale_questions", words, os.environ)
    n_spans, n_bytes = base.n_spans * n_days, path.stat().st_size
    print(
        f"file  {n_spans / 1e6:>6.1f} M spans, {base.n_calls * n_days / 1e6:.1f} M calls: "
        f"{n_bytes / 1e9:.2f} GB, {n_bytes / n_spans:,.0f} bytes a span, written in {took_s:.0f} s, "
        f"asked with {watched.peak_bytes() / 1e9:.2f} GB memory",
        flush=True,
    )
    path.unlink()
    seconds: dict[str, list[float]] = json.loads(out.read_text(encoding="utf-8"))
    return seconds


def print_questions(asked: dict[int, dict[str, list[float]]]) -> None:
    """Print first and second seconds of every question by size."""
    print(f"\n{'question, seconds first / again':<62}" + "".join(f"{n / 1e6:>12.1f} M" for n in asked))  # fmt: skip
    for name in next(iter(asked.values()), {}):
        cells = "".join(f"{a[name][0]:>7.2f} /{a[name][1]:>5.2f}" for a in asked.values())
        print(f"{name:<62}{cells}")


def bench(folder: Path, given: argparse.Namespace) -> None:
    """Measure every size that fits."""
    base = make_base(folder, given.day_spans, given.seed)
    tell(f"a day: {base.n_spans:,} spans, {base.n_calls:,} calls, {base.day_bytes / 1e6:,.0f} MB")
    for n_spans in given.spans:
        if n_spans <= given.build_spans:
            measure_build(base, folder, max(n_spans // base.n_spans, 1))
    shutil.rmtree(folder / "grown", ignore_errors=True)
    asked: dict[int, dict[str, list[float]]] = {}
    for n_spans in given.spans:
        n_days = max(n_spans // base.n_spans, 1)
        try:
            asked[n_spans] = measure_questions(base, folder, n_days, given.disk_gb)
        except TooLargeError as error:
            print(f"file  {n_spans / 1e6:>6.1f} M spans: left out, {error}", flush=True)
    print_questions(asked)


def _settings(home: Path, bucket: Path) -> Settings:
    """Return the settings of one home."""
    return Settings.model_validate(
        {"home": home, "source_uri": bucket.as_uri(), "pseudonym_key": "bench"}
    )


def main(arguments: Sequence[str]) -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    sizes = QUICK if "--quick" in arguments else WHOLE
    parser.add_argument("--spans", type=int, nargs="+", default=sizes["spans"])
    parser.add_argument("--build-spans", type=int, default=sizes["build"])
    parser.add_argument("--day-spans", type=int, default=sizes["day"])
    parser.add_argument("--disk-gb", type=float, default=30.0)
    parser.add_argument("--folder", type=Path, help="where to work; emptied afterwards")
    parser.add_argument("--seed", type=int, default=20_261_013)
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="bench_scale_", dir=given.folder))
    try:
        bench(folder, given)
    except subprocess.CalledProcessError as error:
        print(f"{error.cmd[2]}: exit {error.returncode}; its lines above say why")
        return 1
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
