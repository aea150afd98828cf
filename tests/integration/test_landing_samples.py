"""Objects recorded from real instrumentations land with the counts their producers kept."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.lake import Lake
from include.freezeline.contracts.lake import EVALUATIONS, LEDGER, QUARANTINE, SPANS
from tests.conformance.landing import (
    describe_lake,
    describe_services,
    distinct_spans,
    find_leaks,
    land_folder,
)

pytestmark = [pytest.mark.integration, pytest.mark.shared]

DIALECTS = ("openai_v2_legacy", "openai_v2_latest", "genai_openai", "openinference", "openllmetry")
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")


@pytest.fixture(scope="module")
def samples(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked samples."""
    folder = tmp_path_factory.mktemp("samples")
    with tarfile.open(shared_dir / "data" / "trace_samples.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def expected(samples: Path) -> dict[str, Any]:
    """What the producers counted."""
    document: dict[str, Any] = json.loads((samples / "EXPECTED.json").read_text("utf-8"))
    return document


@pytest.fixture(scope="module")
def lake(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The samples, landed."""
    return land_folder(samples / "bucket", tmp_path_factory.mktemp("landed"))


@pytest.fixture(scope="module")
def services(lake: Lake, expected: dict[str, Any]) -> dict[str, Any]:
    """Counts by service without the handmade spans and the edge copies with ids of their own."""
    handmade = {span["span_id"] for span in expected["handmade_spans"]}
    spans = [
        span
        for span in distinct_spans(lake.read_rows(SPANS))
        if span["span_id"] not in handmade and "edge/" not in span["source_object"]
    ]
    return describe_services(spans, lake.read_rows(EVALUATIONS))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_services_match_their_producers_counts(
    services: dict[str, Any], expected: dict[str, Any], dialect: str
) -> None:
    told = expected["dialects"][dialect]
    found = services[told["service_name"]]
    assert found["spans"] == told["spans"] > 0
    assert found["by_kind"] == dict(sorted(told["by_kind"].items()))
    assert found["error_spans"] == told["error_spans"]
    assert found["error_llm_spans"] == told["error_llm_spans"]
    recorded = told["recorded_on_llm_spans"]
    assert {name: found[name] for name in TOKENS} == {name: recorded[name] for name in TOKENS}
    assert found["llm_spans_without_usage"] == recorded["llm_spans_without_usage"]
    assert found["evaluations"] == told["evaluations"]["total"]


def test_every_object_is_in_the_ledger_and_every_record_accounted_for(
    lake: Lake, expected: dict[str, Any]
) -> None:
    ledger = lake.read_rows(LEDGER)
    assert len(ledger) == expected["totals"]["objects"]
    for row in ledger:
        parts = row["landed_count"] + row["duplicate_count"] + row["quarantined_count"]
        assert parts == row["record_count"], row["source_object"]
        assert (row["reason"] is None) == (row["status"] == "landed")
    kept = lake.read_rows(QUARANTINE)
    assert len(kept) == sum(row["quarantined_count"] for row in ledger) > 0
    assert all(row["reason"] for row in kept)


def test_bucket_totals_match(lake: Lake, expected: dict[str, Any]) -> None:
    report = describe_lake(lake)
    totals = expected["totals"]
    assert report["invalid_ids"] == totals["of_which_invalid_ids"]
    assert report["duplicates"] == totals["of_which_duplicates"]
    assert report["distinct_spans"] == totals["distinct_spans_expected"] > 400
    assert report["objects"]["empty"] > 0
    assert report["objects"]["quarantined"] > 0


def test_only_names_of_persons_remain_of_the_planted_values(
    lake: Lake, samples: Path, expected: dict[str, Any]
) -> None:
    producers = {**expected["dialects"], **expected["other_producers"]}
    planted = [value for told in producers.values() for value in told.get("planted", ())]
    names = {value["value"] for value in planted if value["type"] == "person_name"}
    others = {value["value"] for value in planted if value["type"] != "person_name"}
    assert len(others) > 100
    assert find_leaks(samples / "bucket", sorted(others)), "the search itself must find values"
    assert find_leaks(lake.root, sorted(others)) == []
    found = find_leaks(lake.root, sorted(names))
    print(f"names of persons in the lake: {len(found)} of {len(names)}")  # noqa: T201


def test_planted_values_in_unsupported_objects_do_not_reach_the_quarantine(
    lake: Lake, expected: dict[str, Any]
) -> None:
    planted = [
        value["value"]
        for told in expected["other_producers"].values()
        for value in told.get("planted", ())
    ]
    assert len(planted) > 20
    assert find_leaks(lake.root / QUARANTINE.name, planted) == []
