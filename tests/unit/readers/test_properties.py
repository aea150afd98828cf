"""Whatever the bytes, reading ends in rows and rejects, or in one ReadError."""

import gzip
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.lake import SPANS
from include.freezeline.errors import ReadError
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult
from include.freezeline.readers.rules import load_landing_rules
from tests.unit.readers import builders
from tests.unit.readers.conftest import CONFIG_DIR

RULES = load_landing_rules(CONFIG_DIR)
KNOWN_NAMES = (
    "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.system", "gen_ai.input.messages",
    "gen_ai.output.messages", "gen_ai.prompt", "gen_ai.prompt.0.content", "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens", "gen_ai.response.finish_reasons", "gen_ai.request.temperature",
    "gen_ai.response.time_to_first_chunk", "gen_ai.retrieval.documents", "openinference.span.kind",
    "llm.invocation_parameters", "input.value", "output.value", "llm.cost.total",
    "llm.input_messages.0.message.content", "llm.input_messages.0.message.contents.0.message_content",
    "llm.input_messages.x", "llm.output_messages.1.message.role", "retrieval.documents.0.document",
    "evaluations.0.evaluation.name", "evaluations.0", "traceloop.span.kind", "llm.request.type",
    "error.type", "http.response.status_code", "user.id", "metadata", "SampleRate", "gen_ai.headers",
)  # fmt: skip
KNOWN_WORDS = ("chat", "retrieval", "embeddings", "LLM", "RETRIEVER", "EVALUATOR", "task", "NaN",
               "[]", "{}", '[{"role":"user","content":[{"text":1}]}]', '{"messages":[1]}', "429",
               '{"choices":[{"message":[]}],"documents":{}}', "[[[]]]", "1e999", "-1")  # fmt: skip

names = st.sampled_from(KNOWN_NAMES) | st.text(max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.sampled_from(KNOWN_WORDS)
    | st.text(max_size=30)
    | st.binary(max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
attribute_maps = st.dictionaries(names, values, max_size=10)
events = st.builds(
    builders.event,
    st.sampled_from(("exception", "gen_ai.evaluation.result", "First Token Stream Event",
                     "gen_ai.content.completion.chunk", "gen_ai.content.prompt", "db.query.result", "x")),
    st.floats(0, 5000),
    st.dictionaries(
        names | st.sampled_from(("gen_ai.evaluation.name", "exception.type")), values, max_size=3
    ),
)  # fmt: skip
spans = st.builds(
    lambda attributes, more, code, scope_events, links: builders.span(
        attributes, status={"code": code, "message": more}, name=more,
        events=scope_events, links=links, traceState=more,
    ),
    attribute_maps,
    st.sampled_from(("", "ot=th:8", "Error code: 500")) | st.text(max_size=10),
    st.integers(0, 2),
    st.lists(events, max_size=4),
    # A new dictionary each time: a test below changes documents in place.
    st.lists(st.builds(lambda: {"traceId": "ab" * 16, "spanId": "cd" * 8}), max_size=1),
)  # fmt: skip
scopes = st.sampled_from(
    ("", "ai", "gen_ai", "langfuse-sdk", "opentelemetry.instrumentation.x", "s")
)
documents = st.builds(
    lambda items, resource, scope: builders.document(items, resource=resource, scope=scope),
    st.lists(spans, min_size=1, max_size=3),
    st.dictionaries(names, scalars, max_size=3),
    scopes,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def check(result: ReadResult) -> None:
    """Assert what must hold of every result."""
    assert result.record_count == result.used_count + len(result.rejects)
    used = {row["source_offset"] for rows in result.tables.values() for row in rows}
    assert result.used_count == len(used)
    assert not [r.reason for r in result.rejects if r.reason.startswith("reader_error")]
    for row in result.spans:
        for name in ("attributes_redacted", "resource_attributes_redacted", "input_messages_redacted",
                     "output_messages_redacted", "system_instructions_redacted"):  # fmt: skip
            if row[name] is not None:
                json.loads(row[name])
    extra = {"source_object": "k", "source_sha256": "h"}
    stamped = [{**row, **extra, "arrived_at": row["started_at"]} for row in result.spans]
    table = pa.Table.from_pylist(stamped, schema=arrow_schema(SPANS))
    table.validate(full=True)
    assert table.num_rows == len(result.spans)


def read_or_refuse(key: str, data: bytes) -> ReadResult | None:
    try:
        result = read_object(key, data, RULES)
    except ReadError:
        return None
    check(result)
    return result


@settings(max_examples=120, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from((b"", b"\n", b"{", b"\x1f\x8b", b"(\xb5/\xfd", b"\0\0\0\5\n")),
)
def test_read_object_never_crashes_when_bytes_are_arbitrary(tail: bytes, head: bytes) -> None:
    read_or_refuse("traces", head + tail)
    read_or_refuse("logs.binpb.gz", gzip.compress(head + tail))


@settings(max_examples=80, deadline=None)
@given(documents)
def test_read_object_gives_equal_rows_when_encodings_differ(document: dict[str, Any]) -> None:
    try:
        message = builders.traces_message(document)
    except (ValueError, UnicodeEncodeError):  # protobuf text must be UTF-8
        return
    from_json = read_or_refuse("traces.json", builders.encode(document))
    from_protobuf = read_or_refuse("traces.binpb", message)
    assert from_json is not None
    assert from_protobuf is not None
    assert from_json.record_count == len(document["resourceSpans"][0]["scopeSpans"][0]["spans"])
    assert from_json.spans == from_protobuf.spans
    assert from_json.evaluations == from_protobuf.evaluations
    assert from_json.rejects == from_protobuf.rejects


@settings(max_examples=120, deadline=None)
@given(documents, st.data())
def test_read_object_never_crashes_when_a_document_is_mutated(
    document: dict[str, Any], data: st.DataObject
) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        holder: Any = document
        while True:
            steps = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            step = data.draw(st.sampled_from(steps))
            inner = holder[step]
            if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 5)) == 0:
                holder[step] = data.draw(json_values)
                break
            holder = inner
        if not document:
            break
    read_or_refuse("traces.json", builders.encode(document))


@settings(max_examples=80, deadline=None)
@given(documents, st.integers(0, 5000), st.integers(0, 255))
def test_read_object_never_crashes_when_bytes_are_flipped(
    document: dict[str, Any], place: int, byte: int
) -> None:
    try:
        message = bytearray(builders.traces_message(document))
    except (ValueError, UnicodeEncodeError):
        return
    message[place % len(message)] = byte
    read_or_refuse("traces.binpb", bytes(message))
    text = bytearray(builders.encode(document))
    text[place % len(text)] = byte
    read_or_refuse("traces.json", bytes(text))
    read_or_refuse("traces.json", bytes(text[: place % len(text)]))


@pytest.mark.parametrize("depth", [300, 1500, 100_000])
def test_read_object_never_crashes_when_values_are_nested_deeply(depth: int) -> None:
    nested = '{"arrayValue":{"values":[' * depth + "]}}" * depth
    attribute = f'{{"key":"deep","value":{nested}}}'
    text = json.dumps(builders.document([builders.span()])).replace(
        '"attributes": []', f'"attributes": [{attribute}]'
    )
    try:
        result = read_object("traces.json", text.encode(), RULES)
    except ReadError:
        return
    assert result.record_count == 1
    assert result.used_count + len(result.rejects) == 1
