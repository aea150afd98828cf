"""All stores of one home as an erasure sees them, opened for the subjects of one kind."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from include.freezeline.adapters.database_erasure import DatabaseStore
from include.freezeline.adapters.embeddings import forget_texts
from include.freezeline.adapters.erasure_session import ErasureSession, open_session
from include.freezeline.adapters.export_register import export_register
from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.lake_books import LakeBooks
from include.freezeline.adapters.lake_erasure import ParquetStore, spans_relation
from include.freezeline.adapters.object_store import open_store
from include.freezeline.adapters.published_erasure import PublishedStore
from include.freezeline.config import config_dir
from include.freezeline.contracts.lake_sealed import SEALED
from include.freezeline.erasure.policy import load_erasure_policy
from include.freezeline.erasure.quotes import Quotes
from include.freezeline.erasure.receipt import Finding
from include.freezeline.erasure.subject import Digester, SubjectKind
from include.freezeline.erasure.tombstones import Tombstone
from include.freezeline.facts.spec import fact_table, load_fact_specs
from include.freezeline.jobs.retention_inventory import cold_dir, database_files
from include.freezeline.retention.policy import load_retention_policy
from include.freezeline.settings import Settings

_EMBEDDINGS = "embeddings"
_SESSIONS = "lake/spans (shared sessions)"
_SHARED = "sessions shared with somebody else: rows in them that name nobody stay"
_IDS = ("session_key", "trace_id", "request_id", "response_id", "content_name", "call_key")


@dataclass(frozen=True, slots=True)
class ErasureStores:
    """Every place where rows of people are.

    Attributes:
        settings: Whose home it is.
        session: What is known of the subjects.
        lake: The lake.
        cold: The archive.
        databases: The warehouse, then its snapshots.
        published: What people read, and samples that were exported elsewhere.
    """

    settings: Settings
    session: ErasureSession
    lake: ParquetStore
    cold: ParquetStore
    databases: tuple[DatabaseStore, ...]
    published: tuple[PublishedStore, ...]

    def recognise(self, stones: Sequence[Tombstone], digester: Digester) -> None:
        """Find ids of tombstones wherever they stand."""
        relations = [relation for store in self._tables() for relation in store.relations()]
        self.session.recognise(relations, stones, digester)

    def learn(self, raw_id: str | None = None) -> Quotes:
        """Follow the subjects' ids through all stores; return what to look for in texts."""
        home = self.settings
        self.session.expand(spans_relation(home.lake_dir, cold_dir(home)))
        for database in self.databases:
            database.note_calls()
        ids = [found for kind in _IDS for found in self.session.ids(kind)]
        quotes = Quotes(ids, self.session.subjects(), raw_id)
        self.lake.note_quotes(quotes)
        return quotes

    def find(self, quotes: Quotes) -> list[Finding]:
        """Count what is theirs, by store; nothing is touched."""
        found = [*self.lake.find(), *self.cold.find()]
        for database in self.databases:
            found += database.find(quotes)
        for store in self.published:
            found += store.find(quotes)
        n_vectors = forget_texts(self.settings, self._texts(), is_trial=True)
        if n_vectors:
            found.append(Finding(_EMBEDDINGS, n_vectors))
        return [*found, *self._shared_sessions()]

    def erase(self, quotes: Quotes) -> Iterator[Finding]:
        """Remove what is theirs, the lake last: from it everything else is found again."""
        shared = self._shared_sessions()
        n_vectors = forget_texts(self.settings, self._texts())
        if n_vectors:
            yield Finding(_EMBEDDINGS, n_vectors, n_deleted=n_vectors)
        for store in self.published:
            yield from store.erase(quotes)
        for database in self.databases:
            yield from database.erase(quotes)
        yield from self.cold.erase()
        yield from self.lake.erase()
        LakeBooks(Lake(self.settings.lake_dir)).note_erased(self.lake.lost_records())
        yield from shared

    def _texts(self) -> set[str]:
        """Return the subjects' texts."""
        return {text for store in self._tables() for text in store.texts()}

    def _tables(self) -> list[ParquetStore | DatabaseStore]:
        """Return the stores that hold tables."""
        return [self.lake, self.cold, *self.databases]

    def _shared_sessions(self) -> list[Finding]:
        """Say which sessions stay because others are in them."""
        spans = spans_relation(self.settings.lake_dir, cold_dir(self.settings))
        n_shared = self.session.n_shared_sessions(spans)
        return [Finding(_SESSIONS, 0, n_shared, _SHARED)] if n_shared else []


@contextmanager
def open_stores(
    settings: Settings, kind: SubjectKind, *, is_newest_only: bool = False
) -> Iterator[ErasureStores]:
    """Open all stores.

    Args:
        settings: Where they are.
        kind: Kind of the subjects.
        is_newest_only: Whether to leave all snapshots but the newest aside.

    Raises:
        ConfigError: A policy file is wrong.
        WarehouseError: Somebody else is writing to the warehouse.
    """
    policies = config_dir(settings)
    holds = load_retention_policy(policies).legal_holds
    aggregates = load_erasure_policy(policies).aggregates
    events = {fact_table(spec).name: spec.event_time_column for spec in load_fact_specs(policies)}
    events[SEALED.name] = "event_at"
    files = list(database_files(settings).items())
    if is_newest_only:
        files = [*files[:1], *files[1:][-1:]]
    with open_session(kind, holds) as session:
        databases = tuple(
            DatabaseStore(session, path, name or "warehouse", f"db{number}", aggregates)
            for number, (name, path) in enumerate(files)
        )
        yield ErasureStores(
            settings=settings,
            session=session,
            lake=ParquetStore(session, settings.lake_dir, "lake", events),
            cold=ParquetStore(session, cold_dir(settings), "cold", events),
            databases=databases,
            published=_published(settings, session),
        )


def _published(settings: Settings, session: ErasureSession) -> tuple[PublishedStore, ...]:
    """Open where people read, here too, and every place that a sample was exported to."""
    main = open_store(settings.published_uri, settings)
    here = open_store(settings.local_published_uri, settings)
    exports = export_register(settings).all()
    elsewhere = [export for export in exports if export.uri not in ("", main.uri)]
    return (
        PublishedStore(session, main),
        *([PublishedStore(session, here, name="published here")] if here.uri != main.uri else ()),
        *(
            PublishedStore(session, open_store(e.uri, settings), e.prefix, f"exported {e.uri}")
            for e in elsewhere
        ),
    )
