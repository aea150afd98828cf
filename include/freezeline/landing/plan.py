"""Decide which listed objects are due, from the listing, the ledger and ``as_of``."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from include.freezeline.landing.arrival import arrival_of, date_of, parse_arrival
from include.freezeline.landing.horizon import EVERYTHING, Horizon
from include.freezeline.landing.sources import Source, SourceKind, source_of


class ListedObject(Protocol):
    """What a store's listing says about an object."""

    @property
    def key(self) -> str:
        """Object key."""

    @property
    def size_bytes(self) -> int:
        """Size as stored."""

    @property
    def listed_etag(self) -> str | None:
        """Version tag, or None where only the object's bytes tell it."""

    @property
    def etag(self) -> str:
        """Version tag, made from the bytes where the listing has none."""

    @property
    def modified_at(self) -> datetime:
        """Modification time, UTC."""


@dataclass(frozen=True, slots=True)
class KnownObject:
    """What the ledger says about an object."""

    etag: str
    size_bytes: int
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class DueObject:
    """An object to fetch and land.

    Attributes:
        key: Object key.
        source_name: The source it belongs to.
        kind: How to read it.
        etag: Version tag; empty when it is made from the bytes and nobody has read them yet.
        size_bytes: Size in the listing.
        arrived_at: When it reached the bucket.
        may_replace: Whether the lake may hold files of an earlier version of it.
        was_on: Arrival date of the earlier version, whose books it replaces.
    """

    key: str
    source_name: str
    kind: SourceKind
    etag: str
    size_bytes: int
    arrived_at: datetime
    may_replace: bool
    was_on: date | None = None


@dataclass(frozen=True, slots=True)
class LandingPlan:
    """What a run will do.

    Attributes:
        due: Objects to land, by key.
        n_skipped: Objects by source that are in the ledger with the same etag.
        n_not_due: Objects by source that arrive at or after ``as_of``.
    """

    due: tuple[DueObject, ...]
    n_skipped: Mapping[str, int]
    n_not_due: Mapping[str, int]


def plan_landing(
    listing: Iterable[ListedObject],
    ledger: Mapping[str, KnownObject],
    sources: Sequence[Source],
    as_of: datetime,
    *,
    horizon: Horizon = EVERYTHING,
) -> LandingPlan:
    """Compare the bucket with the ledger.

    Args:
        listing: Objects of the bucket; keys of no source are ignored.
        ledger: What has been landed of them, by key.
        sources: Traces and facts.
        as_of: Exclusive end of what is known; later arrivals wait for a later night.
        horizon: Arrival dates that the ledger was read for; other objects are ignored.
    """
    due: list[DueObject] = []
    skipped: Counter[str] = Counter()
    not_due: Counter[str] = Counter()
    for item in listing:
        source = source_of(item.key, sources)
        arrived_at = arrival_of(item.key, item.modified_at)
        if source is None or not horizon.covers(arrived_at):
            continue
        known = ledger.get(item.key)
        if arrived_at >= as_of:
            not_due[source.name] += 1
        elif known is not None and _is_same(item, known):
            skipped[source.name] += 1
        else:
            due.append(_due(item, source, arrived_at, known))
    due.sort(key=lambda item: item.key)
    return LandingPlan(tuple(due), dict(skipped), dict(not_due))


def unplaced_keys(
    listing: Iterable[ListedObject], ledger: Mapping[str, KnownObject], horizon: Horizon
) -> set[str]:
    """Return keys that name no time and are not in the part of the ledger that was read.

    Their arrival is their modification time, so an earlier version of them may stand under any
    date; a key that names its time is in the ledger under that date or not at all.
    """
    return {
        item.key
        for item in listing
        if item.key not in ledger
        and parse_arrival(item.key) is None
        and horizon.covers(item.modified_at)
    }


def _is_same(item: ListedObject, known: KnownObject) -> bool:
    """Whether a listed object is the version that was landed; bytes are read only if needed."""
    return item.size_bytes == known.size_bytes and item.etag == known.etag


def _due(
    item: ListedObject, source: Source, arrived_at: datetime, known: KnownObject | None
) -> DueObject:
    """Describe one object to land."""
    return DueObject(
        key=item.key,
        source_name=source.name,
        kind=source.kind,
        etag=item.listed_etag or "",
        size_bytes=item.size_bytes,
        arrived_at=arrived_at,
        may_replace=known is not None,
        was_on=None if known is None else date_of(known.arrived_at),
    )


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
