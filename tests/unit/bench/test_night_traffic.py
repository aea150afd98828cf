"""Copied objects are a day's traffic: their own ids, times inside the day, facts of real requests."""

import csv
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import zstandard

from include.freezeline.landing.arrival import parse_arrival
from tests.bench import night_traffic
from tests.bench.night_traffic import make_templates, write_bucket, write_segments

DAYS = [date(2026, 9, 30), date(2026, 10, 13)]


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traffic")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(night_traffic, "OBJECT_BYTES", 50_000)
        templates = make_templates(folder / "templates", 150, seed=5)
    assert len(templates) >= 2
    write_bucket(folder, templates, [(day, 400) for day in DAYS], lambda _line: None)
    write_segments(folder, DAYS[0])
    return folder


def test_ids_are_new_in_every_object(bucket: Path) -> None:
    objects = _objects(bucket)
    assert len(objects) >= 6
    for pattern in (rb'"traceId":"([0-9a-f]{32})"', rb'"(req_[0-9a-f]{20})"'):
        found = [set(re.findall(pattern, data)) for data in objects.values()]
        assert all(found)
        assert len(set().union(*found)) == sum(map(len, found))


def test_spans_start_inside_the_day_and_before_their_object_arrives(bucket: Path) -> None:
    days = set()
    for path, data in _objects(bucket).items():
        arrived_at = parse_arrival(path.relative_to(bucket).as_posix())
        starts = [int(ns) // 10**9 for ns in re.findall(rb'"startTimeUnixNano":"(\d+)"', data)]
        ends = [int(ns) // 10**9 for ns in re.findall(rb'"endTimeUnixNano":"(\d+)"', data)]
        assert arrived_at is not None
        assert max(starts + ends) < arrived_at.timestamp()
        days |= {datetime.fromtimestamp(second, UTC).date() for second in starts}
        assert max(map(int.__sub__, ends, starts)) < 1_000
    assert days == set(DAYS)


def test_facts_name_requests_of_their_day(bucket: Path) -> None:
    for day in DAYS:
        place = f"year={day:%Y}/month={day:%m}/day={day:%d}/"
        texts = [data for path, data in _objects(bucket).items() if place in path.as_posix()]
        (path,) = (bucket / "facts" / "escalations" / f"dt={day}").iterdir()
        rows = list(csv.DictReader(path.open(encoding="utf-8")))
        assert len(rows) >= 10
        for row in rows:
            assert any(row["request_id"].encode() in data for data in texts)


def _objects(bucket: Path) -> dict[Path, bytes]:
    """Return the unpacked objects by path."""
    paths = sorted((bucket / "otel").rglob("*.zst"))
    return {path: zstandard.decompress(path.read_bytes()) for path in paths}
