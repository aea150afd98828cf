"""Objects of a day: keys, encodings, planted faults, and the same bytes each time."""

import gzip
import json
import re
from datetime import date
from pathlib import Path

import pytest

from include.freezeline.demo import delivery
from include.freezeline.demo.delivery import DayDelivery, deliver_day
from include.freezeline.demo.world import DATES, FEATURES

_KEY = re.compile(r"otel/year=2026/month=\d\d/day=\d\d/hour=\d\d/traces_\d{9}\.(json|binpb)\.gz")


def _deliver(day: date, scale: float = 0.2, active: frozenset[str] = frozenset()) -> DayDelivery:
    return deliver_day(day, seed=7, scale=scale, active=active)


def test_same_seed_gives_same_bytes() -> None:
    one, two = _deliver(DATES[5]), _deliver(DATES[5])
    assert one == two
    assert sum(len(item.data) for item in one.objects) > 10_000


def test_keys_are_the_exporters_and_encodings_are_mixed() -> None:
    objects = [item for day in DATES[:3] for item in _deliver(day, scale=1.0).objects]
    matches = [_KEY.fullmatch(item.key) for item in objects]
    assert all(matches)
    assert len({item.key for item in objects}) == len(objects)
    kinds = [match.group(1) for match in matches if match]
    assert min(kinds.count("json"), kinds.count("binpb")) > len(kinds) / 4
    assert 4 <= len(objects) / 3 / len(FEATURES) <= 6


def test_objects_are_uploaded_after_their_batch_is_complete() -> None:
    for item in _deliver(DATES[5], scale=1.0).objects:
        folder = item.modified_at.strftime("year=%Y/month=%m/day=%d/hour=%H")
        assert folder in item.key
        assert item.modified_at.date() in (DATES[5], DATES[6])


def test_late_batch_lies_in_a_later_day() -> None:
    late = [item for item in _deliver(date(2026, 9, 24)).objects if "day=26" in item.key]
    assert len(late) == 1


def test_retry_stores_the_same_batch_twice() -> None:
    datas = [item.data for item in _deliver(date(2026, 9, 15)).objects]
    assert len(datas) - len(set(datas)) == 1


def test_broken_upload_cannot_be_read_but_its_retry_can() -> None:
    objects = _deliver(date(2026, 9, 23)).objects
    broken = [item for item in objects if not _is_whole(item.data)]
    assert len(broken) == 1
    assert sum(item.data.startswith(broken[0].data) for item in objects) == 2


def test_empty_object_lies_beside_its_batch() -> None:
    sizes = [len(item.data) for item in _deliver(date(2026, 9, 18)).objects]
    assert sizes.count(0) == 1


def test_invalid_span_is_added_to_a_whole_batch() -> None:
    day = _deliver(date(2026, 9, 30))
    texts = [gzip.decompress(o.data) for o in day.objects if o.key.endswith("json.gz")]
    found = [text for text in texts if b'"' + b"0" * 32 + b'"' in text]
    assert len(found) == 1
    groups = json.loads(found[0])["resourceSpans"][0]["scopeSpans"]
    assert sum(s["traceId"] == "0" * 32 for g in groups for s in g["spans"]) == 1


def test_quiet_days_have_no_fault() -> None:
    faulty = {
        day
        for fault in (delivery.CUT_OFF, delivery.EMPTY, delivery.DUPLICATED)
        for _, day, _ in fault
    }
    assert len(faulty) == 4
    for day in (DATES[5], DATES[-1]):
        assert day not in faulty
        assert all(_is_whole(item.data) for item in _deliver(day).objects)


def test_swap_changes_bytes_of_one_feature_only() -> None:
    quiet = _deliver(date(2026, 10, 8))
    swapped = _deliver(date(2026, 10, 8), active=frozenset({"silent_model_swap"}))
    assert quiet.facts == swapped.facts
    pairs = list(zip(quiet.objects, swapped.objects, strict=True))
    differing = [one for one, two in pairs if one.data != two.data]
    assert [one.key for one, _ in pairs] == [two.key for _, two in pairs]
    assert 0 < len(differing) <= 6


@pytest.mark.parametrize("package", ["demo"])
def test_no_module_reads_the_clock(package: str) -> None:
    root = Path(delivery.__file__).parent
    sources = [path.read_text(encoding="utf-8") for path in sorted(root.glob("*.py"))]
    assert len(sources) > 10
    clock = re.compile(r"\.now\(|utcnow|time\.time\(|\.today\(|np\.random\.(rand|seed)\b")
    assert not [text[:60] for text in sources if clock.search(text)]


def _is_whole(data: bytes) -> bool:
    try:
        gzip.decompress(data)
    except EOFError:
        return False
    return True
