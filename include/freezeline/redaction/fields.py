"""Look at many fields in one pass: nearly all of them hold nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from include.freezeline.redaction.glance import PlainJson, may_open, plain_json
from include.freezeline.redaction.keys import TellingKeys
from include.freezeline.redaction.known import KnownTexts
from include.freezeline.redaction.named import NamedFinder
from include.freezeline.redaction.recent import RecentTexts
from include.freezeline.redaction.scanner import Finding, Scanner

# Texts that are looked at together; more would not stay in the processor's cache.
_CHUNK_CHARS = 64_000

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Tools:
    """What all scopes of a redactor share.

    Attributes:
        scanner: Finds values.
        keys: Which JSON keys tell what their value is.
        named: Finds names and addresses, when a language model is set.
        max_field_chars: Longer texts are dropped.
        known: Strings of JSON that hold nothing, and no document either.
        recent: Texts that hold something, and what they became.
    """

    scanner: Scanner
    keys: TellingKeys
    named: NamedFinder | None
    max_field_chars: int
    known: KnownTexts
    recent: RecentTexts


@dataclass(slots=True)
class Looked:
    """What one pass over many fields found.

    Attributes:
        clean: Numbers of the fields that surely hold no value and no key that tells of one.
        documents: JSON fields, by number, that hold a value and need not be walked.
        findings: Values by the text that holds them: a field, or a string of those documents.
    """

    clean: set[int] = field(default_factory=set)
    documents: dict[int, Any] = field(default_factory=dict)
    findings: dict[str, list[Finding]] = field(default_factory=dict)


def look(tools: Tools, fields: Sequence[str], *, is_json: bool) -> Looked:
    """Look at fields together; what is neither clean nor found in needs a look of its own.

    That is also what holds control characters, which could hide a value.

    Args:
        tools: Of the redactor.
        fields: Texts of any traces together.
        is_json: Whether they are JSON documents.
    """
    looked = Looked()
    if tools.named:
        return looked
    numbers = [n for n, text in enumerate(fields) if len(text) <= tools.max_field_chars]
    if is_json:
        parsed = {n: plain_json(fields[n], tools.keys, tools.known) for n in numbers}
        plain = {number: document for number, document in parsed.items() if document is not None}
        _look_into(tools, plain, looked)
    else:
        # Most answers were looked at just before, as strings of the messages they are parts of.
        looked.clean.update(number for number in numbers if fields[number] in tools.known)
        numbers = [number for number in numbers if number not in looked.clean]
        found = _found_in(tools.scanner, [fields[number] for number in numbers])
        for number, findings in zip(numbers, found, strict=True):
            if findings:
                looked.findings[fields[number]] = findings
            elif findings is not None:
                looked.clean.add(number)
    return looked


def _look_into(tools: Tools, plain: Mapping[int, PlainJson], looked: Looked) -> None:
    """Look at the texts of parsed documents."""
    texts = [text for document in plain.values() for text in document.texts]
    found = iter(_found_in(tools.scanner, texts))
    for number, document in plain.items():
        is_clean, is_sure = True, document.is_flat and document.is_as_written
        for text, findings in zip(document.texts, found, strict=False):
            if findings:
                looked.findings[text] = findings
            elif findings is not None and not may_open(text):
                tools.known.note(text)
            is_sure = is_sure and findings is not None
            is_clean = is_clean and not findings and findings is not None
        if is_clean:
            looked.clean.add(number)
        elif is_sure:
            looked.documents[number] = document.document


def _found_in(scanner: Scanner, texts: Sequence[str]) -> list[list[Finding] | None]:
    """Return the values of each text; None where the look failed."""
    result: list[list[Finding] | None] = [None] * len(texts)
    for chunk, found in _in_chunks(texts, scanner.found_in):
        if found is not None:
            result[chunk.start : chunk.stop] = [found.get(n, []) for n in range(len(chunk))]
    return result


def _in_chunks(
    texts: Sequence[str], ask: Callable[[Sequence[str]], _Answer]
) -> list[tuple[range, _Answer | None]]:
    """Return what is found in texts, some thousand characters at a time; None where it failed."""
    answers: list[tuple[range, _Answer | None]] = []
    low = 0
    while low < len(texts):
        high, size = low, 0
        while high < len(texts) and size < _CHUNK_CHARS:
            size += len(texts[high])
            high += 1
        try:
            answer: _Answer | None = ask(texts[low:high])
        except Exception:  # Each on its own then: only those at fault are dropped.
            answer = None
        answers.append((range(low, high), answer))
        low = high
    return answers
