"""A subject in what was published: rows of extracts, and ids in reports and other texts."""

from collections.abc import Iterator
from typing import NamedTuple

from include.freezeline.adapters.erasure_session import ErasureSession
from include.freezeline.adapters.object_store import ObjectStore
from include.freezeline.adapters.published_extracts import (
    CONTENT_TYPES,
    LINES,
    keep_manifest_true,
    parse_extract,
)
from include.freezeline.erasure.quotes import Quotes
from include.freezeline.erasure.receipt import HELD, Finding
from include.freezeline.errors import StoreNotFoundError

_TEXTS = {".json": "application/json", ".html": "text/html", ".md": "text/markdown",
          ".csv": "text/csv", ".jsonl": "application/jsonl", ".txt": "text/plain"}  # fmt: skip
SIGNED = "freeze.json"
_SIGNED_REASON = "the document is signed; the next night publishes one without the id"


class _Cut(NamedTuple):
    """An extract with rows of the subject.

    Attributes:
        key: Its key.
        n_theirs: Rows of the subject.
        n_held: Rows of the subject that a legal hold keeps.
        n_others: All rows but the first.
        rest: Its bytes without the first.
    """

    key: str
    n_theirs: int
    n_held: int
    n_others: int
    rest: bytes


class PublishedStore:
    """The published objects, as an erasure sees them."""

    def __init__(
        self,
        session: ErasureSession,
        store: ObjectStore,
        prefix: str = "",
        name: str = "published",
    ) -> None:
        """Look at the objects of a store.

        Args:
            session: What is known of the subject.
            store: Where people read.
            prefix: Beginning of the keys that are ours.
            name: What findings call it.
        """
        self._session = session
        self._store = store
        self._prefix = prefix
        self._name = name

    def find(self, quotes: Quotes) -> list[Finding]:
        """List the objects that hold rows or an id of the subject."""
        cuts = {cut.key: cut for cut in self._cuts()}
        found = [self._rows(cut, 0) for cut in cuts.values()]
        return [*found, *(self._finding(key, 0) for key, _ in self._quoting(quotes, cuts))]

    def erase(self, quotes: Quotes) -> list[Finding]:
        """Write those objects again without the rows, and with a word in the place of each id.

        Rows go first: they could not be told from others once their ids are replaced.
        """
        done = []
        for cut in list(self._cuts()):
            if cut.n_theirs:
                kind = CONTENT_TYPES[_suffix(cut.key)]
                self._store.write_bytes(cut.key, cut.rest, content_type=kind)
                keep_manifest_true(self._store, cut.key, cut.rest, cut.n_others, cut.n_theirs)
            done.append(self._rows(cut, cut.n_theirs))
        for key, text in list(self._quoting(quotes, {})):
            if key != SIGNED:
                data = quotes.replace(text).encode("utf-8")
                self._store.write_bytes(key, data, content_type=_TEXTS[_suffix(key)])
            done.append(self._finding(key, 1))
        return done

    def _cuts(self) -> Iterator[_Cut]:
        """Yield extracts that hold rows of the subject."""
        for key in self._keys(set(CONTENT_TYPES)):
            extract = parse_extract(_suffix(key), self._store.read_bytes(key))
            if extract is None:
                continue
            with self._session.shown("extract", extract.rows) as relation:
                mask, held = (self._mask(relation, is_held=is_held) for is_held in (False, True))
            n_theirs, n_held = sum(mask), sum(held)
            if n_theirs or n_held:
                rest = extract.without(mask)
                yield _Cut(key, n_theirs, n_held, len(mask) - n_theirs, rest)

    def _mask(self, relation: str, *, is_held: bool) -> list[bool]:
        """Return which rows are the subject's, or of them those that a hold keeps."""
        where = self._session.condition(self._session.shape(relation), is_held=is_held) or "false"
        found: list[bool] = self._session.column(f"select {where} from {relation}").to_pylist()
        return found

    def _quoting(self, quotes: Quotes, cuts: dict[str, _Cut]) -> Iterator[tuple[str, str]]:
        """Yield keys and texts of the objects that hold an id once the subject's rows are gone."""
        for key in self._keys(set(_TEXTS)) if quotes else ():
            data = cuts[key].rest if key in cuts else self._store.read_bytes(key)
            text = data.decode("utf-8", "replace")
            if quotes.are_in(text):
                yield key, text

    def _keys(self, suffixes: set[str]) -> list[str]:
        """List objects by what their keys end in; a store that does not exist yet has none."""
        try:
            listed = self._store.list_objects(self._prefix)
            return [o.key for o in listed if _suffix(o.key) in suffixes]
        except StoreNotFoundError:
            return []

    def _finding(self, key: str, n_deleted: int) -> Finding:
        """Describe one object that quotes an id."""
        is_rows = _suffix(key) == LINES
        store = f"{self._name}/{key}{' (quotes)' if is_rows else ''}"
        if key == SIGNED:
            return Finding(store, 0, 1, _SIGNED_REASON)
        return Finding(store, 1, n_deleted=n_deleted)

    def _rows(self, cut: _Cut, n_deleted: int) -> Finding:
        """Describe the rows of an extract."""
        reason = HELD if cut.n_held else ""
        return Finding(f"{self._name}/{cut.key}", cut.n_theirs, cut.n_held, reason, n_deleted)


def _suffix(key: str) -> str:
    """Return what a key ends in, with the dot."""
    return key[key.rfind(".") :] if "." in key else ""
