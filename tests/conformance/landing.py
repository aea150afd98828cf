"""Land a folder as a bucket into a fresh lake and say what arrived: one JSON object.

``python -m tests.conformance.landing BUCKET_DIR [--planted FILE]``. FILE is a JSON list of values;
each one that can be found anywhere under the lake, in whatever form a file holds it, is a leak.
Where FILE lists objects with ``type`` and ``value``, the recall by type is reported too.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.object_store import open_store
from include.freezeline.contracts.lake import EVALUATIONS, LEDGER, QUARANTINE, SPANS
from include.freezeline.jobs.land import land
from include.freezeline.landing.arrival import arrival_of
from include.freezeline.settings import Settings

Row = dict[str, Any]

_KINDS = {"retrieval": "retriever", "workflow": "chain"}
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")
_LOG_REASONS = ("unsupported_signal:", "invalid_evaluation", "missing_time")
_OTLP = ("otlp", "empty", "unknown")
_WHOLE_BUCKET = 'sources:\n  - {name: bucket, prefixes: [""]}\n'


def land_folder(bucket: Path, work: Path) -> Lake:
    """Land every object of a folder into a lake under ``work``."""
    policies = work / "config"
    with as_file(files("include").joinpath("config")) as packaged:
        shutil.copytree(packaged, policies)
    (policies / "sources.yml").write_text(_WHOLE_BUCKET, encoding="utf-8")
    settings = Settings.model_validate(
        {
            "home": work / "home",
            "source_uri": bucket.resolve().as_uri(),
            "config_dir": policies,
            "pseudonym_key": "conformance",
        }
    )
    land(settings, _after_everything(settings))
    return Lake(settings.lake_dir)


def _after_everything(settings: Settings) -> datetime:
    """Return the first midnight after every object has arrived."""
    store = open_store(str(settings.source_uri), settings)
    last = max(arrival_of(item.key, item.modified_at) for item in store.list_objects())
    return datetime.combine(last.date() + timedelta(days=1), time(), tzinfo=UTC)


def describe_lake(lake: Lake) -> Row:
    """Count what a lake holds, copies of a span once."""
    ledger = lake.read_rows(LEDGER)
    quarantine = lake.read_rows(QUARANTINE)
    every = lake.read_rows(SPANS)
    evaluations = lake.read_rows(EVALUATIONS)
    # Calls that gateways log, and rows that other tools export, are counted apart from spans.
    foreign = [row for row in ledger if not str(row["format"]).startswith(_OTLP)]
    foreign_keys = {row["source_object"] for row in foreign if row["signal"] == "traces"}
    traces = [
        row
        for row in ledger
        if row["signal"] == "traces" and row["source_object"] not in foreign_keys
    ]
    delivered = [row for row in every if row["source_object"] not in foreign_keys]
    logged = [row for row in every if row["source_object"] in foreign_keys]
    spans, calls = distinct_spans(delivered), distinct_spans(logged)
    others = _other_records({row["source_object"] for row in traces}, evaluations, quarantine)
    repeats = sum(row["duplicate_count"] for row in traces)
    return {
        "objects": dict(sorted(Counter(row["status"] for row in ledger).items())),
        "span_records": sum(row["record_count"] for row in traces) - len(others),
        "distinct_spans": len(spans),
        "duplicates": repeats + len(delivered) - len(spans),
        "invalid_ids": sum(
            row["reason"] == "invalid_id" and not _is_log_record(row) for row in quarantine
        ),
        "quarantined": dict(sorted(Counter(row["reason"] for row in quarantine).items())),
        "logged_calls": len(calls),
        "services": describe_services([*spans, *calls], evaluations),
    }


def _other_records(
    objects: Iterable[str], evaluations: Iterable[Row], quarantine: Iterable[Row]
) -> set[tuple[str, int]]:
    """Return object and ordinal of the records that are no spans, of objects that hold spans too.

    A repeated evaluation event leaves no row, so it cannot be told from a repeated span.
    """
    mixed = frozenset(objects)
    events = (row for row in evaluations if row["carrier"] == "log_event")
    refused = (row for row in quarantine if _is_log_record(row))
    return {
        (row["source_object"], row["source_offset"])
        for row in (*events, *refused)
        if row["source_object"] in mixed
    }


def _is_log_record(row: Row) -> bool:
    """Return whether a quarantined record was a log record or metric; spans leave a sample."""
    reason = str(row["reason"])
    if reason == "invalid_id":
        return row["sample_redacted"] is None
    return reason.startswith(_LOG_REASONS)


def distinct_spans(delivered: Iterable[Row]) -> list[Row]:
    """Keep the richest copy of each span, by the number of values it has."""
    best: dict[tuple[str, str], Row] = {}
    for row in delivered:
        key = (row["trace_id"], row["span_id"])
        if key not in best or _richness(row) > _richness(best[key]):
            best[key] = row
    return [best[key] for key in sorted(best)]


def _richness(row: Row) -> tuple[int, str]:
    """Order copies: more values first, then the object's key so that the order is total."""
    return sum(value is not None for value in row.values()), row["source_object"]


def describe_services(spans: Iterable[Row], evaluations: Iterable[Row]) -> Row:
    """Count spans, tokens and evaluations by ``service.name``."""
    by_service: dict[str, list[Row]] = {}
    service_of: dict[tuple[str, str], str] = {}
    for span in spans:
        name = span["service_name"] or "unknown"
        by_service.setdefault(name, []).append(span)
        service_of[span["trace_id"], span["span_id"]] = name
    # An evaluation may arrive without its span; then its trace says whose it is.
    by_trace = {trace_id: name for (trace_id, _), name in service_of.items()}
    n_evaluations: Counter[str] = Counter()
    for key in {(row["trace_id"], row["span_id"], row["evaluation_name"]) for row in evaluations}:
        n_evaluations[service_of.get(key[:2], by_trace.get(key[0], "unknown"))] += 1
    return {
        name: {**_describe_service(by_service[name]), "evaluations": n_evaluations[name]}
        for name in sorted(by_service)
    }


def _describe_service(spans: Sequence[Row]) -> Row:
    """Count one service's spans and the tokens of its model calls."""
    calls = [span for span in spans if span["span_type"] == "llm"]
    kinds = Counter(_KINDS.get(span["span_type"], span["span_type"]) for span in spans)
    return {
        "spans": len(spans),
        "by_kind": dict(sorted(kinds.items())),
        "error_spans": sum(span["status"] == "error" for span in spans),
        "error_llm_spans": sum(span["status"] == "error" for span in calls),
        **{name: sum(span[name] or 0 for span in calls) for name in _TOKENS},
        "llm_spans_without_usage": sum(
            span["input_tokens"] is None and span["output_tokens"] is None for span in calls
        ),
    }


def find_leaks(root: Path, planted: Sequence[str]) -> list[str]:
    """Return the planted values that any file below ``root`` holds, decoded or as bytes.

    Values are looked for as they are and as JSON writes them, in decoded Parquet values, in
    file names, and in the bytes of files that are no Parquet.
    """
    haystack = "\x00".join(sorted(_distinct_texts(root)))
    return sorted(
        {value for value in planted if value in haystack or json.dumps(value)[1:-1] in haystack}
    )


def describe_leaks(root: Path, planted: Sequence[tuple[str | None, str]]) -> Row:
    """Say which planted values leaked and, where types are known, how many of each did not."""
    leaks = set(find_leaks(root, [value for _, value in planted]))
    typed = {(kind, value) for kind, value in planted if kind is not None}
    report: Row = {"leaks": sorted(leaks)}
    if typed:
        seen = Counter(kind for kind, _ in typed)
        kept = Counter(kind for kind, value in typed if value not in leaks)
        report["recall"] = {kind: kept[kind] / seen[kind] for kind in sorted(seen)}
    return report


def _read_planted(path: Path) -> list[tuple[str | None, str]]:
    """Return type, if given, and value of every planted value."""
    items = json.loads(path.read_text(encoding="utf-8"))
    return [(None, i) if isinstance(i, str) else (i.get("type"), i["value"]) for i in items]


def _distinct_texts(root: Path) -> set[str]:
    """Collect every text under a folder."""
    texts: set[str] = set()
    for path in sorted(root.rglob("*")):
        texts.add(path.relative_to(root).as_posix())
        if path.suffix == ".parquet":
            table = pq.read_table(path, partitioning=None)
            for column in table.columns:
                for value in column.to_pylist():
                    texts.update(map(str, value) if isinstance(value, list) else [str(value)])
        elif path.is_file():
            texts.add(path.read_bytes().decode("utf-8", "replace"))
    return texts


def main(arguments: Sequence[str]) -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.landing")
    parser.add_argument("bucket", type=Path)
    parser.add_argument("--planted", type=Path)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        lake = land_folder(options.bucket, Path(folder))
        report = describe_lake(lake)
        if options.planted:
            report.update(describe_leaks(lake.root, _read_planted(options.planted)))
    print(json.dumps(report, indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
