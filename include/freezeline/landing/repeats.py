"""Find rows that repeat another row of their object word for word.

Rows that share the key but differ in content are all kept: staging picks the richest. What a row
says is only worked out when another row is about the same thing, or when the object comes in
several batches; of rows of earlier batches only a digest is kept.
"""

import hashlib
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import orjson

from include.freezeline.landing.records import Row

_DIGEST_BYTES = 16
_ORDINAL = "source_offset"


class RepeatFinder:
    """Tells first copies from repeats, for one table of one object."""

    def __init__(self, key: Sequence[str]) -> None:
        """Take the columns that say what a row is about."""
        self._key = tuple(key)
        self._digests: set[bytes] = set()

    def split(self, rows: Sequence[Row], *, is_last: bool = True) -> tuple[list[Row], list[Row]]:
        """Return first copies and repeats, both in the order given.

        Args:
            rows: The rows of one batch.
            is_last: Whether no batch will follow; then most rows need no digest.
        """
        if is_last and not self._digests:
            return self._split_few(rows)
        return self._split_by_digest(rows, range(len(rows)))

    def _split_few(self, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        """Split rows, looking only into those that are about the same thing as another."""
        identity = _getter(self._key)
        about = [identity(row) for row in rows]
        if len(set(about)) == len(rows):
            return list(rows), []
        seen: set[Any] = set()
        shared = {each for each in about if each in seen or seen.add(each)}  # type: ignore[func-returns-value]
        return self._split_by_digest(
            rows, [number for number, each in enumerate(about) if each in shared]
        )

    def _split_by_digest(
        self, rows: Sequence[Row], suspects: Iterable[int]
    ) -> tuple[list[Row], list[Row]]:
        """Split rows of which only the suspects can be repeats."""
        repeated: set[int] = set()
        for number in suspects:
            digest = _digest(rows[number])
            if digest in self._digests:
                repeated.add(number)
            else:
                self._digests.add(digest)
        if not repeated:
            return list(rows), []
        kept = [row for number, row in enumerate(rows) if number not in repeated]
        return kept, [rows[number] for number in sorted(repeated)]


def _getter(key: tuple[str, ...]) -> Any:
    """Return a function that gives the key's values of a row; a missing one is null."""
    fetch = itemgetter(*key)

    def identity(row: Row) -> Any:
        try:
            return fetch(row)
        except KeyError:
            return tuple(row.get(name) for name in key)

    return identity


def _digest(row: Row) -> bytes:
    """Return a digest of what a row says; null says no more than a missing value."""
    content = {name: row[name] for name in sorted(row) if row[name] is not None}
    content.pop(_ORDINAL, None)
    try:
        text = orjson.dumps(content, default=repr)
    except TypeError:  # lone surrogates, integers beyond 64 bits
        text = repr(content).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=_DIGEST_BYTES).digest()
