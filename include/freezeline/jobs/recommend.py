"""Recommend: what may help, with its evidence and whom it would touch, and publish it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.alerts.actions import Proposal, propose
from include.freezeline.alerts.policy import ActionRules
from include.freezeline.alerts.signals import Signal
from include.freezeline.hashing import stable_hash
from include.freezeline.jobs.alert_reads import NightFound, load_blast_radius

Row = dict[str, Any]
ACTIONS_KEY = "recommended_actions.json"


def action_rows(
    warehouse: Warehouse,
    found: NightFound,
    signals: Sequence[Signal],
    as_of: datetime,
    rules: ActionRules,
) -> list[Row]:
    """Return the rows of ``judgement.recommended_actions`` of a night.

    What had no call in the last day is gone already, so nothing is recommended about it.
    """
    proposals = propose(
        signals, found.windows, found.attributions, found.verdicts, found.causes, found.lost_cache,
        rules,
    )  # fmt: skip
    rows = []
    for proposal in proposals:
        radius = load_blast_radius(warehouse, proposal, as_of)
        if any(row["feature"] == proposal.feature and row["n_last_day"] for row in radius):
            rows.append(_row(proposal, radius, as_of))
    return rows


def load_actions(
    warehouse: Warehouse, as_of: datetime, subject: tuple[str, str] | None = None
) -> list[Row]:
    """Load the actions of a night, surest first; none from a warehouse of an older release.

    Args:
        warehouse: Warehouse or snapshot.
        as_of: The night.
        subject: Feature and environment; all when None.
    """
    is_known = warehouse.rows(
        "select 1 from information_schema.tables "
        "where table_schema = 'judgement' and table_name = 'recommended_actions'"
    )
    if not is_known:
        return []
    rows = warehouse.rows(
        "select * from judgement.recommended_actions where as_of = ? "
        "qualify row_number() over (partition by recommended_action_key order by revision desc) = 1 "
        "order by feature, environment, confidence_ratio desc nulls last, action, target",
        [as_of],
    )
    return [row for row in rows if subject in (None, (row["feature"], row["environment"]))]


def actions_file(rows: Sequence[Mapping[str, Any]], as_of: datetime) -> bytes:
    """Return the file that is published beside the freeze document."""
    document = {
        "schema_version": "1",
        "as_of": as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "note": "suspects, not causes; confidence_meaning says what each number is",
        "actions": [published_action(row) for row in rows],
    }
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).encode("utf-8")


def published_action(row: Mapping[str, Any]) -> Row:
    """Return what is said about one action outside the warehouse."""
    return {
        **{name: row[name] for name in _PUBLISHED},
        "triggers": json.loads(row["triggers"]),
        "evidence": json.loads(row["evidence"]),
        "blast_radius": {
            "call_count": row["affected_call_count"],
            "traffic_ratio": row["affected_traffic_ratio"],
            "tenant_count": row["affected_tenant_count"],
            "features": json.loads(row["affected_features"]),
        },
    }


_PUBLISHED = (
    "feature", "environment", "action", "target", "alternative", "reason", "confidence_ratio",
    "confidence_meaning", "evidence_query",
)  # fmt: skip


def _row(proposal: Proposal, radius: Sequence[Row], as_of: datetime) -> Row:
    """Return the row of an action."""
    mine = next(row for row in radius if row["feature"] == proposal.feature)
    touched = {row["feature"]: row["n_calls"] for row in radius if row["n_calls"]}
    identity = (as_of, proposal.feature, proposal.environment, proposal.action, proposal.target)
    return {
        "recommended_action_key": stable_hash(*identity),
        "as_of": as_of,
        "feature": proposal.feature,
        "environment": proposal.environment,
        "action": proposal.action,
        "target": proposal.target,
        "alternative": proposal.alternative,
        "triggers": json.dumps(proposal.triggers),
        "reason": proposal.reason,
        "confidence_ratio": proposal.confidence,
        "confidence_meaning": proposal.meaning,
        "affected_call_count": sum(touched.values()),
        "affected_traffic_ratio": mine["n_calls"] / mine["n_all"],
        "affected_tenant_count": mine["n_tenants"],
        "affected_features": json.dumps(touched, sort_keys=True),
        "evidence": json.dumps(proposal.evidence, sort_keys=True, default=float),
        "evidence_query": proposal.evidence_query,
    }
