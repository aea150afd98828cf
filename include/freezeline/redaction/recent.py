"""Texts with values that were redacted lately."""

from collections import OrderedDict
from itertools import count
from typing import NamedTuple

from include.freezeline.redaction.scanner import Finding

_MAX_TEXTS = 256
_MAX_CHARS = 100_000


class RedactedText(NamedTuple):
    """A text that may be written.

    Attributes:
        text: The text with placeholders; ``<DROPPED>`` when it could not be scanned.
        findings: Values replaced. Offsets are in the input; those of ``redact_json`` are in the
            string, after JSON decoding, that held the value.
        is_dropped: Whether the text could not be scanned and was thrown away.
    """

    text: str
    findings: tuple[Finding, ...] = ()
    is_dropped: bool = False


class RecentTexts:
    """The latest results, by scope and text: within a scope a text always comes out the same."""

    def __init__(self) -> None:
        """Start with none."""
        self._results: OrderedDict[tuple[int, str], RedactedText] = OrderedDict()
        self._scopes = count()

    def next_scope(self) -> int:
        """Return a number for a new scope."""
        return next(self._scopes)

    def get(self, scope: int, text: str) -> RedactedText | None:
        """Return what a text became in a scope; None when that is not known any more."""
        return self._results.get((scope, text)) if self._results else None

    def put(self, scope: int, text: str, redacted: RedactedText) -> None:
        """Remember what a text became."""
        if len(text) > _MAX_CHARS:
            return
        self._results[scope, text] = redacted
        if len(self._results) > _MAX_TEXTS:
            self._results.popitem(last=False)
