"""Redact: the redactor of the landing step as a filter of JSON lines."""

import json
from collections.abc import Iterable, Iterator

from include.freezeline.config import config_dir
from include.freezeline.redaction.engine import DROPPED_TEXT, load_redactor
from include.freezeline.settings import Settings


def redact_lines(settings: Settings, lines: Iterable[str]) -> Iterator[str]:
    """Redact the ``text`` of every JSON line.

    Each line is a scope of its own: numbering of placeholders starts again. A line that is not
    an object with a string ``text`` comes out with ``<DROPPED>`` and an ``error``.

    Args:
        settings: Where the rules are.
        lines: ``{"text": ...}`` each; blank lines are left out.

    Yields:
        ``{"text": ..., "found": [{"type", "start", "end"}]}``, offsets in the input text.

    Raises:
        ConfigError: The rules are wrong.
    """
    redactor = load_redactor(config_dir(settings))
    for line in lines:
        if not line.strip():
            continue
        text = _text_of(line)
        if text is None:
            error = 'not a JSON object with a string "text"'
            yield json.dumps({"text": DROPPED_TEXT, "found": [], "error": error})
            continue
        redacted = redactor.redact_text(text)
        found = [{"type": f.type, "start": f.start, "end": f.end} for f in redacted.findings]
        # ASCII escapes: a lone surrogate in the input cannot be printed any other way.
        yield json.dumps({"text": redacted.text, "found": found})


def _text_of(line: str) -> str | None:
    """Return the text of an input line, or None when it has none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    text = record.get("text") if isinstance(record, dict) else None
    return text if isinstance(text, str) else None
