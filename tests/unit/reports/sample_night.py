"""A small night written by hand: one frozen feature, two open ones, one with too little data.

The numbers follow the contracts (rows go through the judgement tables' real DDL), so a column
that is renamed there breaks here first.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.contracts import judgement
from include.freezeline.contracts.lake import LEDGER, QUARANTINE
from include.freezeline.hashing import stable_hash

FROZEN_FEATURE = "support-assistant"
_NIGHTS = 28
_DAILY_EVENTS = 170
_HEX = "ab" * 32
_RULE = {
    "slo_id": "support-escalation", "min_frozen_h": 72.0, "trip_wire": 365, "fact": "escalations",
    "fact_silence_h": 48.0,
}  # fmt: skip


@contextmanager
def memory_warehouse() -> Iterator[Warehouse]:
    """Open an empty in-memory warehouse with the judgement tables."""
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("set TimeZone = 'UTC'")
        warehouse = Warehouse(connection)
        warehouse.ensure_judgement_tables()
        yield warehouse
    finally:
        connection.close()


def write_night(warehouse: Warehouse, as_of: datetime) -> None:
    """Write a whole sample night and the 27 before it."""
    warehouse.ensure_judgement_tables()
    for night in range(_NIGHTS):
        at = as_of - timedelta(days=_NIGHTS - 1 - night)
        warehouse.append_revisions(judgement.SLO_WINDOWS, _windows(at, night))
    write_attributions(warehouse, as_of)
    write_flags(warehouse, as_of)
    write_verdicts(warehouse, as_of)
    write_checks(warehouse, as_of)
    write_landed(warehouse, as_of)


def write_file(path: Path, as_of: datetime) -> None:
    """Write the sample night to a warehouse file."""
    with open_warehouse(path, read_only=False) as warehouse:
        write_night(warehouse, as_of)


def slo_window(as_of: datetime, feature: str, slo_name: str, **values: Any) -> dict[str, object]:
    """Return a row of the SLO windows; ``values`` give counts and limit."""
    limit = Decimal(values["limit"])
    events, bad, pending = values["events"], values["bad"], values.get("pending", 0)
    day, day_bad = values.get("day", (_DAILY_EVENTS, 2))
    budget = float(limit * events)
    burn = day_bad / day / float(limit) if day else None
    left = 1 - bad / budget if budget else 0.0
    environment = values.get("environment", "production")
    return {
        "slo_window_key": stable_hash(slo_name, feature, environment, as_of),
        "as_of": as_of,
        "slo_name": slo_name,
        "feature": feature,
        "environment": environment,
        "objective": values["objective"],
        "limit_text": values["limit"],
        "op": "lt",
        "consequence": values.get("consequence", "freeze"),
        "window_started_at": as_of - timedelta(days=28),
        "window_ended_at": as_of,
        "event_count": events,
        "bad_count": bad,
        "pending_count": pending,
        "bad_lower_ratio": bad / events if events else None,
        "bad_upper_ratio": (bad + pending) / events if events else None,
        "consumed_lower_ratio": bad / budget if budget else None,
        "consumed_nowcast_ratio": (bad + pending / 3) / budget if budget else None,
        "consumed_upper_ratio": (bad + pending) / budget if budget else None,
        "bad_interval_lower_ratio": bad / events * 0.9 if events else None,
        "bad_interval_upper_ratio": bad / events * 1.1 if events else None,
        "p_breach": values.get("p_breach", 0.0123),
        "event_24h_count": day,
        "bad_24h_count": day_bad,
        "bad_24h_ratio": day_bad / day if day else None,
        "burn_rate_24h": burn,
        "worst_24h_ratio": values.get("worst"),
        "worst_24h_ended_at": as_of - timedelta(hours=31) if values.get("worst") else None,
        "detector_score": 0.5,
        "time_to_exhaustion_h": _exhaustion(left, burn),
        "verdict": values["verdict"],
        "state_hint": "",
        "reason": values.get("reason", "sample"),
        "input_hash": _HEX,
        "evidence_query": "select * from marts.fct_llm_calls where is_escalated",
    }


def _exhaustion(left: float, burn: float | None) -> float | None:
    """Return the hours until a budget is spent; None at a pace that never spends it."""
    if left <= 0:
        return 0.0
    return left * 672 / burn if burn is not None and burn > 1 else None


def verdict(as_of: datetime, feature: str, question: str, **values: Any) -> dict[str, object]:
    """Return a row of the verdicts."""
    row: dict[str, object] = {
        "verdict_key": stable_hash(as_of, question, feature, values.get("model")),
        "as_of": as_of,
        "family": "anomaly",
        "question": question,
        "feature": feature,
        "environment": "production",
        "model": None,
        "prompt_version": None,
        "tenant_key": None,
        "window_started_at": as_of - timedelta(days=1),
        "window_ended_at": as_of,
        "reference_started_at": as_of - timedelta(days=29),
        "reference_ended_at": as_of - timedelta(days=1),
        "value": 0.1,
        "value_lower": None,
        "value_upper": None,
        "unit": "ratio",
        "threshold": 0.05,
        "p_value": 0.4,
        "q_value": 0.6,
        "n_reference": 4200,
        "n_current": 160,
        "verdict": "ok",
        "reason": "sample",
        "method": "sample_method",
        "method_version": "1",
        "seed": 7,
        "input_hash": _HEX,
        "evidence_query": "select 1",
        "details": "{}",
    }
    return {**row, **values}


def flag(as_of: datetime, feature: str, state: str, **values: Any) -> dict[str, object]:
    """Return a row of the flags."""
    environment = values.pop("environment", "production")
    row: dict[str, object] = {
        "flag_key": stable_hash(feature, environment, as_of),
        "as_of": as_of,
        "feature": feature,
        "environment": environment,
        "state": state,
        "is_frozen": state in {"FROZEN", "RECOVERING"},
        "since_at": as_of - timedelta(days=2),
        "slo_name": None,
        "reason": "every objective is inside its budget",
        "earliest_thaw_at": None,
        "data_through_at": as_of - timedelta(minutes=7),
        "evaluated_at": as_of,
        "valid_until_at": as_of + timedelta(hours=30),
        "slo_count": 1,
        "evaluations_json": json.dumps({"clean_evaluations": 0}),
    }
    return {**row, **values}


def write_attributions(warehouse: Warehouse, as_of: datetime) -> None:
    """Write who spent support-assistant's budget; each cut adds up to the window."""
    events, bad = _support_totals(_NIGHTS - 1)
    old = events * 6 // 10
    cuts = {
        "prompt_version": [("v7", old, 60), ("v8", events - old, bad - 60)],
        "request_model": [
            ("gpt-4.1", events // 2, bad // 2 + 9),
            ("claude-sonnet-4-5", events - events // 2, bad - bad // 2 - 9),
        ],
        "tenant_key": [
            ("t_4f2a", 1500, 90), ("t_91bc", events - 1540, bad - 94),
            ("t_small1", 20, 2), ("t_small2", 20, 2),
        ],
        "call_date": _days(as_of),
    }  # fmt: skip
    rows = [
        _attribution(as_of, dimension, *value, events)
        for dimension, values in cuts.items()
        for value in values
    ]
    warehouse.append_revisions(judgement.SLO_ATTRIBUTIONS, rows)


def write_flags(warehouse: Warehouse, as_of: datetime) -> None:
    """Write flags and the transition that froze support-assistant."""
    flags = [
        flag(
            as_of,
            FROZEN_FEATURE,
            "FROZEN",
            slo_name="support-escalation",
            earliest_thaw_at=as_of + timedelta(days=21),
            reason="support-escalation: 128% of the 28d budget spent, 305 bad of 4,760 events",
            evaluations_json=json.dumps({"slos": [_RULE]}),
        ),
        flag(as_of, "code-helper", "OPEN", slo_name="code-errors"),
        flag(as_of, "code-helper", "OPEN", environment="staging", slo_name="code-errors"),
        flag(as_of, "risk-summariser", "OPEN", slo_name="risk-override"),
    ]
    warehouse.append_revisions(judgement.FREEZE_FLAGS, flags)
    moves = [("OPEN", "WARNING", 4), ("WARNING", "FROZEN", 2)]
    rows = [
        {
            "transition_key": stable_hash(to_state),
            "feature": FROZEN_FEATURE,
            "environment": "production",
            "from_state": from_state,
            "to_state": to_state,
            "transitioned_at": as_of - timedelta(days=days),
            "slo_name": "support-escalation",
            "reason": f"the consumed budget asks for {to_state}",
            "actor": "nightly",
        }
        for from_state, to_state, days in moves
    ]
    warehouse.append_revisions(judgement.FREEZE_TRANSITIONS, rows)


def write_verdicts(warehouse: Warehouse, as_of: datetime) -> None:
    """Write two raised verdicts, one without evidence and two ok ones."""
    rows = [
        verdict(
            as_of, "code-helper", "semantic_shift_paired", family="drift", model="gpt-4.1-mini",
            value=0.31, value_lower=0.27, value_upper=0.35, unit="score", threshold=0.01,
            p_value=0.0002, q_value=0.0011, n_reference=140, n_current=60, verdict="breach",
            reason="answers to the same canary prompts moved by 0.31 (limit q < 0.01)",
        ),
        verdict(
            as_of, "code-helper", "tpot_p95_ms", model="claude-sonnet-4-5", value=61.5,
            unit="ms", threshold=45.0, verdict="warning",
            reason="tpot p95 is 61.5 ms, 45 ms is the upper end of the last four weeks",
        ),
        verdict(
            as_of, "code-helper", "tpot_p95_ms", environment="staging", value=None, n_current=3,
            n_reference=41, verdict="insufficient_evidence", reason="3 calls, at least 50 needed",
        ),
        verdict(as_of, "risk-summariser", "input_tokens_creep"),
        verdict(as_of, "risk-summariser", "output_divergence", family="divergence"),
    ]  # fmt: skip
    warehouse.append_revisions(judgement.VERDICTS, rows)
    warehouse.append_revisions(judgement.ROOT_CAUSES, [_root_cause(as_of, rows[0])])


def _root_cause(as_of: datetime, raised: dict[str, object]) -> dict[str, object]:
    """Return the cause of a raised verdict."""
    names = ("verdict_key", "family", "question", "feature", "environment", "model")
    return {
        **{name: raised[name] for name in names},
        "as_of": as_of, "window_started_at": as_of - timedelta(days=2), "window_ended_at": as_of,
        "before_started_at": as_of - timedelta(days=30),
        "before_ended_at": as_of - timedelta(days=16), "cause": "model",
        "reason": "most likely the model: probe answers moved: 0.3100 (0.2700 to 0.3500; "
        "p = 0.0009).",
        "n_reference": 400, "n_current": 180, "method": "first_changed_in_order",
        "method_version": "1", "seed": 7, "evidence": "[]", "evidence_query": "select 1",
    }  # fmt: skip


def write_checks(warehouse: Warehouse, as_of: datetime) -> None:
    """Write one expectation that held and one warning."""
    rows = [
        {
            "check_key": stable_hash(expectation),
            "as_of": as_of,
            "suite_name": "published_marts",
            "expectation": expectation,
            "severity": "warning",
            "is_success": is_success,
            "unexpected_count": 0 if is_success else 12,
            "checked_count": 4800,
            "message": "Find out which source stopped sending the request id.",
        }
        for expectation, is_success in (
            ("expect_column_values_to_not_be_null(request_id)", False),
            ("expect_column_values_to_be_unique(call_key)", True),
        )
    ]
    warehouse.append_revisions(judgement.CHECK_RESULTS, rows)


def write_landed(warehouse: Warehouse, as_of: datetime) -> None:
    """Write the marts of the ledger and of the quarantine."""
    warehouse.execute("create schema if not exists marts")
    for table, name in ((LEDGER, "fct_landed_objects"), (QUARANTINE, "fct_quarantined_records")):
        kinds = {"timestamp": "timestamptz", "int64": "bigint"}
        columns = ", ".join(f"{c.name} {kinds.get(c.type, 'varchar')}" for c in table.columns)
        warehouse.execute(f"create table if not exists marts.{name} ({columns})")
    for number, (source, records, aside) in enumerate(
        [("otlp", 812, 3), ("otlp", 790, 0), ("escalations", 41, 1)]
    ):
        key = f"{source}/dt=2026-10-13/{number}.gz"
        warehouse.execute(
            f"insert into marts.fct_landed_objects values ({', '.join('?' * len(LEDGER.columns))})",
            [key, source, "etag", _HEX, 1000, as_of, "otlp_json", "traces", "otel_genai",
             "landed", records, records - aside - 2, 2, aside, 5, 0, 0, 17, as_of, None],
        )  # fmt: skip
        for offset in range(aside):
            warehouse.execute(
                "insert into marts.fct_quarantined_records values (?, ?, ?, ?, ?, ?, ?, ?)",
                [key, offset, _HEX, "invalid_id", "trace id", None, as_of, as_of],
            )


def _windows(at: datetime, night: int) -> list[dict[str, object]]:
    """Return the SLO windows of one night."""
    events, bad = _support_totals(night)
    consumed = bad / (events * 0.05)
    spent = {"verdict": "breach" if consumed >= 1 else "ok", "p_breach": 0.9991}
    return [
        slo_window(
            at, FROZEN_FEATURE, "support-escalation", limit="0.05", events=events, bad=bad,
            pending=18, day=(_DAILY_EVENTS, _bad_on(night)), worst=0.1511,
            objective="less than 5% of answers are escalated to a person", **spent,
        ),
        slo_window(
            at, "code-helper", "code-errors", limit="0.005", events=9600, bad=21, verdict="ok",
            objective="less than 0.5% of calls fail", day=(340, 1), consequence="warn",
        ),
        slo_window(
            at, "risk-summariser", "risk-override", limit="0.10", events=3100, bad=96,
            verdict="ok", objective="less than 10% of summaries are overridden", day=(110, 3),
        ),
        slo_window(
            at, "code-helper", "code-errors", limit="0.005", events=41, bad=0, day=(0, 0),
            environment="staging", verdict="insufficient_evidence",
            objective="less than 0.5% of calls fail", reason="41 events, at least 191 needed",
        ),
    ]  # fmt: skip


def _bad_on(night: int) -> int:
    """Return the bad events of a day: quiet, then the new prompt version rolls out."""
    return 4 + night % 3 if night < 18 else 9 + min(16, 3 * (night - 17))


def _support_totals(night: int) -> tuple[int, int]:
    """Return events and known bad events of the first nights up to one."""
    return (night + 1) * _DAILY_EVENTS, sum(_bad_on(day) for day in range(night + 1))


def _days(as_of: datetime) -> list[tuple[str, int, int]]:
    """Return events and bad events of each day of the last window."""
    first = as_of - timedelta(days=_NIGHTS)
    return [
        (f"{first + timedelta(days=night):%Y-%m-%d}", _DAILY_EVENTS, _bad_on(night))
        for night in range(_NIGHTS)
    ]


def _attribution(
    as_of: datetime, dimension: str, value: str, events: int, bad: int, total: int
) -> dict[str, object]:
    """Return a row of the attributions of support-escalation."""
    return {
        "slo_attribution_key": stable_hash(as_of, dimension, value),
        "as_of": as_of,
        "slo_name": "support-escalation",
        "feature": FROZEN_FEATURE,
        "environment": "production",
        "dimension": dimension,
        "dimension_value": value,
        "event_count": events,
        "bad_count": bad,
        "bad_ratio": bad / events,
        "budget_share_ratio": bad / (0.05 * total),
        "excess_bad_count": bad - 0.05 * events,
    }
