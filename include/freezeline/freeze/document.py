"""The freeze document: what other systems read to learn whether a feature may ship."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from include.freezeline.errors import DocumentError
from include.freezeline.freeze.gate import SCHEMA_VERSION
from include.freezeline.freeze.overrides import live_overrides, published_overrides

Row = Mapping[str, Any]
_N_CONTRIBUTORS = 3
_DAYS = "call_date"  # when the budget was spent, not by whom
_MIN_CONTRIBUTOR_EVENTS = 30
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"

_SHIP_A_FIX = "ship a fix: change classes rollback, security_fix and reliability_fix are allowed"
_ROLL_BACK = "roll back the contributor named first and wait for the earliest thaw"
_WAIT = "wait for the earliest thaw"


def build_document(
    flags: Sequence[Row],
    attributions: Sequence[Row],
    as_of: datetime,
    report_url: str,
    override_log: Sequence[Row] = (),
) -> dict[str, Any]:
    """Build the unsigned document of a night.

    Args:
        flags: The newest ``freeze_flags`` rows of ``as_of``.
        attributions: The newest ``slo_attributions`` rows of ``as_of``.
        as_of: The night.
        report_url: Where the report is.
        override_log: Every row of the log of overrides; those not over by ``as_of`` are listed.

    Raises:
        DocumentError: There are no flags; an empty document would unblock nothing.
    """
    if not flags:
        message = f"no freeze flags for {as_of.isoformat()} (run the decide step for that night)"
        raise DocumentError(message)
    ordered = sorted(flags, key=lambda row: (row["feature"], row["environment"]))
    live = live_overrides(override_log, as_of)
    known = [row["data_through_at"] for row in ordered if row["data_through_at"] is not None]
    return {
        "schema_version": SCHEMA_VERSION,
        "sequence": sequence_of(ordered, as_of, len(override_log)),
        "as_of": write_moment(as_of),
        "data_through": write_moment(max(known)) if known else None,
        "evaluated_at": write_moment(min(row["evaluated_at"] for row in ordered)),
        "valid_until": write_moment(min(row["valid_until_at"] for row in ordered)),
        "report_url": report_url,
        "features": [_entry(row, attributions, live) for row in ordered],
    }


def sequence_of(flags: Sequence[Row], as_of: datetime, n_override_events: int = 0) -> int:
    """Return a number that grows with every night, revision of a night and override.

    It stays below 2**53, so that every JSON reader keeps it exact.
    """
    revisions = sum(int(row["revision"]) for row in flags)
    return int(as_of.timestamp()) * 1_000_000 + min(revisions + n_override_events, 999_999)


def write_moment(moment: datetime) -> str:
    """Write a time in UTC, to the second."""
    return moment.astimezone(UTC).strftime(_MOMENT)


def _entry(flag: Row, attributions: Sequence[Row], live: Sequence[Row]) -> dict[str, Any]:
    """Return the entry of one feature in one environment."""
    thaw = flag["earliest_thaw_at"]
    slos = json.loads(flag["evaluations_json"])["slos"]
    contributors = _contributors(flag, slos, attributions)
    return {
        "feature": flag["feature"],
        "environment": flag["environment"],
        "state": flag["state"],
        "since": write_moment(flag["since_at"]),
        "reason": flag["reason"],
        "slos": slos,
        "earliest_thaw": None if thaw is None else write_moment(thaw),
        "overrides": published_overrides(live, flag["feature"], flag["environment"]),
        "contributors": contributors,
        "what_to_do": _what_to_do(flag, contributors),
    }


def _what_to_do(flag: Row, contributors: Sequence[Row]) -> list[str]:
    """Return what helps a frozen feature; only contributors to a freeze are rolled back."""
    if not flag["is_frozen"]:
        return []
    is_known = any(item["consequence"] == "freeze" for item in contributors)
    return [_SHIP_A_FIX, _ROLL_BACK if is_known else _WAIT]


def _contributors(
    flag: Row, slos: Sequence[Row], attributions: Sequence[Row]
) -> list[dict[str, Any]]:
    """Return who spent more than their share of each SLO in breach; freezing SLOs first."""
    broken = [slo for slo in slos if slo["verdict"] == "breach"]
    broken.sort(key=lambda slo: slo["consequence"] != "freeze")
    return [item for slo in broken for item in _spenders(flag, slo, attributions)]


def _spenders(flag: Row, slo: Row, attributions: Sequence[Row]) -> list[dict[str, Any]]:
    """Return who spent more of an SLO's budget than their share, most first."""
    mine = [
        row
        for row in attributions
        if (row["feature"], row["environment"], row["slo_name"])
        == (flag["feature"], flag["environment"], slo["slo_id"])
        and row["dimension"] != _DAYS
        and row["excess_bad_count"] > 0
        and row["event_count"] >= _MIN_CONTRIBUTOR_EVENTS
    ]
    mine.sort(key=lambda row: (-row["excess_bad_count"], row["dimension"], row["dimension_value"]))
    return [
        {
            "slo_id": row["slo_name"],
            "consequence": slo["consequence"],
            "dimension": row["dimension"],
            "value": row["dimension_value"],
            "bad_count": row["bad_count"],
            "event_count": row["event_count"],
            "rate": row["bad_ratio"],
            "budget_share": row["budget_share_ratio"],
            "excess_bad": round(row["excess_bad_count"], 1),
        }
        for row in mine[:_N_CONTRIBUTORS]
    ]
