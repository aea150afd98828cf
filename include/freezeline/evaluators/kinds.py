"""What kind of text an answer is, as questions with yes or no, and the hosts that it links to."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from include.freezeline.evaluators.fences import fenced
from include.freezeline.evaluators.languages import is_readable_english
from include.freezeline.evaluators.scripts import is_mostly_latin
from include.freezeline.evaluators.shape import ENCODED, INSTRUCTION, ROLE, is_json
from include.freezeline.stats.rare_events import Events

_ELEMENTS = (
    "a|article|b|body|br|button|code|div|em|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input"
    "|li|link|main|meta|nav|ol|option|p|pre|script|section|select|span|strong|style|svg|table|tbody"
    "|td|th|thead|title|tr|u|ul"
)
_MARKUP = re.compile(
    rf"<\?xml\b|<!doctype\b|</?(?:{_ELEMENTS})(?:\s[^<>]{{0,500}})?/?>", re.IGNORECASE
)
_CLOSING = re.compile(r"</[a-zA-Z][\w:-]{0,60}>")
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,300}\]\(|<img\b", re.IGNORECASE)
_HOST = re.compile(r"\b(?:https?|ftp|wss?)://(?:[^\s/@]{1,100}@)?([\w.-]{1,253})", re.IGNORECASE)

_MANY_INSTRUCTIONS = 2


def _has(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    """Return whether a text has a match."""
    return lambda text: pattern.search(text) is not None


# All of these are seldom there by chance; what is in one class in every answer is no event in it.
KINDS: dict[str, Callable[[str], bool]] = {
    "has_code_fence": lambda text: "```" in text,
    "is_fenced": lambda text: fenced(text) is not None,
    "has_blob": _has(ENCODED),
    "has_role_marker": _has(ROLE),
    # Once is advice, twice in one answer is the voice of a prompt.
    "gives_instructions": lambda text: len(INSTRUCTION.findall(text)) >= _MANY_INSTRUCTIONS,
    "is_json_document": lambda text: is_json(text) == 1.0,
    "has_markup": lambda text: bool(_MARKUP.search(text) or _CLOSING.search(text)),
    "is_another_language": lambda text: is_mostly_latin(text) and not is_readable_english(text),
    "is_another_script": lambda text: not is_mostly_latin(text),
    "has_image": _has(_IMAGE),
}
NEW_HOST = "links_to_new_host"
KIND_NAMES = (*KINDS, NEW_HOST)


def events_of(texts: Sequence[str]) -> Events:
    """Return of what kind texts are."""
    states = [[int(is_so(text)) for is_so in KINDS.values()] for text in texts]
    return Events(
        np.array(states, dtype=np.int64).reshape(len(texts), len(KINDS)),
        tuple(_hosts(text) for text in texts),
    )


def _hosts(text: str) -> frozenset[str]:
    """Return the hosts of the links of a text, without ``www.``."""
    return frozenset(host.lower().removeprefix("www.").strip(".") for host in _HOST.findall(text))
