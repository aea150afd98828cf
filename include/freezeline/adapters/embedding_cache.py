"""Vectors by the hash of their text and by what computed them, in one SQLite file."""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
_LOOKUP_SIZE = 500
# A file of an earlier layout holds vectors that no text's hash finds any more.
_LAYOUT = 2


def text_hash(text: str) -> str:
    """Return the key of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


class EmbeddingCache:
    """Vectors that are known; a damaged file is replaced, as any cache may be.

    A vector belongs to the hash of its text and to a variant: model, runtime and precision. So a
    text is forgotten whatever model embedded it.
    """

    def __init__(self, path: Path) -> None:
        """Remember the file; it is made on first use."""
        self._path = path

    def load(self, variant: str, hashes: Sequence[str]) -> dict[str, Float32Array]:
        """Return the vectors of a variant that are known, by the hash of their text."""
        found: dict[str, Float32Array] = {}
        with self._open() as connection:
            for part, places in _parts(hashes):
                rows = connection.execute(
                    "select text_hash, vector from vectors "
                    f"where variant = ? and text_hash in ({places})",
                    [variant, *part],
                )
                found.update({key: np.frombuffer(blob, dtype="<f4") for key, blob in rows})
        return found

    def save(self, variant: str, vectors: Mapping[str, Float32Array]) -> None:
        """Keep vectors by the hash of their text; all of them or none."""
        rows = [(key, variant, row.astype("<f4").tobytes()) for key, row in vectors.items()]
        with self._open() as connection, connection:
            connection.executemany("insert or replace into vectors values (?, ?, ?)", rows)

    def forget(self, hashes: Sequence[str], *, is_trial: bool = False) -> int:
        """Delete the vectors of texts so that the file holds nothing of them.

        Args:
            hashes: Hashes of the texts.
            is_trial: Whether only to count.

        Returns:
            How many vectors there were, of any variant.
        """
        if not self._path.exists() or not hashes:
            return 0
        with self._open() as connection:
            n_known = sum(_count(connection, part, places) for part, places in _parts(hashes))
            if n_known and not is_trial:
                with connection:
                    for part, places in _parts(hashes):
                        connection.execute(
                            f"delete from vectors where text_hash in ({places})", part
                        )
                connection.execute("vacuum")
        return n_known

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file, starting afresh when it is not a database."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = self._connect()
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)
            connection = self._connect()
        with closing(connection):
            yield connection

    def _connect(self) -> sqlite3.Connection:
        """Connect, drop what an earlier layout left and make the table."""
        connection = sqlite3.connect(self._path, timeout=30.0)
        try:
            connection.execute("pragma secure_delete = on")
            if connection.execute("pragma user_version").fetchone()[0] < _LAYOUT:
                _start_layout(connection)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection


def _start_layout(connection: sqlite3.Connection) -> None:
    """Make the table; vectors under other keys go, bytes and all."""
    with connection:
        connection.execute("drop table if exists embeddings")
        connection.execute(
            "create table if not exists vectors (text_hash text not null, variant text not null, "
            "vector blob not null, primary key (text_hash, variant))"
        )
        connection.execute(f"pragma user_version = {_LAYOUT}")
    connection.execute("vacuum")


def _count(connection: sqlite3.Connection, part: Sequence[str], places: str) -> int:
    """Return how many vectors some texts have."""
    query = f"select count(*) from vectors where text_hash in ({places})"
    return int(connection.execute(query, list(part)).fetchone()[0])


def _parts(hashes: Sequence[str]) -> Iterator[tuple[list[str], str]]:
    """Yield few hashes at a time, each with its placeholders."""
    for start in range(0, len(hashes), _LOOKUP_SIZE):
        part = list(hashes[start : start + _LOOKUP_SIZE])
        yield part, ",".join("?" * len(part))
