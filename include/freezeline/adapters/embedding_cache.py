"""Vectors by the hash of their text and by what computed them, in one SQLite file."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
_LOOKUP_SIZE = 500
# A file of an earlier layout holds vectors that no text's hash finds any more.
_LAYOUT = 2
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_Found = TypeVar("_Found")


def text_hash(text: str) -> str:
    """Return the key of a text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class EmbeddingCache:
    """Vectors that are known; a damaged file is replaced, as any cache may be.

    A vector belongs to the hash of its text and to a variant: model, runtime and precision. So a
    text is forgotten whatever model embedded it.
    """

    def __init__(self, path: Path, timeout_s: float = 30.0) -> None:
        """Remember the file; it is made on first use.

        Args:
            path: The file.
            timeout_s: How long to wait for another process that holds it.
        """
        self._path, self._timeout_s = path, timeout_s

    def load(self, variant: str, hashes: Sequence[str]) -> dict[str, Float32Array]:
        """Return the vectors of a variant that are known, by the hash of their text."""

        def read(connection: sqlite3.Connection) -> dict[str, Float32Array]:
            found: dict[str, Float32Array] = {}
            for part, places in _parts(hashes):
                rows = connection.execute(
                    "select text_hash, vector from vectors "
                    f"where variant = ? and text_hash in ({places})",
                    [variant, *part],
                )
                found.update({key: np.frombuffer(blob, dtype="<f4") for key, blob in rows})
            return found

        return self._run(read)

    def save(self, variant: str, vectors: Mapping[str, Float32Array]) -> None:
        """Keep vectors by the hash of their text; all of them or none."""
        rows = [(key, variant, row.astype("<f4").tobytes()) for key, row in vectors.items()]

        def write(connection: sqlite3.Connection) -> None:
            with connection:
                connection.executemany("insert or replace into vectors values (?, ?, ?)", rows)

        self._run(write)

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

        def delete(connection: sqlite3.Connection) -> int:
            n_known = sum(_count(connection, part, places) for part, places in _parts(hashes))
            if n_known and not is_trial:
                with connection:
                    for part, places in _parts(hashes):
                        connection.execute(
                            f"delete from vectors where text_hash in ({places})", part
                        )
                connection.execute("vacuum")
            return n_known

        return self._run(delete)

    def _run(self, work: Callable[[sqlite3.Connection], _Found]) -> _Found:
        """Do something with the file, starting afresh when it is damaged, and only then.

        A file that is locked, or a disk that is full, is not damaged: others use what is in it.

        Raises:
            sqlite3.Error: The file cannot be used now.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(self._connect()) as connection:
                return work(connection)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
        for path in (self._path, *map(Path, (f"{self._path}-journal", f"{self._path}-wal"))):
            path.unlink(missing_ok=True)
        with closing(self._connect()) as connection:
            return work(connection)

    def _connect(self) -> sqlite3.Connection:
        """Connect, drop what an earlier layout left and make the table."""
        connection = sqlite3.connect(self._path, timeout=self._timeout_s)
        try:
            connection.execute("pragma secure_delete = on")
            if connection.execute("pragma user_version").fetchone()[0] < _LAYOUT:
                _start_layout(connection)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an error says that a file is no database, or a broken one."""
    # The low byte is the kind; the rest says what exactly is broken.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


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
