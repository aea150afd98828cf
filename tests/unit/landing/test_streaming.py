"""Objects of any size: batches, spilled files, and traces of a hundred thousand spans."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.lake_writer import LakeWriter
from include.freezeline.contracts.lake import LAKE_TABLES, SPANS
from include.freezeline.jobs.land_object import Tools, land_object, open_tools
from include.freezeline.landing.plan import DueObject
from include.freezeline.readers import reading
from include.freezeline.settings import Settings
from tests.unit.readers import builders

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]
MAIL = "jane.roe@example.com"


def due(data: bytes) -> DueObject:
    return DueObject(
        "traces/a.json", "traces", "traces", "etag", len(data), AS_OF, may_replace=False
    )


@pytest.fixture
def tools(settings: Settings) -> Tools:
    return open_tools(settings, AS_OF)


def lines(n_lines: int, *, repeat_every: int = 0) -> bytes:
    """Return JSON lines of one span each; all name one person, some repeat the span before."""
    documents = []
    for number in range(n_lines):
        shown = number - 1 if repeat_every and number % repeat_every == 1 else number
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": f'[{{"role":"user","content":"I am {MAIL}, question {shown}"}}]',
        }
        span = builders.span(attributes, spanId=f"{shown + 1:016x}")
        documents.append(orjson.dumps(builders.document([span])))
    return b"\n".join(documents)


def land(tools: Tools, data: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Land an object; return its ledger row and its spans."""
    books = land_object(tools, due(data), data)
    return books.ledger, tools.lake.read_rows(SPANS)


def test_batches_change_nothing(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    data = lines(50, repeat_every=7)
    ledger, spans = land(tools, data)
    assert (ledger["record_count"], ledger["landed_count"], ledger["duplicate_count"]) == (
        50,
        43,
        7,
    )
    monkeypatch.setattr(reading, "BATCH_RECORDS", 8)
    in_batches, same_spans = land(tools, data)
    assert in_batches == ledger
    assert same_spans == spans
    assert {span["input_text_redacted"].split(",")[0] for span in spans} == {"I am <EMAIL_1>"}


def test_spilled_files_hold_the_same_rows(tmp_path: Path) -> None:
    def rows(first: int) -> pa.Table:
        return pa.table({"source_offset": list(range(first, first + 5)), "x": ["text"] * 5})

    lakes = []
    for name, spill_bytes in (("held", 10**9), ("spilled", 1)):
        lake = Lake(tmp_path / name)
        with LakeWriter(lake, "k", spill_bytes=spill_bytes) as writer:
            for first in (0, 5, 10):
                writer.add(SPANS, date(2026, 10, 13), rows(first))
            writer.add(SPANS, date(2026, 10, 12), rows(90))
            writer.edit(lambda data: data.filter(pa.compute.less(data["source_offset"], 12)))
            assert not list(lake.files("spans"))
            paths = writer.commit()
        assert [path.parent.name for path in sorted(paths)] == ["dt=2026-10-13"]
        assert {path for path in lake.root.rglob("*") if path.is_file()} == paths
        lakes.append([pq.read_table(path, partitioning=None).to_pylist() for path in paths])
    assert lakes[0] == lakes[1]
    assert [row["source_offset"] for row in lakes[0][0]] == list(range(12))


def test_nothing_is_left_when_an_object_fails_half_way(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    writer = LakeWriter(lake, "k", spill_bytes=1)
    with pytest.raises(ZeroDivisionError), writer:
        1 / fill(writer)
    assert not [path for path in lake.root.rglob("*") if path.is_file()]


def fill(writer: LakeWriter) -> int:
    """Give a writer a row, and return what ends the object."""
    writer.add(SPANS, date(2026, 10, 13), pa.table({"source_offset": [1]}))
    return 0


def test_collapsed_spans_count_as_landed(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_RECORDS", 300)
    root = builders.span(spanId=f"{1:016x}", name="run")
    loops = [
        builders.span(
            {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": "{}"},
            spanId=f"{n:016x}", parentSpanId=f"{1:016x}", name="loop",
            endTimeUnixNano=str(builders.START_NS + n * builders.MS),
        )
        for n in range(2, 1202)
    ]  # fmt: skip
    ledger, spans = land(tools, builders.encode(builders.document([root, *loops])))
    assert (ledger["record_count"], ledger["landed_count"]) == (1201, 1201)
    assert ledger["collapsed_count"] == 1199
    assert [span["span_name"] for span in spans] == ["run", "loop"]
    assert (spans[1]["span_id"], spans[1]["collapsed_span_count"]) == (f"{1201:016x}", 1200)
    assert spans[1]["collapsed_duration_sum_ms"] == sum(range(2, 1202))
    calls = tools.lake.read_rows(next(table for table in LAKE_TABLES if table.name == "tool_calls"))
    assert [call["span_id"] for call in calls] == [spans[1]["span_id"]]


LARGE = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
import orjson
from include.freezeline.jobs.land_object import land_object, open_tools
from include.freezeline.landing.plan import DueObject
from include.freezeline.settings import Settings
from tests.unit.readers import builders

home, form = Path(sys.argv[1]), sys.argv[2]
at = datetime(2026, 10, 14, tzinfo=UTC)
settings = Settings.model_validate({"home": home, "source_uri": home.as_uri(), "pseudonym_key": "k"})
tools = open_tools(settings, at)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
spans = [builders.span(spanId=f"{1:016x}", name="run")]
for n in range(2, 100_001):
    is_call = n % 100 == 0
    attributes = {"gen_ai.operation.name": "chat" if is_call else "execute_tool", "note": "x" * 300}
    spans.append(builders.span(attributes, spanId=f"{n:016x}", parentSpanId=f"{max(n - 50_000, 1):016x}"))
size = 500 if form == "lines" else 100_000
documents = [builders.document(spans[k : k + size]) for k in range(0, len(spans), size)]
data = b"\\n".join(map(orjson.dumps, documents))
del spans, documents
made = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
due = DueObject("traces/a.json", "traces", "traces", "e", len(data), at, may_replace=False)
ledger = land_object(tools, due, data).ledger
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(ledger["landed_count"], ledger["collapsed_count"], len(data), (after - before) * 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["lines", "document"])
def test_a_trace_of_100_000_spans_lands_in_bounded_memory(tmp_path: Path, form: str) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", LARGE, str(tmp_path), form],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    n_landed, n_collapsed, n_bytes, used_bytes = map(int, done.stdout.split())
    assert n_landed == 100_000
    files = list(Lake(tmp_path / "lake").files("spans"))
    n_rows = sum(pq.read_metadata(file.path).num_rows for file in files)
    assert n_rows == n_landed - n_collapsed
    assert n_rows == 1_000 + 3  # every hundredth is a model call; the run, a loop and its step
    assert n_bytes > 60_000_000
    assert used_bytes < 1_000_000_000
