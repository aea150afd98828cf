"""Redact: the redactor of the landing step as a filter of JSON lines."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from include.freezeline.adapters.language_models import load_tagger
from include.freezeline.config import config_dir
from include.freezeline.redaction.engine import Redactor, load_redactor
from include.freezeline.settings import Settings


@dataclass(frozen=True, slots=True)
class RedactedLine:
    """What came of one input line.

    Attributes:
        number: Number of the input line, from 1.
        output: The line to write; None when the input was refused.
        problem: Why it was refused; names no content.
    """

    number: int
    output: str | None = None
    problem: str | None = None


def open_redactor(settings: Settings) -> Redactor:
    """Load the rules, and the language model for names when one is set.

    Raises:
        ConfigError: The rules are wrong, or the model cannot be loaded.
    """
    return load_redactor(config_dir(settings), load_tagger(settings.redaction_ner))


def redact_lines(settings: Settings, lines: Iterable[bytes]) -> Iterator[RedactedLine]:
    """Redact the ``text`` of every JSON line.

    Each line is a scope of its own: numbering of placeholders starts again. Nothing of a refused
    line comes out.

    Args:
        settings: Where the rules are.
        lines: ``{"text": ...}`` each, in UTF-8; blank lines are left out.

    Yields:
        ``{"text": ..., "found": [{"type", "start", "end"}]}``, offsets in the input text counted
        in Unicode characters, or why the line was refused.

    Raises:
        ConfigError: The rules are wrong.
    """
    redactor = open_redactor(settings)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _redacted_line(redactor, number, line)


def _redacted_line(redactor: Redactor, number: int, line: bytes) -> RedactedLine:
    """Redact one line, or say what is wrong with it."""
    try:
        record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        return RedactedLine(number, problem="not UTF-8")
    except (ValueError, RecursionError):
        return RedactedLine(number, problem="not JSON")
    text = record.get("text") if isinstance(record, dict) else None
    if not isinstance(text, str):
        return RedactedLine(number, problem='not an object with a string "text"')
    redacted = redactor.redact_text(text)
    if redacted.is_dropped:
        return RedactedLine(number, problem="the text cannot be scanned, so it is withheld")
    found = [{"type": f.type, "start": f.start, "end": f.end} for f in redacted.findings]
    # ASCII escapes: a lone surrogate in the input cannot be printed any other way.
    return RedactedLine(number, output=json.dumps({"text": redacted.text, "found": found}))
