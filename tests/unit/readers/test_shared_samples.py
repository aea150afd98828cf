"""The recorded samples land with the counts that their recorder noted."""

import json
import tarfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.errors import ReadError
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import load_landing_rules
from tests.unit.readers.conftest import CONFIG_DIR

pytestmark = pytest.mark.shared

SPAN_TYPE_OF_KIND = {"retriever": "retrieval", "chain": "workflow"}
CARRIERS = {
    "evaluator span with link": "evaluator_span",
    "span event on current span": "span_event",
}
WHOLE_OBJECT_REASONS = {"minute=25/traces_215903592.json": "invalid_json"}


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
        if noted["signal"] in ("traces", "logs", "litellm"):
            assert result.record_count == noted["records"], noted["key"]
        n_records[noted["signal"]] += result.record_count
        n_checked += 1
    assert n_checked + len(samples.refused) == samples.expected["totals"]["objects"]
    totals = samples.expected["totals"]
    assert n_records["traces"] == totals["trace_span_records_in_readable_objects"]


def test_read_object_puts_only_the_expected_aside(samples: Samples) -> None:
    assert {key[key.rindex("minute=") :]: reason for key, reason in samples.refused.items()} == (
        WHOLE_OBJECT_REASONS
    )
    reasons = Counter(r.reason for result in samples.results.values() for r in result.rejects)
    assert reasons == {"invalid_id": samples.expected["totals"]["of_which_invalid_ids"]}
    distinct = samples.expected["totals"]["distinct_spans_expected"]
    otlp = [row for row in samples.spans.values() if row["dialect"] != "litellm"]
    assert len(otlp) == distinct > 0


def test_copies_of_spans_with_ids_of_their_own_are_read(samples: Samples) -> None:
    noted = {copy["which"]: copy for copy in samples.expected["edge_copies_with_own_ids"]}
    of_form = {result.format: result for key, result in samples.results.items() if "minute=3" in key
               and key.startswith("edge/") and len(result.spans) == 4}  # fmt: skip
    converted = noted["canonical protobuf JSON"]
    rows = of_form["otlp_canonical_json"].spans
    assert (len(rows), {row["span_type"] for row in rows}) == (converted["spans"], {"llm"})
    for side in ("input", "output"):
        total = sum(row[f"{side}_tokens"] or 0 for row in rows)
        assert total == converted[f"llm_{side}_tokens"] > 0


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


def test_every_log_record_lands(samples: Samples) -> None:
    n_records = Counter[str]()
    events = Counter[str]()
    for noted in samples.expected["files"]:
        if noted["signal"] == "logs":
            result = samples.results[noted["key"]]
            assert (result.rejects, result.used_count) == ([], noted["records"])
            n_records[noted["dialects"][0]] += result.used_count
            seen = {(row["source_offset"], row["event_name"])
                    for name in ("message_contents", "call_events")
                    for row in result.tables.get(name, [])}  # fmt: skip
            events.update(name for _, name in seen)
            events["gen_ai.evaluation.result"] += len(result.evaluations)
    noted_events = Counter[str]()
    for name, dialect in samples.expected["dialects"].items():
        assert n_records[name] == dialect["log_records"]
        noted_events.update(dialect["log_records_by_event"])
    n_uploads = samples.expected["other_producers"]["genai_upload"]["llm_spans"]
    noted_events["gen_ai.client.inference.operation.details"] += n_uploads
    assert events == noted_events


def test_uploaded_content_joins_to_the_spans_that_name_it(samples: Samples) -> None:
    expected = samples.expected["other_producers"]["genai_upload"]
    pieces = [row for result in samples.results.values()
              for row in result.tables.get("message_contents", [])]  # fmt: skip
    uploads = {row["content_name"]: row for row in pieces if row["carrier"] == "upload_object"}
    assert len(uploads) == expected["content_objects"]
    spans = [row for row in samples.of_service("upload-demo") if row["span_type"] == "llm"]
    assert len(spans) == expected["llm_spans"]
    for span in spans:
        assert uploads[span["input_content_name"]]["text_redacted"].strip()
        assert uploads[span["output_content_name"]]["finish_reason"] == "stop"
        named = [row for row in pieces
                 if row["carrier"] == "log_event" and row["span_id"] == span["span_id"]]  # fmt: skip
        assert span["input_content_name"] in {row["content_name"] for row in named}


@pytest.mark.parametrize(
    ("dialect", "has_streams"),
    [("openai_v2_legacy", False), ("openai_v2_latest", True), ("genai_openai", True)],
)
def test_source_counters_hold_the_served_tokens(
    samples: Samples, dialect: str, *, has_streams: bool
) -> None:
    expected = samples.expected["dialects"][dialect]
    counters = [row for result in samples.results.values()
                for row in result.tables.get("source_counters", [])
                if row["service_name"] == expected["service_name"]]  # fmt: skip
    found = Counter[str]()
    for row in counters:
        if row["metric_name"] == "gen_ai.client.token.usage":
            assert (row["instrument"], row["temporality"]) == ("histogram", "cumulative")
            found[f"{row['operation_name']} {row['token_type']}"] += row["point_sum"]
    served = expected["served_by_model_server"]
    assert found["embeddings input"] == expected["recorded_on_embedding_spans"]["input_tokens"]
    for side in ("input", "output"):
        if has_streams:
            assert found[f"chat {side}"] == served[f"{side}_tokens"]
        else:  # this one counts no tokens of streamed answers
            assert 0 < found[f"chat {side}"] < served[f"{side}_tokens"]
    calls = sum(row["point_count"] for row in counters if row["operation_name"] == "chat"
                and row["metric_name"] == "gen_ai.client.operation.duration")  # fmt: skip
    assert calls == served["chat_calls"]


@pytest.mark.parametrize(
    "dialect",
    ["openai_v2_legacy", "openai_v2_latest", "genai_openai", "openinference", "openllmetry"],
)
def test_every_document_and_tool_call_of_a_service_lands(samples: Samples, dialect: str) -> None:
    expected = samples.expected["dialects"][dialect]
    rows = samples.of_service(expected["service_name"])
    by_id = {(row["trace_id"], row["span_id"]): row for row in rows}
    found: dict[str, dict[tuple[str, str, int], Row]] = {
        "retrieval_documents": {},
        "tool_calls": {},
    }
    for result in samples.results.values():
        for table, ordinal in (
            ("retrieval_documents", "document_rank"),
            ("tool_calls", "call_index"),
        ):
            for row in result.tables.get(table, []):
                if (row["trace_id"], row["span_id"]) in by_id:
                    found[table][row["trace_id"], row["span_id"], row[ordinal]] = row
    retrieved = sum(row["retrieved_document_count"] or 0 for row in rows)
    assert len(found["retrieval_documents"]) == retrieved > 0
    calls = found["tool_calls"].values()
    executed = [row for row in calls if row["role"] == "executed"]
    assert len(executed) == expected["by_kind"]["tool"]
    assert sum(row["is_error"] for row in executed) == sum(
        row["status"] == "error" for row in rows if row["span_type"] == "tool"
    )
    asking = {(row["trace_id"], row["span_id"]) for row in calls if row["role"] == "requested"}
    assert asking
    # On streams the oldest conventions leave the finish reason out.
    assert all(by_id[ids]["finish_reasons"] in (None, ["tool_call"]) for ids in asking)
