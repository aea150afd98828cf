"""Calls that LiteLLM's object store loggers write: one ``StandardLoggingPayload`` per call.

A payload becomes a span with GenAI attributes, so that everything that holds for spans holds for
it. Only members named here are read: the payload also carries key hashes, e-mail addresses, IP
addresses, headers and the price list, none of which leaves this module.
"""

import re
from collections.abc import Iterator
from typing import Any

from include.freezeline.hashing import stable_hash
from include.freezeline.readers.answers import finish_reasons, input_messages, output_messages
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.costs import to_cost_usd
from include.freezeline.readers.evaluations import EVALUATION_EVENT
from include.freezeline.readers.foreign import as_object, known, without_personal
from include.freezeline.readers.foreign_ids import foreign_trace_id
from include.freezeline.readers.litellm_search import search_spans
from include.freezeline.readers.litellm_usage import (
    call_kind,
    is_stored_answer,
    known_usage,
    unlogged,
)
from include.freezeline.readers.otel_genai import read_otel_genai
from include.freezeline.readers.otlp import Attributes, Event, Origin, Span, is_trace_id
from include.freezeline.readers.privacy import without_blocked
from include.freezeline.readers.records import Record, Refused
from include.freezeline.readers.result import Row
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.times import any_time_ns
from include.freezeline.readers.values import to_boolean, to_integer, to_number, to_text

CALL_TYPE = "litellm.call_type"
ORIGIN = Origin({"service.name": "litellm"}, "litellm", "")  # payloads name no service
_COST = "litellm.response_cost"
_FIRST_CHUNK_NS = "litellm.completion_start_unix_nano"
_PEOPLE = ("user.id", "session.id", "tenant.id")
_NS_PER_MS = 1_000_000
_CLIENT_KIND = 3
_OK, _ERROR = 1, 2
_MACHINE_ID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\Z")
# Parameters that say how an answer was asked for; the rest may name people or carry headers.
_PARAMETERS = (
    "n", "stop", "presence_penalty", "frequency_penalty", "response_format", "tool_choice",
    "parallel_tool_calls", "logprobs", "top_logprobs", "thinking", "verbosity", "modalities",
    "dimensions", "encoding_format", "top_k", "timeout",
)  # fmt: skip
_USER_AGENT_TAG = "user-agent:"  # LiteLLM tags each request of the proxy with the caller's


def is_litellm(document: Any) -> bool:
    """Return whether a document is a call that LiteLLM logged."""
    return isinstance(document, dict) and "call_type" in document and "startTime" in document


def is_litellm_call(span: Span) -> bool:
    """Return whether a span was made of a logged call."""
    return CALL_TYPE in span.attributes


def read_litellm(_: str, document: Any, blocked: BlockList) -> Iterator[Record]:
    """Yield the logged call of a document as a span, then the searches made for it."""
    start_ns = any_time_ns(document.get("startTime"))
    if not start_ns:
        yield Refused("missing_start_time", "startTime must be Unix seconds after 1973", "traces")
        return
    call = _span(document, start_ns, blocked)
    yield call
    yield from search_spans(call, document.get("metadata"), blocked)


def read_litellm_call(span: Span, view: AttributeView) -> Row:
    """Return the columns of a logged call."""
    row = read_otel_genai(span, view)
    row["operation_name"] = view.text(CALL_TYPE)
    row["cost_reported_usd"] = to_cost_usd(view.text(_COST))
    if row["operation_name"] in ("moderation", "amoderation"):
        row["span_type"] = "guardrail"
    first_ns = view.integer(_FIRST_CHUNK_NS)
    if first_ns is not None:
        row["ttft_ms"] = (first_ns - span.start_ns) / _NS_PER_MS
        row["ttft_source"] = "timestamp"
    view.take(*_PEOPLE)  # whatever names landing.yml reads people from
    return row


def _span(payload: dict[str, Any], start_ns: int, blocked: BlockList) -> Span:
    """Return a payload as a span."""
    metadata = as_object(payload.get("metadata"))
    call_type = to_text(payload.get("call_type")) or "unknown"
    response = payload.get("response")
    attributes: Attributes = {
        CALL_TYPE: call_type,
        **_request(payload, metadata),
        **_response(payload, response, call_kind(call_type)),
        **known_usage(payload, metadata),
        **_people(payload, metadata),
        **_technical(payload, metadata),
    }
    failed = payload.get("status") == "failure"
    error = as_object(payload.get("error_information"))
    if failed:
        attributes["error.type"] = to_text(error.get("error_class"))
        attributes["http.response.status_code"] = to_integer(error.get("error_code"))
    kept = {name: value for name, value in known(attributes).items() if name not in blocked}
    model = to_text(payload.get("model")) or ""
    identity = (payload.get("id"), payload.get("litellm_call_id"), start_ns)
    message = to_text(error.get("error_message")) or to_text(payload.get("error_str"))
    return Span(
        origin=ORIGIN,
        trace_id=_trace_id(payload, identity),
        span_id=stable_hash("litellm", *identity)[:16],
        parent_span_id="",
        trace_state="",
        name=f"{call_type} {model}".strip(),
        kind=_CLIENT_KIND,
        start_ns=start_ns,
        end_ns=any_time_ns(payload.get("endTime")),
        attributes=without_blocked(kept, blocked),
        events=tuple(_guardrail_events(payload.get("guardrail_information"), start_ns)),
        links=(),
        status_code=_ERROR if failed else _OK if payload.get("status") == "success" else 0,
        status_message=(message or "") if failed else "",
    )


def _trace_id(payload: dict[str, Any], identity: tuple[Any, ...]) -> str:
    """Return the trace id of a call.

    LiteLLM's own ids are kept or hashed. A caller's session id also arrives here; its hash could
    be undone by trying likely ids, so such a call is a trace of its own and keeps its session.
    """
    given = (to_text(payload.get("trace_id")) or "").lower()
    if is_trace_id(given):
        return given
    if _MACHINE_ID.match(given):
        return foreign_trace_id(given)
    return stable_hash("litellm", "trace", *identity)


def _request(payload: dict[str, Any], metadata: dict[str, Any]) -> Attributes:
    """Return what was asked for."""
    asked = as_object(payload.get("model_parameters"))
    call_type = to_text(payload.get("call_type")) or ""
    prompt = as_object(metadata.get("prompt_management_metadata"))
    parameters = {name: asked[name] for name in _PARAMETERS if asked.get(name) is not None}
    streams = to_boolean(payload.get("stream"))
    if streams is None:  # null is what a call without a stream has
        streams = to_boolean(asked.get("stream")) or False
    return {
        "gen_ai.operation.name": call_kind(call_type),
        "gen_ai.provider.name": to_text(payload.get("custom_llm_provider")),
        "gen_ai.request.model": to_text(payload.get("model")),
        "gen_ai.request.stream": streams,
        "gen_ai.request.temperature": to_number(asked.get("temperature")),
        "gen_ai.request.top_p": to_number(asked.get("top_p")),
        "gen_ai.request.seed": to_integer(asked.get("seed")),
        "gen_ai.request.max_tokens": to_integer(
            asked.get("max_completion_tokens", asked.get("max_tokens"))
        ),
        "gen_ai.request.reasoning.level": to_text(asked.get("reasoning_effort")),
        "gen_ai.prompt.name": to_text(prompt.get("prompt_id")),
        "gen_ai.prompt.version": to_text(prompt.get("prompt_version")),
        "gen_ai.input.messages": input_messages(unlogged(payload.get("messages"))),
        "gen_ai.tool.definitions": asked.get("tools"),
        "litellm.model_parameters": parameters or None,
        **_tool_and_retrieval(metadata),
    }


def _tool_and_retrieval(metadata: dict[str, Any]) -> Attributes:
    """Return the tool that the proxy called, or what it searched for, in place of a model."""
    tool = as_object(metadata.get("mcp_tool_call_metadata"))
    return {
        "gen_ai.tool.name": to_text(tool.get("name")),
        "gen_ai.tool.call.arguments": tool.get("arguments"),
        "gen_ai.tool.call.result": tool.get("result"),
        "litellm.mcp_server_name": to_text(tool.get("mcp_server_name")),
    }


def _response(payload: dict[str, Any], given: Any, kind: str) -> Attributes:
    """Return who answered and what; vectors are left out."""
    response = as_object(given)
    end_ns = any_time_ns(payload.get("endTime"))
    first_ns = any_time_ns(payload.get("completionStartTime"))
    # Without a first chunk LiteLLM writes the end of the call in its place.
    is_first_known = payload.get("stream") is True and 0 < first_ns != end_ns
    fallback_id = payload.get("id") if payload.get("status") == "success" else None
    return {
        "gen_ai.response.id": to_text(response.get("id")) or to_text(fallback_id),
        "gen_ai.response.model": to_text(response.get("model")),
        "gen_ai.response.finish_reasons": finish_reasons(response),
        "gen_ai.output.messages": None
        if kind == "embeddings"
        else output_messages(unlogged(given)),
        "openai.response.system_fingerprint": to_text(response.get("system_fingerprint")),
        "openai.response.service_tier": to_text(response.get("service_tier")),
        _FIRST_CHUNK_NS: first_ns if is_first_known else None,
    }


def _people(payload: dict[str, Any], metadata: dict[str, Any]) -> Attributes:
    """Return who a call was made for; these become pseudonyms."""
    asked = as_object(payload.get("model_parameters"))
    session = to_text(payload.get("session_id"))
    if session is None:
        trace = to_text(payload.get("trace_id"))
        session = trace if trace is not None and not _MACHINE_ID.match(trace.lower()) else None
    users = (
        payload.get("end_user"),
        metadata.get("user_api_key_end_user_id"),
        asked.get("user"),
        metadata.get("user_api_key_user_id"),
    )
    tenants = (
        metadata.get("user_api_key_team_id"),
        metadata.get("team_id"),
        metadata.get("user_api_key_team_alias"),
        metadata.get("user_api_key_org_id"),
    )
    return {
        "user.id": next((text for each in users if (text := to_text(each))), None),
        "tenant.id": next((text for each in tenants if (text := to_text(each))), None),
        "session.id": session,
    }


def _technical(payload: dict[str, Any], metadata: dict[str, Any]) -> Attributes:
    """Return what helps to judge a call and says nothing about people."""
    error = as_object(payload.get("error_information"))
    hidden = as_object(payload.get("hidden_params"))
    tags = payload.get("request_tags")
    return {
        "litellm.cache_hit": to_boolean(payload.get("cache_hit")),
        "app.is_gateway_cache_hit": is_stored_answer(payload),
        "litellm.api_base": to_text(payload.get("api_base")),
        "litellm.model_id": to_text(payload.get("model_id")),
        "litellm.model_group": to_text(payload.get("model_group")),
        "litellm.overhead_ms": to_number(hidden.get("litellm_overhead_time_ms")),
        "litellm.applied_guardrails": metadata.get("applied_guardrails") or None,
        "litellm.request_tags": [
            tag
            for tag in (tags if isinstance(tags, list) else ())
            if isinstance(tag, str) and not tag.lower().startswith(_USER_AGENT_TAG)
        ]
        or None,
        "litellm.normalized_error": to_text(error.get("normalized_error")),
        "http.route": to_text(metadata.get("user_api_key_request_route")),
        "metadata": _callers_metadata(metadata),
        _COST: _cost(payload),
    }


def _callers_metadata(metadata: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the caller attached to the request, without what names people outright."""
    attached = {
        **as_object(metadata.get("spend_logs_metadata")),
        **as_object(metadata.get("requester_metadata")),
    }
    return without_personal(attached) or None


def _cost(payload: dict[str, Any]) -> str | None:
    """Return the cost; the zero of a failed call, or of a model without a price, is no cost."""
    cost = to_number(payload.get("response_cost"))
    if not cost and (
        payload.get("status") == "failure" or payload.get("response_cost_failure_debug_info")
    ):
        return None
    return to_text(cost)


def _guardrail_events(given: Any, start_ns: int) -> Iterator[Event]:
    """Yield the verdict of each guardrail that ran; what it found may quote the text."""
    for item in given if isinstance(given, list) else [given]:
        verdict = as_object(item)
        name, status = to_text(verdict.get("guardrail_name")), verdict.get("guardrail_status")
        if name is not None and status not in (None, "", "not_run"):
            attributes = {
                "gen_ai.evaluation.name": name,
                "gen_ai.evaluation.score.label": to_text(status),
            }
            yield Event(
                EVALUATION_EVENT, any_time_ns(verdict.get("end_time")) or start_ns, attributes
            )
