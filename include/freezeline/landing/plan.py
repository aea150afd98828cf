"""Decide which listed objects are due, from the listing, the ledger and ``as_of``."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from include.freezeline.landing.arrival import arrival_of
from include.freezeline.landing.sources import Source, SourceKind, source_of

NIGHT = timedelta(days=1)


class ListedObject(Protocol):
    """What a store's listing says about an object."""

    @property
    def key(self) -> str:
        """Object key."""

    @property
    def size_bytes(self) -> int:
        """Size as stored."""

    @property
    def etag(self) -> str:
        """Version tag."""

    @property
    def modified_at(self) -> datetime:
        """Modification time, UTC."""


@dataclass(frozen=True, slots=True)
class KnownObject:
    """What the ledger says about an object."""

    etag: str
    source_name: str
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class DueObject:
    """An object to fetch and land.

    Attributes:
        key: Object key.
        source_name: The source it belongs to.
        kind: How to read it.
        etag: Version tag in the listing.
        size_bytes: Size in the listing.
        arrived_at: When it reached the bucket.
        may_replace: Whether the lake may hold files of an earlier version of it.
    """

    key: str
    source_name: str
    kind: SourceKind
    etag: str
    size_bytes: int
    arrived_at: datetime
    may_replace: bool


@dataclass(frozen=True, slots=True)
class LandingPlan:
    """What a run will do.

    Attributes:
        due: Objects to land, by key.
        n_skipped: Objects by source that are in the ledger with the same etag.
        n_not_due: Objects by source that arrive at or after ``as_of``.
        silent: Expected sources with nothing in the night, neither listed nor in the ledger.
    """

    due: tuple[DueObject, ...]
    n_skipped: Mapping[str, int]
    n_not_due: Mapping[str, int]
    silent: tuple[str, ...]


def plan_landing(
    listing: Iterable[ListedObject],
    ledger: Mapping[str, KnownObject],
    sources: Sequence[Source],
    as_of: datetime,
    *,
    is_resumed: bool = False,
) -> LandingPlan:
    """Compare the bucket with the ledger.

    Args:
        listing: Objects of the bucket; keys of no source are ignored.
        ledger: What has been landed, by key.
        sources: Traces and facts.
        as_of: Exclusive end of what is known; later arrivals wait for a later night.
        is_resumed: Whether an earlier run was cut off, so that even objects without a ledger
            row may have left files.
    """
    due: list[DueObject] = []
    skipped: Counter[str] = Counter()
    not_due: Counter[str] = Counter()
    heard = _sources_in_ledger(ledger, as_of)
    for item in listing:
        source = source_of(item.key, sources)
        if source is None:
            continue
        arrived_at = arrival_of(item.key, item.modified_at)
        if arrived_at >= as_of:
            not_due[source.name] += 1
            continue
        if _is_of_the_night(arrived_at, as_of):
            heard.add(source.name)
        known = ledger.get(item.key)
        if known is not None and known.etag == item.etag:
            skipped[source.name] += 1
            continue
        due.append(_due(item, source, arrived_at, may_replace=known is not None or is_resumed))
    silent = tuple(s.name for s in sources if s.expected and s.name not in heard)
    due.sort(key=lambda item: item.key)
    return LandingPlan(tuple(due), dict(skipped), dict(not_due), silent)


def _due(
    item: ListedObject, source: Source, arrived_at: datetime, *, may_replace: bool
) -> DueObject:
    """Describe one object to land."""
    return DueObject(
        key=item.key,
        source_name=source.name,
        kind=source.kind,
        etag=item.etag,
        size_bytes=item.size_bytes,
        arrived_at=arrived_at,
        may_replace=may_replace,
    )


def _sources_in_ledger(ledger: Mapping[str, KnownObject], as_of: datetime) -> set[str]:
    """Return sources whose objects of the night are in the lake already (a re-run)."""
    return {
        known.source_name for known in ledger.values() if _is_of_the_night(known.arrived_at, as_of)
    }


def _is_of_the_night(arrived_at: datetime, as_of: datetime) -> bool:
    """Whether an arrival lies in the last interval ``[as_of - 1 day, as_of)``."""
    return as_of - NIGHT <= arrived_at < as_of


def batch_objects(
    due: Sequence[DueObject], *, max_objects: int, max_bytes: int
) -> list[tuple[DueObject, ...]]:
    """Group objects into batches of bounded count and size; a larger object stands alone."""
    batches: list[tuple[DueObject, ...]] = []
    current: list[DueObject] = []
    size_bytes = 0
    for item in due:
        is_full = len(current) >= max_objects or size_bytes + item.size_bytes > max_bytes
        if current and is_full:
            batches.append(tuple(current))
            current, size_bytes = [], 0
        current.append(item)
        size_bytes += item.size_bytes
    if current:
        batches.append(tuple(current))
    return batches
