"""The field names of interaction logs: one table, that the reader and its documentation share."""

from collections.abc import Mapping
from typing import Any

from include.freezeline.readers.foreign import folded

# Field, and the other names it is read from. Case, "_", "-", "." and spaces do not matter:
# ``inputTokens`` is ``input_tokens``. The first name that has a value wins.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "start_time": ("started_at", "timestamp", "@timestamp", "time", "ts", "created_at", "created"),
    "end_time": ("ended_at", "finished_at", "completed_at"),
    "duration_ms": ("latency_ms", "response_time_ms", "elapsed_ms"),
    "duration_s": ("latency_s", "duration_seconds", "latency_seconds", "elapsed_s"),
    "id": ("request_id", "call_id", "interaction_id", "event_id", "uuid"),
    "trace_id": (),
    "span_id": (),
    "parent_span_id": ("parent_id",),
    "trace_state": (),
    "span_name": (),
    "span_type": ("kind",),
    "operation": ("operation_name",),
    "is_leaf_model_call": (),
    "service_name": ("service", "app", "application"),
    "service_version": ("app_version",),
    "environment": ("env", "deployment_environment"),
    "feature": ("use_case", "product_feature"),
    "route": ("endpoint",),
    "locale": ("language", "lang"),
    "request_id": (),
    "canary_id": (),
    "session_id": ("conversation_id", "thread_id", "chat_id", "session"),
    "user_id": ("end_user_id", "user", "end_user", "customer_user_id"),
    "tenant_id": ("tenant", "customer_id", "organization_id", "org_id", "account_id"),
    "provider": ("model_provider", "vendor"),
    "request_model": ("model", "model_name", "model_id"),
    "response_model": ("served_model",),
    "response_id": ("completion_id",),
    "system_fingerprint": (),
    "is_stream": ("stream", "streamed", "streaming"),
    "temperature": (),
    "top_p": (),
    "max_tokens": ("max_output_tokens", "max_completion_tokens"),
    "seed": (),
    "reasoning_level": ("reasoning_effort",),
    "service_tier": (),
    "input_tokens": ("prompt_tokens", "tokens_in", "n_input_tokens"),
    "output_tokens": ("completion_tokens", "tokens_out", "n_output_tokens"),
    "cache_read_tokens": ("cached_tokens", "cached_input_tokens", "cache_read_input_tokens"),
    "cache_write_tokens": ("cache_creation_input_tokens",),
    "reasoning_tokens": (),
    "usage": ("token_usage",),
    "ttft_ms": ("time_to_first_token_ms", "first_token_ms"),
    "tpot_ms": ("time_per_output_token_ms",),
    "queue_ms": ("queue_time_ms",),
    "prefill_ms": (),
    "decode_ms": (),
    "finish_reasons": ("finish_reason", "stop_reason"),
    "status": ("outcome", "success"),
    "error": ("exception",),
    "error_type": ("error_code", "error_class", "exception_type"),
    "error_message": ("error_text", "exception_message"),
    "http_status": ("status_code", "http_status_code"),
    "input_messages": ("messages", "prompt_messages"),
    "input_text": ("prompt", "input", "question", "query", "user_message"),
    "output_messages": ("response_messages",),
    "output_text": ("response", "completion", "output", "answer", "response_text"),
    "system_instructions": ("system_prompt", "system"),
    "prompt_name": ("prompt_id", "template_name"),
    "prompt_version": ("template_version",),
    "prompt_hash": ("template_hash",),
    "tool_name": ("tool",),
    "tool_call_id": (),
    "tool_arguments": ("tool_args", "tool_input"),
    "tool_result": ("tool_output",),
    "tool_calls_requested": ("tool_calls",),
    "agent_name": ("agent",),
    "workflow_name": ("workflow",),
    "retrieval_query": (),
    "retrieval_documents": ("documents", "contexts", "retrieved_documents"),
    "cost_reported_usd": ("cost_usd", "total_cost_usd"),
    "sample_weight": ("sampling_weight",),
    "sample_ratio": ("sampling_ratio", "sample_rate"),
    "consent": ("storage_consent",),
    "data_class": ("data_classification",),
    "feedback": ("user_feedback", "rating", "thumbs"),
    "feedback_comment": ("comment",),
    "evaluations": ("scores", "evals"),
    "attributes": ("attributes_extra", "extra"),
    "resource_attributes": ("resource",),
    "metadata": ("meta",),
}
# What a name may stand for: field, and how many names of that field come before it.
_USES: dict[str, list[tuple[str, int]]] = {}
for _field, _others in FIELDS.items():
    for _rank, _name in enumerate((_field, *_others)):
        _USES.setdefault(folded(_name), []).append((_field, _rank))
TIME_FIELDS = ("start_time", "end_time")
CALL_FIELDS = ("request_model", "response_model", "input_messages", "input_text", "output_messages",
               "output_text")  # fmt: skip


def has_call_fields(document: Mapping[str, Any]) -> bool:
    """Return whether an object has a time, and a model or a text."""
    fields = {field for name in document for field, _ in _USES.get(folded(str(name)), ())}
    return not fields.isdisjoint(TIME_FIELDS) and not fields.isdisjoint(CALL_FIELDS)


def named_fields(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an object's values by field, and its members that are no field.

    ``request_id`` is both a field and what identifies the line when there is no ``id``.
    """
    found: dict[str, tuple[int, Any]] = {}
    rest: dict[str, Any] = {}
    for name, value in document.items():
        uses = _USES.get(folded(str(name)))
        if uses is None:
            rest[name] = value
        elif value is not None and value != "":
            for field, rank in uses:
                if field not in found or rank < found[field][0]:
                    found[field] = (rank, value)
    return {field: value for field, (_, value) in found.items()}, rest
