"""Fetch, read, redact and write one batch of objects; this is what a worker process runs."""

import gc
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from include.freezeline.adapters.lake import Lake, object_hash
from include.freezeline.adapters.lake_writer import LakeWriter
from include.freezeline.adapters.object_store import ObjectStore, content_etag, open_store
from include.freezeline.adapters.routed_store import RoutedStore
from include.freezeline.adapters.sql_store import FactTable, SqlStore
from include.freezeline.adapters.tombstone_files import load_tombstones
from include.freezeline.config import config_dir
from include.freezeline.contracts.lake import TELEMETRY_TABLES
from include.freezeline.erasure.tombstones import Tombstones
from include.freezeline.errors import (
    AccountingError,
    ConfigError,
    FreezelineError,
    ReadError,
)
from include.freezeline.facts.reader import read_fact
from include.freezeline.facts.spec import FactSpec, fact_table, load_fact_specs
from include.freezeline.jobs.fetch import fetch_ahead
from include.freezeline.jobs.redact import open_redactor
from include.freezeline.jobs.seal import open_sealer
from include.freezeline.landing.books import ObjectBooks
from include.freezeline.landing.guard import Guard
from include.freezeline.landing.plan import DueObject
from include.freezeline.landing.process import (
    Delivery,
    ObjectResult,
    process_object,
    process_unreadable,
)
from include.freezeline.landing.records import Batch, Found, ReadAtOnce, Reading, Stream
from include.freezeline.readers.reading import ObjectReading
from include.freezeline.readers.rules import LandingRules, load_landing_rules
from include.freezeline.redaction.pseudonyms import Pseudonymiser
from include.freezeline.sealing.sealer import Sealer
from include.freezeline.settings import Settings

# What a row is about, and the time whose date is its partition, by table.
_IDENTITY: Mapping[str, tuple[tuple[str, ...], str]] = {
    "spans": (("trace_id", "span_id"), "started_at"),
    "evaluations": (("trace_id", "span_id", "evaluation_name"), "evaluated_at"),
    "message_contents": (("trace_id", "span_id", "content_name", "direction"), "recorded_at"),
    "call_events": (("trace_id", "span_id", "event_name"), "recorded_at"),
    "retrieval_documents": (("trace_id", "span_id", "document_rank"), "retrieved_at"),
    "tool_calls": (("trace_id", "span_id", "call_index"), "called_at"),
    "source_counters": (("series_hash", "measured_at"), "measured_at"),
}


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker needs, built once per process because the redactor's libraries are slow to load."""

    store: ObjectStore
    lake: Lake
    rules: LandingRules
    facts: Mapping[str, FactSpec]
    guard: Guard
    as_of: datetime
    tombstones: Tombstones | None = None
    sealer: Sealer | None = None


def open_tools(settings: Settings, as_of: datetime) -> Tools:
    """Load rules, redactor and pseudonym key.

    Raises:
        ConfigError: The bucket or the key is not set, or a policy file is wrong.
    """
    policies = config_dir(settings)
    redactor = open_redactor(settings)
    return Tools(
        store=open_source(settings),
        lake=Lake(settings.lake_dir),
        rules=load_landing_rules(policies),
        facts={spec.name: spec for spec in load_fact_specs(policies)},
        guard=Guard(
            redactor.scope, Pseudonymiser(settings.required_pseudonym_key()), redactor.look
        ),
        as_of=as_of,
        tombstones=load_tombstones(settings),
        sealer=open_sealer(settings, as_of),
    )


def open_source(settings: Settings) -> ObjectStore:
    """Open the bucket that is landed from, and the databases that hold facts.

    Raises:
        ConfigError: No bucket is set, or no URL of a database that a fact names.
    """
    if settings.source_uri is None:
        message = (
            "FREEZELINE_SOURCE_URI: not set, so there is no bucket to land from "
            "(set it to file:///folder or s3://bucket/prefix, or run `make demo`)"
        )
        raise ConfigError(message)
    bucket = open_store(settings.source_uri, settings)
    specs = load_fact_specs(config_dir(settings))
    tables = {spec.prefix: _open_table(settings, spec) for spec in specs if spec.database}
    return RoutedStore(bucket, tables) if tables else bucket


def _open_table(settings: Settings, spec: FactSpec) -> SqlStore:
    """Open the table of a fact; nothing is contacted before the first call.

    Raises:
        ConfigError: Nobody says where its database is.
    """
    place = spec.database
    if place is None or place.name not in settings.databases:
        name = None if place is None else place.name
        message = (
            f"facts/{spec.name}.yml: database.name: {name!r} is not in FREEZELINE_DATABASES, which "
            f"has {', '.join(sorted(settings.databases)) or 'none'} (add its SQLAlchemy URL there)"
        )
        raise ConfigError(message)
    recorded = next(column.name for column in spec.columns if column.role == "arrival_time")
    # A table may lack ids of what its rows are about; without any, each row is put aside.
    optional = tuple(column.name for column in spec.subjects)
    columns = tuple(column.name for column in spec.columns if column.name not in optional)
    table = FactTable(place.name, place.table, columns, recorded, optional)
    return SqlStore(settings.databases[place.name].get_secret_value(), table, spec.prefix)


def land_batch(tools: Tools, batch: Sequence[DueObject]) -> list[ObjectBooks]:
    """Land a batch and return its books; objects are fetched ahead while others are read.

    An object that vanished after it was listed gets no row: if it comes back, it is listed again.
    """
    return [
        land_object(tools, replace(due, etag=due.etag or content_etag(data)), data)
        for due, data in fetch_ahead(tools.store, batch)
        if data is not None
    ]


def land_object(tools: Tools, due: DueObject, data: bytes) -> ObjectBooks:
    """Land one object and return its books, which the lead process keeps."""
    delivery = Delivery(due, hashlib.sha256(data).hexdigest())
    with LakeWriter(tools.lake, due.key) as writer, _without_collector():
        try:
            result = _read_and_process(tools, delivery, data, writer)
        except ReadError as error:
            writer.discard()
            result = process_unreadable(error, data, delivery, tools.guard)
        _write(tools, due, writer)
    return ObjectBooks(result.ledger, result.quarantine, result.redaction_counts, due.was_on)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python from looking for circles among the many values of an object; there are none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read_and_process(
    tools: Tools, delivery: Delivery, data: bytes, sink: LakeWriter
) -> ObjectResult:
    """Turn an object's bytes into files and books.

    Raises:
        ReadError: Nothing of it can be used. Whatever else a reader stumbles over becomes one
            too, since an object that ends this night would end every later one as well; its
            reason names the kind of error and never its text, which may quote the object.
    """
    due = delivery.due
    try:
        is_fact = due.kind == "fact"
        reading = _read_fact(tools, due, data) if is_fact else read_telemetry(tools, due, data)
        sealer = tools.sealer.of_object(due.arrived_at) if tools.sealer else None
        return process_object(reading, delivery, tools.guard, sink, tools.tombstones, sealer)
    except MemoryError:
        raise  # says something about this machine, not about the object
    except Exception as error:
        if isinstance(error, FreezelineError) and not isinstance(error, AccountingError):
            raise
        reason = f"reader_error:{type(error).__name__}"
        raise ReadError(reason) from error


def read_telemetry(tools: Tools, due: DueObject, data: bytes) -> Reading:
    """Start to read a telemetry object.

    Raises:
        ReadError: The bytes are none of the known forms, or damaged.
    """
    return _Telemetry(tools, due, data)


class _Telemetry:
    """A telemetry object as landing reads it."""

    def __init__(self, tools: Tools, due: DueObject, data: bytes) -> None:
        """Start to read."""
        self._reading = ObjectReading(due.key, data, tools.rules)

    def batches(self) -> Iterator[Batch]:
        """Yield its records."""
        for batch in self._reading.batches():
            streams = tuple(
                Stream(table, *_IDENTITY[table.name], batch.tables[table.name])
                for table in TELEMETRY_TABLES
                if table.name in batch.tables
            )
            yield Batch(streams, batch.rejects, batch.is_last)

    def found(self) -> Found:
        """Return what it was."""
        read = self._reading.summary()
        edits = self._reading.edits()
        return Found(read.format, read.signal, read.record_count, read.dialects, edits)


def _read_fact(tools: Tools, due: DueObject, data: bytes) -> Reading:
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
    return ReadAtOnce(Found(read.format, "fact", read.record_count), (stream,), read.rejects)


def _write(tools: Tools, due: DueObject, writer: LakeWriter) -> None:
    """Write an object's files and take away those of an earlier version."""
    written = writer.commit()
    if due.may_replace:
        found = tools.lake.object_files(object_hash(due.key), tools.lake.table_names())
        for stale in sorted(found - written):
            stale.unlink()


_worker_tools: Tools | FreezelineError | None = None


def start_worker(settings: Settings, as_of: datetime) -> None:
    """Prepare a worker process.

    An error is kept for the first batch: one raised here would break the pool and lose its text.
    """
    global _worker_tools
    try:
        _worker_tools = open_tools(settings, as_of)
        gc.freeze()  # the libraries' many objects stay, so nobody needs to look through them again
    except FreezelineError as error:
        _worker_tools = error


def land_batch_in_worker(batch: Sequence[DueObject]) -> list[ObjectBooks]:
    """Land a batch with the worker process's tools."""
    if isinstance(_worker_tools, FreezelineError):
        raise _worker_tools
    if _worker_tools is None:
        message = "start_worker must run first"
        raise AssertionError(message)
    return land_batch(_worker_tools, batch)
