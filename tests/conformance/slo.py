"""Answer a file of SLO cases with the product's own arithmetic.

``python -m tests.conformance.slo FILE`` prints ``{case_id: result}``, each result in the shape of
the case's ``expected``.
"""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from include.freezeline.freeze.gate import answer_gate
from include.freezeline.freeze.machine import FreezePolicy, Memory, Signal, step
from include.freezeline.slo.alerts import Tier, evaluate_tier
from include.freezeline.slo.attribution import attribute, explain_change
from include.freezeline.slo.budget import Budget, Counts, Objective, evaluate_budget
from include.freezeline.slo.decision import decide_alone
from include.freezeline.slo.events import NEVER_US, Events
from include.freezeline.slo.methods import evaluate_band, evaluate_quantile, evaluate_slices
from include.freezeline.slo.rolling import WorstDay
from include.freezeline.slo.windows import (
    Window,
    calendar_window,
    parse_duration,
    rolling_window,
    to_us,
)

Case = Mapping[str, Any]
Result = dict[str, Any]
_HOUR = timedelta(hours=1)
_OVERSPENT = Fraction(10**6)


def answer_case(case: Case) -> Result:
    """Answer one case."""
    return _KINDS[case["kind"]](case)


def _occurrences(case: Case) -> Result:
    moments = case["as_of"] if isinstance(case["as_of"], list) else [case["as_of"]]
    events = _events(case)
    return {"evaluations": [_evaluation(case["config"], events, text) for text in moments]}


def _evaluation(config: Case, events: Events, text: str) -> Result:
    as_of = _moment(text)
    lag = config.get("maturity_lag")
    objective = Objective(
        Fraction(config["limit"]),
        config.get("op", "lt"),
        parse_duration(lag) if lag else None,
        int(config.get("min_window_events", 20)),
    )
    budget = evaluate_budget(events, objective, _window(config, as_of), as_of, with_hourly=True)
    decision = decide_alone(
        budget,
        config.get("prev_state", "OPEN"),
        Fraction(str(config.get("warn_consumed_pct", 75))) / 100,
    )
    return {
        "as_of": text,
        **_counted(budget),
        **_daily(budget),
        **(_matured(budget) if lag else {}),
        **_weighed(budget),
        "decision": decision.state,
        "reason": decision.reason,
    }


def _counted(budget: Budget) -> Result:
    ratio = budget.counts.ratio
    consumed = budget.consumed
    result = {
        "window_start": _text(budget.window.started_at),
        "window_end": _text(budget.window.ended_at),
        "total": budget.counts.n_all,
        "bad": budget.counts.n_bad,
        "rate": _number(ratio),
        "sli": None if ratio is None else _number(1 - ratio),
        "allowed_bad": _number(budget.allowed_bad),
        "budget_consumed_pct": _percent(consumed),
        "budget_remaining_pct": None if consumed is None else _percent(1 - consumed),
        "burn_rate": {f"{h}h": _number(burn) for h, burn in budget.burn_rates.items()},
    }
    return result | ({"zero_budget_breached": True} if consumed is None else {})


def _daily(budget: Budget) -> Result:
    last = budget.last_day
    return {
        "rolling24h_now": {"bad": last.n_bad, "total": last.n_all, "rate": _number(last.ratio)},
        "worst_24h_exact": _worst(budget.worst_exact),
        "worst_24h_hourly": _worst(budget.worst_hourly),
        "eval_start": _text(budget.judged_from_at),
        "breach_24h_any_exact": budget.is_broken_any_24h(budget.worst_exact),
        "breach_24h_any_hourly": budget.is_broken_any_24h(budget.worst_hourly),
        "breach_24h_now": budget.is_broken_24h,
    }


def _matured(budget: Budget) -> Result:
    n_all = budget.counts.n_all
    upper = Fraction(budget.counts.n_bad + budget.n_pending, n_all) if n_all else None
    return {
        "pending": budget.n_pending,
        "rate_lower": _number(budget.counts.ratio),
        "rate_upper": _number(upper),
        "mature_total": budget.mature.n_all,
        "mature_bad": budget.mature.n_bad,
        "rate_mature": _number(budget.mature.ratio),
        "verdict": budget.bounds,
    }


def _weighed(budget: Budget) -> Result:
    if budget.counts.n_all == 0:
        return {}
    result: Result = {"low_volume": budget.evidence.is_low_volume}
    if budget.evidence.p_breach is not None:
        result["p_jeffreys_rate_ge_limit"] = round(budget.evidence.p_breach, 4)
        result["time_to_exhaustion_h"] = _number(budget.time_to_exhaustion_h)
    return result


def _timeslices(case: Case) -> Result:
    config, as_of = case["config"], _moment(case["as_of"])
    window = _window(config, as_of)
    found = evaluate_slices(
        _events(case),
        window,
        _microseconds(parse_duration(config["slice"])),
        Fraction(config["slice_limit"]),
        Fraction(config["target"]),
        to_us(as_of),
    )
    return {
        "window_start": _text(window.started_at),
        "window_end": _text(window.ended_at),
        "slices_total": found.n_slices,
        "slices_bad": found.n_bad_slices,
        "slices_empty": found.n_empty_slices,
        "sli_timeslices": _number(found.good_ratio),
        "budget_slices": _number(found.budget_slices),
        "consumed_pct_timeslices": _percent(found.consumed_timeslices),
        "consumed_pct_occurrences_same_target": _percent(found.consumed_occurrences),
        "consumed_pct_ratiotimeslices_same_target": _percent(found.consumed_ratio_timeslices),
        "events_total": found.counts.n_all,
        "events_bad": found.counts.n_bad,
    }


def _quantile(case: Case) -> Result:
    values = [Decimal(str(item["v"])) for item in case["values"] if _is_eligible(item)]
    quantile = Fraction(str(case["config"]["quantile"]))
    found = evaluate_quantile(values, quantile, Decimal(str(case["config"]["threshold"])))
    return {
        "eligible": found.n_values,
        "excluded": len(case["values"]) - found.n_values,
        "p_nearest_rank": None if found.value is None else round(float(found.value), 6),
        "bad": found.n_bad,
        "allowed_bad_floor": found.n_allowed_bad,
        "quantile_ok": found.is_quantile_ok,
        "occurrence_ok": found.is_occurrence_ok,
        "budget_consumed_pct": _percent(found.consumed),
        "burn_rate": _number(found.consumed),
    }


def _is_eligible(item: Case) -> bool:
    is_long = int(item.get("output_tokens", 2)) >= 2
    return item.get("v") is not None and bool(item.get("eligible", True)) and is_long


def _metric_band(case: Case) -> Result:
    config, slices = case["config"], case["slices"]
    found = evaluate_band(
        [(Fraction(day["cost"]), day["outcomes"]) for day in case["baseline_days"]],
        [(Fraction(item["cost"]), item["outcomes"]) for item in slices],
        Fraction(config["tolerance"]),
        Fraction(config["target"]),
    )
    if found is None:
        return {"baseline": None, "band_low": None, "band_high": None, "slices": []}
    return {
        "baseline": _number(found.baseline),
        "band_low": _number(found.low),
        "band_high": _number(found.high),
        "slices": [
            {
                "slice": item["slice"],
                "value": _number(judged.value),
                "status": judged.status,
                "deviation_pct": _percent(judged.deviation),
            }
            for item, judged in zip(slices, found.slices, strict=True)
        ],
        "slices_bad": found.n_bad_slices,
        "consumed_pct": _percent(found.consumed),
        "budget_slices": _number(found.budget_slices),
    }


def _burn_alert(case: Case) -> Result:
    config, events = case["config"], _events(case)
    limit = Fraction(config["limit"])
    compliance_h = _hours(config["compliance_window"])
    tiers = []
    for item in config["tiers"]:
        long_h, short_h = (_hours(item[key]) for key in ("long", "short"))
        tier = Tier(item["name"], Fraction(item["budget_pct"]) / 100, long_h, short_h)
        found = evaluate_tier(tier, events, limit, compliance_h, to_us(_moment(case["as_of"])))
        tiers.append(
            {
                "tier": found.name,
                "factor": _number(found.factor),
                "reachable": found.is_reachable,
                "burn_long": _number(found.burn_long),
                "burn_short": _number(found.burn_short),
                "state": found.state,
            }
        )
    return {"tiers": tiers, "max_burn_rate": _number(1 / limit) if limit else None}


def _state_machine(case: Case) -> Result:
    config = case["config"]
    shares = {
        name: Fraction(str(config[key])) / 100
        for name, key in (
            ("freeze_at", "freeze_at"),
            ("warn_at", "warn_at"),
            ("warn_clear", "warn_clear"),
            ("recover_at", "recover_at"),
        )
    }
    policy = FreezePolicy(
        **shares,
        min_freeze=timedelta(hours=config["min_freeze_h"]),
        clean_evaluations=config["clean_evals"],
    )
    memory = Memory(config["initial"], _moment(config["initial_since"]))
    states = []
    for item in case["evaluations"]:
        lower, upper = (_share(item[key]) for key in ("consumed_lower", "consumed_upper"))
        moved = step(memory, Signal(_moment(item["t"]), lower, upper, item["data_ok"]), policy)
        memory = moved.memory
        states.append({"t": item["t"], "state": memory.state, "why": moved.why})
    return {"states": states}


def _gate(case: Case) -> Result:
    results = []
    for query in case["queries"]:
        document = query["doc"] if query.get("signature_ok", True) else None
        answer = answer_gate(
            _listed(document),
            query["feature"],
            "production",
            query["change_class"],
            _moment(query["now"]),
            change_ref=query.get("change_ref"),
        )
        results.append(
            {
                "id": query["id"],
                "exit_code": answer.exit_code,
                "decision": answer.decision,
                "reason": answer.reason,
            }
        )
    return {"results": results}


def _listed(document: Case | None) -> Case | None:
    if document is None or not isinstance(document.get("features"), Mapping):
        return document
    features = [
        {
            **item,
            "feature": name,
            "environment": "production",
            "overrides": _overrides(document, name, item),
        }
        for name, item in document["features"].items()
    ]
    return {**document, "features": features}


def _overrides(document: Case, feature: str, item: Case) -> list[Case]:
    """Return a feature's overrides, wherever the case puts them; what it leaves out is in order."""
    given = [*item.get("overrides", []), *filter(None, [item.get("override")])]
    for each in document.get("overrides", []):
        named = each.get("features", each.get("feature", []))
        given += [each] if feature in ([named] if isinstance(named, str) else named) else []
    usual = {
        "requested_by": "one",
        "approved_by": "another",
        "created_at": document.get("evaluated_at"),
    }
    return [usual | each for each in given]


def _attribution(case: Case) -> Result:
    limit = Fraction(case["config"]["limit"])
    groups = {item["key"]: Counts(item["bad"], item["total"]) for item in case["groups"]}
    found = attribute(groups, limit)
    n_all = sum(group.n_all for group in groups.values())
    n_bad = sum(group.n_bad for group in groups.values())
    previous = case.get("previous_groups") or case.get("previous")
    changes: dict[str, Result] = {}
    if previous:
        old = {item["key"]: Counts(item["bad"], item["total"]) for item in previous}
        changes = {
            change.value: {
                "rate_effect": _number(change.rate_effect),
                "mix_effect": _number(change.mix_effect),
            }
            for change in explain_change(old, groups)
        }
    return {
        "total": n_all,
        "bad": n_bad,
        "consumed_pct": _percent(Fraction(n_bad) / (limit * n_all)) if limit * n_all else None,
        "groups": [
            {
                "key": item.value,
                "rate": _number(item.counts.ratio),
                "bad_share": _number(Fraction(item.counts.n_bad, n_bad)) if n_bad else None,
                "traffic_share": _number(Fraction(item.counts.n_all, n_all)) if n_all else None,
                "budget_points_consumed_pct": _percent(item.budget_share),
                "excess_bad": _number(item.excess_bad),
                "consumed_pct_without_group": _percent(item.consumed_without),
                **changes.get(item.value, {}),
            }
            for item in found
        ],
    }


_KINDS: dict[str, Callable[[Case], Result]] = {
    "occurrences": _occurrences,
    "calendar": _occurrences,
    "timeslices": _timeslices,
    "quantile": _quantile,
    "metric_band": _metric_band,
    "burn_alert": _burn_alert,
    "state_machine": _state_machine,
    "gate": _gate,
    "attribution": _attribution,
}


def _events(case: Case) -> Events:
    times: list[int] = []
    known: list[int] = []
    for item in case.get("events", ()):
        at_us = to_us(_moment(item["ts"]))
        outcome = item.get("outcome_at")
        times.append(at_us)
        known.append((to_us(_moment(outcome)) if outcome else at_us) if item["bad"] else NEVER_US)
    for group in case.get("event_groups", ()):
        start = to_us(_moment(group["start"]))
        for index in range(group["count"]):
            at_us = start + index * _microseconds(timedelta(seconds=group["step_s"]))
            delay = _microseconds(timedelta(seconds=group.get("outcome_delay_s", 0)))
            times.append(at_us)
            known.append(at_us + delay if _is_bad(group, index) else NEVER_US)
    return Events.of(np.array(times, dtype=np.int64), np.array(known, dtype=np.int64))


def _is_bad(group: Case, index: int) -> bool:
    listed = group.get("bad", ())
    every = group.get("bad_every")
    is_periodic = every is not None and index % every == group.get("bad_offset", 0)
    return is_periodic or listed == "all" or index in listed


def _window(config: Case, as_of: datetime) -> Window:
    calendar = config.get("calendar")
    if calendar:
        return calendar_window(as_of, calendar["duration"], calendar["tz"])
    return rolling_window(as_of, parse_duration(config["compliance_window"]))


def _worst(worst: WorstDay | None) -> Result | None:
    if worst is None:
        return None
    return {
        "rate": _number(Fraction(worst.n_bad, worst.n_all)),
        "bad": worst.n_bad,
        "total": worst.n_all,
        "window_end": _text(worst.ended_at),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _microseconds(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _hours(text: str) -> Fraction:
    return Fraction(_microseconds(parse_duration(text)), _microseconds(_HOUR))


def _share(percent: float | None) -> Fraction:
    # A budget of zero that was broken has no share; it is overspent whatever the policy says.
    return _OVERSPENT if percent is None else Fraction(str(percent)) / 100


def _number(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 6)


def _percent(value: Fraction | None) -> float | None:
    return _number(None if value is None else 100 * value)


def main(arguments: list[str]) -> int:
    """Answer every case of a file."""
    cases = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))["cases"]
    print(json.dumps({case["id"]: answer_case(case) for case in cases}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
