"""Who is to be erased, known by the pseudonym alone.

What outlives an erasure (plans, receipts, tombstones) names its subject by a keyed digest of the
pseudonym, so that no file below the home folder holds the pseudonym itself any more.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from include.freezeline.errors import ErasureError
from include.freezeline.landing.texts import without_controls
from include.freezeline.redaction.pseudonyms import Pseudonymiser

SubjectKind = Literal["user", "session", "tenant"]
IdKind = Literal[
    "user_key",
    "session_key",
    "tenant_key",
    "trace_id",
    "span_id",
    "request_id",
    "response_id",
    "content_name",
    "raw_id",
]
"""Columns that ids are in; that of a span marks one of somebody else, which stays. A raw id, as the
source sends it, is in no column, but a quarantined record may quote it."""

_KEY = re.compile(r"([ust])_[0-9a-f]{32}")
_KINDS: dict[str, SubjectKind] = {kind[0]: kind for kind in get_args(SubjectKind)}
_DIGEST_DIGITS = 32
_PURPOSE = b"freezeline erasure tombstones"
_FORM = (
    "write user:ID, session:ID or tenant:ID with the id as the source sends it, "
    "or a pseudonym key like u_0123456789abcdef0123456789abcdef"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A person, session or tenant.

    Attributes:
        kind: What it is.
        key: Its pseudonym.
        raw_id: The id as the source sends it, to look for it where no pseudonym is made; it is
            never stored or shown. None when only the pseudonym is known.
    """

    kind: SubjectKind
    key: str
    raw_id: str | None = field(default=None, repr=False, compare=False)

    @property
    def column(self) -> IdKind:
        """The column that holds its pseudonym."""
        return own_column(self.kind)


def own_column(kind: SubjectKind) -> IdKind:
    """Return the column that names subjects of a kind."""
    columns: dict[SubjectKind, IdKind] = {
        "user": "user_key",
        "session": "session_key",
        "tenant": "tenant_key",
    }
    return columns[kind]


def parse_subject(text: str, key: bytes) -> Subject:
    """Read a subject as people write it; a raw id becomes its pseudonym here and goes no further.

    Args:
        text: ``user:ID``, ``session:ID``, ``tenant:ID`` or a pseudonym key.
        key: Key of the pseudonyms.

    Raises:
        ErasureError: The text is neither; the message does not repeat it.
    """
    found = _KEY.fullmatch(text)
    if found is not None:
        return Subject(_KINDS[found[1]], text)
    word, colon, given = text.partition(":")
    raw = without_controls(given)  # as landing does before it makes the pseudonym
    kind = _KINDS.get(word[:1]) if word in get_args(SubjectKind) else None
    if not colon or kind is None or not raw.strip():
        shown = f"starts with {word!r}" if colon and len(word) <= len("session") else "has no kind"
        message = f"--subject: not a subject, it {shown} ({_FORM})"
        raise ErasureError(message)
    return Subject(kind, Pseudonymiser(key).pseudonym(kind, raw), raw)


def parse_subject_key(text: str) -> Subject:
    """Read a pseudonym key; raw ids are refused, since the caller may store what it is given.

    Raises:
        ErasureError: The text is no pseudonym key.
    """
    found = _KEY.fullmatch(text)
    if found is None:
        message = (
            "subject_key: not a pseudonym key (ask for it with `erase --subject user:ID`; raw ids "
            "do not belong in the parameters of a run, which are stored)"
        )
        raise ErasureError(message)
    return Subject(_KINDS[found[1]], text)


class Digester:
    """Digests of ids that only the holder of the pseudonym key can make.

    The digest is the SHA-256 of a text, so that a SQL engine can make it as well: see
    :meth:`sql_prefix`.
    """

    def __init__(self, key: bytes) -> None:
        """Derive a secret of its own from the key of the pseudonyms."""
        self._secret = hmac.new(key, _PURPOSE, hashlib.sha256).hexdigest()
        # Hashed once per kind: a landing may ask for millions of digests.
        self._begun = {
            kind: hashlib.sha256(self.sql_prefix(kind).encode()) for kind in get_args(IdKind)
        }

    def sql_prefix(self, kind: IdKind) -> str:
        """Return what stands before an id when its digest is made."""
        return f"{self._secret}\x1f{kind}\x1f"

    def digest(self, kind: IdKind, value: str) -> str:
        """Return the digest of an id: 32 hex digits."""
        state = self._begun[kind].copy()
        state.update(value.encode("utf-8", "surrogatepass"))
        return state.hexdigest()[:_DIGEST_DIGITS]
