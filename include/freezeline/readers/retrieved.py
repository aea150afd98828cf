"""Documents that a retrieval found or a reranker ordered, however they were recorded."""

from collections.abc import Iterable
from typing import Any

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.column_plans import ColumnPlan
from include.freezeline.readers.details import json_column
from include.freezeline.readers.jsontext import parse_json_text, write_json
from include.freezeline.readers.names import Names, names_among
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.result import Row
from include.freezeline.readers.values import to_boolean, to_integer, to_number, to_text

# Span events, and what their attributes' names begin with. Vectors are dropped: long, useless
# here, and the text can be guessed from them.
_EVENT_PREFIXES = {
    "gen_ai.retrieval.document": ("gen_ai.retrieval.document.", "document."),
    "db.query.result": ("db.query.result.",),
    "db.search.result": ("db.search.result.",),
}
_VECTOR_EVENTS = frozenset({"db.query.embeddings", "db.search.embeddings"})
_VECTOR = "vector"
_ID_NAMES = ("id", "document_id", "doc_id", "chunk_id")
# A distance is no score, the least is the best: it stays among the metadata.
_SCORE_NAMES = ("score", "relevance_score", "similarity")
_CONTENT_NAMES = ("content", "text", "page_content", "document")
_PACKED_NAMES = ("is_packed", "packed")
_TOKEN_NAMES = ("document_tokens", "token_count", "tokens")

# What packed documents into a prompt has no convention: services may say it by these names.
_PACKING_NAMES = {
    "packed_document_count": (
        "app.retrieval.packed_document_count",
        "freezeline.retrieval.packed_document_count",
        "retrieval.packed_document_count",
        "rag.context.document_count",
    ),
    "dropped_document_count": (
        "app.retrieval.dropped_document_count",
        "freezeline.retrieval.dropped_document_count",
        "retrieval.dropped_document_count",
        "rag.context.dropped_document_count",
    ),
    "packed_tokens": (
        "app.retrieval.packed_tokens",
        "freezeline.retrieval.packed_tokens",
        "retrieval.packed_tokens",
        "rag.context.tokens",
    ),
    "retrieval_top_k": (
        "app.retrieval.top_k",
        "freezeline.retrieval.top_k",
        "retrieval.top_k",
    ),
}
_PACKING = tuple((name, column) for column, names in _PACKING_NAMES.items() for name in names)
_named_packing = names_among(name for name, _ in _PACKING)


def has_packing(names: Names) -> bool:
    """Return whether attributes of these names say something about packing documents."""
    return bool(_named_packing[names])


def packing_columns(view: AttributeView, found: Row) -> Row:
    """Return what any span says about packing documents, where the dialect said nothing."""
    values = view.values
    row: Row = {}
    if not _named_packing[view.names]:
        return row
    for name, column in _PACKING:
        if name in values and column not in row and found.get(column) is None:
            row[column] = view.tokens(name)
    return row


def retrieval_columns(documents: list[Row] | None) -> Row:
    """Return the columns of a span that found these documents, and their side rows."""
    if documents is None:
        return {"retrieved_document_count": None, "retrieval_score_max": None}
    scores = [row["document_score"] for row in documents if row["document_score"] is not None]
    row: Row = {
        "retrieved_document_count": len(documents),
        "retrieval_score_max": max(scores, default=None),
    }
    if documents:
        row["details"] = {"retrieval_documents": documents}
    return row


def document_rows(documents: Iterable[Any]) -> list[Row]:
    """Return the side rows of documents given as mappings or plain texts."""
    return [_document_row(document) for document in documents]


def taken_documents(view: AttributeView, name: str) -> list[Row] | None:
    """Return the documents that an attribute lists as JSON; None when it is no list."""
    given = view.values.get(name)
    if given is None:
        return None
    found = parse_json_text(given).data
    if isinstance(found, dict):
        found = found.get("documents")
    if not isinstance(found, list):
        return None
    view.take(name)
    return document_rows(found)


def event_documents(span: Span, view: AttributeView) -> list[Row] | None:
    """Return the documents that were recorded as span events; None without any."""
    found = []
    for number, event in enumerate(span.events):
        prefixes = _EVENT_PREFIXES.get(event.name)
        if prefixes is not None:
            view.held_events[number] = {}
            members = {_member(name, prefixes): v for name, v in event.attributes.items()}
            members.pop(_VECTOR, None)
            found.append(members)
        elif event.name in _VECTOR_EVENTS:
            view.held_events[number] = {}
    return document_rows(found) if found else None


def looks_like_documents(items: Any) -> bool:
    """Return whether a list, such as a task's output, holds scored documents."""
    return (
        isinstance(items, list)
        and bool(items)
        and all(
            isinstance(item, dict)
            and any(to_number(item.get(name)) is not None for name in _SCORE_NAMES)
            and any(item.get(name) is not None for name in (*_ID_NAMES, *_CONTENT_NAMES))
            for item in items
        )
    )


def _document_row(document: Any) -> Row:
    """Return the side row of a document; what no column holds is metadata."""
    if not isinstance(document, dict):
        document = {} if document is None else {"content": document}
    row = _DOCUMENT.whole(document)
    if row is not None:
        return row
    view = AttributeView(document)
    row = _DOCUMENT.read(view)
    rest = {name: value for name, value in view.rest().items() if value is not None}
    row["metadata_redacted"] = _metadata(rest)
    return row


def _content(value: Any) -> str | None:
    """Return the content of a document as text; a structured one as JSON."""
    return write_json(value) if isinstance(value, dict | list) and value else to_text(value)


_DOCUMENT = ColumnPlan(
    {
        "document_id": (to_text, _ID_NAMES),
        "document_score": (to_number, _SCORE_NAMES),
        "is_packed": (to_boolean, _PACKED_NAMES),
        "document_tokens": (to_integer, _TOKEN_NAMES),
        "content_redacted": (_content, _CONTENT_NAMES),
        "metadata_redacted": (json_column, ()),  # of what is left over, if anything
    }
)


def _metadata(rest: Row) -> str | None:
    """Return what is left of a document as JSON; its metadata alone when nothing else is."""
    if list(rest) == ["metadata"]:
        return json_column(rest["metadata"])
    given = rest.get("metadata")
    if isinstance(given, str):
        rest["metadata"] = parse_json_text(given).data or given
    return write_json(rest) if rest else None


def _member(name: str, prefixes: tuple[str, ...]) -> str:
    """Return an attribute's name without what its event's name says already."""
    for prefix in prefixes:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name
