"""Write the demo bucket: six weeks of a small company's traces and outcomes.

The bucket's manifest lies outside every source prefix. It says which world the bucket holds, so
that a second run writes nothing, and that the bucket is a demo's at all: objects of anybody else
are never replaced.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from include.freezeline.adapters.object_store import ObjectStore, open_store
from include.freezeline.demo.delivery import (
    FACT_PREFIX,
    TRACE_PREFIX,
    DemoObject,
    deliver_day,
)
from include.freezeline.demo.incidents import resolve_incidents
from include.freezeline.demo.outcomes import (
    FACTS,
    FactRow,
    fact_file,
    file_instant,
    recorded_date,
    standing_rows,
)
from include.freezeline.demo.world import DATES, WORLD_VERSION
from include.freezeline.errors import ConfigError, StoreError, StoreNotFoundError
from include.freezeline.hashing import stable_hash
from include.freezeline.settings import Settings

MANIFEST_KEY = "_demo_manifest.json"

_MAX_SCALE = 100.0
_DAYS_PER_MESSAGE = 7
_CONTENT_TYPES = {".json.gz": "application/json", ".csv": "text/csv"}

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What the demo bucket holds.

    Attributes:
        uri: The bucket.
        n_objects: Objects written, the manifest not counted.
        n_calls: Distinct model calls, probes included.
        n_spans: Distinct spans.
        n_facts: Business fact rows.
        size_bytes: Size of all objects.
        incidents: Names of the incidents that are on, sorted.
        is_skipped: Whether the bucket held this very world already.
    """

    uri: str
    n_objects: int
    n_calls: int
    n_spans: int
    n_facts: int
    size_bytes: int
    incidents: tuple[str, ...]
    is_skipped: bool

    def lines(self) -> list[str]:
        """Say it in words."""
        state = "already there" if self.is_skipped else "written"
        return [
            f"demo bucket {self.uri}: {state}",
            f"  {self.n_calls:,} model calls in {self.n_spans:,} spans, {self.n_facts:,} facts",
            f"  {self.n_objects:,} objects, {self.size_bytes / 1e6:,.1f} MB",
            f"  planted incidents: {', '.join(self.incidents) or 'none'}",
        ]


def make_demo_bucket(
    settings: Settings,
    *,
    incidents: bool | frozenset[str] = True,
    scale: float = 1.0,
    seed: int = 7,
    progress: Progress | None = None,
) -> DemoSummary:
    """Write the demo world to ``settings.source_uri``, unless it is there already.

    Args:
        settings: ``source_uri`` names the bucket.
        incidents: All, none, or the named ones.
        scale: Traffic relative to about 60,000 calls.
        seed: Same seed, same bytes.
        progress: Called with a line now and then.

    Raises:
        ConfigError: No bucket is set, an incident has no such name or the scale makes no sense.
        StoreError: The bucket holds objects that no demo wrote.
    """
    active = resolve_incidents(incidents)
    store = open_store(_source_uri(settings, scale), settings)
    parameters = {
        "world_version": WORLD_VERSION,
        "incidents": sorted(active),
        "scale": scale,
        "seed": seed,
    }
    manifest = {"parameters": parameters, "parameters_hash": stable_hash(parameters)}
    found = _read_manifest(store)
    if found and found.get("summary") and found["parameters_hash"] == manifest["parameters_hash"]:
        return _summary_of(found["summary"], store.uri)
    _clear(store, is_demo_bucket=found is not None)
    _write_manifest(store, manifest)
    summary = _write_world(store, active, scale, seed, progress or _say_nothing)
    _write_manifest(store, {**manifest, "summary": asdict(summary)})
    return summary


def _source_uri(settings: Settings, scale: float) -> str:
    """Return the bucket to write after checking the parameters."""
    if not 0 < scale <= _MAX_SCALE:
        message = f"demo scale: must be above 0 and at most {_MAX_SCALE:g}, got {scale} (use 1.0)"
        raise ConfigError(message)
    if settings.source_uri is None:
        message = "FREEZELINE_SOURCE_URI: not set (set it to file:///folder or s3://bucket)"
        raise ConfigError(message)
    return settings.source_uri


def _write_world(
    store: ObjectStore, active: frozenset[str], scale: float, seed: int, progress: Progress
) -> DemoSummary:
    """Write traces day by day, then the facts; count what was written."""
    n_objects = n_calls = n_spans = size_bytes = 0
    facts: dict[str, list[FactRow]] = standing_rows()
    for number, day in enumerate(DATES, start=1):
        delivery = deliver_day(day, seed=seed, scale=scale, active=active)
        n_calls, n_spans = n_calls + delivery.n_calls, n_spans + delivery.n_spans
        n_objects += len(delivery.objects)
        size_bytes += _write_objects(store, delivery.objects)
        for name, rows in delivery.facts.items():
            facts.setdefault(name, []).extend(rows)
        if number % _DAYS_PER_MESSAGE == 0 or number == len(DATES):
            progress(f"demo bucket: {number} of {len(DATES)} days, {n_calls:,} calls")
    fact_objects = list(_fact_objects(facts))
    return DemoSummary(
        uri=store.uri,
        n_objects=n_objects + len(fact_objects),
        n_calls=n_calls,
        n_spans=n_spans,
        n_facts=sum(len(rows) for rows in facts.values()),
        size_bytes=size_bytes + _write_objects(store, fact_objects),
        incidents=tuple(sorted(active)),
        is_skipped=False,
    )


def _fact_objects(facts: dict[str, list[FactRow]]) -> Iterator[DemoObject]:
    """Yield one file per fact and day of recording."""
    for shape in FACTS:
        by_date: dict[date, list[FactRow]] = {}
        for row in facts.get(shape.name, []):
            by_date.setdefault(recorded_date(shape, row), []).append(row)
        for day in sorted(by_date):
            name = f"{shape.name}/dt={day.isoformat()}/{shape.name}.{shape.file_format}"
            data = fact_file(shape, by_date[day])
            yield DemoObject(f"{FACT_PREFIX}{name}", data, file_instant(day))


def _write_objects(store: ObjectStore, objects: tuple[DemoObject, ...] | list[DemoObject]) -> int:
    """Write objects with their upload times; return their size in bytes."""
    for item in objects:
        kinds = (kind for suffix, kind in _CONTENT_TYPES.items() if item.key.endswith(suffix))
        content_type = next(kinds, "application/octet-stream")
        store.write_bytes(
            item.key, item.data, content_type=content_type, modified_at=item.modified_at
        )
    return sum(len(item.data) for item in objects)


def _clear(store: ObjectStore, *, is_demo_bucket: bool) -> None:
    """Remove another demo world; refuse to touch what no demo wrote.

    Raises:
        StoreError: The bucket has objects under the demo's prefixes but no demo manifest.
    """
    for prefix in (TRACE_PREFIX, FACT_PREFIX):
        for key in _keys(store, prefix):
            if not is_demo_bucket:
                message = (
                    f"{store.uri}: {prefix} holds objects but no {MANIFEST_KEY}, so this is not a "
                    "demo bucket (give the demo an empty folder or bucket)"
                )
                raise StoreError(message)
            store.delete(key)


def _keys(store: ObjectStore, prefix: str) -> list[str]:
    """Return the keys under a prefix; a folder that does not exist yet has none."""
    try:
        return [info.key for info in store.list_objects(prefix)]
    except StoreNotFoundError:
        return []


def _read_manifest(store: ObjectStore) -> dict[str, object] | None:
    """Return the bucket's manifest, None when it has none."""
    if not store.exists(MANIFEST_KEY):
        return None
    found: dict[str, object] = json.loads(store.read_bytes(MANIFEST_KEY))
    return found


def _write_manifest(store: ObjectStore, manifest: Mapping[str, object]) -> None:
    """Write the manifest; without a summary it says that the world is not complete."""
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    modified_at = file_instant(DATES[-1]) + timedelta(days=1)
    store.write_bytes(
        MANIFEST_KEY, text.encode(), content_type="application/json", modified_at=modified_at
    )


def _summary_of(values: object, uri: str) -> DemoSummary:
    """Read the summary of a finished world from its manifest."""
    assert isinstance(values, dict)  # noqa: S101 - written by this module
    incidents = tuple(values["incidents"])
    return DemoSummary(**{**values, "uri": uri, "incidents": incidents, "is_skipped": True})


def _say_nothing(_line: str) -> None:
    """Report no progress."""
