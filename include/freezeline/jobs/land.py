"""Land: bring every due object of the bucket into the lake, once, redacted and counted."""

from collections.abc import Sequence
from datetime import datetime

from include.freezeline.adapters.lake import Lake, object_hash
from include.freezeline.adapters.lake_books import LakeBooks
from include.freezeline.adapters.object_store import ObjectStore
from include.freezeline.adapters.unchecked import UncheckedObjects
from include.freezeline.config import config_dir
from include.freezeline.errors import EmptyNightError, LowVolumeError
from include.freezeline.facts.spec import load_fact_specs
from include.freezeline.jobs.canaries import check_canaries
from include.freezeline.jobs.land_batches import Progress, land_batches
from include.freezeline.jobs.land_object import open_source
from include.freezeline.landing.arrival import arrival_date_of, night_of, night_of_date
from include.freezeline.landing.books import ObjectBooks
from include.freezeline.landing.horizon import EVERYTHING, Horizon, plan_horizon
from include.freezeline.landing.listing import walk
from include.freezeline.landing.nights import (
    LEDGER_COLUMNS,
    last_full_night,
    nights_to_count,
    recount_nights,
)
from include.freezeline.landing.plan import (
    DueObject,
    KnownObject,
    LandingPlan,
    ListedObject,
    plan_landing,
    unplaced_keys,
)
from include.freezeline.landing.records import Row
from include.freezeline.landing.sources import (
    Source,
    check_sources,
    listing_prefixes,
    load_listing,
    load_sources,
)
from include.freezeline.landing.summary import (
    LandSummary,
    explain_low_volume,
    explain_silence,
    summarise,
)
from include.freezeline.settings import Settings

# An interrupted run loses this many objects' work at most, and as many as the workers hold.
_FLUSH_OBJECTS = 512
_KNOWN_COLUMNS = ("source_object", "etag", "object_size_bytes", "arrived_at")


def land(
    settings: Settings,
    as_of: datetime,
    *,
    interval_start: datetime | None = None,
    is_full: bool = False,
    progress: Progress | None = None,
    n_workers: int | None = None,
) -> LandSummary:
    """Land what arrived before ``as_of`` and is not in the lake yet.

    Objects may come in any order, twice or late: each is landed once per version, its files are
    named by its key, and landing it again replaces them. A run that is cut off leaves no ledger
    row for the objects it was at, so the next run does those objects again.

    Args:
        settings: Bucket, lake and pseudonym key.
        as_of: Exclusive end of what is known; later arrivals wait for a later night.
        interval_start: Start of the interval the run is for; all that arrived in it is listed.
        is_full: Whether to list the whole bucket, whatever its age.
        progress: Called with a line after listing and about every tenth of the way.
        n_workers: Processes to use; all cores when not given, none for a few objects.

    Raises:
        ConfigError: A setting or policy file is missing or wrong.
        StoreError: The bucket cannot be used.
        RedactionError: Planted values came out of redaction again; nothing was landed.
        EmptyNightError: An expected source delivered nothing usable in the night, or far less
            than usual (LowVolumeError); what was delivered has landed all the same.
    """
    lake = Lake(settings.lake_dir)
    books = LakeBooks(lake)
    sources = all_sources(settings)
    store = open_source(settings)
    is_resumed = lake.is_resumed()
    if is_resumed:
        books.recover()
    horizon = _horizon(settings, books, sources, as_of, interval_start, is_full=is_full)
    plan = _plan(store, books, sources, as_of, horizon, progress)
    nights_due = {night_of(due.arrived_at) for due in plan.due}
    check_canaries(settings, books, nights_due | {last_full_night(as_of)})
    rows: list[Row] = []
    if plan.due:
        lake.mark_run(is_running=True)
        rows = _land_all(settings, as_of, plan.due, books, n_workers, progress)
    nights = _keep_nights(books, sources, as_of, _touched(plan, rows, books, everything=is_resumed))
    lake.mark_run(is_running=False)
    summary = summarise(as_of, plan, rows, [source.name for source in sources], nights)
    _require_delivery(summary, sources, settings)
    return summary


def all_sources(settings: Settings) -> tuple[Source, ...]:
    """Return trace sources and facts, checked against each other."""
    policies = config_dir(settings)
    facts = tuple(
        Source(name=spec.name, kind="fact", prefixes=(spec.prefix,))
        for spec in load_fact_specs(policies)
    )
    sources = (*load_sources(policies), *facts)
    check_sources(sources)
    return sources


def _horizon(
    settings: Settings,
    books: LakeBooks,
    sources: Sequence[Source],
    as_of: datetime,
    interval_start: datetime | None,
    *,
    is_full: bool,
) -> Horizon:
    """Return which arrival dates to look at; all of them when a source was never listed."""
    listing = load_listing(config_dir(settings))
    nights = [row for row in books.nights() if row["night_as_of"] <= as_of]
    last_night = max((row["night_as_of"] for row in nights), default=None)
    listed = {row["source_name"] for row in nights if row["night_as_of"] == last_night}
    if is_full or not listed.issuperset(source.name for source in sources):
        return EVERYTHING
    return plan_horizon(
        as_of, last_night=last_night, interval_start=interval_start, listing=listing
    )


def _plan(
    store: ObjectStore,
    books: LakeBooks,
    sources: Sequence[Source],
    as_of: datetime,
    horizon: Horizon,
    progress: Progress | None,
) -> LandingPlan:
    """List the bucket and compare it with the ledger, both as far as the horizon goes."""
    listing: list[ListedObject] = [
        item for prefix in listing_prefixes(sources) for item in walk(store, prefix, horizon)
    ]
    if progress is not None:
        dates = horizon.dates()
        scope = "all dates" if dates is None else f"{len(dates):,} dates"
        progress(f"listed: {len(listing):,} objects of {scope}")
    known = _known(books.ledger(horizon.dates(), _KNOWN_COLUMNS))
    known |= _known(books.ledger_of(unplaced_keys(listing, known, horizon)))
    return plan_landing(listing, known, sources, as_of, horizon=horizon)


def _known(rows: Sequence[Row]) -> dict[str, KnownObject]:
    """Return ledger rows by object key."""
    return {
        row["source_object"]: KnownObject(row["etag"], row["object_size_bytes"], row["arrived_at"])
        for row in rows
    }


def _land_all(
    settings: Settings,
    as_of: datetime,
    due: Sequence[DueObject],
    books: LakeBooks,
    n_workers: int | None,
    progress: Progress | None,
) -> list[Row]:
    """Land all batches and keep their books; ledger rows by key."""
    unchecked = UncheckedObjects(settings)
    rows: list[Row] = []
    waiting: list[ObjectBooks] = []
    try:
        for landed in land_batches(settings, as_of, due, n_workers, progress):
            waiting += landed
            rows += (item.ledger for item in landed)
            if len(waiting) >= _FLUSH_OBJECTS:
                _flush(books, unchecked, waiting)
                waiting = []
    finally:  # what is done stays done when a later batch fails
        _flush(books, unchecked, waiting)
    return sorted(rows, key=lambda row: str(row["source_object"]))


def _flush(books: LakeBooks, unchecked: UncheckedObjects, landed: Sequence[ObjectBooks]) -> None:
    """Write the books of finished objects."""
    unchecked.add(object_hash(item.key) for item in landed)
    books.enter(landed)


def _touched(
    plan: LandingPlan, rows: Sequence[Row], books: LakeBooks, *, everything: bool
) -> set[datetime]:
    """Return the nights whose objects changed; all of them after a run that was cut off."""
    if everything:
        return {night_of_date(day) for day in books.ledger_dates()}
    landed = {row["source_object"] for row in rows}
    left = {night_of_date(due.was_on) for due in plan.due if due.was_on and due.key in landed}
    return {row["night_as_of"] for row in rows} | left


def _keep_nights(
    books: LakeBooks, sources: Sequence[Source], as_of: datetime, touched: set[datetime]
) -> list[Row]:
    """Bring the ledger of nights up to date and return the rows of the last full night."""
    recorded = books.nights()
    known = {row["night_as_of"] for row in recorded}
    nights = nights_to_count(books.ledger_dates(), known, touched, as_of)
    objects = books.ledger([arrival_date_of(night) for night in nights], LEDGER_COLUMNS)
    rows = recount_nights([dict(row) for row in recorded], objects, nights, sources)
    if rows != recorded:
        books.write_nights(rows)
    return [row for row in rows if row["night_as_of"] == last_full_night(as_of)]


def _require_delivery(summary: LandSummary, sources: Sequence[Source], settings: Settings) -> None:
    """Refuse a night in which an expected source delivered nothing, or far less than usual."""
    if summary.silent_sources:
        message = f"{settings.source_uri}: {explain_silence(summary)}; {summary.lines()[0]}"
        raise EmptyNightError(message)
    if summary.low_sources:
        ratios = {source.name: source.least_volume_ratio for source in sources}
        told = explain_low_volume(summary, ratios)
        message = f"{settings.source_uri}: {told}; {summary.lines()[0]}"
        raise LowVolumeError(message)
