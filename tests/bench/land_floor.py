"""The bare floor: the fastest honest way we know to the span columns as Parquet.

orjson, attributes to a dict, one list per column, pyarrow, zstd. No redaction, no pseudonyms, no
privacy, no side tables, no duplicates, no ledger, no other dialect than the one of the bench, and
nothing that guards against odd input.
"""

from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.lake import SPANS

_SCHEMA = arrow_schema(SPANS)
_NAMES = {
    "operation_name": "gen_ai.operation.name", "provider": "gen_ai.provider.name",
    "request_model": "gen_ai.request.model", "response_model": "gen_ai.response.model",
    "response_id": "gen_ai.response.id", "temperature": "gen_ai.request.temperature",
    "system_fingerprint": "openai.response.system_fingerprint",
    "service_tier": "openai.response.service_tier", "is_stream": "gen_ai.request.stream",
    "max_tokens": "gen_ai.request.max_tokens", "finish_reasons": "gen_ai.response.finish_reasons",
    "input_tokens": "gen_ai.usage.input_tokens", "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "input_messages_redacted": "gen_ai.input.messages",
    "output_messages_redacted": "gen_ai.output.messages",
    "system_instructions_redacted": "gen_ai.system_instructions",
    "tool_name": "gen_ai.tool.name", "agent_name": "gen_ai.agent.name",
    "retrieval_query_redacted": "gen_ai.retrieval.query.text",
    "user_key": "user.id", "tenant_key": "app.tenant.id",
    "session_key": "gen_ai.conversation.id", "request_id": "app.request.id",
    "prompt_name": "app.prompt.name", "prompt_version": "app.prompt.version",
}  # fmt: skip
_TTFT = "gen_ai.response.time_to_first_chunk"
_TYPES = {"chat": "llm", "retrieval": "retrieval", "execute_tool": "tool", "invoke_agent": "agent"}


def land_bare(path: Path, target: Path) -> int:
    """Write one object's spans as one Parquet file; return how many there were."""
    columns: dict[str, list[Any]] = {name: [] for name in _SCHEMA.names}
    appends = {name: columns[name].append for name in columns}
    with path.open("rb") as lines:
        for line in lines:
            for resource in orjson.loads(line)["resourceSpans"]:
                described = _attributes(resource["resource"]["attributes"])
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        _append(appends, span, described, scope["scope"])
    n_rows = len(columns["trace_id"])
    columns["source_offset"] = list(range(n_rows))
    columns["source_object"] = [path.name] * n_rows
    columns["source_sha256"] = ["0" * 64] * n_rows
    columns["arrived_at"] = columns["started_at"]
    arrays = []
    for field in _SCHEMA:
        values = columns[field.name]
        arrays.append(pa.array(values, field.type) if values else pa.nulls(n_rows, field.type))
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA), target, compression="zstd")
    return n_rows


def _append(
    appends: dict[str, Any], span: dict[str, Any], resource: dict[str, Any], scope: dict[str, Any]
) -> None:
    """Add one span to the columns."""
    found = _attributes(span["attributes"])
    take = found.pop
    for column, name in _NAMES.items():
        appends[column](take(name, None))
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    duration_ms = (end - start) / 1e6
    ttft_s = take(_TTFT, None)
    appends["trace_id"](span["traceId"])
    appends["span_id"](span["spanId"])
    appends["parent_span_id"](span.get("parentSpanId"))
    appends["dialect"]("otel_genai")
    appends["span_name"](span["name"])
    appends["otel_kind"](span["kind"])
    appends["started_at"](start // 1000)
    appends["ended_at"](end // 1000)
    appends["duration_ms"](duration_ms)
    appends["ttft_ms"](None if ttft_s is None else ttft_s * 1000)
    appends["scope_name"](scope["name"])
    appends["scope_version"](scope["version"])
    appends["feature"](take("app.feature", None) or resource["service.name"])
    appends["service_name"](resource["service.name"])
    appends["service_version"](resource["service.version"])
    appends["environment"](resource["deployment.environment.name"])
    appends["status"]("unset")
    appends["sample_weight"](1.0)
    appends["is_clock_skewed"](end < start)
    appends["consent"]("unknown")
    appends["is_text_withheld"](False)  # noqa: FBT003 - a value, not an option
    operation = appends["operation_name"].__self__[-1]
    appends["span_type"](_TYPES.get(operation, "other"))
    appends["is_leaf_model_call"](operation == "chat")
    inputs = appends["input_messages_redacted"].__self__[-1]
    outputs = appends["output_messages_redacted"].__self__[-1]
    appends["input_text_redacted"](_last_text(inputs, "user"))
    appends["output_text_redacted"](_last_text(outputs, "assistant"))
    appends["attributes_redacted"](orjson.dumps(found).decode() if found else None)
    appends["resource_attributes_redacted"](orjson.dumps(resource).decode())


def _attributes(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return attributes as a mapping."""
    return {pair["key"]: _value(pair["value"]) for pair in pairs}


def _value(value: dict[str, Any]) -> Any:
    """Return a plain value."""
    for kind, inner in value.items():
        if kind == "intValue":
            return int(inner)
        if kind == "arrayValue":
            return [_value(item) for item in inner["values"]]
        return inner
    return None


def _last_text(messages: str | None, role: str) -> str | None:
    """Return the text of the last message of somebody."""
    if messages is None:
        return None
    for message in reversed(orjson.loads(messages)):
        if message["role"] == role:
            texts = [part["content"] for part in message["parts"] if part["type"] == "text"]
            return "\n".join(texts) if texts else None
    return None
