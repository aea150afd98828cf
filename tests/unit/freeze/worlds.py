"""A small warehouse with the columns of ``marts.fct_llm_calls`` that SLOs read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from include.freezeline.adapters.warehouse import open_warehouse

START = datetime(2026, 9, 1, tzinfo=UTC)
INCIDENT = datetime(2026, 10, 5, tzinfo=UTC)
HISTORY_END = datetime(2026, 10, 13, tzinfo=UTC)
NIGHT_END = datetime(2026, 10, 14, tzinfo=UTC)
# Other marts that shipped SLOs read; without rows these judge nothing.
_EMPTY = {
    "fct_call_scores": "evaluator varchar, is_canary boolean, is_bad boolean, "
    "called_at timestamptz, as_of timestamptz, sample_weight double",
    "fct_retrievals": "is_canary boolean, is_empty boolean, best_document_score double, "
    "retrieved_at timestamptz, arrived_at timestamptz",
    "fct_client_outcomes": "client_outcome varchar, observed_at timestamptz, "
    "recorded_at timestamptz",
    "agg_outcome_cost_daily": "n_counted_requests bigint, good_request_count double, baseline_deviation_ratio double, "
    "baseline_good_request_count double, cost_usd double, day_started_at timestamptz, "
    "arrived_at timestamptz",
}
_SHARES = {"support-assistant": 0.44, "risk-summariser": 0.27, "code-helper": 0.29}


def make_calls(n: int, *, with_incident: bool, seed: int = 7) -> pd.DataFrame:
    """Draw calls: escalations of prompt v8 rise from 2% to 28% when the incident is on."""
    rng = np.random.default_rng(seed)
    span_s = (NIGHT_END - START).total_seconds()
    at_s = np.sort(rng.random(n)) * span_s
    called = pd.to_datetime(START) + pd.to_timedelta(at_s, unit="s")
    feature = rng.choice(list(_SHARES), size=n, p=list(_SHARES.values()))
    is_after = called >= INCIDENT
    is_v8 = is_after & (rng.random(n) < 0.5) & (feature == "support-assistant")
    ratio = np.where(is_v8 & with_incident, 0.28, 0.02)
    is_escalated = (feature == "support-assistant") & (rng.random(n) < ratio)
    is_overridden = (feature == "risk-summariser") & (rng.random(n) < 0.03)
    recorded = called + pd.to_timedelta(rng.random(n) * 70 * 3600, unit="s")
    is_staging = (feature == "code-helper") & (rng.random(n) < 0.01)
    is_stream = feature == "code-helper"
    return pd.DataFrame(
        {
            "call_key": [f"c{i}" for i in range(n)],
            "feature": feature,
            "environment": np.where(is_staging, "staging", "production"),
            "prompt_version": np.where(is_v8, "v8", "v7"),
            "request_model": rng.choice(["gpt-4.1-mini", "gpt-4.1"], size=n),
            "tenant_key": rng.choice([f"t_{i}" for i in range(8)], size=n),
            "route": rng.choice(["/a", "/b"], size=n),
            "called_at": called,
            "arrived_at": called + timedelta(minutes=5),
            "is_canary": False,
            "is_stream": is_stream,
            "duration_ms": rng.lognormal(np.log(1500), 0.4, n),
            "is_error": rng.random(n) < 0.002,
            "error_class": "rate_limit",
            "ttft_ms": np.where(is_stream, rng.lognormal(np.log(350), 0.3, n), np.nan),
            "tpot_ms": np.where(is_stream, rng.lognormal(np.log(20), 0.2, n), np.nan),
            "output_tokens": rng.integers(50, 400, n),
            "is_escalated": is_escalated,
            "escalation_recorded_at": recorded.where(is_escalated),
            "is_overridden": is_overridden,
            "override_recorded_at": recorded.where(is_overridden),
        }
    )


def write_calls(
    path: Path,
    calls: pd.DataFrame,
    as_of: datetime,
    *,
    outcomes_until: datetime | None = None,
    status_after: str | None = None,
) -> None:
    """Write the marts as the build of ``as_of`` would.

    Args:
        path: Warehouse file.
        calls: Every call, also later ones.
        as_of: Exclusive end of what is known.
        outcomes_until: Outcome files land each day until then; None for always.
        status_after: Status of the files after it; None when there are none.
    """
    known = calls[calls["arrived_at"] < as_of]
    with open_warehouse(path, read_only=False) as warehouse:
        warehouse.execute("create schema if not exists marts")
        warehouse._connection.register("calls_frame", known)
        warehouse.execute(
            "create or replace table marts.fct_llm_calls as select * from calls_frame"
        )
        warehouse._connection.unregister("calls_frame")
        warehouse._connection.register("landed_frame", _landed(as_of, outcomes_until, status_after))
        warehouse.execute(
            "create or replace table marts.fct_landed_objects as select * from landed_frame"
        )
        warehouse._connection.unregister("landed_frame")
        for table, columns in _EMPTY.items():
            subject = "feature varchar, environment varchar"
            warehouse.execute(f"create or replace table marts.{table} ({subject}, {columns})")


def _landed(as_of: datetime, until: datetime | None, status_after: str | None) -> pd.DataFrame:
    """Return the ledger of one outcome file per fact and day, landed just before midnight."""
    rows = []
    for day in range((as_of - START).days):
        arrived_at = START + timedelta(days=day + 1, microseconds=-1)
        status = "landed" if until is None or arrived_at < until else status_after
        if status is not None:
            rows += [(fact, status, arrived_at) for fact in ("escalations", "overrides")]
    return pd.DataFrame(rows, columns=["source_name", "status", "arrived_at"])
