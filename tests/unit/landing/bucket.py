"""Small buckets of OTLP objects, and the content of a lake."""

import hashlib
import json
import os
import random
from datetime import UTC, datetime
from pathlib import Path

from include.freezeline.settings import Settings

EMAIL = "jane.halvorsen912@example.com"


def write(settings: Settings, key: str, data: bytes) -> None:
    path = Path(str(settings.source_uri).removeprefix("file://")) / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_at(settings: Settings, key: str, data: bytes, modified_at: datetime) -> None:
    """Write an object whose key names no time."""
    write(settings, key, data)
    path = Path(str(settings.source_uri).removeprefix("file://")) / key
    os.utime(path, (modified_at.timestamp(), modified_at.timestamp()))


def spans_json(n_spans: int, *, text: str = "hello", day: int = 13, seed: int = 0) -> bytes:
    """OTLP/JSON of model calls."""
    rng = random.Random(seed)  # noqa: S311 - ids of test spans
    start_ns = int(datetime(2026, 10, day, 10, 25, tzinfo=UTC).timestamp()) * 10**9
    spans = [
        {
            "traceId": f"{rng.getrandbits(127) + 1:032x}",
            "spanId": f"{rng.getrandbits(63) + 1:016x}",
            "name": "chat gpt-4.1",
            "kind": 3,
            "startTimeUnixNano": str(start_ns),
            "endTimeUnixNano": str(start_ns + 10**9),
            "attributes": [
                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4.1"}},
                {"key": "user.id", "value": {"stringValue": EMAIL}},
                {
                    "key": "gen_ai.input.messages",
                    "value": {
                        "stringValue": json.dumps(
                            [{"role": "user", "parts": [{"type": "text", "content": text}]}]
                        )
                    },
                },
            ],
        }
        for _ in range(n_spans)
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "helper"}}]}
    scoped = [{"scope": {"name": "t"}, "spans": spans}]
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scoped}]}).encode()


def trace_key(name: str, day: int = 13, minute: int = 25, month: int = 10) -> str:
    return f"otel/year=2026/month={month:02}/day={day:02}/hour=10/minute={minute:02}/traces_{name}.json"


def content(settings: Settings) -> dict[str, str]:
    """Every file of the lake by its name, with a hash of its bytes."""
    root = settings.lake_dir
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
