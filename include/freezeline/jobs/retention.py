"""Retention: plan what is past its time, apply a plan by its id, verify that nothing is left.

Planning changes no data: it writes the plan to ``<home>/retention/plans`` and says what it
would do. Applying takes the id of such a plan, does each action once however often it is
called, and leaves one proof line per action in ``<home>/retention/proofs``.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from include.freezeline.adapters.lake_tiers import archive_files, file_sha256
from include.freezeline.adapters.targets import refuse_elsewhere
from include.freezeline.config import config_dir
from include.freezeline.errors import RetentionError
from include.freezeline.jobs.retention_apply import carry_out
from include.freezeline.jobs.retention_inventory import cold_dir, take_inventory
from include.freezeline.retention.plan import (
    RetentionPlan,
    hash_policy,
    parse_plan,
    plan_retention,
    plan_to_json,
)
from include.freezeline.retention.policy import load_retention_policy
from include.freezeline.settings import Settings


@dataclass(frozen=True, slots=True)
class ApplySummary:
    """What applying a plan did.

    Attributes:
        plan_id: The plan.
        n_done: Actions that changed something.
        n_nothing_left: Actions whose data was gone already.
        n_rows: Rows emptied, archived or deleted.
        proof_path: The proof lines.
    """

    plan_id: str
    n_done: int
    n_nothing_left: int
    n_rows: int
    proof_path: Path

    def lines(self) -> list[str]:
        """Return the summary as lines for people."""
        return [
            f"plan {self.plan_id}: {self.n_done:,} actions done on {self.n_rows:,} rows, "
            f"{self.n_nothing_left:,} had nothing left to do; proofs in {self.proof_path}"
        ]


@dataclass(frozen=True, slots=True)
class VerifySummary:
    """What verifying a plan found in order.

    Attributes:
        plan_id: The plan; nothing of it is left to do.
        n_archives: Archived files that are what their manifests say.
    """

    plan_id: str
    n_archives: int


def plan(
    settings: Settings, as_of: datetime, *, progress: Callable[[str], None] | None = None
) -> RetentionPlan:
    """Plan what is past its time on ``as_of`` and store the plan; nothing else is touched.

    Args:
        settings: Where the lake is.
        as_of: The day the plan is for.
        progress: Told the plan's id and every action with its reason.
    """
    found = _plan(settings, as_of)
    if progress is not None:
        for line in found.lines():
            progress(line)
    path = _plan_path(settings, found.plan_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(plan_to_json(found), encoding="utf-8")
    return found


def apply(settings: Settings, plan_id: str, as_of: datetime) -> ApplySummary:
    """Carry out a stored plan.

    A plan stays right when the lake changes after it, because whether something is past its
    time depends on its event date only; it is refused when the policy or its holds changed.

    Raises:
        ConfigError: The marts are built on another target.
        RetentionError: There is no such plan, it is from later than ``as_of``, or the policy
            changed since.
    """
    refuse_elsewhere(settings, "retention")
    stored = _load_plan(settings, plan_id)
    if stored.as_of > as_of:
        message = f"plan {plan_id}: made for {stored.as_of.date()}, which is after {as_of.date()}"
        raise RetentionError(message)
    proof_path = settings.home / "retention" / "proofs" / f"{plan_id}.jsonl"
    proof_path.parent.mkdir(parents=True, exist_ok=True)
    n_done = n_rows = 0
    with proof_path.open("a", encoding="utf-8") as proofs:
        for proof in carry_out(settings, stored):
            proofs.write(json.dumps(proof, sort_keys=True) + "\n")
            proofs.flush()
            n_done += proof["n_rows_done"] > 0 or proof["is_deleted"]
            n_rows += proof["n_rows_done"]
    return ApplySummary(plan_id, n_done, len(stored.actions) - n_done, n_rows, proof_path)


def verify(settings: Settings, plan_id: str) -> VerifySummary:
    """Check that a plan was carried out and that every archived file is what its manifest says.

    Raises:
        RetentionError: Something of the plan is left, or an archived file is damaged.
    """
    stored = _load_plan(settings, plan_id)
    left = set(stored.actions) & set(_plan(settings, stored.as_of).actions)
    if left:
        first = min(left, key=lambda action: (action.kind, action.target))
        message = (
            f"plan {plan_id}: {len(left)} actions are still to do, first {first.kind} of "
            f"{first.target} (apply the plan again)"
        )
        raise RetentionError(message)
    n_checked = 0
    for path, manifest in archive_files(cold_dir(settings)):
        if file_sha256(path) != manifest["sha256"]:
            message = f"{path}: differs from its manifest (restore it from a copy)"
            raise RetentionError(message)
        n_checked += 1
    return VerifySummary(plan_id, n_checked)


def _plan(settings: Settings, as_of: datetime) -> RetentionPlan:
    """Take the inventory and plan."""
    policy = load_retention_policy(config_dir(settings))
    return plan_retention(take_inventory(settings, policy, as_of), policy, as_of)


def _load_plan(settings: Settings, plan_id: str) -> RetentionPlan:
    """Read a stored plan and check that it may be applied."""
    path = _plan_path(settings, plan_id)
    if not plan_id.isalnum() or not path.exists():
        message = f"plan {plan_id}: no such plan (run `retention plan` and use the id it prints)"
        raise RetentionError(message)
    stored = parse_plan(path.read_text(encoding="utf-8"))
    if stored.policy_hash != hash_policy(load_retention_policy(config_dir(settings))):
        message = f"plan {plan_id}: config/retention.yml changed since (make a new plan)"
        raise RetentionError(message)
    return stored


def _plan_path(settings: Settings, plan_id: str) -> Path:
    """Return where a plan is stored."""
    return settings.home / "retention" / "plans" / f"{plan_id}.json"
