"""Explain a freeze from the published snapshot."""

import json
from datetime import datetime
from typing import Any

from include.freezeline.adapters.override_log import override_log
from include.freezeline.adapters.snapshots import open_snapshot
from include.freezeline.errors import UnknownFeatureError
from include.freezeline.freeze.overrides import live_overrides, published_overrides
from include.freezeline.jobs.recommend import load_actions, published_action
from include.freezeline.settings import Settings


def explain_freeze(
    settings: Settings, feature: str, environment: str, at: datetime
) -> dict[str, Any]:
    """Return the newest flag of a feature, its SLOs and how its state came about.

    Args:
        settings: Where the snapshots are.
        feature: Feature.
        environment: Environment.
        at: Time of the question; overrides that hold then are listed.

    Raises:
        UnknownFeatureError: The feature has no flag in that environment.
        WarehouseError: Nothing is published yet.
    """
    subject = [feature, environment]
    with open_snapshot(settings) as warehouse:
        flags = warehouse.rows(
            "select * from judgement.freeze_flags where feature = ? and environment = ? "
            "order by as_of desc, revision desc limit 1",
            subject,
        )
        if not flags:
            known = warehouse.rows("select distinct feature from judgement.freeze_flags order by 1")
            names = ", ".join(row["feature"] for row in known)
            message = (
                f"{feature} ({environment}): no such feature in the warehouse (known: {names})"
            )
            raise UnknownFeatureError(message)
        transitions = warehouse.rows(
            "select transitioned_at, from_state, to_state, reason from judgement.freeze_transitions "
            "where feature = ? and environment = ? "
            "qualify row_number() over (partition by transition_key order by revision desc) = 1 "
            "order by transitioned_at",
            subject,
        )
        actions = load_actions(warehouse, flags[0]["as_of"], (feature, environment))
    flag = flags[0]
    live = live_overrides(override_log(settings).rows(), at)
    columns = (
        "state",
        "since_at",
        "reason",
        "earliest_thaw_at",
        "data_through_at",
        "valid_until_at",
    )
    return {
        "feature": feature,
        "environment": environment,
        **{name: flag[name] for name in columns},
        "slos": json.loads(flag["evaluations_json"])["slos"],
        "transitions": transitions,
        "recommended_actions": [published_action(row) for row in actions],
        "overrides": published_overrides(live, feature, environment),
    }
