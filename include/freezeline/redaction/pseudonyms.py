"""Keyed pseudonyms: people and customers stay countable and joinable, but not nameable."""

import hashlib
import hmac
from typing import Literal, get_args

PseudonymKind = Literal["tenant", "user", "session", "series_hash"]

_KINDS = frozenset(get_args(PseudonymKind))
_HEX_DIGITS = 32


class Pseudonymiser:
    """Turns identifiers into pseudonyms that only the holder of the key can reproduce."""

    def __init__(self, key: bytes) -> None:
        """Keep the key.

        Args:
            key: Secret of the HMAC; another key gives other pseudonyms.

        Raises:
            ValueError: The key is empty, so that anybody could reproduce the pseudonyms.
        """
        if not key:
            message = "the pseudonym key is empty (set FREEZELINE_PSEUDONYM_KEY to a secret)"
            raise ValueError(message)
        self._keyed = hmac.new(key, digestmod=hashlib.sha256)

    def pseudonym(self, kind: str, value: str) -> str:
        """Return the pseudonym of an identifier: ``u_`` and 32 hex digits for a user.

        The kind is part of what is hashed, so a user and a tenant of one name stay apart.

        Args:
            kind: tenant, user or session, or series_hash for a metric series that may name one.
            value: The identifier as the source sent it.

        Raises:
            ValueError: There is no such kind.
        """
        if kind not in _KINDS:
            message = f"no pseudonyms for {kind!r} (use one of tenant, user, session, series_hash)"
            raise ValueError(message)
        text = f"{kind}\x1f{value}".encode("utf-8", "surrogatepass")
        digest = self._keyed.copy()  # keyed already, which is half of the work
        digest.update(text)
        return f"{kind[0]}_{digest.hexdigest()[:_HEX_DIGITS]}"
