"""Fetch, read, redact and write one batch of objects; this is what a worker process runs."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from include.freezeline.adapters.lake import Lake, object_hash
from include.freezeline.adapters.object_store import ObjectStore, open_store
from include.freezeline.config import config_dir
from include.freezeline.contracts.lake import (
    EVALUATIONS,
    LEDGER,
    QUARANTINE,
    REDACTION_COUNTS,
    SPANS,
)
from include.freezeline.errors import (
    AccountingError,
    ConfigError,
    FreezelineError,
    ReadError,
    StoreNotFoundError,
)
from include.freezeline.facts.reader import read_fact
from include.freezeline.facts.spec import FactSpec, fact_table, load_fact_specs
from include.freezeline.landing.guard import Guard
from include.freezeline.landing.plan import DueObject
from include.freezeline.landing.process import (
    Delivery,
    ObjectResult,
    process_object,
    process_unreadable,
)
from include.freezeline.landing.records import Found, Row, Stream
from include.freezeline.readers.registry import read_object
from include.freezeline.readers.rules import LandingRules, load_landing_rules
from include.freezeline.redaction.engine import load_redactor
from include.freezeline.redaction.pseudonyms import Pseudonymiser
from include.freezeline.settings import Settings

_FETCH_THREADS = 8
_SPAN_KEY = ("trace_id", "span_id")
_EVALUATION_KEY = ("trace_id", "span_id", "evaluation_name")


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker needs, built once per process because the redactor's libraries are slow to load."""

    store: ObjectStore
    lake: Lake
    rules: LandingRules
    facts: Mapping[str, FactSpec]
    guard: Guard
    as_of: datetime


def open_tools(settings: Settings, as_of: datetime) -> Tools:
    """Load rules, redactor and pseudonym key.

    Raises:
        ConfigError: The bucket or the key is not set, or a policy file is wrong.
    """
    policies = config_dir(settings)
    redactor = load_redactor(policies)
    return Tools(
        store=open_source(settings),
        lake=Lake(settings.lake_dir),
        rules=load_landing_rules(policies),
        facts={spec.name: spec for spec in load_fact_specs(policies)},
        guard=Guard(redactor.scope, Pseudonymiser(_pseudonym_key(settings))),
        as_of=as_of,
    )


def open_source(settings: Settings) -> ObjectStore:
    """Open the bucket that is landed from.

    Raises:
        ConfigError: No bucket is set.
    """
    if settings.source_uri is None:
        message = (
            "FREEZELINE_SOURCE_URI: not set, so there is no bucket to land from "
            "(set it to file:///folder or s3://bucket/prefix, or run `make demo`)"
        )
        raise ConfigError(message)
    return open_store(settings.source_uri, settings)


def _pseudonym_key(settings: Settings) -> bytes:
    """Return the key of the pseudonyms; landing without one would store raw user ids."""
    if settings.pseudonym_key is None or not settings.pseudonym_key.get_secret_value():
        message = (
            "FREEZELINE_PSEUDONYM_KEY: not set, and no user, session or customer id is stored "
            "without it (set it to a long random string and keep it: another key gives other "
            "pseudonyms)"
        )
        raise ConfigError(message)
    return settings.pseudonym_key.get_secret_value().encode()


def land_batch(tools: Tools, batch: Sequence[DueObject]) -> list[Row]:
    """Land a batch and return its ledger rows; objects are fetched together, then done in turn.

    An object that vanished after it was listed gets no row: if it comes back, it is listed again.
    """
    with ThreadPoolExecutor(min(_FETCH_THREADS, len(batch))) as pool:
        fetched = pool.map(lambda due: _fetch(tools.store, due.key), batch)
        return [
            land_object(tools, due, data)
            for due, data in zip(batch, fetched, strict=True)
            if data is not None
        ]


def _fetch(store: ObjectStore, key: str) -> bytes | None:
    """Return an object's bytes, or None when it vanished after it was listed.

    Raises:
        StoreNotFoundError: The whole bucket is gone.
    """
    try:
        return store.read_bytes(key)
    except StoreNotFoundError:
        next(store.list_objects(key), None)  # raises when there is no bucket any more
        return None


def land_object(tools: Tools, due: DueObject, data: bytes) -> Row:
    """Land one object and return its ledger row."""
    delivery = Delivery(due, hashlib.sha256(data).hexdigest(), tools.as_of)
    try:
        result = _read_and_process(tools, delivery, data)
    except ReadError as error:
        result = process_unreadable(error, data, delivery, tools.guard)
    _write(tools, due, result)
    return result.ledger


def _read_and_process(tools: Tools, delivery: Delivery, data: bytes) -> ObjectResult:
    """Turn an object's bytes into files and books.

    Raises:
        ReadError: Nothing of it can be used. Whatever else a reader stumbles over becomes one
            too, since an object that ends this night would end every later one as well; its
            reason names the kind of error and never its text, which may quote the object.
    """
    due = delivery.due
    try:
        found = _read_fact(tools, due, data) if due.kind == "fact" else _read(tools, due, data)
        return process_object(found, delivery, tools.guard)
    except MemoryError:
        raise  # says something about this machine, not about the object
    except Exception as error:
        if isinstance(error, FreezelineError) and not isinstance(error, AccountingError):
            raise
        reason = f"reader_error:{type(error).__name__}"
        raise ReadError(reason) from error


def _read(tools: Tools, due: DueObject, data: bytes) -> Found:
    """Read a telemetry object."""
    read = read_object(due.key, data, tools.rules)
    return Found(
        format=read.format,
        signal=read.signal,
        n_records=read.record_count,
        streams=(
            Stream(SPANS, _SPAN_KEY, "started_at", read.spans),
            Stream(EVALUATIONS, _EVALUATION_KEY, "evaluated_at", read.evaluations),
        ),
        rejects=tuple(read.rejects),
    )


def _read_fact(tools: Tools, due: DueObject, data: bytes) -> Found:
    """Read a business fact object."""
    spec = tools.facts[due.source_name]
    read = read_fact(spec, due.key, data)
    table = fact_table(spec)
    rejected = {reject.offset for reject in read.rejects}
    ordinals = (offset for offset in range(read.record_count) if offset not in rejected)
    rows = [
        {**row, "source_offset": offset} for offset, row in zip(ordinals, read.rows, strict=True)
    ]
    stream = Stream(table, table.key, spec.event_time_column, rows)
    return Found(read.format, "fact", read.record_count, (stream,), tuple(read.rejects))


def _write(tools: Tools, due: DueObject, result: ObjectResult) -> None:
    """Write an object's files, take away those of an earlier version, and close with the ledger."""
    lake, name = tools.lake, object_hash(due.key)
    written = set()
    for table, event_date, rows in result.data:
        path = lake.path_of(table.name, name, event_date)
        lake.write_table(rows, path)
        written.add(path)
    books = ((QUARANTINE, result.quarantine), (REDACTION_COUNTS, result.redaction_counts))
    for table, book_rows in books:
        if book_rows:
            path = lake.path_of(table.name, name)
            lake.write_rows(table, book_rows, path)
            written.add(path)
    if due.may_replace:
        tables = [table for table in lake.table_names() if table != LEDGER.name]
        for stale in sorted(lake.object_files(name, tables) - written):
            stale.unlink()
    lake.write_rows(LEDGER, [result.ledger], lake.path_of(LEDGER.name, name))


_worker_tools: Tools | FreezelineError | None = None


def start_worker(settings: Settings, as_of: datetime) -> None:
    """Prepare a worker process.

    An error is kept for the first batch: one raised here would break the pool and lose its text.
    """
    global _worker_tools
    try:
        _worker_tools = open_tools(settings, as_of)
    except FreezelineError as error:
        _worker_tools = error


def land_batch_in_worker(batch: Sequence[DueObject]) -> list[Row]:
    """Land a batch with the worker process's tools."""
    if isinstance(_worker_tools, FreezelineError):
        raise _worker_tools
    if _worker_tools is None:
        message = "start_worker must run first"
        raise AssertionError(message)
    return land_batch(_worker_tools, batch)
