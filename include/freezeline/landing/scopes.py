"""Redaction scopes, and how a text goes through one."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

FIELDS_SCANNED = "FIELDS_SCANNED"
FIELDS_DROPPED = "FIELDS_DROPPED"
_MAX_SCOPES = 10_000

Tally = Counter[str]


class Finding(Protocol):
    """A value the redactor replaced."""

    @property
    def type(self) -> str:
        """EMAIL, PHONE, ..."""


class Redacted(Protocol):
    """What a redactor returns."""

    @property
    def text(self) -> str:
        """The text with its values replaced."""

    @property
    def findings(self) -> Sequence[Finding]:
        """What was replaced."""

    @property
    def is_dropped(self) -> bool:
        """Whether the text could not be scanned, so that ``text`` is only a stand-in."""


class Looked(Protocol):
    """What one pass over many texts found."""

    @property
    def clean(self) -> Collection[int]:
        """Numbers of the texts that surely hold nothing to redact."""

    @property
    def documents(self) -> Mapping[int, Any]:
        """Parsed JSON, by the number of its text, that holds values known to the look."""

    @property
    def findings(self) -> Collection[str]:
        """Texts that hold values, known to the look."""


class Scope(Protocol):
    """A redactor that gives one value one placeholder, for one trace."""

    def redact_text(self, text: str, looked: Any = None) -> Redacted:
        """Redact plain text; what a look at it has found need not be searched again."""

    def redact_json(self, json_text: str) -> Redacted:
        """Redact the strings inside JSON."""

    def redact_document(self, document: Any, looked: Any) -> Redacted:
        """Redact a document of a look."""


class Scopes:
    """One redaction scope per trace of an object, the latest ones.

    A trace that comes back after very many others starts to number its placeholders anew.
    """

    def __init__(self, new_scope: Callable[[], Scope]) -> None:
        """Start without any."""
        self._new_scope = new_scope
        self._scopes: dict[str, Scope] = {}

    def of(self, trace_id: str | None) -> Scope:
        """Return the scope of a trace; rows without one share one."""
        name = trace_id or ""
        scope = self._scopes.pop(name, None) or self._new_scope()
        self._scopes[name] = scope
        if len(self._scopes) > _MAX_SCOPES:
            del self._scopes[next(iter(self._scopes))]
        return scope


def scan(redact: Callable[..., Redacted], tally: Tally, *given: Any) -> str | None:
    """Redact, or drop what cannot be scanned; whatever went wrong must not let text through.

    Args:
        redact: What redacts.
        tally: Counts of values by entity type, added to.
        given: What it is given.
    """
    redacted: Redacted | None
    try:
        redacted = redact(*given)
    except Exception:  # Fail closed: no kind of failure may let raw text pass.
        redacted = None
    if redacted is None or redacted.is_dropped:
        tally[FIELDS_DROPPED] += 1
        return None
    tally[FIELDS_SCANNED] += 1
    tally.update(finding.type for finding in redacted.findings)
    return redacted.text
