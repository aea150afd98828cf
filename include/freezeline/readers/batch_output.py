"""Results of provider batches, one line per request, as OpenAI's batch API hands them out."""

from collections.abc import Iterator
from typing import Any

from include.freezeline.hashing import stable_hash
from include.freezeline.readers.answers import finish_reasons, output_messages
from include.freezeline.readers.foreign import as_object, known
from include.freezeline.readers.litellm import CALL_TYPE, ORIGIN
from include.freezeline.readers.litellm_usage import known_usage
from include.freezeline.readers.otlp import Attributes, Span
from include.freezeline.readers.privacy import without_blocked
from include.freezeline.readers.records import Record, Refused
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.times import any_time_ns
from include.freezeline.readers.values import to_integer, to_text

_CLIENT_KIND = 3
_OK, _ERROR = 1, 2
_FIRST_ERROR = 400
_NO_TIME = "batch results without response.body.created name no time: failures and embeddings"


def is_batch_output(document: Any) -> bool:
    """Return whether a document is one result of a finished batch."""
    return isinstance(document, dict) and {"custom_id", "response", "error"} <= document.keys()


def read_batch_output(_: str, document: Any, blocked: BlockList) -> Iterator[Record]:
    """Yield a result as a span that starts when its answer was created and has no end.

    A batch is worked off whenever there is room, so its calls have no latency. A failed request
    has no time at all; it is refused by name rather than put on a made-up day.
    """
    answer = as_object(document.get("response"))
    body = as_object(answer.get("body"))
    start_ns = any_time_ns(body.get("created", body.get("created_at")))
    if not start_ns:
        yield Refused("unsupported_document:batch_result_without_time", _NO_TIME, "traces")
        return
    status = to_integer(answer.get("status_code"))
    failed = bool(document.get("error")) or (status is not None and status >= _FIRST_ERROR)
    identity = ("batch", to_text(document.get("id")), to_text(body.get("id")), start_ns)
    given = known(_attributes(document, body))
    attributes = {name: value for name, value in given.items() if name not in blocked}
    yield Span(
        origin=ORIGIN,
        trace_id=stable_hash("trace", *identity),
        span_id=stable_hash("span", *identity)[:16],
        parent_span_id="",
        trace_state="",
        name=f"batch {to_text(body.get('model')) or ''}".strip(),
        kind=_CLIENT_KIND,
        start_ns=start_ns,
        end_ns=0,
        attributes=without_blocked(attributes, blocked),
        events=(),
        links=(),
        status_code=_ERROR if failed else _OK,
        status_message="",
    )


def _attributes(document: dict[str, Any], body: dict[str, Any]) -> Attributes:
    """Return what a result says, as GenAI attributes."""
    usage = as_object(body.get("usage"))
    counts = {
        "prompt_tokens": usage.get("prompt_tokens", usage.get("input_tokens")),
        "completion_tokens": usage.get("completion_tokens", usage.get("output_tokens")),
    }
    return {
        CALL_TYPE: "batch",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": to_text(body.get("model")),
        "gen_ai.response.model": to_text(body.get("model")),
        "gen_ai.response.id": to_text(body.get("id")),
        "gen_ai.response.finish_reasons": finish_reasons(body),
        "gen_ai.output.messages": output_messages(body),
        "openai.response.system_fingerprint": to_text(body.get("system_fingerprint")),
        # the answer says "default", the invoice says batch
        "openai.response.service_tier": "batch",
        "request.id": to_text(document.get("custom_id")),
        **known_usage(counts, {"usage_object": usage}),
    }
