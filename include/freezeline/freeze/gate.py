"""The gate's rules: may this change of this feature ship? Pure, and light to import.

Everything that is not a clear yes from a fresh, genuine document is a block.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

CHANGE_CLASSES = ("feature", "rollback", "security_fix", "reliability_fix", "canary")
EXEMPT_CLASSES = frozenset({"rollback", "security_fix", "reliability_fix"})
SCHEMA_VERSION = "1"
MAX_CLOCK_LEAD = timedelta(minutes=5)
MAX_OVERRIDE = timedelta(hours=72)

EXIT_ALLOW = 0
EXIT_FROZEN = 3
EXIT_UNTRUSTED = 4
EXIT_UNKNOWN_FEATURE = 5

_SHIPPING = {"OPEN": "open", "WARNING": "warning"}


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """The answer, with what a person needs to act on it.

    Attributes:
        decision: ``allow`` or ``block``.
        reason: Which rule decided.
        exit_code: Exit code of the command.
        feature: Feature asked about.
        environment: Environment asked about.
        change_class: Kind of change asked about.
        entry: The feature's entry in the document; empty when it could not be used.
        problem: Why the document cannot be trusted; empty when it can.
        override: The override that let it through; empty when none did.
    """

    decision: Literal["allow", "block"]
    reason: str
    exit_code: int
    feature: str
    environment: str
    change_class: str
    entry: Mapping[str, Any]
    problem: str = ""
    override: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_allowed(self) -> bool:
        """Whether the change may ship."""
        return self.decision == "allow"


def answer_gate(
    document: Mapping[str, Any] | None,
    feature: str,
    environment: str,
    change_class: str,
    now: datetime,
    *,
    problem: str = "",
    min_sequence: int = 0,
    change_ref: str | None = None,
) -> GateAnswer:
    """Answer whether a change may ship.

    Args:
        document: A document whose signature was verified, or None when there is none.
        feature: Feature that changes.
        environment: Environment it ships to.
        change_class: One of ``CHANGE_CLASSES``; others count as ``feature``.
        now: Time of the question.
        problem: Why there is no document.
        min_sequence: Lowest sequence number to accept, against a replayed older document.
        change_ref: The change that asks, for overrides that are for one change only.
    """
    entry: Mapping[str, Any] = {}

    def answer(reason: str, exit_code: int, why: str = "") -> GateAnswer:
        decision: Literal["allow", "block"] = "block" if exit_code else "allow"
        return GateAnswer(
            decision, reason, exit_code, feature, environment, change_class, entry, why
        )

    is_rollback = change_class == "rollback"
    problem = problem or find_problem(document, now, min_sequence)
    if document is None or problem:
        if is_rollback:
            return answer("exempt_change_class", EXIT_ALLOW, problem)
        return answer("unverifiable", EXIT_UNTRUSTED, problem or "there is no document")
    found = find_entry(document, feature, environment)
    if found is None:
        if is_rollback:
            return answer("exempt_change_class", EXIT_ALLOW)
        return answer("unknown_feature", EXIT_UNKNOWN_FEATURE)
    entry = found
    is_exempt = change_class in EXEMPT_CLASSES
    if now >= parse_moment(document["valid_until"]):
        if is_exempt:
            return answer("exempt_change_class", EXIT_ALLOW)
        return answer("stale", EXIT_UNTRUSTED)
    plain = answer(*_judge_state(str(entry["state"]), change_class))
    override = find_override(entry, now, change_ref)
    if plain.is_allowed or override is None:
        return plain
    return replace(answer("override", EXIT_ALLOW), override=override)


def find_problem(document: Mapping[str, Any] | None, now: datetime, min_sequence: int = 0) -> str:
    """Return why a document cannot be used, or an empty text."""
    if document is None:
        return "there is no document"
    if document.get("schema_version") != SCHEMA_VERSION:
        return f"schema_version must be {SCHEMA_VERSION!r} (update the gate or the publisher)"
    try:
        evaluated_at = parse_moment(document["evaluated_at"])
        valid_until = parse_moment(document["valid_until"])
        sequence = int(document.get("sequence", 0))
    except (KeyError, TypeError, ValueError):
        return "evaluated_at, valid_until or sequence is missing or malformed"
    if evaluated_at - now > MAX_CLOCK_LEAD:
        return "it was evaluated in the future (check this machine's clock)"
    if valid_until <= evaluated_at:
        return "valid_until is not after evaluated_at"
    if sequence < min_sequence:
        return f"its sequence {sequence} is older than {min_sequence}, which was seen before"
    return ""


def find_entry(
    document: Mapping[str, Any], feature: str, environment: str
) -> Mapping[str, Any] | None:
    """Return the one entry of a feature in an environment; two are as bad as none."""
    features = document.get("features")
    if not isinstance(features, list):
        return None
    found = [
        item
        for item in features
        if isinstance(item, Mapping)
        and item.get("feature") == feature
        and item.get("environment") == environment
        and isinstance(item.get("state"), str)
    ]
    return found[0] if len(found) == 1 else None


def find_override(
    entry: Mapping[str, Any], now: datetime, change_ref: str | None = None
) -> Mapping[str, Any] | None:
    """Return the override of an entry that lets a change through now; None without one.

    Signed or not, one that is malformed, too long, or approved by who asked lets nothing through.
    """
    overrides = entry.get("overrides")
    for item in overrides if isinstance(overrides, list) else ():
        if isinstance(item, Mapping) and _is_in_force(item, now, change_ref):
            return item
    return None


def _is_in_force(override: Mapping[str, Any], now: datetime, change_ref: str | None) -> bool:
    """Whether an override holds for a change at a time."""
    people = [override.get("requested_by"), override.get("approved_by")]
    names = {name.strip().casefold() for name in people if isinstance(name, str) and name.strip()}
    wanted = override.get("change_ref")
    try:
        created_at = parse_moment(override.get("created_at"))
        expires_at = parse_moment(override.get("expires_at"))
    except ValueError:
        return False
    return (
        len(names) == len(people)
        and created_at <= now < expires_at
        and expires_at - created_at <= MAX_OVERRIDE
        and (wanted is None or (isinstance(wanted, str) and wanted == change_ref))
    )


def parse_moment(text: object) -> datetime:
    """Parse an ISO time that names its offset.

    Raises:
        ValueError: It does not.
    """
    if not isinstance(text, str):
        message = "must be a text"
        raise ValueError(message)  # noqa: TRY004 - callers treat every malformed time alike
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = "must name its offset from UTC"
        raise ValueError(message)
    return moment


def _judge_state(state: str, change_class: str) -> tuple[str, int]:
    """Return reason and exit code of a state in a fresh document; unknown states block."""
    if state in _SHIPPING:
        return _SHIPPING[state], EXIT_ALLOW
    if change_class in EXEMPT_CLASSES:
        return "exempt_change_class", EXIT_ALLOW
    if state == "RECOVERING" and change_class == "canary":
        return "canary_in_recovery", EXIT_ALLOW
    return "frozen", EXIT_FROZEN
