"""Grant, revoke and list overrides; the published document knows them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.freezeline.adapters.override_log import override_log
from include.freezeline.adapters.snapshots import open_snapshot
from include.freezeline.config import config_dir
from include.freezeline.errors import FreezelineError, OverrideError, UnknownFeatureError
from include.freezeline.freeze.overrides import (
    GRANTED,
    REVOKED,
    OverrideRequest,
    live_overrides,
    load_override_rules,
    plan_grant,
    plan_revocation,
)
from include.freezeline.jobs.publish import publish_again
from include.freezeline.jobs.redact import open_redactor
from include.freezeline.settings import Settings

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OverrideResult:
    """What was written.

    Attributes:
        row: The row of the log.
        document_uri: The freeze document that says so now.
        sequence: Its sequence number.
    """

    row: Row
    document_uri: str
    sequence: int


def grant_override(settings: Settings, request: OverrideRequest) -> OverrideResult:
    """Let frozen features ship for some hours, and publish that.

    Args:
        settings: Where everything is.
        request: Who asks for what, and who approves.

    Raises:
        OverrideError: A rule of ``config/overrides.yml`` says no, a feature is not frozen, or
            what was granted could not be published.
        UnknownFeatureError: The published night has no such feature there.
    """
    rules = load_override_rules(config_dir(settings))
    _require_no_person_in(
        settings, {"--reason": request.reason, "--change-ref": request.change_ref}
    )
    _require_frozen(settings, request)
    row = override_log(settings).append(lambda known: plan_grant(request, rules, known))
    return _published(settings, row)


def revoke_override(
    settings: Settings, override_id: str, person: str, reason: str, at: datetime, login_name: str
) -> OverrideResult:
    """End an override before its time, and publish that; once more when it was revoked already.

    Args:
        settings: Where everything is.
        override_id: The override.
        person: Who ends it.
        reason: Why.
        at: When.
        login_name: Account that the command runs under.

    Raises:
        OverrideError: It is not in force, something is missing, or the revocation could not be
            published.
    """
    log = override_log(settings)
    done = [row for row in log.rows() if row["override_id"] == override_id]
    if done and done[-1]["event_kind"] == REVOKED:  # perhaps it never reached the document
        return _published(settings, done[-1])
    rules = load_override_rules(config_dir(settings))
    _require_no_person_in(settings, {"--reason": reason})
    row = log.append(
        lambda known: plan_revocation(override_id, person, reason, at, login_name, rules, known)
    )
    return _published(settings, row)


def list_overrides(settings: Settings, at: datetime) -> list[dict[str, Any]]:
    """Return every row of the log, each with whether its override is in force.

    Args:
        settings: Where the log is.
        at: The time asked about.
    """
    rows = override_log(settings).rows()
    live = {row["override_id"] for row in live_overrides(rows, at)}
    return [
        row | {"is_in_force": row["override_id"] in live and row["event_kind"] == GRANTED}
        for row in rows
    ]


def _published(settings: Settings, row: Row) -> OverrideResult:
    """Publish the newest night's document again, with what the log says now.

    Raises:
        OverrideError: It cannot be published; the log has the row all the same.
    """
    try:
        summary = publish_again(settings)
    except (FreezelineError, OSError) as error:
        message = (
            f"{row['override_id']}: {row['event_kind']} in the log, but not published: {error} (until "
            "it is, the gate answers as before; mend that, then revoke it again or clear "
            "publish_night)"
        )
        raise OverrideError(message) from error
    return OverrideResult(row, summary.document_uri, summary.sequence)


def _require_frozen(settings: Settings, request: OverrideRequest) -> None:
    """Refuse features that are not frozen: there is nothing to override."""
    states = _states(settings, request.environment)
    unknown: Sequence[str] = [name for name in request.features if name not in states]
    if unknown or not request.features:
        known = ", ".join(sorted(states)) or "none"
        wrong = ", ".join(unknown) or "(none)"
        message = f"--feature: {wrong} ({request.environment}): no such feature (known: {known})"
        raise UnknownFeatureError(message)
    open_ones = [name for name in request.features if states[name] not in ("FROZEN", "RECOVERING")]
    if open_ones:
        message = (
            f"--feature: {', '.join(open_ones)} ({request.environment}) is {states[open_ones[0]]}: "
            "there is nothing to override (leave it out)"
        )
        raise OverrideError(message)


def _states(settings: Settings, environment: str) -> dict[str, str]:
    """Return the state of every feature in the newest published night."""
    with open_snapshot(settings) as warehouse:
        rows = warehouse.rows(
            "select feature, state from judgement.freeze_flags where environment = ? "
            "qualify row_number() over (partition by feature order by as_of desc, revision desc) = 1",
            [environment],
        )
    return {row["feature"]: row["state"] for row in rows}


def _require_no_person_in(settings: Settings, texts: Mapping[str, str | None]) -> None:
    """Refuse texts that hold what redaction would take out: the document is read by many.

    Raises:
        OverrideError: One does; the value is not repeated.
    """
    scope = open_redactor(settings).scope()
    for name, text in texts.items():
        redacted = scope.redact_text(text or "")
        if redacted.is_dropped or redacted.findings:
            kinds = sorted({finding.type for finding in redacted.findings})
            message = (
                f"{name}: holds {', '.join(kinds) or 'what cannot be scanned'}, and overrides are "
                "published (name a ticket, not a person)"
            )
            raise OverrideError(message)
