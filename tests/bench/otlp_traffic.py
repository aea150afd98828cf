"""Realistic OTLP/JSON for benches: agents that chat, retrieve and call tools, in English prose.

Prose comes from a word chain over this project's own documentation, so that its letters, lengths
and line breaks are those of real text. Message lengths have a long tail, histories grow turn by
turn, prompts carry retrieved documents, a few texts name people's data, and every trace has spans
that are no model calls. The same seed gives the same bytes.
"""

import hashlib
import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[2]
START_NS = 1_791_885_600_000_000_000  # 2026-10-13 10:00 UTC
OBJECT_BYTES = 4_000_000
LINE_BYTES = 1_000_000
N_SENTENCES = 20_000
NUMBER_SHARE, PERSONAL_SHARE, CODE_SHARE = 0.08, 0.002, 0.04
MODELS = ("gpt-4.1", "gpt-4.1-mini", "claude-sonnet-4-5", "gemini-2.5-pro")
FEATURES = ("support-chat", "contract-review", "code-helper", "search-answers")
TOOLS = ("lookup_order", "search_tickets", "create_refund", "run_query")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*[,;:]?|[.!?](?=\s)")

Json = dict[str, Any]


class Prose:
    """English-looking text of any length, drawn from a pool of sentences."""

    def __init__(self, rng: Random) -> None:
        """Build the pool."""
        self._rng = rng
        chain = _word_chain()
        self._pool = [self._spiced(_sentence(rng, chain)) for _ in range(N_SENTENCES)]

    def text(self, n_chars: float) -> str:
        """Return paragraphs of about that many characters."""
        rng, pool = self._rng, self._pool
        pieces: list[str] = []
        length = 0
        while length < n_chars:
            pieces.append(pool[int(rng.random() * N_SENTENCES)])
            length += len(pieces[-1]) + 1
            pieces.append("\n\n" if rng.random() < 0.08 else "\n- " if rng.random() < 0.05 else " ")
        return "".join(pieces).rstrip()

    def length(self, median: float, spread: float) -> float:
        """Draw a length with a long tail."""
        return self._rng.lognormvariate(0.0, spread) * median

    def _spiced(self, sentence: str) -> str:
        """Add numbers, code and personal data to some sentences."""
        rng = self._rng
        draw = rng.random()
        if draw < PERSONAL_SHARE:
            return f"{sentence} {_personal(rng)}."
        if draw < PERSONAL_SHARE + NUMBER_SHARE:
            amount = f"{rng.randint(1, 900)}.{rng.randint(10, 99)}"
            return f"{sentence} It was {amount} EUR on 2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}."
        if draw < PERSONAL_SHARE + NUMBER_SHARE + CODE_SHARE:
            return f"{sentence} Call `client.orders.get(order_id={rng.randint(10**4, 10**6)})`."
        return sentence


def write_traffic(folder: Path, n_bytes: int, seed: int) -> list[Path]:
    """Write about that many bytes as objects of JSON lines, as the collector's exporters do."""
    rng = Random(seed)  # noqa: S311 - benches want repeatable data
    maker = TrafficMaker(rng)
    written: list[Path] = []
    while n_bytes > 0:
        minute = len(written) % 60
        place = f"traces/year=2026/month=10/day=13/hour=10/minute={minute:02}"
        path = folder / place / f"traces_{len(written):05}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines: list[bytes] = []
        while sum(map(len, lines)) < min(OBJECT_BYTES, n_bytes):
            lines.append(maker.line())
        path.write_bytes(b"\n".join(lines) + b"\n")
        written.append(path)
        n_bytes -= path.stat().st_size
    return written


class TrafficMaker:
    """Makes lines of whole traces."""

    def __init__(self, rng: Random) -> None:
        """Draw system prompts and a library of documents once, as a product has them."""
        self.rng = rng
        self.prose = Prose(rng)
        self._system = [self.prose.text(rng.uniform(800, 4_000)) for _ in FEATURES]
        self._documents = [self.prose.text(self.prose.length(900, 0.5)) for _ in range(3_000)]
        self._n = 0

    def line(self) -> bytes:
        """Return one document of several traces of one service."""
        number = self.rng.randrange(len(FEATURES))
        spans: list[Json] = []
        size = 0
        while size < LINE_BYTES:
            trace = self._trace(number)
            size += len(orjson.dumps(trace))
            spans.extend(trace)
        resource = {
            "service.name": f"{FEATURES[number]}-api", "service.version": "3.14.2",
            "deployment.environment.name": "production", "telemetry.sdk.language": "python",
            "telemetry.sdk.version": "1.42.0", "k8s.pod.name": f"{FEATURES[number]}-{number}-x7k2p",
            "cloud.region": "eu-central-1", "host.arch": "amd64",
        }  # fmt: skip
        scope = {
            "scope": {"name": "opentelemetry.instrumentation.openai_v2", "version": "0.61b0"},
            "spans": spans,
        }
        document = {
            "resourceSpans": [{"resource": {"attributes": _pairs(resource)}, "scopeSpans": [scope]}]
        }
        return orjson.dumps(document)

    def _trace(self, number: int) -> list[Json]:
        """Return the spans of one conversation turn."""
        rng = self.rng
        self._n += 1
        trace_id = hashlib.md5(f"{self._n}".encode(), usedforsecurity=False).hexdigest()
        at = START_NS + self._n * 1_000_000
        root = self._span(trace_id, "", "invoke_agent assistant", at, {
            "gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "openai",
            "gen_ai.agent.name": "assistant", "gen_ai.conversation.id": f"conv-{rng.getrandbits(64):016x}",
            "app.feature": FEATURES[number], "user.id": f"user-{rng.randrange(50_000)}",
            "app.tenant.id": f"tenant-{rng.randrange(300)}", "app.request.id": f"req_{rng.getrandbits(80):020x}",
        })  # fmt: skip
        parent = root["spanId"]
        question = self.prose.text(self.prose.length(180, 1.0))
        documents = rng.sample(self._documents, rng.randint(3, 8))
        history = self._history(question, documents)
        spans = [root, self._retrieval(trace_id, parent, at, question, documents)]
        for _ in range(rng.choice((0, 0, 1, 2))):
            at += 2_000_000_000
            call = self._tool_call()
            spans.append(self._chat(trace_id, parent, at, number, history, [call]))
            result = self._tool_result()
            spans.append(self._tool(trace_id, parent, at + 1_000_000_000, call, result))
            response = {"type": "tool_call_response", "id": call["id"], "response": result}
            history = [
                *history,
                {"role": "assistant", "parts": [call]},
                {"role": "tool", "parts": [response]},
            ]
        answer = _text_part(self.prose.text(self.prose.length(700, 0.9)))
        spans.append(self._chat(trace_id, parent, at, number, history, [answer]))
        spans.extend(self._http(trace_id, parent, at) for _ in range(rng.randint(1, 4)))
        return spans

    def _history(self, question: str, documents: list[str]) -> list[Json]:
        """Return the messages so far; the last one carries the question and its context."""
        rng, prose = self.rng, self.prose
        messages: list[Json] = []
        for _ in range(rng.choice((0, 0, 1, 2, 3, 6))):
            messages.append(_message("user", prose.text(prose.length(150, 1.0))))
            messages.append(_message("assistant", prose.text(prose.length(600, 0.8))))
        context = "\n\n".join(f"[{n}] {text}" for n, text in enumerate(documents, 1))
        messages.append(_message("user", f"Context:\n{context}\n\nQuestion: {question}"))
        return messages

    def _chat(
        self,
        trace_id: str,
        parent: str,
        at: int,
        number: int,
        history: list[Json],
        parts: list[Json],
    ) -> Json:
        """Return a model call as the newest conventions write it."""
        rng, model = self.rng, self.rng.choice(MODELS)
        reason = "stop" if parts[0]["type"] == "text" else "tool_call"
        answer = {"role": "assistant", "parts": parts, "finish_reason": reason}
        attributes = {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": model, "gen_ai.response.model": f"{model}-2026-04-14",
            "gen_ai.response.id": f"chatcmpl-{rng.getrandbits(120):030x}",
            "gen_ai.request.temperature": 0.2, "gen_ai.request.max_tokens": 2048,
            "gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": rng.uniform(0.1, 2.0),
            "gen_ai.response.finish_reasons": [reason], "gen_ai.usage.input_tokens": rng.randint(200, 9_000),
            "gen_ai.usage.output_tokens": rng.randint(20, 900), "gen_ai.usage.cache_read.input_tokens": 128,
            "openai.response.system_fingerprint": f"fp_{rng.getrandbits(40):010x}",
            "openai.response.service_tier": "default", "server.address": "api.openai.com", "server.port": 443,
            "app.feature": FEATURES[number], "user.id": f"user-{rng.randrange(50_000)}",
            "app.request.id": f"req_{rng.getrandbits(80):020x}", "app.prompt.name": FEATURES[number],
            "app.prompt.version": "17", "app.experiment": rng.choice(("a", "b")),
            "gen_ai.system_instructions": _dump([{"type": "text", "content": self._system[number]}]),
            "gen_ai.input.messages": _dump(history), "gen_ai.output.messages": _dump([answer]),
        }  # fmt: skip
        return self._span(trace_id, parent, f"chat {model}", at, attributes)

    def _retrieval(
        self, trace_id: str, parent: str, at: int, question: str, documents: list[str]
    ) -> Json:
        """Return a retrieval with its documents."""
        found = [
            {"id": f"doc-{self.rng.randrange(10**6)}", "score": round(self.rng.random(), 4), "content": text}
            for text in documents
        ]  # fmt: skip
        return self._span(trace_id, parent, "retrieval handbook", at, {
            "gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "handbook",
            "gen_ai.retrieval.query.text": question, "gen_ai.retrieval.documents": _dump(found),
        })  # fmt: skip

    def _tool_call(self) -> Json:
        """Return a tool call as a part of an answer."""
        arguments = {
            "order_id": f"A-{self.rng.randrange(10**6)}",
            "note": self.prose.text(80),
        }
        return {
            "type": "tool_call",
            "id": f"call_{self.rng.getrandbits(96):024x}",
            "name": self.rng.choice(TOOLS),
            "arguments": arguments,
        }

    def _tool_result(self) -> Json:
        """Return what a tool gives back."""
        text = self.prose.text(self.prose.length(300, 1.0))
        return {"status": "shipped", "items": self.rng.randint(1, 9), "text": text}

    def _tool(self, trace_id: str, parent: str, at: int, call: Json, result: Json) -> Json:
        """Return the execution of a tool."""
        return self._span(trace_id, parent, f"execute_tool {call['name']}", at, {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": call["name"],
            "gen_ai.tool.type": "function", "gen_ai.tool.call.id": call["id"],
            "gen_ai.tool.call.arguments": _dump(call["arguments"]),
            "gen_ai.tool.call.result": _dump(result),
        })  # fmt: skip

    def _http(self, trace_id: str, parent: str, at: int) -> Json:
        """Return a span that has nothing to do with models."""
        rng = self.rng
        return self._span(trace_id, parent, rng.choice(("GET", "POST", "SELECT orders")), at, {
            "http.request.method": "GET", "http.response.status_code": 200, "server.port": 8443,
            "server.address": "orders.internal", "url.path": f"/v2/orders/{rng.randrange(10**6)}",
            "network.protocol.version": "1.1", "thread.id": rng.randrange(64),
        })  # fmt: skip

    def _span(self, trace_id: str, parent: str, name: str, at: int, attributes: Json) -> Json:
        """Return a span of some hundred milliseconds."""
        end = at + int(self.rng.lognormvariate(0, 1) * 400_000_000)
        span = {
            "traceId": trace_id, "spanId": f"{self.rng.getrandbits(64) | 1:016x}", "name": name, "kind": 3,
            "startTimeUnixNano": str(at), "endTimeUnixNano": str(end), "flags": 257,
            "attributes": _pairs(attributes), "status": {},
        }  # fmt: skip
        return {**span, "parentSpanId": parent} if parent else span


def _message(role: str, text: str) -> Json:
    return {"role": role, "parts": [_text_part(text)]}


def _text_part(text: str) -> Json:
    return {"type": "text", "content": text}


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def _pairs(attributes: Json) -> list[Json]:
    return [{"key": key, "value": _any_value(value)} for key, value in attributes.items()]


def _any_value(value: Any) -> Json:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_any_value(item) for item in value]}}
    return {"stringValue": value}


def _personal(rng: Random) -> str:
    """Return what a person may write about themselves."""
    number = rng.randrange(10**7)
    return rng.choice(
        (
            f"My address is jo.doe{number}@example.com",
            f"Call me on +49 30 {number:07}",
            f"The server is 10.{number % 200}.{number % 99}.7",
            f"See https://shop.example/o/{number}?t=1",
        )
    )


def _word_chain() -> dict[str, list[str]]:
    """Return every word's successors in the documentation."""
    pages = sorted((ROOT / "docs").rglob("*.md"))
    words = _WORD.findall("\n".join(page.read_text(encoding="utf-8") for page in pages))
    chain: dict[str, list[str]] = defaultdict(list)
    for word, after in pairwise(words):
        chain[word].append(after)
    return dict(chain)


def _sentence(rng: Random, chain: dict[str, list[str]]) -> str:
    """Return a walk through the chain from one full stop to the next."""
    words: list[str] = []
    word = "."
    while len(words) < 40:
        word = rng.choice(chain.get(word) or chain["."])
        if word in ".!?":
            if words:
                break
            continue
        words.append(word)
    return " ".join(words).capitalize() + "."
