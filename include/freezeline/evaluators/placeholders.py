"""Placeholders that redaction left in a text, such as ``<EMAIL_1>``: what stood there is unknown."""

import re

PLACEHOLDER = re.compile(r"<([A-Z][A-Z0-9_]{0,40})_\d{1,9}>")
DROPPED = "<DROPPED>"
# A string is passed over as a whole, one that never ends up to the end, so that none of its
# quotation marks is looked at again.
_STRING_OR_PLACEHOLDER = re.compile(rf'"(?:[^"\\]|\\.?)*+(?:"|\Z)|{PLACEHOLDER.pattern}', re.DOTALL)


def with_quoted_placeholders(text: str) -> str:
    """Return a JSON text in which placeholders outside of strings are strings.

    A number that was redacted leaves a placeholder without quotes, which is no JSON.
    """
    return _STRING_OR_PLACEHOLDER.sub(
        lambda found: found[0] if found[0].startswith('"') else f'"{found[0]}"', text
    )


def holds_placeholder(value: object) -> bool:
    """Whether a JSON value holds a placeholder in any of its strings."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str) and PLACEHOLDER.search(each):
            return True
        if isinstance(each, dict):
            waiting += [*each, *each.values()]
        elif isinstance(each, list):
            waiting += each
    return False
