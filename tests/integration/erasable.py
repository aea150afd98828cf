"""A small company whose people can be erased: traces and facts of a few users, landed and built."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.freezeline.settings import Settings
from tests.unit.landing.bucket import trace_key, write

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
VICTIM, OTHER = "mallory-4711", "ordinary-0815"


@dataclass(frozen=True, slots=True)
class Turn:
    """One trace: a root span that names the user, a call that does not, and an evaluation of it.

    Attributes:
        number: Its trace id.
        user: Who; None for nobody.
        session: Conversation.
        text: What was asked.
        tenant: Whose customer.
        day: Day of October.
    """

    number: int
    user: str | None
    session: str
    text: str
    tenant: str = "acme"
    day: int = 13

    @property
    def trace_id(self) -> str:
        """W3C trace id."""
        return f"{0xABCD0000 + self.number:032x}"

    @property
    def request_id(self) -> str:
        """Business request id."""
        return f"req-{self.number:05d}-x"

    def spans(self) -> Iterator[dict[str, Any]]:
        """Its spans as OTLP."""
        start_ns = int(datetime(2026, 10, self.day, 10, 25, tzinfo=UTC).timestamp()) * 10**9
        root = {"session.id": self.session, "app.tenant.id": self.tenant}
        root |= {"user.id": self.user} if self.user else {}
        yield self._span(1, "POST /ask", start_ns, root)
        messages = [{"role": "user", "parts": [{"type": "text", "content": self.text}]}]
        answers = [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": f"answer to {self.text}"}],
                "finish_reason": "stop",
            }
        ]
        call = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4.1",
            "gen_ai.provider.name": "openai",
            "app.request.id": self.request_id,
            "gen_ai.response.id": f"resp-{self.number}",
            "gen_ai.input.messages": json.dumps(messages),
            "gen_ai.output.messages": json.dumps(answers),
        }
        yield self._span(2, "chat gpt-4.1", start_ns, call) | {
            "parentSpanId": self._span_id(1),
            "events": [
                {
                    "name": "gen_ai.evaluation.result",
                    "timeUnixNano": str(start_ns + 10**9),
                    "attributes": _attributes(
                        {
                            "gen_ai.evaluation.name": "relevance",
                            "gen_ai.evaluation.explanation": f"because of {self.text}",
                        }
                    ),
                }
            ],
        }

    def _span(
        self, number: int, name: str, start_ns: int, attributes: Mapping[str, str]
    ) -> dict[str, Any]:
        return {
            "traceId": self.trace_id,
            "spanId": self._span_id(number),
            "name": name,
            "kind": 3,
            "startTimeUnixNano": str(start_ns),
            "endTimeUnixNano": str(start_ns + 10**9),
            "attributes": _attributes(attributes),
        }

    def _span_id(self, number: int) -> str:
        return f"{self.number * 16 + number:016x}"


def _attributes(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def otlp(*spans: dict[str, Any]) -> bytes:
    """OTLP/JSON of spans of one service in production."""
    resource = {
        "attributes": _attributes(
            {"service.name": "helper", "deployment.environment.name": "production"}
        )
    }
    scoped = [{"scope": {"name": "t"}, "spans": list(spans)}]
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scoped}]}).encode()


def turns_object(*turns: Turn) -> bytes:
    """One object of whole traces."""
    return otlp(*(span for turn in turns for span in turn.spans()))


def write_turns(settings: Settings, name: str, *turns: Turn) -> None:
    """Put an object of traces into the bucket."""
    write(settings, trace_key(name), turns_object(*turns))


def write_escalations(settings: Settings, *turns: Turn) -> None:
    """Put an object of escalations into the bucket."""
    lines = [
        "request_id,escalated_at,recorded_at,reason_code",
        *(
            f"{turn.request_id},2026-10-13T11:00:00Z,2026-10-13T12:00:00Z,unhappy with {turn.text}"
            for turn in turns
        ),
    ]
    key = "facts/escalations/year=2026/month=10/day=13/hour=12/minute=00/e.csv"
    write(settings, key, ("\n".join(lines) + "\n").encode())


def write_buckets(settings: Settings, *users: str) -> None:
    """Put an object of experiment buckets into the bucket: a good row for each, and a bad one."""
    lines = ["user_id,experiment_name,bucket_name,assigned_at,recorded_at"]
    for user in users:
        lines.append(f"{user},tone,warm,2026-10-13T01:00:00Z,2026-10-13T02:00:00Z")
        lines.append(f"{user},special for {user},warm,soon,2026-10-13T02:00:00Z")
    key = "facts/experiment_buckets/year=2026/month=10/day=13/hour=12/minute=00/b.csv"
    write(settings, key, ("\n".join(lines) + "\n").encode())


def everything_below(home: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }
