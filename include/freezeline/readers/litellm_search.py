"""Searches in vector stores that LiteLLM made for a call and logs with it."""

from collections.abc import Iterator
from typing import Any

from include.freezeline.hashing import stable_hash
from include.freezeline.readers.foreign import as_object, known
from include.freezeline.readers.messages import message_text
from include.freezeline.readers.otlp import Attributes, Span
from include.freezeline.readers.privacy import without_blocked
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.times import any_time_ns
from include.freezeline.readers.values import to_text

_CALL_TYPE = "vector_store_search"


def search_spans(call: Span, metadata: Any, blocked: BlockList) -> Iterator[Span]:
    """Yield a retrieval span below a call for each search that its metadata tells of.

    Args:
        call: The span of the call.
        metadata: The member ``metadata`` of its payload.
        blocked: Attributes to drop.
    """
    searches = as_object(metadata).get("vector_store_request_metadata")
    for number, search in enumerate(searches if isinstance(searches, list) else ()):
        if isinstance(search, dict):
            start_ns = any_time_ns(search.get("start_time")) or call.start_ns
            yield call._replace(
                span_id=stable_hash("litellm search", call.span_id, number)[:16],
                parent_span_id=call.span_id,
                name=_CALL_TYPE,
                start_ns=start_ns,
                end_ns=any_time_ns(search.get("end_time")),
                attributes=without_blocked({**_people(call), **_attributes(search)}, blocked),
                events=(),
                status_code=0,
                status_message="",
            )


def _people(call: Span) -> Attributes:
    """Return whom the call was made for, and what else its searches share with it."""
    shared = ("user.id", "tenant.id", "session.id", "metadata")
    return {name: call.attributes[name] for name in shared if name in call.attributes}


def _attributes(search: dict[str, Any]) -> Attributes:
    """Return a search as GenAI attributes."""
    found = as_object(search.get("vector_store_search_response")).get("data")
    given: Attributes = {
        "litellm.call_type": _CALL_TYPE,
        "gen_ai.operation.name": "retrieval",
        "gen_ai.provider.name": to_text(search.get("custom_llm_provider")),
        "gen_ai.data_source.id": to_text(search.get("vector_store_id")),
        "gen_ai.retrieval.query.text": to_text(search.get("query")),
        "gen_ai.retrieval.documents": [_document(item) for item in found if isinstance(item, dict)]
        if isinstance(found, list)
        else None,
    }
    return known(given)


def _document(item: dict[str, Any]) -> dict[str, Any]:
    """Return a search result as the conventions list documents."""
    about = {name: item[name] for name in ("filename", "attributes") if item.get(name)}
    return {
        "id": to_text(item.get("file_id")),
        "score": item.get("score"),
        "content": message_text(item),
        "metadata": about or None,
    }
