"""Latencies: where the first token, the gaps and the server's phases come from."""

from collections.abc import Callable
from typing import Any

import pytest

from include.freezeline.readers.result import Row
from tests.unit.readers.builders import event, span

ReadOne = Callable[..., Row]
CHAT = {"gen_ai.operation.name": "chat"}
CHUNK = "gen_ai.content.completion.chunk"
# What vLLM writes on its span llm_request: seconds, no operation, no provider.
MODEL_SERVER = {
    "gen_ai.latency.e2e": 1.0,
    "gen_ai.latency.time_to_first_token": 0.25,
    "gen_ai.latency.time_in_queue": 0.05,
    "gen_ai.latency.time_in_model_prefill": 0.2,
    "gen_ai.latency.time_in_model_decode": 0.75,
    "gen_ai.latency.time_in_model_inference": 0.95,
    "gen_ai.usage.prompt_tokens": 30,
    "gen_ai.usage.completion_tokens": 16,
}


@pytest.mark.parametrize(
    ("attributes", "events", "scope", "ttft_ms", "source"),
    [
        ({"gen_ai.response.time_to_first_chunk": 0.2}, [], "x", 200.0, "attribute"),
        ({"gen_ai.client.operation.time_to_first_chunk": 0.2}, [], "x", 200.0, "attribute"),
        ({"gen_ai.client.inference.time_to_first_chunk": 0.2}, [], "x", 200.0, "attribute"),
        ({"gen_ai.server.time_to_first_token": 0.2}, [], "x", 200.0, "attribute"),
        ({"gen_ai.server.time_to_first_token": 200}, [], "strands.telemetry.tracer", 200.0, "attribute"),
        ({"app.ttft_ms": 200}, [], "x", 200.0, "attribute"),
        ({}, [event("First Token Stream Event", 200)], "x", 200.0, "event"),
        ({}, [event("ai.stream.firstChunk", 200)], "x", 200.0, "event"),
        ({}, [event(CHUNK, 350), event(CHUNK, 200)], "x", 200.0, "event"),
        ({"app.stream.chunk_offsets_ms": [350, 200.0]}, [], "x", 200.0, "timestamp"),
        ({"app.stream.chunk_offsets_ms": [200, "soon"]}, [], "x", None, None),
        ({"gen_ai.response.time_to_first_chunk": -1}, [], "x", None, None),
        ({}, [], "x", None, None),
    ],
)  # fmt: skip
def test_first_token_is_found_wherever_it_stands(
    read_one: ReadOne,
    attributes: dict[str, Any],
    events: list[Any],
    scope: str,
    ttft_ms: float | None,
    source: str | None,
) -> None:
    row = read_one(span({**CHAT, **attributes}, events=events), scope=scope)
    assert (row["ttft_ms"], row["ttft_source"]) == (ttft_ms, source)


def test_gaps_are_those_between_listed_chunks(read_one: ReadOne) -> None:
    listed = {"app.stream.chunk_offsets_ms": [100, 110, 130, 230]}
    row = read_one(span({**CHAT, **listed}))
    assert (row["chunk_count"], row["chunk_gap_p50_ms"], row["chunk_gap_max_ms"]) == (
        4,
        20.0,
        100.0,
    )
    assert row["chunk_gap_p99_ms"] == pytest.approx(98.4)  # numpy.quantile([10, 20, 100], .99)
    assert row["attributes_redacted"] is None


def test_one_chunk_has_no_gap(read_one: ReadOne) -> None:
    row = read_one(span(CHAT, events=[event(CHUNK, 100)]))
    assert (row["chunk_count"], row["chunk_gap_p50_ms"], row["chunk_gap_max_ms"]) == (1, None, None)


def test_a_model_servers_span_gives_the_phases_of_a_call(read_one: ReadOne) -> None:
    row = read_one(span(MODEL_SERVER, name="llm_request", kind=2), scope="vllm.llm_engine")
    expected = {
        "dialect": "otel_genai",
        "span_type": "llm",
        "is_leaf_model_call": True,
        "input_tokens": 30,
        "output_tokens": 16,
        "ttft_ms": 250.0,
        "queue_ms": 50.0,
        "prefill_ms": 200.0,
        "decode_ms": 750.0,
        "tpot_ms": 50.0,  # (1000 - 250) / 15
        "tpot_source": "computed",
    }
    assert {name: row[name] for name in expected} == expected


def test_a_model_servers_span_does_not_count_what_its_caller_counts(read_one: ReadOne) -> None:
    row = read_one(span(MODEL_SERVER, kind=2, parentSpanId="ab" * 8))
    assert (row["span_type"], row["is_leaf_model_call"]) == ("llm", False)


def test_tpot_is_computed_from_decoding_when_no_first_token_was_seen(read_one: ReadOne) -> None:
    row = read_one(span({**CHAT, "app.decode_ms": 300, "gen_ai.usage.output_tokens": 4}))
    assert (row["ttft_ms"], row["tpot_ms"], row["tpot_source"]) == (None, 100.0, "computed")


def test_a_chunk_is_no_token(read_one: ReadOne) -> None:
    row = read_one(span({**CHAT, "gen_ai.client.operation.time_per_output_chunk": 0.02}))
    assert (row["tpot_ms"], row["tpot_source"]) == (None, None)
    assert "time_per_output_chunk" in row["attributes_redacted"]


@pytest.mark.parametrize("value", [-0.1, "soon", float("nan")])
def test_phases_are_null_when_they_make_no_sense(read_one: ReadOne, value: Any) -> None:
    assert read_one(span({**CHAT, "gen_ai.latency.time_in_queue": value}))["queue_ms"] is None


def test_groq_says_in_the_usage_how_a_call_spent_its_time(read_one: ReadOne) -> None:
    answer = '{"usage": {"queue_time": 0.03, "prompt_time": 0.002, "completion_time": 0.1}}'
    row = read_one(span({"openinference.span.kind": "LLM", "output.value": answer}))
    assert (row["queue_ms"], row["prefill_ms"], row["decode_ms"]) == pytest.approx((30, 2, 100))
