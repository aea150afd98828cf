"""A subject's ids in what was published: reports and other texts of the store people read."""

from collections.abc import Iterator

from include.freezeline.adapters.object_store import ObjectStore
from include.freezeline.erasure.quotes import Quotes
from include.freezeline.erasure.receipt import Finding
from include.freezeline.errors import StoreNotFoundError

_TEXTS = {".json": "application/json", ".html": "text/html", ".md": "text/markdown",
          ".csv": "text/csv", ".jsonl": "application/jsonl", ".txt": "text/plain"}  # fmt: skip
SIGNED = "freeze.json"
_SIGNED_REASON = "the document is signed; the next night publishes one without the id"


class PublishedStore:
    """The published objects, as an erasure sees them."""

    def __init__(self, store: ObjectStore) -> None:
        """Look at the objects of a store."""
        self._store = store

    def find(self, quotes: Quotes) -> list[Finding]:
        """List the objects that hold an id of the subject."""
        return [_finding(key, n_deleted=0) for key, _ in self._quoting(quotes)]

    def erase(self, quotes: Quotes) -> list[Finding]:
        """Write those objects again with a word in the place of each id."""
        done = []
        for key, text in list(self._quoting(quotes)):
            if key != SIGNED:
                data = quotes.replace(text).encode("utf-8")
                self._store.write_bytes(key, data, content_type=_TEXTS[_suffix(key)])
            done.append(_finding(key, n_deleted=1))
        return done

    def _quoting(self, quotes: Quotes) -> Iterator[tuple[str, str]]:
        """Yield keys and texts of the objects that hold an id."""
        for key in self._keys() if quotes else ():
            text = self._store.read_bytes(key).decode("utf-8", "replace")
            if quotes.are_in(text):
                yield key, text

    def _keys(self) -> list[str]:
        """List the text objects; a store that does not exist yet has none."""
        try:
            return [o.key for o in self._store.list_objects() if _suffix(o.key) in _TEXTS]
        except StoreNotFoundError:
            return []


def _finding(key: str, *, n_deleted: int) -> Finding:
    """Describe one object."""
    store = f"published/{key}"
    if key == SIGNED:
        return Finding(store, 0, 1, _SIGNED_REASON)
    return Finding(store, 1, n_deleted=n_deleted)


def _suffix(key: str) -> str:
    """Return what a key ends in, with the dot."""
    return key[key.rfind(".") :] if "." in key else ""
