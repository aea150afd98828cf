"""What alerts and recommended actions are planned from: one night of the judgement tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.alerts.actions import Proposal

Row = dict[str, Any]
_WINDOW = timedelta(days=28)
_SCORES_SQL = """
select feature, environment, evaluator, count(*) filter (where is_bad) as n_bad,
    count(*) as n_answers
from (
    select * from judgement.call_scores where as_of = ?
    qualify row_number() over (partition by call_score_key order by revision desc) = 1
)
where is_bad is not null and not is_canary
group by feature, environment, evaluator
order by feature, environment, evaluator
"""
# An alert that was resolved before the night says nothing more about it.
_EVENTS_SQL = """
select * from judgement.alert_events
where transitioned_at < $as_of and dedup_key not in (
    select dedup_key from judgement.alert_events
    where transition = 'RESOLVED' and transitioned_at < $as_of
)
order by transitioned_at, dedup_key
"""
_LOST_CACHE_SQL = """
select feature, environment, request_model, n_calls, cache_hit_ratio, baseline_cache_hit_ratio
from marts.rpt_finance__lost_cache_hits
where answer = 'yes' and request_model is not null
order by feature, environment, request_model
"""
# A version's name is its feature's own; a model or a tenant is the same everywhere.
_SHARED_DIMENSIONS = frozenset({"request_model", "tenant_key"})


@dataclass(frozen=True, slots=True)
class NightFound:
    """What the stages before found for a night, newest revisions."""

    flags: list[Row]
    windows: list[Row]
    attributions: list[Row]
    verdicts: list[Row]
    causes: list[Row]
    scores: list[Row]
    lost_cache: list[Row]


def load_found(warehouse: Warehouse, as_of: datetime) -> NightFound:
    """Load what was found for a night."""
    return NightFound(
        flags=_newest(warehouse, "freeze_flags", "flag_key", as_of),
        windows=_newest(warehouse, "slo_windows", "slo_window_key", as_of),
        attributions=_newest(warehouse, "slo_attributions", "slo_attribution_key", as_of),
        verdicts=_newest(warehouse, "verdicts", "verdict_key", as_of),
        causes=_newest(warehouse, "root_causes", "verdict_key", as_of),
        scores=warehouse.rows(_SCORES_SQL, [as_of]),
        lost_cache=_lost_cache(warehouse),
    )


def load_open_events(warehouse: Warehouse, as_of: datetime) -> list[Row]:
    """Load the outbox rows before a night of alerts that were not resolved before it."""
    return warehouse.rows(_EVENTS_SQL, {"as_of": as_of})


def load_night_events(warehouse: Warehouse, as_of: datetime) -> list[Row]:
    """Load the outbox rows of a night."""
    return warehouse.rows("select * from judgement.alert_events where as_of = ?", [as_of])


def newest_decided(warehouse: Warehouse) -> datetime | None:
    """Return the newest night that was decided; None before the first."""
    (row,) = warehouse.rows("select max(as_of) as as_of from judgement.freeze_flags")
    found: datetime | None = row["as_of"]
    return found


def load_blast_radius(warehouse: Warehouse, proposal: Proposal, as_of: datetime) -> list[Row]:
    """Return the calls that an action would touch, by feature: in 28 days and in the last one.

    Args:
        warehouse: With the marts of the night.
        proposal: The action.
        as_of: The night.
    """
    conditions = ["not is_canary", "environment = $environment", "arrived_at < $as_of",
                  "called_at >= $started_at", "called_at < $as_of", "feature is not null"]  # fmt: skip
    given: dict[str, object] = {
        "environment": proposal.environment,
        "as_of": as_of,
        "started_at": as_of - _WINDOW,
        "day_at": as_of - timedelta(days=1),
    }
    if proposal.dimension not in _SHARED_DIMENSIONS:
        conditions.append("feature = $feature")
        given["feature"] = proposal.feature
    if proposal.dimension is None:
        is_target = "true"
    else:
        is_target = f"coalesce({proposal.dimension} = $target, false)"
        given["target"] = proposal.target
    return warehouse.rows(
        f"select feature, count(*) as n_all, count(*) filter (where {is_target}) as n_calls, "
        f"count(distinct tenant_key) filter (where {is_target}) as n_tenants, "
        f"count(*) filter (where {is_target} and called_at >= $day_at) as n_last_day "
        f"from marts.fct_llm_calls where {' and '.join(conditions)} group by feature order by feature",
        given,
    )


def _newest(warehouse: Warehouse, table: str, key: str, as_of: datetime) -> list[Row]:
    """Load the newest revisions of a table's rows of a night."""
    return warehouse.rows(
        f"select * from judgement.{table} where as_of = ? "
        f"qualify row_number() over (partition by {key} order by revision desc) = 1 order by {key}",
        [as_of],
    )


def _lost_cache(warehouse: Warehouse) -> list[Row]:
    """Load where caches are hit less; a warehouse without that mart knows nothing about it."""
    known: Sequence[Row] = warehouse.rows(
        "select 1 from information_schema.tables "
        "where table_schema = 'marts' and table_name = 'rpt_finance__lost_cache_hits'"
    )
    return warehouse.rows(_LOST_CACHE_SQL) if known else []
