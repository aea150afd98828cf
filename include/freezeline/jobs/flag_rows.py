"""Rows of flags and their transitions, and what a later night reads back from them."""

import json
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from include.freezeline.contracts.judgement import FreezeState
from include.freezeline.freeze.flag import Flag, Judged, Past
from include.freezeline.freeze.machine import Memory
from include.freezeline.hashing import stable_hash
from include.freezeline.slo.wording import explain

Row = dict[str, Any]


def transition_row(flag: Flag, before: FreezeState) -> Row:
    """Return the ``freeze_transitions`` row of a flag that changed state."""
    return {
        "transition_key": stable_hash(flag.feature, flag.environment, flag.as_of),
        "feature": flag.feature,
        "environment": flag.environment,
        "from_state": before,
        "to_state": flag.state,
        "transitioned_at": flag.as_of,
        "slo_name": flag.slo_name,
        "reason": flag.reason,
        "actor": "nightly",
    }


def flag_row(
    flag: Flag,
    earliest_thaw_at: datetime | None,
    data_through_at: datetime | None,
    validity: timedelta,
) -> Row:
    """Return the ``freeze_flags`` row of a flag that holds for so long."""
    return {
        "flag_key": stable_hash(flag.feature, flag.environment, flag.as_of),
        "as_of": flag.as_of,
        "feature": flag.feature,
        "environment": flag.environment,
        "state": flag.state,
        "is_frozen": flag.is_frozen,
        "since_at": flag.since_at,
        "slo_name": flag.slo_name,
        "reason": flag.reason,
        "earliest_thaw_at": earliest_thaw_at,
        "data_through_at": data_through_at,
        "evaluated_at": flag.as_of,
        "valid_until_at": flag.as_of + validity,
        "slo_count": len(flag.judged),
        "evaluations_json": _dump(flag),
    }


def read_past(row: Row) -> Past:
    """Read back what a ``freeze_flags`` row remembers."""
    stored = json.loads(row["evaluations_json"])
    memory = {
        name: Memory(item["state"], datetime.fromisoformat(item["since_at"]), item["n_clean"])
        for name, item in stored["memory"].items()
    }
    return Past(row["state"], row["since_at"], memory)


def listed_slos(flag: Row) -> list[Row]:
    """Read back what a ``freeze_flags`` row lists about each SLO."""
    listed: list[Row] = json.loads(flag["evaluations_json"])["slos"]
    return listed


def _dump(flag: Flag) -> str:
    """Write the machines' memory and the list of SLO verdicts."""
    memory = {
        name: {
            "state": item.state,
            "since_at": item.since_at.isoformat(),
            "n_clean": item.n_clean,
        }
        for name, item in flag.memory.items()
    }
    listed = [_listed(item) for item in flag.judged]
    return json.dumps({"memory": memory, "slos": listed, "why": flag.why}, sort_keys=True)


def _listed(judged: Judged) -> Row:
    """Return what the freeze document says about one SLO."""
    evaluation = judged.evaluation
    slo, budget = evaluation.slo, evaluation.budget
    rate = budget.counts.ratio
    return {
        "slo_id": slo.name,
        "title": slo.title,
        "objective": slo.objective_text,
        "state": judged.state,
        "verdict": evaluation.verdict,
        "consequence": slo.consequence,
        "limit": slo.limit_text,
        "window": slo.window_text,
        "rate": None if rate is None else float(rate),
        "consumed_pct_lower": _percent(budget.consumed) if evaluation.has_events else None,
        "consumed_pct_nowcast": _percent(evaluation.consumed_nowcast),
        "consumed_pct_upper": _percent(budget.consumed_upper) if evaluation.has_events else None,
        "bad_count": budget.counts.n_bad,
        "event_count": budget.counts.n_all,
        "pending_count": budget.n_pending,
        "policy": slo.policy_name,
        "trip_wire": slo.trip_wire,
        "fact": slo.fact,
        "fact_silence_h": slo.fact_silence.total_seconds() / 3600,
        "min_frozen_h": slo.policy.min_freeze.total_seconds() / 3600,
        "reason": explain(evaluation),
        "owner": slo.owner,
        "runbook": slo.runbook,
    }


def _percent(value: Fraction | None) -> float | None:
    """Return percent to one decimal, for people; comparisons use the unrounded share."""
    return None if value is None else round(float(100 * value), 1)
