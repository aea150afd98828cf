"""The bare floor: the fastest honest way we know to the same columns as Parquet.

orjson, attributes to a dict, one list per column, pyarrow, zstd: the columns that landing fills of
spans, retrieved documents and tool calls. No redaction, no pseudonyms, no privacy, no duplicates,
no ledger, no other dialect than the one of the bench, and nothing that guards against odd input.
"""

from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.lake import RETRIEVAL_DOCUMENTS, SPANS, TOOL_CALLS

_TABLES = {table.name: arrow_schema(table) for table in (SPANS, RETRIEVAL_DOCUMENTS, TOOL_CALLS)}
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


def land_bare(path: Path, folder: Path) -> int:
    """Write one object's rows as one Parquet file per table; return how many spans there were."""
    columns: dict[str, dict[str, list[Any]]] = {
        name: {column: [] for column in schema.names} for name, schema in _TABLES.items()
    }
    appends = {
        name: {column: values.append for column, values in table.items()}
        for name, table in columns.items()
    }
    n_spans = 0
    with path.open("rb") as lines:
        for line in lines:
            for resource in orjson.loads(line)["resourceSpans"]:
                described = _attributes(resource["resource"]["attributes"])
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        _append(appends, span, described, scope["scope"], n_spans)
                        n_spans += 1
    for name, schema in _TABLES.items():
        _write(columns[name], schema, path, folder / f"{path.stem}_{name}.parquet")
    return n_spans


def _write(columns: dict[str, list[Any]], schema: pa.Schema, source: Path, target: Path) -> None:
    """Write a table."""
    n_rows = len(columns["trace_id"])
    columns["source_object"] = [source.name] * n_rows
    columns["source_sha256"] = ["0" * 64] * n_rows
    columns["arrived_at"] = [0] * n_rows
    arrays = []
    for field in schema:
        values = columns[field.name]
        arrays.append(pa.array(values, field.type) if values else pa.nulls(n_rows, field.type))
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), target, compression="zstd")


def _append(
    tables: dict[str, dict[str, Any]],
    span: dict[str, Any],
    resource: dict[str, Any],
    scope: dict[str, Any],
    offset: int,
) -> None:
    """Add one span to the columns."""
    found = _attributes(span["attributes"])
    appends = tables["spans"]
    take = found.pop
    taken = {column: take(name, None) for column, name in _NAMES.items()}
    for column, value in taken.items():
        appends[column](value)
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    duration_ms = (end - start) / 1e6
    ttft_s, n_tokens = take(_TTFT, None), taken["output_tokens"]
    trace_id, span_id, operation = span["traceId"], span["spanId"], taken["operation_name"]
    appends["trace_id"](trace_id)
    appends["span_id"](span_id)
    appends["parent_span_id"](span.get("parentSpanId"))
    appends["dialect"]("otel_genai" if operation else "plain")
    appends["span_name"](span["name"])
    appends["otel_kind"](span["kind"])
    appends["started_at"](start // 1000)
    appends["ended_at"](end // 1000)
    appends["duration_ms"](duration_ms)
    ttft_ms = None if ttft_s is None else ttft_s * 1000
    appends["ttft_ms"](ttft_ms)
    appends["ttft_source"](None if ttft_s is None else "attribute")
    tpot_ms = None
    if ttft_ms is not None and n_tokens is not None and n_tokens > 1 and duration_ms > ttft_ms:
        tpot_ms = (duration_ms - ttft_ms) / (n_tokens - 1)
    appends["tpot_ms"](tpot_ms)
    appends["tpot_source"](None if tpot_ms is None else "computed")
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
    appends["source_offset"](offset)
    appends["span_type"](_TYPES.get(operation, "other"))
    appends["is_leaf_model_call"](operation == "chat")
    outputs = taken["output_messages_redacted"]
    outputs = None if outputs is None else orjson.loads(outputs)
    asked = _last_text(taken["input_messages_redacted"], "user")
    answered = None if outputs is None else _text_of(outputs[0])
    appends["input_text_redacted"](asked)
    appends["output_text_redacted"](answered)
    appends["input_text_chars"](None if asked is None else len(asked))
    appends["output_text_chars"](None if answered is None else len(answered))
    appends["output_text_words"](None if answered is None else len(answered.split()))
    identity = trace_id, span_id, start // 1000, offset
    documents = take("gen_ai.retrieval.documents", None)
    if documents is not None:
        documents = orjson.loads(documents)
        _append_documents(tables["retrieval_documents"], documents, *identity)
    appends["retrieved_document_count"](None if documents is None else len(documents))
    appends["retrieval_score_max"](
        None if documents is None else max(document["score"] for document in documents)
    )
    if operation == "execute_tool":
        call = _executed(take, taken["tool_name"])
        _append_calls(tables["tool_calls"], [call], *identity)
    elif outputs is not None:
        _append_calls(tables["tool_calls"], _requested(outputs), *identity)
    appends["attributes_redacted"](orjson.dumps(found).decode() if found else None)
    appends["resource_attributes_redacted"](orjson.dumps(resource).decode())


def _append_documents(
    appends: dict[str, Any], documents: list[Any], trace_id: str, span_id: str, at: int, offset: int
) -> None:
    """Add retrieved documents to the columns."""
    for rank, document in enumerate(documents):
        appends["trace_id"](trace_id)
        appends["span_id"](span_id)
        appends["document_rank"](rank)
        appends["document_id"](document["id"])
        appends["document_score"](document["score"])
        appends["content_redacted"](document["content"])
        appends["retrieved_at"](at)
        appends["source_offset"](offset)


def _append_calls(
    appends: dict[str, Any],
    calls: list[dict[str, Any]],
    trace_id: str,
    span_id: str,
    at: int,
    offset: int,
) -> None:
    """Add tool calls to the columns."""
    for number, call in enumerate(calls):
        appends["trace_id"](trace_id)
        appends["span_id"](span_id)
        appends["call_index"](number)
        appends["called_at"](at)
        appends["source_offset"](offset)
        for column, value in call.items():
            appends[column](value)


def _executed(take: Any, name: str | None) -> dict[str, Any]:
    """Return the call of a tool that ran."""
    return {
        "role": "executed",
        "tool_call_id": take("gen_ai.tool.call.id", None),
        "tool_name": name,
        "tool_type": take("gen_ai.tool.type", None),
        "arguments_redacted": take("gen_ai.tool.call.arguments", None),
        "result_redacted": take("gen_ai.tool.call.result", None),
        "is_error": False,
    }


def _requested(outputs: list[Any]) -> list[dict[str, Any]]:
    """Return the calls that an answer asks for."""
    return [
        {
            "role": "requested",
            "tool_call_id": part["id"],
            "tool_name": part["name"],
            "tool_type": "function",
            "arguments_redacted": orjson.dumps(part["arguments"]).decode(),
            "result_redacted": None,
            "is_error": None,
        }
        for message in outputs
        for part in message["parts"]
        if part["type"] == "tool_call"
    ]


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
            return _text_of(message)
    return None


def _text_of(message: dict[str, Any]) -> str | None:
    """Return the text of a message."""
    texts = [part["content"] for part in message["parts"] if part["type"] == "text"]
    return "\n".join(texts) if texts else None
