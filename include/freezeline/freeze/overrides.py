"""Overrides: named people let a frozen feature ship for some hours, on the record.

An override never changes the state of a feature, only the gate's answer. It names who asks, who
else approves, what for and until when; revoking one is another row of the same log.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from include.freezeline.config import demanding_pattern, load_yaml, parse_config
from include.freezeline.errors import OverrideError
from include.freezeline.hashing import stable_hash

Row = Mapping[str, Any]
GRANTED, REVOKED = "granted", "revoked"
_MAX_CHARS = 500
_MIN_WORDS = 3
_WORD = re.compile(r"[^\W_]{2,}")


class OverrideRules(BaseModel):
    """The document ``config/overrides.yml``.

    Attributes:
        max_hours: Longest time an override may hold; never more than 72.
        per_quarter: Overrides that a feature may have in an environment and a calendar quarter.
        person_pattern: What a person's name must match, whole.
        approvers: Who may approve; anybody but the asking person when empty.
        min_reason_chars: Fewest characters of a reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_hours: Annotated[int, Field(ge=1, le=72)]
    per_quarter: Annotated[int, Field(ge=0)]
    person_pattern: Annotated[str, Field(min_length=1, max_length=300)]
    approvers: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    min_reason_chars: Annotated[int, Field(ge=20, le=_MAX_CHARS)] = 20

    @field_validator("person_pattern")
    @classmethod
    def _is_an_expression(cls, pattern: str) -> str:
        return demanding_pattern(pattern)


@dataclass(frozen=True, slots=True)
class OverrideRequest:
    """What somebody asks for.

    Attributes:
        features: Features that may ship.
        environment: Where to.
        change_ref: The one change it is for (a commit, a pull request); None for any.
        reason: Why.
        requested_by: Who asks.
        approved_by: Who else approves.
        hours: How long it holds.
        at: When it begins.
        login_name: Account that the command runs under.
        entered_at: Clock of the machine, whatever ``at`` was given; None where none was read.
    """

    features: tuple[str, ...]
    environment: str
    change_ref: str | None
    reason: str
    requested_by: str
    approved_by: str
    hours: float
    at: datetime
    login_name: str
    entered_at: datetime | None = None


def load_override_rules(config_dir: Path) -> OverrideRules:
    """Read the rules.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = config_dir / "overrides.yml"
    return parse_config(OverrideRules, path, load_yaml(path))


def plan_grant(request: OverrideRequest, rules: OverrideRules, known: Sequence[Row]) -> Row:
    """Return the values of the row that grants an override.

    Args:
        request: What is asked for.
        rules: What is allowed.
        known: Rows of the log before it.

    Raises:
        OverrideError: The first thing that is wrong.
    """
    _check_people(request, rules)
    _check_reason(request.reason, rules)
    _require(
        0 < request.hours <= rules.max_hours,
        f"--hours: got {request.hours:g}, expected more than 0 and at most {rules.max_hours}",
    )
    _require(
        request.change_ref is None or _is_line(request.change_ref),
        f"--change-ref: expected one line of 1 to {_MAX_CHARS} characters",
    )
    for feature in request.features:
        _check_quarter(request, feature, rules, known)
    return {
        "event_kind": GRANTED,
        "override_id": f"ov-{stable_hash(len(known), request.at, request.features)[:12]}",
        "recorded_at": request.at.isoformat(),
        "features": sorted(set(request.features)),
        "environment": request.environment,
        "change_ref": request.change_ref,
        "reason": request.reason.strip(),
        "requested_by": request.requested_by.strip(),
        "approved_by": request.approved_by.strip(),
        "created_at": request.at.isoformat(),
        "expires_at": (request.at + timedelta(hours=request.hours)).isoformat(),
        "login_name": request.login_name,
        "entered_at": None if request.entered_at is None else request.entered_at.isoformat(),
    }


def plan_revocation(
    override_id: str,
    person: str,
    reason: str,
    at: datetime,
    login_name: str,
    rules: OverrideRules,
    known: Sequence[Row],
) -> Row:
    """Return the values of the row that ends an override early.

    Args:
        override_id: The override.
        person: Who ends it; one person is enough.
        reason: Why.
        at: When.
        login_name: Account that the command runs under.
        rules: What is allowed.
        known: Rows of the log before it.

    Raises:
        OverrideError: There is no such override, it is over, or something is missing.
    """
    live = {item["override_id"]: item for item in live_overrides(known, at)}
    names = ", ".join(sorted(live)) or "none"
    _require(
        override_id in live, f"{override_id}: not in force at {at.isoformat()} (in force: {names})"
    )
    _check_person("--person", person, rules)
    _check_reason(reason, rules)
    return {
        **{name: live[override_id][name] for name in _CARRIED},
        "event_kind": REVOKED,
        "recorded_at": at.isoformat(),
        "reason": reason.strip(),
        "requested_by": person.strip(),
        "approved_by": None,
        "login_name": login_name,
    }


_CARRIED = ("override_id", "features", "environment", "change_ref", "created_at", "expires_at")


def live_overrides(rows: Iterable[Row], at: datetime) -> list[Row]:
    """Return the granting rows that are neither over nor revoked at a time, in order."""
    granted: dict[str, Row] = {}
    for row in rows:
        if row["event_kind"] == GRANTED:
            granted[row["override_id"]] = row
        else:
            granted.pop(row["override_id"], None)
    return [row for row in granted.values() if datetime.fromisoformat(row["expires_at"]) > at]


def published_overrides(rows: Iterable[Row], feature: str, environment: str) -> list[Row]:
    """Return what the freeze document says about a feature's overrides.

    Args:
        rows: Granting rows that are in force.
        feature: Feature.
        environment: Environment.
    """
    return [
        {name: row[name] for name in _PUBLISHED}
        for row in rows
        if row["environment"] == environment and feature in row["features"]
    ]


_PUBLISHED = (
    "override_id", "change_ref", "reason", "requested_by", "approved_by", "created_at",
    "expires_at",
)  # fmt: skip


def _check_people(request: OverrideRequest, rules: OverrideRules) -> None:
    """Refuse one person in both roles, and who may not approve."""
    _check_person("--requested-by", request.requested_by, rules)
    _check_person("--approved-by", request.approved_by, rules)
    approver = request.approved_by.strip()
    _require(
        approver.casefold() != request.requested_by.strip().casefold(),
        f"--approved-by: {approver!r} asks for it too (a second person must approve)",
    )
    allowed = {name.casefold() for name in rules.approvers}
    _require(
        not allowed or approver.casefold() in allowed,
        f"--approved-by: {approver!r} may not approve (one of {', '.join(rules.approvers)}, "
        "config/overrides.yml)",
    )


def _check_person(option: str, person: str, rules: OverrideRules) -> None:
    """Refuse a name that is none."""
    name = person.strip()
    _require(
        _is_line(name) and re.fullmatch(rules.person_pattern, name) is not None,
        f"{option}: got {name[:80]!r}, expected what matches {rules.person_pattern}",
    )


def _check_reason(reason: str, rules: OverrideRules) -> None:
    """Refuse a reason that says nothing; it is not repeated."""
    text = reason.strip()
    _require(
        _is_line(text) and len(text) >= rules.min_reason_chars,
        f"--reason: {len(text)} characters, expected one line of {rules.min_reason_chars} to "
        f"{_MAX_CHARS}",
    )
    n_words = len({word.casefold() for word in _WORD.findall(text)})
    _require(
        n_words >= _MIN_WORDS,
        f"--reason: {n_words} different words, expected {_MIN_WORDS} (say why it cannot wait)",
    )


def _check_quarter(
    request: OverrideRequest, feature: str, rules: OverrideRules, known: Sequence[Row]
) -> None:
    """Refuse one more override than a quarter may have."""
    n_before = sum(
        row["event_kind"] == GRANTED
        and row["environment"] == request.environment
        and feature in row["features"]
        and _quarter(datetime.fromisoformat(row["created_at"])) == _quarter(request.at)
        for row in known
    )
    _require(
        n_before < rules.per_quarter,
        f"{feature} ({request.environment}): {n_before} overrides this quarter, at most "
        f"{rules.per_quarter} (ship a fix, or change per_quarter in config/overrides.yml)",
    )


def _quarter(at: datetime) -> tuple[int, int]:
    """Return year and calendar quarter."""
    return at.year, (at.month - 1) // 3


def _is_line(text: str) -> bool:
    """Whether a text is one line of bounded length that shows all it holds."""
    return text.isprintable() and 0 < len(text) <= _MAX_CHARS


def _require(condition: object, message: str) -> None:
    """Refuse.

    Raises:
        OverrideError: The condition does not hold.
    """
    if not condition:
        raise OverrideError(message)
