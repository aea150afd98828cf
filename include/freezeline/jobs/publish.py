"""Publish: snapshot, report, flags and signed freeze document of a night, each atomically."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from include.freezeline.adapters.object_store import ObjectStore, open_store
from include.freezeline.adapters.override_log import override_log, publishing_lock
from include.freezeline.adapters.warehouse import (
    is_newest_night,
    latest_snapshot,
    open_warehouse,
    publish_snapshot,
)
from include.freezeline.errors import DocumentError, WarehouseError
from include.freezeline.freeze.document import build_document
from include.freezeline.freeze.flagd import build_flagd_file
from include.freezeline.freeze.signing import (
    private_key_from_seed,
    public_key_of,
    sign_document,
)
from include.freezeline.jobs.recommend import ACTIONS_KEY, actions_file, load_actions
from include.freezeline.jobs.report import Source, render_report
from include.freezeline.reports.queries import latest_as_of
from include.freezeline.settings import Settings

DOCUMENT_KEY = "freeze.json"
PUBLIC_KEY_KEY = "freeze.pub.pem"
FLAGD_KEY = "flags.flagd.json"
_LATEST_REPORT = "reports/latest/freeze_report"
_REPORT_TYPES = {"html": "text/html", "md": "text/markdown", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class PublishSummary:
    """Where everything went.

    Attributes:
        snapshot_path: The read-only warehouse snapshot.
        document_uri: The signed freeze document.
        local_document_uri: The same on this machine.
        flagd_uri: The flagd file.
        report_uri: The report as HTML.
        sequence: Sequence number of the document.
        states: Freeze state by ``feature (environment)``.
        is_newest: Whether the document and flags now speak of this night; False for a backfill.
    """

    snapshot_path: str
    document_uri: str
    local_document_uri: str
    flagd_uri: str
    report_uri: str
    sequence: int
    states: dict[str, str]
    is_newest: bool


def publish(settings: Settings, as_of: datetime) -> PublishSummary:
    """Publish the night ``as_of`` to ``settings.published_uri``.

    Readers see the old objects or the new ones. The report is written first, so that the freeze
    document never points to a report that is not there, and the document last. Document, flags and
    key go to ``settings.local_published_uri`` too. A past night (a backfill) publishes its snapshot
    and its dated report; document, flags and latest report stay those of the newest night.

    Raises:
        DocumentError: The night has no flags, or the signing key cannot be used.
    """
    snapshot = publish_snapshot(settings, as_of)
    with publishing_lock(settings):
        return _publish_snapshot(settings, as_of, snapshot, "warehouse")


def publish_again(settings: Settings) -> PublishSummary:
    """Publish the newest published night once more, with the overrides that are known now.

    Raises:
        WarehouseError: Nothing is published yet.
    """
    snapshot = latest_snapshot(settings)
    with open_warehouse(snapshot, read_only=True) as warehouse:
        as_of = latest_as_of(warehouse)
    if as_of is None:
        message = f"{snapshot.name}: the snapshot holds no decided night (run the nightly DAG)"
        raise WarehouseError(message)
    with publishing_lock(settings):
        return _publish_snapshot(settings, as_of, snapshot, "snapshot")


def _publish_snapshot(
    settings: Settings, as_of: datetime, snapshot: Path, source: Source
) -> PublishSummary:
    """Publish what a snapshot says."""
    store = open_store(settings.published_uri, settings)
    report_key = f"reports/{as_of:%Y-%m-%d}/freeze_report"
    report_uri = f"{store.uri.rstrip('/')}/{report_key}.html"
    flags, attributions = _load_night(snapshot, as_of)
    overrides = override_log(settings).rows()
    document = build_document(flags, attributions, as_of, report_uri, overrides)
    private_key = load_signing_key(settings)
    local = open_store(settings.local_published_uri, settings)
    is_newest = is_newest_night(settings, as_of)
    keys = [report_key, *([_LATEST_REPORT] if is_newest else [])]
    _write_report(store, settings, as_of, keys, source)
    places = {store.uri: store, local.uri: local}.values() if is_newest else ()
    actions = _load_actions(snapshot, as_of)
    for place in places:
        place.write_bytes(ACTIONS_KEY, actions, content_type="application/json")
        write_document(place, document, private_key)
    return PublishSummary(
        snapshot_path=str(snapshot),
        document_uri=f"{store.uri.rstrip('/')}/{DOCUMENT_KEY}",
        local_document_uri=f"{local.uri}/{DOCUMENT_KEY}",
        flagd_uri=f"{store.uri.rstrip('/')}/{FLAGD_KEY}",
        report_uri=report_uri,
        sequence=document["sequence"],
        states={
            f"{item['feature']} ({item['environment']})": item["state"]
            for item in document["features"]
        },
        is_newest=is_newest,
    )


def write_document(store: ObjectStore, document: Mapping[str, Any], private_key: bytes) -> None:
    """Write key, flags and signed document, each whole, the document last.

    A reader between two of them finds the new flags beside the old document, both genuine and
    expiring by themselves; with a new key, no document that the key has signed, which blocks.
    """
    store.write_bytes(PUBLIC_KEY_KEY, public_key_of(private_key))
    store.write_bytes(FLAGD_KEY, build_flagd_file(document), content_type="application/json")
    signed = sign_document(document, private_key)
    store.write_bytes(DOCUMENT_KEY, signed, content_type="application/json")


def load_signing_key(settings: Settings) -> bytes:
    """Load the signing key; where none is configured, make one under ``home`` on first use.

    Raises:
        DocumentError: The configured key file does not exist.
    """
    path = settings.signing_key_path or settings.home / "keys" / "freeze_signing.pem"
    if path.exists():
        return path.read_bytes()
    if settings.signing_key_path is not None:
        message = f"{path}: no signing key there (correct FREEZELINE_SIGNING_KEY_PATH, or unset it)"
        raise DocumentError(message)
    private_key = private_key_from_seed(os.urandom(32))
    _write_private(path, private_key)
    path.with_name("freeze_signing.pub.pem").write_bytes(public_key_of(private_key))
    return private_key


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    partial.replace(path)


def _load_night(
    snapshot: Path, as_of: datetime
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Load the newest revisions of the night's flags and attributions."""
    newest = (
        "select * from judgement.{table} where as_of = ? "
        "qualify row_number() over (partition by {key} order by revision desc) = 1 order by {key}"
    )
    with open_warehouse(snapshot, read_only=True) as warehouse:
        flags = warehouse.rows(newest.format(table="freeze_flags", key="flag_key"), [as_of])
        attributions = warehouse.rows(
            newest.format(table="slo_attributions", key="slo_attribution_key"), [as_of]
        )
    return flags, attributions


def _load_actions(snapshot: Path, as_of: datetime) -> bytes:
    """Return the file of the night's recommended actions."""
    with open_warehouse(snapshot, read_only=True) as warehouse:
        return actions_file(load_actions(warehouse, as_of), as_of)


def _write_report(
    store: ObjectStore, settings: Settings, as_of: datetime, keys: Sequence[str], source: Source
) -> None:
    """Write the report under each key: its date, and as the latest one."""
    files = render_report(settings, as_of, source=source)
    texts = {"html": files.html, "md": files.markdown, "json": files.json}
    for key in keys:
        for suffix, text in texts.items():
            store.write_bytes(
                f"{key}.{suffix}", text.encode("utf-8"), content_type=_REPORT_TYPES[suffix]
            )
