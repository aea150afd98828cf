"""The conformance report counts spans, also of objects that hold other records too."""

import json
from pathlib import Path
from typing import Any

from tests.conformance.landing import describe_lake, land_folder
from tests.unit.landing.bucket import spans_json

START_NS = 1_790_000_000_000_000_000


def _event(event_name: str, trace_id: str = "ab" * 16) -> dict[str, Any]:
    name = {"key": "gen_ai.evaluation.name", "value": {"stringValue": "Tone"}}
    return {
        "observedTimeUnixNano": str(START_NS),
        "eventName": event_name,
        "traceId": trace_id,
        "spanId": "cd" * 8,
        "attributes": [name],
    }


def test_describe_lake_counts_only_spans_when_logs_come_first(tmp_path: Path) -> None:
    evaluation = "gen_ai.evaluation.result"
    records = [_event(evaluation), _event("other"), _event(evaluation, trace_id="bad")]
    logs = {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": records}]}]}
    traces = json.loads(spans_json(3))
    spans = traces["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans += [spans[0], {**spans[1], "traceId": "xyz"}]
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    (bucket / "mixed.json").write_text(f"{json.dumps(logs)}\n{json.dumps(traces)}\n", "utf-8")
    report = describe_lake(land_folder(bucket, tmp_path / "work"))
    assert report["span_records"] == 5
    assert (report["distinct_spans"], report["duplicates"], report["invalid_ids"]) == (3, 1, 1)
    assert report["services"]["helper"]["spans"] == 3
