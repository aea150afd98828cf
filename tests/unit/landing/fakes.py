"""A small redactor and small rows for tests of the pure part of landing."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from include.freezeline.landing.guard import Guard
from include.freezeline.landing.plan import DueObject
from include.freezeline.landing.process import Delivery

EMAIL = re.compile(r"[\w.]+@[\w.]+\w")
ARRIVED_AT = datetime(2026, 10, 13, 10, 25, 59, 999_999, tzinfo=UTC)


@dataclass(frozen=True)
class FakeFinding:
    """What was found."""

    type: str


@dataclass(frozen=True)
class FakeRedacted:
    """A redacted text."""

    text: str
    findings: list[FakeFinding]
    is_dropped: bool = False


class FakeScope:
    """Numbers e-mail addresses; refuses to scan a text that says so."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def redact_text(self, text: str) -> FakeRedacted:
        if "UNSCANNABLE" in text:
            raise ValueError(text)
        found: list[FakeFinding] = []

        def replace(match: re.Match[str]) -> str:
            found.append(FakeFinding("EMAIL"))
            return self.known.setdefault(match[0], f"<EMAIL_{len(self.known) + 1}>")

        return FakeRedacted(EMAIL.sub(replace, text), found)

    redact_json = redact_text


class FakePseudonyms:
    """Shows kind and length only."""

    def pseudonym(self, kind: str, value: str) -> str:
        return f"{kind[0]}_{len(value)}"


def fake_guard() -> Guard:
    return Guard(FakeScope, FakePseudonyms())


def fake_delivery(key: str = "traces/a.json") -> Delivery:
    due = DueObject(key, "traces", "traces", "etag-1", 100, ARRIVED_AT, may_replace=False)
    return Delivery(due, "0" * 64)


def span_row(offset: int, **values: Any) -> dict[str, Any]:
    return {
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": f"{offset:016x}",
        "dialect": "otel_genai",
        "span_name": "chat",
        "otel_kind": 3,
        "span_type": "llm",
        "is_leaf_model_call": True,
        "started_at": datetime(2026, 10, 13, 10, 25, tzinfo=UTC),
        "environment": "production",
        "feature": "code-helper",
        "status": "ok",
        "sample_weight": 1.0,
        "is_clock_skewed": False,
        "consent": "unknown",
        "is_text_withheld": False,
        "source_offset": offset,
        **values,
    }
