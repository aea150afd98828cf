"""Latencies of a call: first token, each token, gaps between chunks."""

from itertools import pairwise
from typing import Any

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.names import Names
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.result import Row
from include.freezeline.readers.values import to_number

_NS_PER_MS = 1_000_000
# Span events that instrumentations write while an answer arrives; a new one is one line.
_FIRST_CHUNK_EVENTS = frozenset(
    {
        "First Token Stream Event",  # OpenInference
        "ai.stream.firstChunk",  # Vercel AI SDK
    }
)
_CHUNK_EVENTS = frozenset(
    {
        "gen_ai.content.completion.chunk",  # OpenLLMetry
        "llm.content.completion.chunk",  # OpenLLMetry up to 0.33
    }
)
STREAM_EVENTS = _FIRST_CHUNK_EVENTS | _CHUNK_EVENTS
# No convention has chunk times as an attribute: services may send milliseconds since the start.
_CHUNK_OFFSETS = ("app.stream.chunk_offsets_ms", "freezeline.stream.chunk_offsets_ms")
_MIN_TOKENS_FOR_TPOT = 2
_PHASES = ("queue_ms", "prefill_ms", "decode_ms")


def has_chunk_offsets(names: Names) -> bool:
    """Return whether attributes of these names list the times of chunks."""
    return not set(_CHUNK_OFFSETS).isdisjoint(names)


def duration_ms(span: Span) -> float | None:
    """Return end minus start; None when one is unknown or the clock ran backwards."""
    if not span.start_ns or not span.end_ns or span.end_ns < span.start_ns:
        return None
    return (span.end_ns - span.start_ns) / _NS_PER_MS


def latency_columns(span: Span, found: Row, view: AttributeView) -> Row:
    """Return the latency columns of a span; those of phases and chunks only when there are any.

    Args:
        span: Its times and chunk events are used.
        found: What the dialect read: ``ttft_ms``, ``ttft_source`` unless it is an attribute,
            ``tpot_ms`` as reported, ``decode_ms`` and ``output_tokens``.
        view: Its attributes, which may list the times of the chunks.
    """
    listed_ns = _listed_chunks(span, view)
    chunks_ns = listed_ns or _event_chunks(span)
    ttft_ms, ttft_source = (
        _non_negative(found.get("ttft_ms")),
        found.get("ttft_source") or "attribute",
    )
    if ttft_ms is None:
        ttft_ms = _first_event_ms(span, chunks_ns)
        ttft_source = "timestamp" if listed_ns else "event"
    whole_ms = duration_ms(span)
    tpot_ms, tpot_source = _tpot_ms(whole_ms, ttft_ms, found), "computed"
    if tpot_ms is None:
        tpot_ms, tpot_source = _non_negative(found.get("tpot_ms")), "attribute"
    row: Row = {
        "duration_ms": whole_ms,
        "ttft_ms": ttft_ms,
        "ttft_source": None if ttft_ms is None else ttft_source,
        "tpot_ms": tpot_ms,
        "tpot_source": None if tpot_ms is None else tpot_source,
    }
    for name in _PHASES:
        if name in found:
            row[name] = _non_negative(found[name])
    if chunks_ns:
        row.update(_gap_columns(chunks_ns))
    return row


def was_streamed(span: Span) -> bool:
    """Return whether a span recorded chunks of a stream."""
    return any(event.name in STREAM_EVENTS for event in span.events)


def _event_chunks(span: Span) -> list[int]:
    """Return the times of the chunk events in order."""
    if not span.events:
        return []
    return sorted(
        event.time_ns for event in span.events if event.time_ns and event.name in _CHUNK_EVENTS
    )


def _listed_chunks(span: Span, view: AttributeView) -> list[int]:
    """Return the times of the chunks that an attribute lists; empty when one makes no sense."""
    for name in _CHUNK_OFFSETS:
        given = view.values.get(name)
        if isinstance(given, list) and given and span.start_ns:
            offsets = [_offset_ns(item) for item in given]
            known = [offset for offset in offsets if offset is not None]
            if len(known) == len(offsets):
                view.take(name)
                return sorted(span.start_ns + offset for offset in known)
    return []


def _offset_ns(value: Any) -> int | None:
    """Return a time since the start of the span in nanoseconds; None when it makes no sense."""
    offset_ms = to_number(value)
    return None if offset_ms is None or offset_ms < 0 else round(offset_ms * _NS_PER_MS)


def _first_event_ms(span: Span, chunks_ns: list[int]) -> float | None:
    """Return the time from the start to the first chunk."""
    if not span.events and not chunks_ns:
        return None
    marks_ns = [event.time_ns for event in span.events if event.name in _FIRST_CHUNK_EVENTS]
    first_ns = min((time_ns for time_ns in marks_ns + chunks_ns if time_ns), default=0)
    if not first_ns or not span.start_ns:
        return None
    return _non_negative((first_ns - span.start_ns) / _NS_PER_MS)


def _tpot_ms(whole_ms: float | None, ttft_ms: float | None, found: Row) -> float | None:
    """Return the mean time per output token after the first one.

    Without a first token, what the server spent on the answer is the time after it.
    """
    n_tokens = found.get("output_tokens")
    if n_tokens is None or n_tokens < _MIN_TOKENS_FOR_TPOT:
        return None
    after_first_ms = found.get("decode_ms")
    if whole_ms is not None and ttft_ms is not None:
        after_first_ms = whole_ms - ttft_ms
    return None if after_first_ms is None else _non_negative(after_first_ms / (n_tokens - 1))


def _gap_columns(chunks_ns: list[int]) -> Row:
    """Return how many chunks there were and how they were spaced."""
    gaps_ns = sorted(later - earlier for earlier, later in pairwise(chunks_ns))
    return {
        "chunk_count": len(chunks_ns),
        "chunk_gap_p50_ms": _quantile_ms(gaps_ns, 0.5),
        "chunk_gap_p99_ms": _quantile_ms(gaps_ns, 0.99),
        "chunk_gap_max_ms": _quantile_ms(gaps_ns, 1.0),
    }


def _quantile_ms(gaps: list[int], quantile: float) -> float | None:
    """Return a quantile of sorted gaps, interpolated as numpy does by default."""
    if not gaps:
        return None
    position = quantile * (len(gaps) - 1)
    low = int(position)
    high = min(low + 1, len(gaps) - 1)
    return (gaps[low] + (position - low) * (gaps[high] - gaps[low])) / _NS_PER_MS


def _non_negative(value: float | None) -> float | None:
    """Return the value unless it is negative."""
    return value if value is not None and value >= 0 else None
