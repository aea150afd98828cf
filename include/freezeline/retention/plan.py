"""Decide what is past its time: inventory and policy in, a numbered plan out; nothing is touched.

A limit of N days on an event of date D is over on ``as_of`` when D + N days is before the date of
``as_of``: data is kept for N whole days after the day it happened.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from include.freezeline.errors import RetentionError
from include.freezeline.hashing import stable_hash
from include.freezeline.retention.inventory import (
    ArchiveItem,
    Holding,
    Inventory,
    LakeItem,
    SnapshotItem,
    WarehouseItem,
)
from include.freezeline.retention.policy import (
    ANY_ENVIRONMENT,
    NO_CLASS,
    RetentionPolicy,
    Tier,
)

ActionKind = Literal[
    "empty_texts",
    "archive_rows",
    "delete_rows",
    "delete_archive",
    "delete_snapshot",
    "delete_warehouse_rows",
    "empty_warehouse_texts",
]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do.

    Attributes:
        kind: What.
        target: File below the home folder, or warehouse table.
        event_date: Date of the data; of a snapshot, the date of its ``as_of``.
        environments: Whose rows; ``*`` are those of an unknown one, or of all.
        n_rows: Rows it touches; None for a snapshot.
        reason: Which limit is over.
        data_class: Class of the rows; ``*`` when nobody named one.
    """

    kind: ActionKind
    target: str
    event_date: date
    environments: tuple[str, ...]
    n_rows: int | None
    reason: str
    data_class: str = NO_CLASS

    def text(self) -> str:
        """Return the action as a line for people."""
        whose = "/".join((",".join(self.environments), self.data_class))
        rows = "" if self.n_rows is None else f", {self.n_rows:,} rows of {whose}"
        return f"{self.kind} {self.target} ({self.event_date}{rows}): {self.reason}"


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What to do, in order.

    Attributes:
        plan_id: Hash of all the rest; applying asks for it.
        as_of: The plan's date.
        policy_hash: Hash of the policy it follows.
        actions: By kind and target.
        n_held: Actions left out because of a legal hold.
    """

    plan_id: str
    as_of: datetime
    policy_hash: str
    actions: tuple[Action, ...]
    n_held: int

    def lines(self) -> list[str]:
        """Return the plan as lines for people."""
        counts: dict[str, list[int]] = {}
        for action in self.actions:
            numbers = counts.setdefault(_group(action), [0, 0])
            numbers[0] += 1
            numbers[1] += action.n_rows or 0
        head = (
            f"plan {self.plan_id} as of {self.as_of:%Y-%m-%d}: {len(self.actions):,} actions, "
            f"{self.n_held:,} more left out by legal holds"
        )
        return [
            head,
            *(f"  {group}: {n:,} targets, {rows:,} rows" for group, (n, rows) in counts.items()),
        ]


def _group(action: Action) -> str:
    """Say what an action does to what kind of thing and why, without its file and date."""
    is_file = action.target.startswith(("lake/", "cold/"))
    thing = "/".join(action.target.split("/")[:2]) if is_file else action.target.split(":")[-1]
    if action.kind == "delete_snapshot":
        return f"{action.kind}, {action.reason}"
    place = " in snapshots" if action.target.startswith("snapshots/") else ""
    whose = "/".join((",".join(action.environments), action.data_class))
    return f"{action.kind} of {thing}{place} for {whose}, {action.reason}"


def plan_retention(inventory: Inventory, policy: RetentionPolicy, as_of: datetime) -> RetentionPlan:
    """List what is past its time and under no legal hold."""
    today = as_of.date()
    leaving = list(_snapshot_actions(inventory.snapshots, policy, today))
    gone = {action.target for action in leaving}
    found = [
        *(action for item in inventory.lake for action in _lake_actions(item, policy, today)),
        *(action for item in inventory.archive for action in _archive(item, policy, today)),
        *leaving,
        *(
            action
            for item in inventory.warehouse
            if item.table.rpartition(":")[0] not in gone
            for action in _warehouse(item, policy, today)
        ),
    ]
    actions = tuple(sorted((a for a in found if not _is_held(a, policy)), key=_order))
    policy_hash = hash_policy(policy)
    plan_id = stable_hash(as_of, policy_hash, [_plain(action) for action in actions])[:16]
    return RetentionPlan(plan_id, as_of, policy_hash, actions, len(found) - len(actions))


def hash_policy(policy: RetentionPolicy) -> str:
    """Return a hash of the policy's values."""
    return stable_hash(policy.model_dump(mode="json"))


def is_over(event_date: date, days: int, today: date) -> bool:
    """Whether a limit is over: more than ``days`` whole days have passed since the event's day."""
    return (today - event_date).days > days


def _lake_actions(item: LakeItem, policy: RetentionPolicy, today: date) -> Iterator[Action]:
    """Rows past the warm tier leave; texts past the hot tier are emptied in the rows that stay."""
    tier = policy.warm.get(item.kind)
    leaving = [h for h in item.holdings if tier and _is_past(item.event_date, tier, h, today)]
    staying = [h for h in item.holdings if h not in leaving]
    if tier:
        for holding in leaving:
            is_archived = tier.end(holding.data_class) == "archive"
            kind: ActionKind = "archive_rows" if is_archived else "delete_rows"
            yield _action(kind, item, holding, holding.n_rows, f"warm.{item.kind}", tier)
    for holding in staying:
        if holding.n_rows_with_text and _is_past(item.event_date, policy.hot, holding, today):
            n_rows = holding.n_rows_with_text
            yield _action("empty_texts", item, holding, n_rows, "hot", policy.hot)


def _action(
    kind: ActionKind, item: LakeItem, holding: Holding, n_rows: int, name: str, tier: Tier
) -> Action:
    """Describe what to do to some rows of a file."""
    return Action(
        kind=kind,
        target=item.target,
        event_date=item.event_date,
        environments=(holding.environment,),
        n_rows=n_rows,
        reason=f"{name}: {tier.days(holding.environment, holding.data_class)} days are over",
        data_class=holding.data_class,
    )


def _is_past(event_date: date, tier: Tier, holding: Holding, today: date) -> bool:
    """Whether a file's rows of one environment and class are past a tier."""
    return is_over(event_date, tier.days(holding.environment, holding.data_class), today)


def _archive(item: ArchiveItem, policy: RetentionPolicy, today: date) -> Iterator[Action]:
    """Archived files go when the longest limit among their environments is over."""
    days = max(policy.cold.days(name, item.data_class) for name in item.environments)
    if is_over(item.event_date, days, today):
        yield Action(
            kind="delete_archive",
            target=item.target,
            event_date=item.event_date,
            environments=item.environments,
            n_rows=item.n_rows,
            reason=f"cold: {days} days are over",
            data_class=item.data_class,
        )


def _snapshot_actions(
    snapshots: Iterable[SnapshotItem], policy: RetentionPolicy, today: date
) -> Iterator[Action]:
    """All but the newest snapshot go when they are too many or too old."""
    newest_first = sorted(snapshots, key=lambda item: (item.as_of, item.target), reverse=True)
    for place, item in enumerate(newest_first):
        is_surplus = place >= policy.snapshots.max_count
        is_old = is_over(item.as_of.date(), policy.snapshots.max_days, today)
        if place > 0 and (is_surplus or is_old):
            limit = "max_days" if is_old else "max_count"
            yield Action(
                kind="delete_snapshot",
                target=item.target,
                event_date=item.as_of.date(),
                environments=(ANY_ENVIRONMENT,),
                n_rows=None,
                reason=f"snapshots.{limit}: {getattr(policy.snapshots, limit)}",
            )


def _warehouse(item: WarehouseItem, policy: RetentionPolicy, today: date) -> Iterator[Action]:
    """Texts in the warehouse and its snapshots follow the hot tier, judgements their warm tier."""
    is_judgement = item.holds == "judgement"
    tier: Tier | None = policy.warm.get("judgement") if is_judgement else policy.hot
    if tier and is_over(item.event_date, tier.days(item.environment, item.data_class), today):
        name = "warm.judgement" if is_judgement else "hot"
        yield Action(
            kind="empty_warehouse_texts" if item.holds == "texts" else "delete_warehouse_rows",
            target=item.table,
            event_date=item.event_date,
            environments=(item.environment,),
            n_rows=item.n_rows,
            reason=f"{name}: {tier.days(item.environment, item.data_class)} days are over",
            data_class=item.data_class,
        )


def _is_held(action: Action, policy: RetentionPolicy) -> bool:
    """Whether a hold covers what the action touches.

    A snapshot holds copies only, and what it copies is protected where it lies.
    """
    if action.kind == "delete_snapshot":
        return False
    return any(policy.is_held(action.event_date, name) for name in action.environments)


def _order(action: Action) -> tuple[bool, str, str, date, tuple[str, ...], str]:
    """Sort key of actions: spans last, since their side rows take environment and class from them."""
    is_spans = action.target.startswith("lake/spans/")
    return (
        is_spans,
        action.kind,
        action.target,
        action.event_date,
        action.environments,
        action.data_class,
    )


def _plain(action: Action) -> dict[str, Any]:
    """Give an action as JSON values."""
    return {
        **asdict(action),
        "event_date": action.event_date.isoformat(),
        "environments": list(action.environments),
    }


def plan_to_json(plan: RetentionPlan) -> str:
    """Write a plan as JSON text."""
    document = {
        "plan_id": plan.plan_id,
        "as_of": plan.as_of.isoformat(),
        "policy_hash": plan.policy_hash,
        "n_held": plan.n_held,
        "actions": [_plain(action) for action in plan.actions],
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def parse_plan(text: str) -> RetentionPlan:
    """Read a plan that :func:`plan_to_json` wrote, and check that nobody changed it.

    Raises:
        RetentionError: The plan does not hash to its own id.
    """
    document = json.loads(text)
    actions = tuple(
        Action(
            **{
                **action,
                "event_date": date.fromisoformat(action["event_date"]),
                "environments": tuple(action["environments"]),
            }
        )
        for action in document["actions"]
    )
    as_of = datetime.fromisoformat(document["as_of"])
    expected = stable_hash(as_of, document["policy_hash"], [_plain(a) for a in actions])[:16]
    if expected != document["plan_id"]:
        message = f"plan {document['plan_id']}: its content was changed (make a new plan)"
        raise RetentionError(message)
    return RetentionPlan(
        document["plan_id"], as_of, document["policy_hash"], actions, document["n_held"]
    )
