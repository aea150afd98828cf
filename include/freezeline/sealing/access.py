"""Who wants to read originals and why, as far as a machine can judge that."""

import re
from dataclasses import dataclass
from datetime import datetime

from include.freezeline.errors import BreakGlassError
from include.freezeline.sealing.policy import AccessRules

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_WORD = re.compile(r"[^\W_]+")
_MIN_WORDS = 3
_MAX_CHARS = 500


@dataclass(frozen=True, slots=True)
class Requester:
    """Who takes responsibility for what follows.

    Attributes:
        person: Who, as they name themselves.
        login_name: The account that the command runs under.
        reason: Why.
        ticket: Where that is written down.
        requested_at: When.
    """

    person: str
    login_name: str
    reason: str
    ticket: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """What somebody asks to read.

    Attributes:
        by: Who, and why.
        trace_id: Whose originals.
        span_id: Only those of this span; None for all.
    """

    by: Requester
    trace_id: str
    span_id: str | None


def check_request(request: AccessRequest, rules: AccessRules) -> None:
    """Refuse a request that names no trace, or whose requester says too little.

    Raises:
        BreakGlassError: The first thing that is wrong.
    """
    _require(
        _TRACE_ID.fullmatch(request.trace_id) is not None,
        f"--trace: got {request.trace_id[:80]!r}, expected 32 lower-case hex digits",
    )
    _require(
        request.span_id is None or _SPAN_ID.fullmatch(request.span_id) is not None,
        f"--span: got {str(request.span_id)[:80]!r}, expected 16 lower-case hex digits",
    )
    check_requester(request.by, rules)


def check_requester(by: Requester, rules: AccessRules) -> None:
    """Refuse who names no person or ticket, or gives a reason that says nothing.

    Raises:
        BreakGlassError: The first thing that is wrong; the reason itself is not repeated.
    """
    _require(
        re.fullmatch(rules.person_pattern, by.person) is not None,
        f"--person: got {by.person[:80]!r}, expected what matches {rules.person_pattern}",
    )
    _require(
        re.fullmatch(rules.ticket_pattern, by.ticket) is not None,
        f"--ticket: got {by.ticket[:80]!r}, expected what matches {rules.ticket_pattern}",
    )
    _check_reason(by.reason, rules)
    _require(
        all(_is_plain(text) for text in (by.person, by.ticket, by.login_name)),
        f"--person, --ticket: control characters, or more than {_MAX_CHARS} characters",
    )


def _check_reason(reason: str, rules: AccessRules) -> None:
    """Refuse a reason that says nothing.

    Raises:
        BreakGlassError: It is too short, too long, or made of empty words.
    """
    n_chars = len(reason.strip())
    _require(
        rules.min_reason_chars <= n_chars <= _MAX_CHARS and _is_plain(reason),
        f"--reason: {n_chars} characters, expected a sentence of {rules.min_reason_chars} to "
        f"{_MAX_CHARS} on one line",
    )
    empty = {word.casefold() for word in rules.empty_words}
    words = {word.casefold() for word in _WORD.findall(reason)}
    telling = {word for word in words if word not in empty and len(set(word)) > 1}
    _require(
        len(telling) >= _MIN_WORDS,
        f"--reason: {len(telling)} telling words, expected {_MIN_WORDS} (say what is broken and "
        "what the text will show)",
    )


def _is_plain(text: str) -> bool:
    """Whether a text is of one line, of bounded length, and shows all it holds."""
    return text.isprintable() and len(text) <= _MAX_CHARS


def _require(condition: object, message: str) -> None:
    """Refuse a request.

    Raises:
        BreakGlassError: The condition does not hold.
    """
    if not condition:
        raise BreakGlassError(message)
