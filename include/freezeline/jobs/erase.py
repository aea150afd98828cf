"""Erasure: plan what is a subject's, erase it by the plan's id, look again every night.

Planning changes no data. Applying first sets tombstones, so that nothing comes back while it
runs, then removes the rows from every store, looks again, and writes a receipt. Plans, proofs,
receipts and tombstones lie under ``<home>/erasure`` and name nobody: applying takes the subject
again and checks that it is the plan's.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from include.freezeline.adapters.targets import refuse_elsewhere
from include.freezeline.adapters.tombstone_files import (
    has_tombstones,
    read_tombstones,
    write_tombstones,
)
from include.freezeline.config import config_dir
from include.freezeline.erasure.policy import load_erasure_policy
from include.freezeline.erasure.receipt import (
    ErasurePlan,
    Finding,
    Receipt,
    add_up,
    make_plan,
    parse_erasure_plan,
    parse_receipt,
    to_json,
)
from include.freezeline.erasure.subject import (
    Digester,
    IdKind,
    Subject,
    SubjectKind,
    parse_subject_key,
)
from include.freezeline.erasure.tombstones import Tombstone
from include.freezeline.errors import ErasureError
from include.freezeline.hashing import stable_hash
from include.freezeline.jobs.erase_stores import ErasureStores, open_stores
from include.freezeline.retention.policy import load_retention_policy
from include.freezeline.settings import Settings

# Whatever happens under these ids is theirs for good.
_LASTING: tuple[IdKind, ...] = (
    "trace_id", "request_id", "response_id", "content_name",
)  # fmt: skip
_NIGHTLY = "nightly"


@dataclass(frozen=True, slots=True)
class VerifySummary:
    """What a night's look for erased rows found.

    Attributes:
        n_erasures: Erasures that were looked for.
        n_came_back: Rows that had come back, and were removed again.
        n_left: Rows that stay for a reason that the receipts name.
    """

    n_erasures: int
    n_came_back: int
    n_left: int


def plan_erasure(settings: Settings, subject: Subject, before_at: datetime) -> ErasurePlan:
    """Find what is a subject's in every store and store that as a numbered plan.

    Args:
        settings: Where everything is.
        subject: Who.
        before_at: Exclusive end of the events that are meant.
    """
    digester = _digester(settings)
    with open_stores(settings, subject.kind) as stores:
        stores.session.name(subject.key, before_at)
        findings = stores.find(stores.learn(subject.raw_id))
    digest = digester.digest(subject.column, subject.key)
    plan = make_plan(subject.kind, digest, before_at, _policy_hash(settings), findings)
    _write(_plan_path(settings, plan.plan_id), to_json(plan))
    return plan


def apply_erasure(settings: Settings, subject: Subject, plan_id: str) -> Receipt:
    """Erase what is a subject's, verify that it is gone, and write the receipt.

    What is erased is what is theirs now: rows that landed since the plan go too. Calling it
    again, after a crash for example, finishes what is left and adds to the receipt.

    Raises:
        ConfigError: The marts are built on another target.
        ErasureError: There is no such plan, it is another subject's, a policy changed since, or
            something is still there afterwards.
    """
    refuse_elsewhere(settings, "erasure")
    plan = _load_plan(settings, subject, plan_id)
    with open_stores(settings, subject.kind) as stores:
        stores.session.name(subject.key, plan.before_at)
        stores.recognise(read_tombstones(settings, plan_id), _digester(settings))
        quotes = stores.learn(subject.raw_id)
        write_tombstones(settings, plan_id, _stones(settings, stores, [(subject, plan.before_at)]))
        for finding in stores.erase(quotes):
            _prove(settings, plan_id, finding)
        _require_gone(stores.find(quotes), f"plan {plan_id}")
    return _write_receipt(settings, plan)


def plan_subject_key(
    settings: Settings,
    subject_key: str,
    before_at: datetime,
    *,
    progress: Callable[[str], None] | None = None,
) -> ErasurePlan:
    """Plan the erasure of a pseudonym key; raw ids are refused.

    Args:
        settings: Where everything is.
        subject_key: The pseudonym.
        before_at: Exclusive end of the events that are meant.
        progress: Told the plan's id and what would go.
    """
    plan = plan_erasure(settings, parse_subject_key(subject_key), before_at)
    if progress is not None:
        for line in plan.lines():
            progress(line)
    return plan


def apply_subject_key(settings: Settings, subject_key: str, plan_id: str) -> Receipt:
    """Apply the plan of a pseudonym key; see :func:`apply_erasure`."""
    return apply_erasure(settings, parse_subject_key(subject_key), plan_id)


def verify_erasures(settings: Settings, as_of: datetime) -> VerifySummary:
    """Look for everything that was ever erased, and remove again what came back.

    Rows can come back although tombstones stop them at the door: a span that landed before
    another one said whose trace it is, or a hold that was lifted.

    Args:
        settings: Where everything is.
        as_of: The night that looks, for the receipts.

    Raises:
        ErasureError: Something is still there afterwards.
    """
    if not has_tombstones(settings):
        return VerifySummary(0, 0, 0)
    stones = read_tombstones(settings)
    receipts = [parse_receipt(path.read_text("utf-8")) for path in _receipt_paths(settings)]
    back: dict[SubjectKind, list[Finding]] = {}
    n_left = 0
    for kind in sorted({stone.subject_kind for stone in stones}):
        found = _look_again(settings, kind, [s for s in stones if s.subject_kind == kind])
        back[kind] = [finding for finding in found if finding.n_found]
        n_left += sum(finding.n_left for finding in found)
    for receipt in receipts:
        _note_verified(settings, receipt, as_of, back.get(receipt.subject_kind, []))
    n_back = sum(finding.n_found for found in back.values() for finding in found)
    return VerifySummary(len(receipts), n_back, n_left)


def _look_again(settings: Settings, kind: SubjectKind, stones: list[Tombstone]) -> list[Finding]:
    """Find, and remove, what is there of the erased subjects of one kind.

    Old snapshots never change, so they are looked at only when something is found elsewhere.
    """
    with open_stores(settings, kind, is_newest_only=True) as stores:
        stores.recognise(stones, _digester(settings))
        found = stores.find(stores.learn())
    if not any(finding.n_found for finding in found):
        return found
    with open_stores(settings, kind) as stores:
        stores.recognise(stones, _digester(settings))
        quotes = stores.learn()
        found = stores.find(quotes)
        write_tombstones(settings, _NIGHTLY, _stones(settings, stores, []))
        for finding in stores.erase(quotes):
            _prove(settings, _NIGHTLY, finding)
        _require_gone(stores.find(quotes), "erased before")
    return found


def _stones(
    settings: Settings, stores: ErasureStores, subjects: Iterable[tuple[Subject, datetime]]
) -> list[Tombstone]:
    """Return the tombstones of subjects and of everything that is known to be theirs."""
    digester, session = _digester(settings), stores.session
    stones = [
        Tombstone(subject.kind, subject.column, digester.digest(subject.column, subject.key), at)
        for subject, at in subjects
    ]
    stones += [
        Tombstone(subject.kind, "raw_id", digester.digest("raw_id", subject.raw_id), None)
        for subject, _ in subjects
        if subject.raw_id is not None
    ]
    sessions = session.execute("select id, max(before_at) from theirs_session_key group by id")
    stones += [
        Tombstone(session.kind, "session_key", digester.digest("session_key", found), before_at)
        for found, before_at in sessions
    ]
    stones += [
        Tombstone(session.kind, id_kind, digester.digest(id_kind, found), None)
        for id_kind in _LASTING
        for found in session.ids(id_kind)
    ]
    others = session.execute("select distinct span_id from others")
    stones += [
        Tombstone(session.kind, "span_id", digester.digest("span_id", span_id), None)
        for (span_id,) in others
    ]
    return stones


def _require_gone(findings: Sequence[Finding], what: str) -> None:
    """Refuse to call it done while something is there.

    Raises:
        ErasureError: Something is.
    """
    left = [finding for finding in findings if finding.n_found]
    if left:
        message = (
            f"{what}: {sum(f.n_found for f in left):,} rows are still there, first in "
            f"{left[0].store} (see that nothing else writes there, then run it again)"
        )
        raise ErasureError(message)


def _load_plan(settings: Settings, subject: Subject, plan_id: str) -> ErasurePlan:
    """Read a plan and check that it may be applied to a subject."""
    path = _plan_path(settings, plan_id)
    if not plan_id.isalnum() or not path.exists():
        message = (
            f"plan {plan_id}: no such plan (run `erase --subject ...` and use the id it prints)"
        )
        raise ErasureError(message)
    plan = parse_erasure_plan(path.read_text(encoding="utf-8"))
    digest = _digester(settings).digest(subject.column, subject.key)
    if (plan.subject_kind, plan.subject_digest) != (subject.kind, digest):
        message = f"plan {plan_id}: made for another subject (make a plan for this one)"
        raise ErasureError(message)
    if plan.policy_hash != _policy_hash(settings):
        message = f"plan {plan_id}: erasure.yml or the legal holds changed since (make a new plan)"
        raise ErasureError(message)
    return plan


def _policy_hash(settings: Settings) -> str:
    """Return a hash of what decides over what stays."""
    policies = config_dir(settings)
    holds = load_retention_policy(policies).legal_holds
    erasure = load_erasure_policy(policies).model_dump(mode="json")
    return stable_hash(erasure, [hold.model_dump(mode="json") for hold in holds])


def _prove(settings: Settings, erasure_id: str, finding: Finding) -> None:
    """Append a proof line."""
    path = settings.home / "erasure" / "proofs" / f"{erasure_id}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as proofs:
        proofs.write(json.dumps(asdict(finding), sort_keys=True) + "\n")


def _write_receipt(settings: Settings, plan: ErasurePlan) -> Receipt:
    """Add up the proofs of an erasure in its receipt."""
    proofs = settings.home / "erasure" / "proofs" / f"{plan.plan_id}.jsonl"
    lines = proofs.read_text(encoding="utf-8").splitlines() if proofs.exists() else []
    policy = load_erasure_policy(config_dir(settings))
    receipt = Receipt(
        erasure_id=plan.plan_id,
        subject_kind=plan.subject_kind,
        subject_digest=plan.subject_digest,
        before_at=plan.before_at,
        stores=add_up(Finding(**json.loads(line)) for line in lines),
        may_stay=tuple(item.model_dump() for item in policy.may_stay),
    )
    _write(_receipt_path(settings, plan.plan_id), to_json(receipt))
    return receipt


def _note_verified(
    settings: Settings, receipt: Receipt, as_of: datetime, back: Sequence[Finding]
) -> None:
    """Write into a receipt that a night looked, and what it had to remove again."""
    again = {"as_of": as_of.isoformat(), "stores": {f.store: f.n_found for f in back}}
    noted = replace(
        receipt,
        first_verified_as_of=receipt.first_verified_as_of or as_of,
        last_verified_as_of=as_of,
        came_back=(*receipt.came_back, again) if back else receipt.came_back,
    )
    _write(_receipt_path(settings, receipt.erasure_id), to_json(noted))


def _digester(settings: Settings) -> Digester:
    """Return what makes digests, from the key of the pseudonyms."""
    return Digester(settings.required_pseudonym_key())


def _plan_path(settings: Settings, plan_id: str) -> Path:
    """Return where a plan is stored."""
    return settings.home / "erasure" / "plans" / f"{plan_id}.json"


def _receipt_path(settings: Settings, erasure_id: str) -> Path:
    """Return where a receipt is stored."""
    return settings.home / "erasure" / "receipts" / f"{erasure_id}.json"


def _receipt_paths(settings: Settings) -> list[Path]:
    """Return the receipts, in order."""
    return sorted((settings.home / "erasure" / "receipts").glob("*.json"))


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
