"""Expressions that Hyperscan runs, many in one pass."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import hyperscan

from include.freezeline.errors import ConfigError
from include.freezeline.redaction.controls import CONTROLS
from include.freezeline.redaction.rules import Gate

Hit = tuple[int, int]
"""Number of the trigger's owner, and where the trigger ended in the text."""

# Owners from this number on are gates, of which one match is enough.
FIRST_GATE = 1 << 20


@dataclass(frozen=True, slots=True)
class Trigger:
    """An expression that a value must contain.

    Attributes:
        owner: Number of the rule.
        expression: What Hyperscan runs.
        gate: What a text must hold for the expression to be run at all. Expressions that begin
            with a class of characters are slow, and most texts hold no such thing.
    """

    owner: int
    expression: str
    gate: Gate | None = None


class Database:
    """Expressions that run in one pass."""

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        """Compile."""
        self._database = hyperscan.Database()
        try:
            self._database.compile(
                expressions=[trigger.expression.encode() for trigger in triggers],
                ids=[trigger.owner for trigger in triggers],
                elements=len(triggers),
                flags=[
                    hyperscan.HS_FLAG_SINGLEMATCH if t.owner >= FIRST_GATE else 0 for t in triggers
                ],
            )
        except hyperscan.error as error:
            # The library does not say which one, so each is tried.
            message = f"redaction/default.yml: trigger {_first_bad(triggers)!r}: {error}"
            raise ConfigError(message + " (no look-around or back-references)") from error
        self._local = threading.local()

    def hits(self, shape: bytes) -> list[Hit]:
        """Return owner and end of every match."""
        hits: list[Hit] = []
        try:
            scratch = self._local.scratch
        except AttributeError:  # Scratch memory is one per thread.
            scratch = self._local.scratch = hyperscan.Scratch(self._database)
        self._database.scan(shape, match_event_handler=_note, context=hits, scratch=scratch)
        return hits


def _note(owner: int, _start: int, end: int, _flags: int, hits: Any) -> None:
    """Remember a hit; Hyperscan calls this."""
    hits.append((owner, end))


def _first_bad(triggers: Iterable[Trigger]) -> str:
    """Return the first expression that does not compile."""
    for trigger in triggers:
        expression = trigger.expression
        try:
            hyperscan.Database().compile(expressions=[expression.encode()], ids=[0], elements=1)
        except hyperscan.error:
            return expression
    return "together"


def control_ends(shape: bytes) -> list[int]:
    """Return where control characters end, line breaks and tabs not counted, which hide nothing."""
    return [end for _, end in _control_database().hits(shape)]


@lru_cache(maxsize=1)
def _control_database() -> Database:
    """Compile once what finds control characters, several times as fast as arrays do."""
    return Database([Trigger(0, CONTROLS)])
