"""What Vercel's SDK and LiteLLM really wrote lands with the counts that their recorder noted."""

import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import Row
from include.freezeline.readers.rules import load_landing_rules
from tests.unit.readers.conftest import CONFIG_DIR

pytestmark = pytest.mark.shared

PREFIXES = ("web/vercel-semconv/", "web/vercel-legacy/", "llm-logs/litellm/", "llm-logs/proxy/")


class Samples:
    """Span rows by prefix, and what is expected of them."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        rules = load_landing_rules(CONFIG_DIR)
        self.rows: dict[str, list[Row]] = {prefix: [] for prefix in PREFIXES}
        self.expected: dict[str, Any] = {}
        for member in archive.getmembers():
            file = archive.extractfile(member) if member.isfile() else None
            key = member.name.partition("bucket/")[2]
            prefix = next((prefix for prefix in PREFIXES if key.startswith(prefix)), None)
            if file is not None and member.name.endswith("EXPECTED.json"):
                self.expected = json.load(file)["other_producers"]
            elif file is not None and prefix is not None:
                result = read_object(key, file.read(), rules)
                assert result.rejects == []
                self.rows[prefix] += result.spans


@pytest.fixture(scope="module")
def samples(shared_dir: Path) -> Samples:
    """The samples of both tools."""
    with tarfile.open(shared_dir / "data" / "trace_samples.tar.gz") as archive:
        return Samples(archive)


@pytest.mark.parametrize("name", ["vercel_semconv", "vercel_legacy"])
def test_read_object_counts_what_the_vercel_sdk_recorded(samples: Samples, name: str) -> None:
    expected = samples.expected[name]
    rows = samples.rows[f"web/{name.replace('_', '-')}/"]
    calls = [row for row in rows if row["is_leaf_model_call"]]
    assert len(rows) == expected["spans"] > 0
    assert Counter(row["span_type"] for row in rows) == expected["by_kind"]
    assert sum(row["status"] == "error" for row in rows) == expected["error_spans"] > 0
    assert sum(row["status"] == "error" for row in calls) == expected["calls_failed"] == 1
    for side, total in expected["tokens_on_llm_spans"].items():
        assert sum(row[f"{side}_tokens"] or 0 for row in calls) == total > 0
    (failed,) = [row for row in calls if row["status"] == "error"]
    assert (failed["error_class"], failed["input_tokens"]) == ("context_length_exceeded", None)
    (streamed,) = [row for row in calls if row["ttft_ms"] is not None]
    assert 104 < streamed["ttft_ms"] < 106
    assert (streamed["is_stream"], streamed["ttft_source"]) == (True, "attribute")
    assert not any("nora.fields17" in (row["attributes_redacted"] or "") for row in rows)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("litellm_single", "llm-logs/litellm/"), ("litellm_batch", "llm-logs/proxy/")],
)
def test_read_object_counts_what_litellm_logged(samples: Samples, name: str, prefix: str) -> None:
    expected, rows = samples.expected[name], samples.rows[prefix]
    assert len(rows) == len({row["span_id"] for row in rows}) == expected["records"] > 0
    assert Counter(row["status"] for row in rows) == {
        "ok": expected["success"],
        "error": expected["failure"],
    }
    assert sum(row["is_stream"] is True for row in rows) == expected["streamed"] > 0
    assert sum(row["ttft_ms"] is not None for row in rows) == expected["streamed"]
    for side, total in expected["tokens"].items():
        assert sum(row[f"{side}_tokens"] or 0 for row in rows) == total > 0
    classes = {row["error_class"] for row in rows if row["status"] == "error"}
    assert classes == {"rate_limit", "context_length_exceeded"}
    assert all(row["span_type"] == "llm" and row["is_leaf_model_call"] for row in rows)
    assert not any("@" in (row["attributes_redacted"] or "") for row in rows)
