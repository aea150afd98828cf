"""The recorded samples land with the counts that their recorder noted."""

import json
import tarfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.errors import ReadError
from include.freezeline.readers.registry import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import load_landing_rules
from tests.unit.readers.conftest import CONFIG_DIR

pytestmark = pytest.mark.shared

SPAN_TYPE_OF_KIND = {"retriever": "retrieval", "chain": "workflow"}
CARRIERS = {
    "evaluator span with link": "evaluator_span",
    "span event on current span": "span_event",
}
WHOLE_OBJECT_REASONS = {"minute=25/traces_215903592.json": "invalid_json",
                        "minute=31/traces_883243014.json": "not_otlp_json:base64_ids"}  # fmt: skip


class Samples:
    """Everything the samples hold, read once."""

    def __init__(self, folder: Path) -> None:
        self.expected: dict[str, Any] = json.loads((folder / "EXPECTED.json").read_text())
        self.results: dict[str, ReadResult] = {}
        self.refused: dict[str, str] = {}
        rules = load_landing_rules(CONFIG_DIR)
        for path in sorted((folder / "bucket").rglob("*")):
            if path.is_file():
                key = path.relative_to(folder / "bucket").as_posix()
                try:
                    self.results[key] = read_object(key, path.read_bytes(), rules)
                except ReadError as error:
                    self.refused[key] = error.reason
        self.spans: dict[tuple[str, str], Row] = {}
        for result in self.results.values():
            for row in result.spans:
                self.spans.setdefault((row["trace_id"], row["span_id"]), row)

    def of_service(self, name: str) -> list[Row]:
        """Return the distinct spans of a service, copies made for edge cases left out."""
        copies = {  # the copies stand under edge/ only
            (row["trace_id"], row["span_id"])
            for key, result in self.results.items()
            if key.startswith("edge/")
            for row in result.spans
        }
        return [
            row
            for ids, row in self.spans.items()
            if row["service_name"] == name and ids not in copies
        ]

    def evaluations(self, rows: list[Row]) -> list[Row]:
        """Return the distinct evaluations of spans."""
        ids = {(row["trace_id"], row["span_id"]) for row in rows}
        found: dict[tuple[str, str, str, str], Row] = {}
        for result in self.results.values():
            for row in result.evaluations:
                if (row["trace_id"], row["span_id"]) in ids:
                    key = (row["trace_id"], row["span_id"], row["evaluation_name"], row["carrier"])
                    found.setdefault(key, row)
        return list(found.values())


@pytest.fixture(scope="module")
def samples(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """The unpacked and read samples."""
    folder = tmp_path_factory.mktemp("samples")
    with tarfile.open(shared_dir / "data" / "trace_samples.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return Samples(next(folder.rglob("EXPECTED.json")).parent)


@pytest.mark.parametrize(
    "dialect",
    ["openai_v2_legacy", "openai_v2_latest", "genai_openai", "openinference", "openllmetry"],
)
def test_read_object_finds_the_recorded_counts(samples: Samples, dialect: str) -> None:
    expected = samples.expected["dialects"][dialect]
    rows = samples.of_service(expected["service_name"])
    calls = [row for row in rows if row["is_leaf_model_call"]]
    embeddings = [row for row in rows if row["span_type"] == "embedding"]
    assert len(rows) == expected["spans"] > 0
    assert Counter(row["span_type"] for row in rows) == {
        SPAN_TYPE_OF_KIND.get(kind, kind): n for kind, n in expected["by_kind"].items()
    }
    assert len({row["trace_id"] for row in rows}) == expected["traces"]
    assert sum(row["parent_span_id"] is None for row in rows) == expected["root_spans"]
    assert sum(row["status"] == "error" for row in rows) == expected["error_spans"] > 0
    assert sum(row["status"] == "error" for row in calls) == expected["error_llm_spans"] > 0
    recorded = dict(expected["recorded_on_llm_spans"])
    without_usage = recorded.pop("llm_spans_without_usage")
    for name, total in recorded.items():
        assert sum(row[name] or 0 for row in calls) == total, name
    for name in ("input_tokens", "output_tokens"):
        assert sum(row[name] is None for row in calls) == without_usage > 0, name
    assert (
        sum(row["input_tokens"] for row in embeddings)
        == expected["recorded_on_embedding_spans"]["input_tokens"]
        > 0
    )
    reported = [row["ttft_ms"] for row in calls if row["ttft_source"] == "attribute"]
    assert len(reported) == expected["spans_with_time_to_first_chunk"]
    assert sum(reported) / 1000 == pytest.approx(expected["sum_time_to_first_chunk_s"], abs=1e-5)


@pytest.mark.parametrize(
    "dialect",
    ["openai_v2_legacy", "openai_v2_latest", "genai_openai", "openinference", "openllmetry"],
)
def test_read_object_finds_the_recorded_evaluations(samples: Samples, dialect: str) -> None:
    expected = samples.expected["dialects"][dialect]["evaluations"]
    service = samples.expected["dialects"][dialect]["service_name"]
    rows = samples.evaluations(samples.of_service(service))
    assert len(rows) == expected["total"] > 0
    assert Counter(row["carrier"] for row in rows) == {
        CARRIERS.get(carrier, carrier): n for carrier, n in expected["by_carrier"].items()
    }
    scores = [row["evaluation_score"] for row in rows if row["evaluation_score"] is not None]
    assert sum(scores) == pytest.approx(expected["scores_sum"])


def test_read_object_names_the_cause_of_every_failed_call(samples: Samples) -> None:
    n_checked = 0
    for dialect in samples.expected["dialects"].values():
        calls = [r for r in samples.of_service(dialect["service_name"]) if r["is_leaf_model_call"]]
        classes = Counter(row["error_class"] for row in calls if row["status"] == "error")
        n_server = dialect["error_llm_spans"] - 5
        assert classes == {"rate_limit": 1, "context_length_exceeded": 1, "invalid_api_key": 1,
                           "timeout": 1, "content_filter": 1, "server_error": n_server}  # fmt: skip
        n_checked += 1
    assert n_checked == 5


def test_read_object_loses_no_record(samples: Samples) -> None:
    n_checked = 0
    n_records: dict[str, int] = defaultdict(int)
    for noted in samples.expected["files"]:
        if noted["key"] in samples.refused:
            continue
        result = samples.results[noted["key"]]
        assert result.record_count == result.used_count + len(result.rejects)
        if noted["signal"] in ("traces", "logs", "metrics", "litellm"):
            assert result.record_count == noted["records"], noted["key"]
        n_records[noted["signal"]] += result.record_count
        n_checked += 1
    assert n_checked + len(samples.refused) == samples.expected["totals"]["objects"]
    totals = samples.expected["totals"]
    n_nonconforming = totals["of_which_in_nonconforming_objects"]
    assert n_records["traces"] == totals["trace_span_records_in_readable_objects"] - n_nonconforming


def test_read_object_puts_only_the_expected_aside(samples: Samples) -> None:
    assert {key[key.rindex("minute=") :]: reason for key, reason in samples.refused.items()} == (
        WHOLE_OBJECT_REASONS
    )
    reasons = Counter(r.reason for result in samples.results.values() for r in result.rejects)
    others = samples.expected["other_producers"]
    expected = {
        "invalid_id": samples.expected["totals"]["of_which_invalid_ids"],
        "unsupported_dialect:langfuse": others["langfuse_otel"]["spans"],
        "unsupported_dialect:vercel": others["vercel_semconv"]["spans"],
        "unsupported_dialect:vercel_legacy": others["vercel_legacy"]["spans"],
        "unsupported_dialect:litellm": others["litellm_single"]["records"]
        + others["litellm_batch"]["records"],
        "unsupported_dialect:upload_hook": others["genai_upload"]["content_objects"],
    }
    assert {
        reason: n for reason, n in reasons.items() if not reason.startswith("unsupported_signal")
    } == expected
    distinct = samples.expected["totals"]["distinct_spans_if_nonconforming_objects_are_quarantined"]
    unread = sum(
        others[name]["spans"] for name in ("langfuse_otel", "vercel_semconv", "vercel_legacy")
    )
    assert len(samples.spans) == distinct - unread > 0


@pytest.mark.parametrize(
    ("service", "producer"), [("upload-demo", "genai_upload"), ("file-writer", "py_json_file")]
)
def test_read_object_reads_other_writers_of_the_same_dialects(
    samples: Samples, service: str, producer: str
) -> None:
    expected = samples.expected["other_producers"][producer]
    rows = samples.of_service(service)
    assert len(rows) == expected["spans"] > 0
    for side in ("input", "output"):
        assert sum(row[f"{side}_tokens"] or 0 for row in rows) == expected["tokens"][side] > 0


def test_read_object_survives_the_handmade_spans(samples: Samples) -> None:
    handmade = samples.expected["handmade_spans"]
    rows = [samples.spans[(span["trace_id"].lower(), span["span_id"])] for span in handmade]
    assert len(rows) == 11
    by_case = {span["case"]: row for span, row in zip(handmade, rows, strict=True)}
    assert (by_case["hm2"]["input_tokens"], by_case["hm2"]["output_tokens"]) == (123, 45)
    assert (by_case["hm3"]["input_tokens"], by_case["hm3"]["output_tokens"]) == (None, None)
    assert by_case["hm4"]["dialect"] == "plain"
    assert by_case["hm6"]["input_text_redacted"] == "structured form, not a JSON string"
    assert by_case["hm8"]["cache_write_tokens"] == 11
    assert by_case["hm9"]["ended_at"] is None
    assert by_case["hm10"]["duration_ms"] == 1e-6
