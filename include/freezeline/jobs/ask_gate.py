"""Ask the gate: read the document, trust it or not, and answer; nothing else is needed.

Light to import, and part of the gate that is one file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from include.freezeline.adapters.published_source import PublishedSource, read_file
from include.freezeline.adapters.sequence_memory import SequenceMemory
from include.freezeline.errors import FreezelineError
from include.freezeline.freeze.gate import find_problem
from include.freezeline.freeze.signing import verify_document
from include.freezeline.freeze.verdict import Question, Verdict, ask


@dataclass(frozen=True, slots=True)
class GateAccess:
    """What the gate reads.

    Attributes:
        source: Where the document is.
        public_keys: Files of the trusted keys; without any, the key beside the document.
        memory: The sequence numbers seen so far.
        min_sequence: Lowest sequence number to accept.
    """

    source: PublishedSource
    public_keys: tuple[Path, ...]
    memory: SequenceMemory
    min_sequence: int = 0


@dataclass(frozen=True, slots=True)
class Trusted:
    """What was found.

    Attributes:
        document: The genuine document; None when there is none.
        problem: Why nothing can be answered from it; empty when it can.
    """

    document: Mapping[str, Any] | None
    problem: str


def ask_gate(access: GateAccess, question: Question, now: datetime) -> Verdict:
    """Answer a question from what is published; whatever goes wrong is a block."""
    found = load_trusted(access, now)
    return ask(found.document, question, now, problem=found.problem)


def load_trusted(access: GateAccess, now: datetime) -> Trusted:
    """Read the document and say whether it may be used; its sequence number is remembered.

    Only a document without any other problem is remembered, and only one that could be remembered
    is used: who asks for the protection must not silently go without.
    """
    document: Mapping[str, Any] | None = None
    try:
        document = _load_verified(access)
        name = access.source.name
        lowest = max(access.min_sequence, access.memory.highest(name))
        problem = find_problem(document, now, lowest)
        if not problem:
            access.memory.remember(name, int(document.get("sequence", 0)))
    except FreezelineError as error:
        problem = str(error)
    return Trusted(document, problem)


def _load_verified(access: GateAccess) -> Mapping[str, Any]:
    """Read the document and check its signature."""
    data = access.source.read_document()
    if access.public_keys:
        keys = [read_file(path, "correct --public-key") for path in access.public_keys]
        return verify_document(data, keys)
    return verify_document(data, [access.source.read_key()])
