"""What an erasure says it would do and has done; none of it names the subject."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from include.freezeline.erasure.subject import SubjectKind
from include.freezeline.errors import ErasureError
from include.freezeline.hashing import stable_hash

_ID_DIGITS = 16
HELD = "a legal hold covers it; it goes when the hold is lifted"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one store holds of a subject.

    Attributes:
        store: Store and table, or file.
        n_found: Rows, texts or vectors that are theirs and go.
        n_left: Those that stay.
        reason: Why they stay; empty when none does.
        n_deleted: Those that went.
    """

    store: str
    n_found: int
    n_left: int = 0
    reason: str = ""
    n_deleted: int = 0


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What would go, and what would stay and why.

    Attributes:
        plan_id: Hash of all the rest; applying asks for it.
        subject_kind: What is erased.
        subject_digest: Keyed digest of its pseudonym.
        before_at: Exclusive end of the events that are meant.
        policy_hash: Hash of the policies it follows.
        findings: By store, where anything was found.
    """

    plan_id: str
    subject_kind: SubjectKind
    subject_digest: str
    before_at: datetime
    policy_hash: str
    findings: tuple[Finding, ...]

    def lines(self) -> list[str]:
        """Return the plan as lines for people."""
        return [
            f"plan {self.plan_id}: erase a {self.subject_kind}, events before "
            f"{self.before_at:%Y-%m-%dT%H:%M:%SZ}",
            *(_line(finding, finding.n_found, "would go") for finding in self.findings),
            *([] if self.findings else ["  nothing was found; applying it only sets a tombstone"]),
        ]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done.

    Attributes:
        erasure_id: Id of the plan.
        subject_kind: What was erased.
        subject_digest: Keyed digest of its pseudonym.
        before_at: Exclusive end of the events that were meant.
        stores: By store, where anything was found.
        may_stay: What the policy says an erasure leaves, with its reason.
        first_verified_as_of: The first night that looked again; None before.
        last_verified_as_of: The last one.
        came_back: Nights in which something had come back, and what was removed again.
    """

    erasure_id: str
    subject_kind: SubjectKind
    subject_digest: str
    before_at: datetime
    stores: tuple[Finding, ...]
    may_stay: tuple[Mapping[str, str], ...]
    first_verified_as_of: datetime | None = None
    last_verified_as_of: datetime | None = None
    came_back: tuple[Mapping[str, Any], ...] = field(default=())

    def lines(self) -> list[str]:
        """Return the receipt as lines for people."""
        return [
            f"receipt {self.erasure_id}: erased a {self.subject_kind}, events before "
            f"{self.before_at:%Y-%m-%dT%H:%M:%SZ}",
            *(_line(finding, finding.n_deleted, "went") for finding in self.stores),
            *(f"  left: {item['name']} ({item['reason']})" for item in self.may_stay),
        ]


def _line(finding: Finding, n_going: int, verb: str) -> str:
    """Say what goes from one store and what stays."""
    left = f", {finding.n_left:,} left: {finding.reason}" if finding.n_left else ""
    return f"  {finding.store}: {n_going:,} {verb}{left}"


def make_plan(
    kind: SubjectKind,
    digest: str,
    before_at: datetime,
    policy_hash: str,
    findings: Sequence[Finding],
) -> ErasurePlan:
    """Number a plan."""
    plain = [asdict(finding) for finding in findings]
    plan_id = stable_hash(kind, digest, before_at, policy_hash, plain)[:_ID_DIGITS]
    return ErasurePlan(plan_id, kind, digest, before_at, policy_hash, tuple(findings))


def to_json(document: ErasurePlan | Receipt) -> str:
    """Write a plan or a receipt as JSON text."""
    return json.dumps(asdict(document), indent=1, sort_keys=True, default=_moment) + "\n"


def _moment(value: Any) -> str:
    """Write a time."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def parse_erasure_plan(text: str) -> ErasurePlan:
    """Read a plan, and check that nobody changed it.

    Raises:
        ErasureError: The plan does not hash to its own id.
    """
    given = json.loads(text)
    plan = make_plan(
        given["subject_kind"],
        given["subject_digest"],
        datetime.fromisoformat(given["before_at"]),
        given["policy_hash"],
        [Finding(**finding) for finding in given["findings"]],
    )
    if plan.plan_id != given["plan_id"]:
        message = f"plan {given['plan_id']}: its content was changed (make a new plan)"
        raise ErasureError(message)
    return plan


def parse_receipt(text: str) -> Receipt:
    """Read a receipt."""
    given = json.loads(text)
    for name in ("before_at", "first_verified_as_of", "last_verified_as_of"):
        given[name] = None if given[name] is None else datetime.fromisoformat(given[name])
    given["stores"] = tuple(Finding(**finding) for finding in given["stores"])
    given["may_stay"], given["came_back"] = tuple(given["may_stay"]), tuple(given["came_back"])
    return Receipt(**given)


def add_up(parts: Iterable[Finding]) -> tuple[Finding, ...]:
    """Add what several attempts did to each store; what is left is what the last one left."""
    total: dict[str, Finding] = {}
    for part in parts:
        before = total.get(part.store, Finding(part.store, 0))
        n_deleted = before.n_deleted + part.n_deleted
        total[part.store] = Finding(part.store, n_deleted, part.n_left, part.reason, n_deleted)
    return tuple(total[store] for store in sorted(total))
