"""``freezeline gate``: may this change of this feature ship?

Reads nothing but the published document and the public key; imports nothing heavy, so that it
starts fast in other teams' pipelines.
"""

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click

from include.freezeline.errors import DocumentError, FreezelineError
from include.freezeline.freeze.gate import (
    CHANGE_CLASSES,
    EXIT_ALLOW,
    EXIT_FROZEN,
    EXIT_UNKNOWN_FEATURE,
    EXIT_UNTRUSTED,
    GateAnswer,
    answer_gate,
    parse_moment,
)

_DOCUMENT_NAME = "freeze.json"
_KEY_NAME = "freeze.pub.pem"
_LOCAL_KEY = Path("keys") / "freeze_signing.pub.pem"


@click.group(name="gate")
def command() -> None:
    """Ask whether a release may ship."""


@command.command(name="check")
@click.option("--feature", required=True, help="Feature that changes, as in the freeze document.")
@click.option("--environment", default="production", show_default=True, help="Where it ships to.")
@click.option(
    "--change-class",
    type=click.Choice(CHANGE_CLASSES),
    default="feature",
    show_default=True,
    help="Kind of change; rollbacks and fixes may ship while features are frozen.",
)
@click.option(
    "--source",
    help="Folder, file or URI (file://, s3://) of freeze.json. [default: the published URI]",
)
@click.option(
    "--public-key",
    "public_keys",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Trusted public key (PEM); give two while a key is being replaced. [default: the key "
    "made on this machine, else the one beside the document]",
)
@click.option(
    "--min-sequence", default=0, help="Refuse documents with a lower sequence (replayed old ones)."
)
@click.option("--change-ref", help="The change that asks, for overrides of one change only.")
@click.option("--at", "at_text", help="Time of the question, ISO 8601. [default: now]")
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="Standard output; the sentence for people goes to standard error.",
)
def check(
    feature: str,
    environment: str,
    change_class: str,
    source: str | None,
    public_keys: tuple[Path, ...],
    min_sequence: int,
    change_ref: str | None,
    at_text: str | None,
    output: str,
) -> None:
    """Exit 0: ship. 3: frozen. 4: document stale or not trustworthy. 5: unknown feature.

    Every other exit code is a block as well.
    """
    now = _read_clock(at_text)
    document: Mapping[str, Any] | None = None
    problem = ""
    try:
        document = _load_trusted(source, public_keys)
    except FreezelineError as error:
        problem = str(error)
    answer = answer_gate(
        document,
        feature,
        environment,
        change_class,
        now,
        problem=problem,
        min_sequence=min_sequence,
        change_ref=change_ref,
    )
    _print_answer(answer, document or {}, now, output)
    sys.exit(answer.exit_code)


def _read_clock(at_text: str | None) -> datetime:
    """Return the time of the question; the command line is where the wall clock is read."""
    if at_text is None:
        return datetime.now(UTC)
    try:
        return parse_moment(at_text)
    except ValueError:
        message = f"--at: {at_text!r} is not a time with an offset (write 2026-10-14T06:00:00Z)"
        raise click.UsageError(message) from None


def _load_trusted(source: str | None, public_keys: tuple[Path, ...]) -> Mapping[str, Any]:
    """Read the document and check its signature."""
    from include.freezeline.freeze.signing import verify_document

    source = source or _default_source()
    document = _read_beside(source, _DOCUMENT_NAME)
    paths = public_keys or _local_keys()
    if paths:
        return verify_document(document, [_read_file(path) for path in paths])
    click.echo(
        f"note: trusting the public key beside the document ({_KEY_NAME}); pin it with "
        "--public-key so that whoever can write there cannot sign too",
        err=True,
    )
    return verify_document(document, [_read_beside(source, _KEY_NAME)])


def _default_source() -> str:
    """Return the published URI of the settings."""
    from include.freezeline.settings import load_settings

    return load_settings(os.environ).published_uri


def _local_keys() -> tuple[Path, ...]:
    """Return the public key that publishing made on this machine, if it did."""
    path = Path(os.environ.get("FREEZELINE_HOME") or ".freezeline") / _LOCAL_KEY
    return (path,) if path.is_file() else ()


def _read_beside(source: str, name: str) -> bytes:
    """Read an object of the published folder; the source names the folder or the document."""
    folder, document_name = source.rstrip("/"), _DOCUMENT_NAME
    if folder.endswith(".json"):
        folder, _, document_name = folder.rpartition("/")
    key = document_name if name == _DOCUMENT_NAME else name
    parts = urlsplit(folder)
    if parts.scheme in ("", "file"):
        return _read_file(Path(unquote(parts.path) if parts.scheme else folder) / key)
    from include.freezeline.adapters.object_store import open_store
    from include.freezeline.settings import load_settings

    return open_store(folder, load_settings(os.environ)).read_bytes(key)


def _read_file(path: Path) -> bytes:
    """Read a file, or say what is wrong."""
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror} (publish a night first, or correct --source)"
        raise DocumentError(message) from None


def _print_answer(
    answer: GateAnswer, document: Mapping[str, Any], now: datetime, output: str
) -> None:
    """Write the answer for machines to standard output and for people to standard error."""
    sentence = _sentence(answer, document)
    if output == "json":
        click.echo(json.dumps(_as_json(answer, document, now), indent=1, sort_keys=True))
        click.echo(sentence, err=True)
    elif output == "github":
        kind = "notice" if answer.is_allowed else "error"
        escaped = sentence.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        click.echo(f"::{kind} title=Release freeze::{escaped}")
    else:
        click.echo(sentence)


def _sentence(answer: GateAnswer, document: Mapping[str, Any]) -> str:
    """Say the answer, why, and what to do."""
    subject = f"{answer.feature} ({answer.environment})"
    entry = answer.entry
    if answer.exit_code == EXIT_UNTRUSTED and answer.reason == "stale":
        return (
            f"BLOCKED: the freeze document is stale since {document['valid_until']} "
            "(run the nightly, or ship as rollback, security_fix or reliability_fix)"
        )
    if answer.exit_code == EXIT_UNTRUSTED:
        return f"BLOCKED: the freeze document cannot be trusted: {answer.problem}"
    if answer.exit_code == EXIT_UNKNOWN_FEATURE:
        known = sorted({str(item.get("feature")) for item in document.get("features", [])})
        return f"BLOCKED: {subject} is not in the freeze document (known: {', '.join(known)})"
    if answer.exit_code == EXIT_FROZEN:
        thaw = entry.get("earliest_thaw") or "not foreseeable"
        return (
            f"BLOCKED: {subject} is {entry['state']} since {entry.get('since', 'unknown')}: "
            f"{entry.get('reason', '')}. Earliest thaw: {thaw}. Report: "
            f"{document.get('report_url', '')}"
        )
    if answer.exit_code != EXIT_ALLOW:
        return f"BLOCKED: {answer.reason}"
    note = f" although {answer.problem}" if answer.problem else ""
    state = f"; state {entry['state']}" if entry else ""
    if answer.override:
        given = answer.override
        state += (
            f"; override {given['override_id']} by {given['requested_by']}, approved by "
            f"{given['approved_by']}, until {given['expires_at']}: {given['reason']}"
        )
    return f"ALLOWED: {subject}, {answer.change_class} ({answer.reason}{state}){note}"


def _as_json(answer: GateAnswer, document: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the answer in the published shape."""
    return {
        **{name: value for name, value in answer.entry.items() if name != "environment"},
        "schema_version": "1",
        "allow": answer.is_allowed,
        "decision": answer.decision,
        "reason": answer.reason,
        "explanation": answer.entry.get("reason", answer.problem),
        "exit_code": answer.exit_code,
        "feature": answer.feature,
        "environment": answer.environment,
        "change_class": answer.change_class,
        "override": dict(answer.override) or None,
        "fresh": bool(answer.entry) and answer.reason != "stale",
        "asked_at": now.isoformat(),
        **{
            name: document.get(name)
            for name in ("sequence", "data_through", "evaluated_at", "valid_until", "report_url")
        },
    }
