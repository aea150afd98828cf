"""Turn calls into spans of the OpenTelemetry SDK with GenAI semantic-convention attributes."""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from include.freezeline.demo.calls import Call
from include.freezeline.demo.personal import plant

_SCHEMA_URL = "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev"
_NS_PER_MS = 1_000_000
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_UNSET = Status(StatusCode.UNSET)
_WORKFLOW = "answer_ticket"
_DATA_SOURCE = "help-centre"

ERRORS: tuple[tuple[int, str, str], ...] = (
    (45, "RateLimitError", "Error code: 429 - Rate limit reached for requests"),
    (70, "APITimeoutError", "Request timed out."),
    (90, "InternalServerError", "Error code: 500 - The server had an error"),
    (
        100,
        "BadRequestError",
        "Error code: 400 - This model's maximum context length is 128000 tokens "
        "(code: context_length_exceeded)",
    ),
)
"""Error types and messages with the upper end of their share in hundredths."""


def build_spans(calls: Iterable[Call]) -> Iterator[ReadableSpan]:
    """Yield the spans of every call in the order a batch processor gets them: children first."""
    for call in calls:
        question = call.question
        if call.personal_data:
            is_code = call.feature.name == "code-helper"
            question = plant(question, call.personal_data, is_code=is_code)
        if call.feature.has_retrieval:
            yield _retrieval_span(call, question)
        yield _chat_span(call, question)
        yield _root_span(call)


def error_of(number: int) -> tuple[str, str]:
    """Return error type and message for a draw of 0 to 99."""
    return next((name, text) for limit, name, text in ERRORS if number < limit)


def _chat_span(call: Call, question: str) -> ReadableSpan:
    """Build the model call."""
    attributes = {**_app_attributes(call), **_request_attributes(call, question)}
    events: tuple[Event, ...] = ()
    status = _UNSET
    if call.error_number is None:
        attributes |= _response_attributes(call)
    else:
        error_type, message = error_of(call.error_number)
        attributes["error.type"] = error_type
        status = Status(StatusCode.ERROR, message)
        described = {"exception.type": error_type, "exception.message": message}
        events = (Event("exception", described, call.call_ended_ns),)
    return ReadableSpan(
        name=f"chat {call.model.name}",
        context=_context(call.trace_id, call.call_span_id),
        parent=_context(call.trace_id, call.root_span_id),
        resource=_resource(call.feature.name, call.environment, call.prompt_version),
        attributes=attributes,
        events=events,
        kind=SpanKind.CLIENT,
        status=status,
        start_time=call.call_started_ns,
        end_time=call.call_ended_ns,
        instrumentation_scope=_scope(f"opentelemetry.instrumentation.genai.{call.model.provider}"),
    )


def _request_attributes(call: Call, question: str) -> dict[str, Any]:
    """Return what the caller asked for."""
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": call.model.provider,
        "gen_ai.request.model": call.model.name,
        "gen_ai.request.temperature": 0.0 if call.canary_id else 0.3,
        "gen_ai.request.max_tokens": 400,
        "gen_ai.prompt.name": call.feature.prompt_name,
        "gen_ai.prompt.version": call.prompt_version,
        "gen_ai.input.messages": _messages("user", question),
    }
    if call.feature.is_stream:
        attributes["gen_ai.request.stream"] = True
    return attributes


def _response_attributes(call: Call) -> dict[str, Any]:
    """Return what the provider answered."""
    finish_reason = "length" if call.is_cut_off else "stop"
    attributes: dict[str, Any] = {
        "gen_ai.response.model": call.model.response_name,
        "gen_ai.response.id": call.response_id,
        "gen_ai.response.finish_reasons": (finish_reason,),
        "gen_ai.usage.input_tokens": call.input_tokens,
        "gen_ai.usage.output_tokens": call.output_tokens,
        "gen_ai.output.messages": _messages("assistant", call.answer, finish_reason),
    }
    if call.cache_read_tokens:
        attributes["gen_ai.usage.cache_read.input_tokens"] = call.cache_read_tokens
    if call.feature.is_stream:
        attributes["gen_ai.response.time_to_first_chunk"] = round(call.ttft_ms / 1000, 6)
    if call.model.fingerprint:
        attributes["openai.response.system_fingerprint"] = call.model.fingerprint
    return attributes


def _retrieval_span(call: Call, question: str) -> ReadableSpan:
    """Build the search that precedes the answer."""
    documents = [{"id": name, "score": score} for name, score in call.documents]
    return ReadableSpan(
        name=f"retrieval {_DATA_SOURCE}",
        context=_context(call.trace_id, call.retrieval_span_id),
        parent=_context(call.trace_id, call.root_span_id),
        resource=_resource(call.feature.name, call.environment, call.prompt_version),
        attributes={
            **_app_attributes(call),
            "gen_ai.operation.name": "retrieval",
            "gen_ai.data_source.id": _DATA_SOURCE,
            "gen_ai.retrieval.query.text": question,
            "gen_ai.retrieval.top_k": 5,
            "gen_ai.retrieval.documents": json.dumps(documents, separators=(",", ":")),
        },
        kind=SpanKind.CLIENT,
        status=_UNSET,
        start_time=call.started_ns + 2 * _NS_PER_MS,
        end_time=call.started_ns + round((2 + call.retrieval_ms) * _NS_PER_MS),
        instrumentation_scope=_scope("helpdesk.retrieval"),
    )


def _root_span(call: Call) -> ReadableSpan:
    """Build the request: a workflow where there are steps, an HTTP server span elsewhere."""
    is_workflow = call.feature.has_retrieval
    attributes = _app_attributes(call)
    if call.locale:  # as applications do, on the root alone
        attributes["app.locale"] = call.locale
    if is_workflow:
        attributes |= {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": _WORKFLOW,
        }
    else:
        attributes |= _http_attributes(call)
    if call.error_number is not None:
        attributes["error.type"] = error_of(call.error_number)[0]
    return ReadableSpan(
        name=f"invoke_workflow {_WORKFLOW}" if is_workflow else f"POST {call.route}",
        context=_context(call.trace_id, call.root_span_id),
        resource=_resource(call.feature.name, call.environment, call.prompt_version),
        attributes=attributes,
        kind=SpanKind.INTERNAL if is_workflow else SpanKind.SERVER,
        status=_UNSET if call.error_number is None else Status(StatusCode.ERROR),
        start_time=call.started_ns,
        end_time=call.call_ended_ns + 3 * _NS_PER_MS,
        instrumentation_scope=_scope(f"{call.feature.name}.app"),
    )


def _http_attributes(call: Call) -> dict[str, Any]:
    """Return the server span's HTTP attributes."""
    return {
        "http.request.method": "POST",
        "http.route": call.route,
        "http.response.status_code": 200 if call.error_number is None else 502,
    }


def _app_attributes(call: Call) -> dict[str, Any]:
    """Return the company's own attributes, which every span of the request carries."""
    attributes: dict[str, Any] = {"app.request.id": call.request_id, "app.route": call.route}
    if call.canary_id:
        attributes["app.canary.id"] = call.canary_id
        return attributes
    attributes["app.tenant.id"] = call.tenant_id
    attributes["user.id"] = call.user_id
    attributes["gen_ai.conversation.id"] = call.session_id
    return attributes


def _messages(role: str, text: str, finish_reason: str | None = None) -> str:
    """Write one message in the convention's JSON, with parts."""
    message: dict[str, Any] = {"role": role, "parts": [{"type": "text", "content": text}]}
    if finish_reason is not None:
        message["finish_reason"] = finish_reason
    return json.dumps([message], separators=(",", ":"))


def _context(trace_id: int, span_id: int) -> SpanContext:
    """Return the context of a sampled local span."""
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=_SAMPLED)


@lru_cache(maxsize=64)
def _resource(service_name: str, environment: str, prompt_version: str) -> Resource:
    """Return the service's resource; a prompt version ships with a release of the service."""
    return Resource(
        {
            "service.name": service_name,
            "service.namespace": "assistants",
            "service.version": f"2.{prompt_version.removeprefix('v')}.0",
            "deployment.environment.name": environment,
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.version": "1.45.2",
        }
    )


@lru_cache(maxsize=16)
def _scope(name: str) -> InstrumentationScope:
    """Return an instrumentation scope."""
    if name.startswith("opentelemetry."):
        return InstrumentationScope(name, "1.3b0", _SCHEMA_URL)
    return InstrumentationScope(name, "2.0.0")
