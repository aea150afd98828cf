"""Seeds for the fuzzer: small good objects of every format and dialect, built when asked for."""

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from tests.fuzz.targets import CARD, MAIL
from tests.unit.readers import builders

_MESSAGES = json.dumps(
    [{"role": "user", "parts": [{"type": "text", "content": f"mail {MAIL} about {CARD}"}]}]
)
_OTEL: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 3,
    "gen_ai.input.messages": _MESSAGES,
    "user.id": MAIL,
}
_OPENINFERENCE: dict[str, Any] = {
    "openinference.span.kind": "RETRIEVER",
    "input.value": f"who is {MAIL}",
    "retrieval.documents.0.document.content": f"card {CARD}",
    "retrieval.documents.0.document.score": 0.5,
    "metadata": json.dumps({"note": MAIL}),
}
_OPENLLMETRY: dict[str, Any] = {
    "traceloop.span.kind": "tool",
    "traceloop.entity.input": json.dumps({"args": [MAIL], "kwargs": {"card": CARD}}),
    "traceloop.association.properties.session_id": "s-1",
}
_LANGFUSE: dict[str, Any] = {
    "langfuse.observation.type": "generation",
    "langfuse.observation.input": _MESSAGES,
    "langfuse.observation.usage_details": json.dumps({"input": 3, "output": 2}),
    "langfuse.observation.completion_start_time": '"2026-10-01T00:00:00.000Z"',
}
_VERCEL: dict[str, Any] = {
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.prompt.messages": _MESSAGES,
    "ai.response.text": f"write to {MAIL}",
    "ai.usage.inputTokens": 4,
}
_LITELLM: dict[str, Any] = {
    "id": "chatcmpl-1", "trace_id": "t-1", "call_type": "acompletion", "status": "success",
    "custom_llm_provider": "openai", "model": "gpt-4.1", "startTime": 1790000000.5,
    "endTime": 1790000001.5, "completionStartTime": 1790000000.9, "stream": True,
    "prompt_tokens": 5, "completion_tokens": 2, "response_cost": 0.001, "end_user": MAIL,
    "messages": [{"role": "user", "content": f"mail {MAIL}"}],
    "response": {"choices": [{"finish_reason": "stop", "message": {"content": f"card {CARD}"}}]},
    "metadata": {"user_api_key_user_email": MAIL, "requester_ip_address": "203.0.113.9"},
}  # fmt: skip
_OBSERVATION: dict[str, Any] = {
    "id": "o-1", "trace_id": "t-1", "project_id": "p", "type": "GENERATION",
    "parent_observation_id": None, "start_time": "2026-10-01 00:00:00.000",
    "end_time": "2026-10-01 00:00:01.000", "input": f"mail {MAIL}", "output": f"card {CARD}",
}  # fmt: skip
_SCORE: dict[str, Any] = {
    "id": "s-1", "timestamp": "2026-10-01 00:00:00.000", "project_id": "p", "trace_id": "t-1",
    "observation_id": "o-1", "name": "helpful", "value": 1.0, "source": "ANNOTATION",
    "data_type": "NUMERIC", "comment": f"ask {MAIL}",
}  # fmt: skip
_LOGGED: dict[str, Any] = {
    "timestamp": "2026-10-01T00:00:00Z", "request_id": "r-1", "model": "gpt-4.1",
    "prompt": f"mail {MAIL}", "response": f"card {CARD}", "input_tokens": 3, "user_id": MAIL,
}  # fmt: skip


def seeds() -> Iterator[bytes]:
    """Yield the seeds, plain ones first."""
    spans = [
        builders.span(attributes)
        for attributes in (_OTEL, _OPENINFERENCE, _OPENLLMETRY, _LANGFUSE, _VERCEL)
    ]
    failed = builders.span(
        {"error.type": "RateLimitError"},
        status={"code": 2, "message": f"Error code: 429 - for {MAIL}"},
        events=[builders.event("exception", 5, {"exception.stacktrace": f"at {CARD}"})],
    )
    documents = [builders.document([span]) for span in (*spans, failed)]
    log = builders.logs_document(
        [
            builders.log_record(
                "gen_ai.user.message", {}, body=builders.any_value({"content": MAIL})
            ),
            builders.log_record("gen_ai.evaluation.result", {"gen_ai.evaluation.name": "x"}),
        ]
    )
    plain = [builders.encode(document) for document in (*documents, log, _METRICS)]
    plain += [builders.encode(row) for row in (_LITELLM, _OBSERVATION, _SCORE, _LOGGED)]
    yield from plain
    lines = b"\n".join(plain[:3])
    yield lines
    messages = [builders.traces_message(document) for document in documents]
    yield from messages
    yield b"".join(len(part).to_bytes(4, "big") + part for part in messages[:2])
    yield gzip.compress(lines, mtime=0) + gzip.compress(plain[0], mtime=0)
    yield zstandard.compress(lines) + zstandard.compress(plain[0])
    yield b"\xef\xbb\xbf" + plain[0]
    yield _csv([_OBSERVATION])
    yield _parquet([_OBSERVATION])
    yield json.dumps([{"role": "user", "parts": [{"type": "text", "content": MAIL}]}]).encode()


def dictionary() -> str:
    """Return words of the formats in libFuzzer's dictionary form."""
    words = [*_OTEL, *_OPENINFERENCE, *_OPENLLMETRY, *_LANGFUSE, *_VERCEL, *_LITELLM, *_OBSERVATION,
             *_SCORE, *_LOGGED, "resourceSpans", "scopeSpans", "spans", "traceId", "spanId",
             "stringValue", "intValue", "kvlistValue", "arrayValue", MAIL, CARD]  # fmt: skip
    return "".join(f'"{word}"\n' for word in dict.fromkeys(words))


_METRICS: dict[str, Any] = {
    "resourceMetrics": [
        {
            "resource": {"attributes": builders.pairs({"service.name": "shop"})},
            "scopeMetrics": [
                {
                    "metrics": [
                        {
                            "name": "gen_ai.client.token.usage",
                            "unit": "{token}",
                            "histogram": {
                                "aggregationTemporality": 1,
                                "dataPoints": [
                                    {
                                        "startTimeUnixNano": str(builders.START_NS),
                                        "timeUnixNano": str(builders.START_NS + 10**9),
                                        "count": "2",
                                        "sum": 15,
                                        "bucketCounts": ["1", "1"],
                                        "explicitBounds": [4],
                                        "attributes": builders.pairs({"user.id": MAIL}),
                                    }
                                ],
                            },
                        }
                    ]
                }
            ],
        }
    ]
}


def _csv(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as CSV."""
    lines = [",".join(rows[0]), *(",".join(json.dumps(v) for v in row.values()) for row in rows)]
    return "\n".join(lines).encode()


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as Parquet."""
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()
