"""One call as a value: what the span builder and the fact writer need to know."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from include.freezeline.demo.incidents import Columns
from include.freezeline.demo.prompts import PROMPTS, question_text
from include.freezeline.demo.style import AnswerKey, answer_text
from include.freezeline.demo.world import TENANTS, FeatureSpec, ModelSpec, user_name

_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Call:
    """A model call inside one request.

    Attributes:
        feature: Its feature.
        model: The model asked.
        request_id: Business request id, a UUID.
        trace_id: Trace id as a number.
        root_span_id: Span id of the request.
        call_span_id: Span id of the model call.
        retrieval_span_id: Span id of the retrieval.
        response_id: Provider's response id.
        started_ns: When the request began.
        retrieval_ms: Time the retrieval took; 0 without one.
        ttft_ms: Time to the first token.
        duration_ms: Time the model call took.
        question: User's message without planted personal data.
        answer: Answer text; empty on an error.
        error_number: Which error it ends in, None when it succeeds.
        personal_data: Seed of the personal data planted in the question; 0 is none.
        documents: Retrieved document ids and scores.
    """

    feature: FeatureSpec
    model: ModelSpec
    request_id: str
    trace_id: int
    root_span_id: int
    call_span_id: int
    retrieval_span_id: int
    response_id: str
    started_ns: int
    retrieval_ms: float
    ttft_ms: float
    duration_ms: float
    environment: str
    tenant_id: str
    user_id: str
    session_id: str
    locale: str
    route: str
    prompt_version: str
    canary_id: str
    question: str
    answer: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    error_number: int | None
    is_cut_off: bool
    personal_data: int
    documents: tuple[tuple[str, float], ...]

    @property
    def call_started_ns(self) -> int:
        """When the model call began."""
        return self.started_ns + round((8 + self.retrieval_ms) * _NS_PER_MS)

    @property
    def call_ended_ns(self) -> int:
        """When the model call ended."""
        return self.call_started_ns + round(self.duration_ms * _NS_PER_MS)


def iter_calls(feature: FeatureSpec, columns: Columns) -> Iterator[Call]:
    """Yield the calls of a drawn day, one per row."""
    models = {model.name: model for model, _ in feature.models}
    lists = {name: values.tolist() for name, values in columns.items() if name != "ids"}
    ids = columns["ids"]
    for index in range(len(lists["started_ns"])):
        row = {name: values[index] for name, values in lists.items()}
        yield _call(feature, models[row["request_model"]], row, ids[index].tobytes())


def request_id(ids: NDArray[np.generic]) -> str:
    """Return the business request id among a call's id bytes."""
    return str(UUID(bytes=ids[:16].tobytes(), version=4))


def _call(feature: FeatureSpec, model: ModelSpec, row: dict[str, Any], ids: bytes) -> Call:
    """Put one row together."""
    is_error = bool(row["is_error"])
    return Call(
        feature=feature,
        model=model,
        request_id=str(UUID(bytes=ids[:16], version=4)),
        response_id=_response_id(model, ids[56:72]),
        started_ns=row["started_ns"],
        **_span_ids(ids),
        **_timing(feature, row, is_error=is_error),
        **_people(row, ids),
        environment=row["environment"],
        route=row["route"],
        prompt_version=row["prompt_version"],
        canary_id=row["canary_id"],
        question=question_text(PROMPTS[feature.name][row["prompt_number"]], row["phrasing"]),
        answer="" if is_error else _answer(feature, row),
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        cache_read_tokens=row["cache_read_tokens"],
        error_number=row["error_number"] if is_error else None,
        is_cut_off=row["is_cut_off"],
        personal_data=row["personal_data"],
        documents=_documents(row) if feature.has_retrieval else (),
    )


def _span_ids(ids: bytes) -> dict[str, Any]:
    """Cut the ids out of the random bytes; the lowest bit is set so that none is zero."""
    return {
        "trace_id": int.from_bytes(ids[16:32]) | 1,
        "root_span_id": int.from_bytes(ids[32:40]) | 1,
        "call_span_id": int.from_bytes(ids[40:48]) | 1,
        "retrieval_span_id": int.from_bytes(ids[48:56]) | 1,
    }


def _timing(feature: FeatureSpec, row: dict[str, Any], *, is_error: bool) -> dict[str, Any]:
    """Work out how long things take; a stream ends when its last token is out."""
    retrieval_ms = 30 + 90 * row["document_draws"][5] if feature.has_retrieval else 0.0
    tokens_ms = row["tpot_ms"] * max(row["output_tokens"] - 1, 0)
    return {
        "retrieval_ms": retrieval_ms,
        "ttft_ms": row["ttft_ms"],
        "duration_ms": row["ttft_ms"] + (0.0 if is_error else tokens_ms),
    }


def _people(row: dict[str, Any], ids: bytes) -> dict[str, Any]:
    """Name tenant, user and session; probes belong to nobody."""
    if row["tenant"] < 0:
        return {"tenant_id": "", "user_id": "", "session_id": "", "locale": ""}
    user_id = user_name(row["tenant"], row["user"])
    day_number = row["started_ns"] // (86_400 * 10**9)
    return {
        "tenant_id": TENANTS[row["tenant"]].tenant_id,
        "locale": TENANTS[row["tenant"]].locale,
        "user_id": user_id,
        "session_id": f"conv-{day_number}-{user_id}-{ids[0] % 3}",
    }


def _response_id(model: ModelSpec, ids: bytes) -> str:
    """Return an id in the provider's manner."""
    return f"{'chatcmpl-' if model.provider == 'openai' else 'msg_'}{ids.hex()[:24]}"


def _answer(feature: FeatureSpec, row: dict[str, Any]) -> str:
    """Write the answer."""
    return answer_text(AnswerKey(feature.name, row["style"], row["prompt_number"], row["variant"]))


def _documents(row: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    """Return retrieved documents, best first."""
    draws = row["document_draws"][: row["n_documents"]]
    scores = sorted((round(0.55 + 0.4 * draw, 4) for draw in draws), reverse=True)
    names = [f"kb-{(row['prompt_number'] * 17 + n * 5) % 400:04d}" for n in range(len(scores))]
    return tuple(zip(names, scores, strict=True))
