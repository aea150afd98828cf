"""Look at many fields in one pass: nearly all of them hold nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from include.freezeline.redaction.glance import plain_texts
from include.freezeline.redaction.keys import TellingKeys
from include.freezeline.redaction.named import NamedFinder
from include.freezeline.redaction.scanner import Scanner

# Texts that are looked at together; more would not stay in the processor's cache.
_CHUNK_CHARS = 32_000


@dataclass(frozen=True, slots=True)
class Tools:
    """What all scopes of a redactor share.

    Attributes:
        scanner: Finds values.
        keys: Which JSON keys tell what their value is.
        named: Finds names and addresses, when a language model is set.
        max_field_chars: Longer texts are dropped.
    """

    scanner: Scanner
    keys: TellingKeys
    named: NamedFinder | None
    max_field_chars: int


def clean_ones(tools: Tools, fields: Sequence[str], *, is_json: bool) -> set[int]:
    """Return the numbers of the fields that surely hold no value.

    Args:
        tools: Of the redactor.
        fields: Texts of any traces together.
        is_json: Whether they are JSON documents.
    """
    if tools.named:
        return set()
    texts: list[str] = []
    owners: list[int] = []
    clean: set[int] = set()
    for number, field in enumerate(fields):
        if len(field) <= tools.max_field_chars:
            found = plain_texts(field, tools.keys) if is_json else (field,)
            if found is not None:
                texts.extend(found)
                owners.extend([number] * len(found))
                clean.add(number)
    return clean - _suspects(tools.scanner, texts, owners)


def _suspects(scanner: Scanner, texts: Sequence[str], owners: Sequence[int]) -> set[int]:
    """Return the owners of the texts that may hold a value."""
    suspects: set[int] = set()
    low = 0
    while low < len(texts):
        high, size = low, 0
        while high < len(texts) and size < _CHUNK_CHARS:
            size += len(texts[high])
            high += 1
        try:
            numbers = scanner.suspects(texts[low:high])
        except Exception:  # Each on its own then: only those at fault are dropped.
            numbers = set(range(high - low))
        suspects.update(owners[low + number] for number in numbers)
        low = high
    return suspects
