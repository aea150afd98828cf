"""The lists of dialects and producers: a new one is one module and one line here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.batch_output import is_batch_output, read_batch_output
from include.freezeline.readers.interaction_log import (
    is_interaction,
    is_interaction_log,
    read_interaction,
    read_interaction_log,
)
from include.freezeline.readers.langfuse import is_langfuse, is_langfuse_export, read_langfuse
from include.freezeline.readers.langfuse_export import (
    is_manifest,
    is_observation,
    is_trace,
    read_manifest,
    read_observation,
    read_trace,
)
from include.freezeline.readers.langfuse_scores import is_score, read_score
from include.freezeline.readers.litellm import (
    is_litellm,
    is_litellm_call,
    read_litellm,
    read_litellm_call,
)
from include.freezeline.readers.mcp import is_mcp, read_mcp
from include.freezeline.readers.names import ByNames, Names
from include.freezeline.readers.openinference import is_openinference, read_openinference
from include.freezeline.readers.openllmetry import is_openllmetry, read_openllmetry
from include.freezeline.readers.otel_genai import (
    is_otel_genai,
    is_otel_genai_legacy,
    read_otel_genai,
)
from include.freezeline.readers.otlp import Origin, Span
from include.freezeline.readers.plain import is_plain, read_plain
from include.freezeline.readers.records import Record
from include.freezeline.readers.result import Row
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.upload_hook import is_upload_hook, read_upload_hook
from include.freezeline.readers.vercel import (
    is_vercel,
    is_vercel_legacy,
    read_vercel,
    read_vercel_legacy,
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one instrumentation writes spans.

    Attributes:
        name: What the column ``dialect`` says.
        matches: Whether a span is written in it, told by the names of its attributes and its scope
            alone: the answer is worked out once for all spans that have the same ones.
        read: Returns the columns of a span; ``details``, when it is there, maps names of side
            tables to rows without ids, times and offsets, which are added (see ``details``).
    """

    name: str
    matches: Callable[[Span], bool]
    read: Callable[[Span, AttributeView], Row]


@dataclass(frozen=True, slots=True)
class Producer:
    """A tool that writes documents of its own rather than OTLP.

    Attributes:
        name: First part of the ledger's ``format``.
        signal: traces, scores or content.
        matches: Whether a JSON document, or a row of a table as a mapping, is one of its own.
        read: Yields the records of a document, given the object's key, the document and the
            blocked attributes. A logged call becomes a ``Span`` whose attributes a dialect above
            knows; other records become ``SideRows``; what cannot be used is ``Refused``.
    """

    name: str
    signal: str
    matches: Callable[[Any], bool]
    read: Callable[[str, Any, BlockList], Iterator[Record]]


# First hit wins: dialects that also write GenAI attributes come before the plain GenAI ones.
DIALECTS = (
    Dialect("interaction_log", is_interaction, read_interaction),
    Dialect("litellm", is_litellm_call, read_litellm_call),
    Dialect("langfuse_export", is_langfuse_export, read_langfuse),
    Dialect("langfuse", is_langfuse, read_langfuse),
    Dialect("openinference", is_openinference, read_openinference),
    Dialect("vercel_legacy", is_vercel_legacy, read_vercel_legacy),
    Dialect("vercel", is_vercel, read_vercel),
    Dialect("openllmetry", is_openllmetry, read_openllmetry),
    Dialect("mcp", is_mcp, read_mcp),
    Dialect("otel_genai", is_otel_genai, read_otel_genai),
    Dialect("otel_genai_legacy", is_otel_genai_legacy, read_otel_genai),
    Dialect("plain", is_plain, read_plain),
)

# First hit wins.
PRODUCERS: tuple[Producer, ...] = (
    Producer("langfuse_export", "traces", is_observation, read_observation),
    Producer("langfuse_export", "traces", is_trace, read_trace),
    Producer("langfuse_export", "scores", is_score, read_score),
    Producer("langfuse_manifest", "unknown", is_manifest, read_manifest),
    Producer("batch_output", "traces", is_batch_output, read_batch_output),
    Producer("litellm", "traces", is_litellm, read_litellm),
    Producer("upload_hook", "content", is_upload_hook, read_upload_hook),
    # Last, because its names are everybody's: it takes what no other producer claims.
    Producer("interaction_log", "traces", is_interaction_log, read_interaction_log),
)


def _dialect_of(names: Names) -> Dialect:
    """Ask the dialects about a span that has nothing but a scope's name and attribute names."""
    scope_name, *attributes = names
    origin = Origin({}, scope_name, "")
    span = Span(
        origin, "", "", "", "", "", 0, 0, 0, dict.fromkeys(attributes), (), (), 0, ""
    )  # fmt: skip
    return next(dialect for dialect in DIALECTS if dialect.matches(span))


_dialects = ByNames(_dialect_of)


def find_dialect(span: Span) -> Dialect:
    """Return the dialect of a span."""
    return dialect_of_names(span.origin.scope_name, tuple(span.attributes))


def dialect_of_names(scope_name: str, names: Names) -> Dialect:
    """Return the dialect of every span that has this scope and attributes of these names."""
    return _dialects[(scope_name, *names)]


def find_producer(document: Any) -> Producer | None:
    """Return the producer of a document that is not OTLP, or None when nobody claims it."""
    return next((producer for producer in PRODUCERS if producer.matches(document)), None)
