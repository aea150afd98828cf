"""Latencies of a call: first token, each token, gaps between chunks."""

from itertools import pairwise

from include.freezeline.readers.otlp import Span
from include.freezeline.readers.result import Row

_NS_PER_MS = 1_000_000
_FIRST_CHUNK_EVENTS = frozenset({"First Token Stream Event"})
_CHUNK_EVENTS = frozenset({"gen_ai.content.completion.chunk", "llm.content.completion.chunk"})
STREAM_EVENTS = _FIRST_CHUNK_EVENTS | _CHUNK_EVENTS
_GAP_QUANTILE = 0.99
_MIN_TOKENS_FOR_TPOT = 2


def duration_ms(span: Span) -> float | None:
    """Return end minus start; None when one is unknown or the clock ran backwards."""
    if not span.start_ns or not span.end_ns or span.end_ns < span.start_ns:
        return None
    return (span.end_ns - span.start_ns) / _NS_PER_MS


def latency_columns(span: Span, found: Row) -> Row:
    """Return the latency columns of a span.

    Args:
        span: Its times and chunk events are used.
        found: What the dialect read: ``ttft_ms`` and ``tpot_ms`` as reported, ``output_tokens``.
    """
    chunks_ns = sorted(event.time_ns for event in span.events if event.name in _CHUNK_EVENTS)
    chunks_ns = [time_ns for time_ns in chunks_ns if time_ns]
    ttft_ms, ttft_source = _non_negative(found.get("ttft_ms")), "attribute"
    if ttft_ms is None:
        ttft_ms, ttft_source = _first_event_ms(span, chunks_ns), "event"
    whole_ms = duration_ms(span)
    tpot_ms, tpot_source = _tpot_ms(whole_ms, ttft_ms, found.get("output_tokens")), "computed"
    if tpot_ms is None:
        tpot_ms, tpot_source = _non_negative(found.get("tpot_ms")), "attribute"
    return {
        "duration_ms": whole_ms,
        "ttft_ms": ttft_ms,
        "ttft_source": None if ttft_ms is None else ttft_source,
        "tpot_ms": tpot_ms,
        "tpot_source": None if tpot_ms is None else tpot_source,
        "chunk_gap_p99_ms": _gap_quantile_ms(chunks_ns),
    }


def was_streamed(span: Span) -> bool:
    """Return whether a span recorded chunks of a stream."""
    return any(event.name in STREAM_EVENTS for event in span.events)


def _first_event_ms(span: Span, chunks_ns: list[int]) -> float | None:
    """Return the time from the start to the first chunk event."""
    marks_ns = [event.time_ns for event in span.events if event.name in _FIRST_CHUNK_EVENTS]
    first_ns = min((time_ns for time_ns in marks_ns + chunks_ns if time_ns), default=0)
    if not first_ns or not span.start_ns:
        return None
    return _non_negative((first_ns - span.start_ns) / _NS_PER_MS)


def _tpot_ms(whole_ms: float | None, ttft_ms: float | None, n_tokens: int | None) -> float | None:
    """Return the mean time per output token after the first one."""
    if whole_ms is None or ttft_ms is None or n_tokens is None or n_tokens < _MIN_TOKENS_FOR_TPOT:
        return None
    return _non_negative((whole_ms - ttft_ms) / (n_tokens - 1))


def _gap_quantile_ms(chunks_ns: list[int]) -> float | None:
    """Return the 99th percentile of the gaps, interpolated as numpy does by default."""
    gaps = sorted(later - earlier for earlier, later in pairwise(chunks_ns))
    if not gaps:
        return None
    position = _GAP_QUANTILE * (len(gaps) - 1)
    low = int(position)
    high = min(low + 1, len(gaps) - 1)
    return (gaps[low] + (position - low) * (gaps[high] - gaps[low])) / _NS_PER_MS


def _non_negative(value: float | None) -> float | None:
    """Return the value unless it is negative."""
    return value if value is not None and value >= 0 else None
