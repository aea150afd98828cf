"""A subject in what was published: ids in reports and other texts, rows in Parquet extracts."""

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.freezeline.adapters.erasure_session import ErasureSession
from include.freezeline.adapters.object_store import ObjectStore
from include.freezeline.erasure.quotes import Quotes
from include.freezeline.erasure.receipt import Finding
from include.freezeline.errors import StoreNotFoundError

_TEXTS = {".json": "application/json", ".html": "text/html", ".md": "text/markdown",
          ".csv": "text/csv", ".jsonl": "application/jsonl", ".txt": "text/plain"}  # fmt: skip
_EXTRACT = ".parquet"
_EXTRACT_TYPE = "application/vnd.apache.parquet"
SIGNED = "freeze.json"
_SIGNED_REASON = "the document is signed; the next night publishes one without the id"


class PublishedStore:
    """The published objects, as an erasure sees them."""

    def __init__(self, session: ErasureSession, store: ObjectStore) -> None:
        """Look at the objects of a store.

        Args:
            session: What is known of the subject.
            store: Where people read.
        """
        self._session = session
        self._store = store

    def find(self, quotes: Quotes) -> list[Finding]:
        """List the objects that hold an id of the subject."""
        found = [_finding(key, n_deleted=0) for key, _ in self._quoting(quotes)]
        return [*found, *(_rows(key, n_rows, 0) for key, n_rows, _ in self._extracts())]

    def erase(self, quotes: Quotes) -> list[Finding]:
        """Write those objects again with a word in the place of each id."""
        done = []
        for key, text in list(self._quoting(quotes)):
            if key != SIGNED:
                data = quotes.replace(text).encode("utf-8")
                self._store.write_bytes(key, data, content_type=_TEXTS[_suffix(key)])
            done.append(_finding(key, n_deleted=1))
        for key, n_rows, kept in list(self._extracts()):
            buffer = io.BytesIO()
            pq.write_table(kept, buffer, compression="zstd")
            self._store.write_bytes(key, buffer.getvalue(), content_type=_EXTRACT_TYPE)
            done.append(_rows(key, n_rows, n_rows))
        return done

    def _extracts(self) -> Iterator[tuple[str, int, pa.Table]]:
        """Yield extracts that hold rows of the subject: key, their number, and the other rows."""
        for key in self._keys({_EXTRACT}):
            data = pq.read_table(io.BytesIO(self._store.read_bytes(key)))
            with self._session.shown("extract", data) as relation:
                shape = self._session.shape(relation)
                where = self._session.condition(shape) or "false"
                mask = self._session.column(f"select {where} from {relation}")
            n_rows = int(pc.sum(mask).as_py() or 0)
            if n_rows:
                yield key, n_rows, data.filter(pc.invert(mask))

    def _quoting(self, quotes: Quotes) -> Iterator[tuple[str, str]]:
        """Yield keys and texts of the objects that hold an id."""
        for key in self._keys(set(_TEXTS)) if quotes else ():
            text = self._store.read_bytes(key).decode("utf-8", "replace")
            if quotes.are_in(text):
                yield key, text

    def _keys(self, suffixes: set[str]) -> list[str]:
        """List objects by what their keys end in; a store that does not exist yet has none."""
        try:
            return [o.key for o in self._store.list_objects() if _suffix(o.key) in suffixes]
        except StoreNotFoundError:
            return []


def _finding(key: str, *, n_deleted: int) -> Finding:
    """Describe one object."""
    store = f"published/{key}"
    if key == SIGNED:
        return Finding(store, 0, 1, _SIGNED_REASON)
    return Finding(store, 1, n_deleted=n_deleted)


def _rows(key: str, n_rows: int, n_deleted: int) -> Finding:
    """Describe the rows of an extract."""
    return Finding(f"published/{key}", n_rows, n_deleted=n_deleted)


def _suffix(key: str) -> str:
    """Return what a key ends in, with the dot."""
    return key[key.rfind(".") :] if "." in key else ""
