"""Rows of the judgement tables from evaluations."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from include.freezeline.freeze.flag import Judged
from include.freezeline.hashing import stable_hash
from include.freezeline.jobs.decide_events import SloEvents
from include.freezeline.slo.alerts import recent_counts
from include.freezeline.slo.attribution import attribute, explain_change
from include.freezeline.slo.budget import Counts
from include.freezeline.slo.evaluation import (
    Evaluation,
    count_days,
    counted_events,
    group_counts,
)
from include.freezeline.slo.events import Events
from include.freezeline.slo.maturity import nowcast_ratio
from include.freezeline.slo.windows import from_us, to_us
from include.freezeline.slo.wording import explain

DAY_DIMENSION = "call_date"
Row = dict[str, Any]


def window_row(judged: Judged, sources: SloEvents) -> Row:
    """Return the ``slo_windows`` row of an evaluation."""
    evaluation = judged.evaluation
    slo, budget = evaluation.slo, evaluation.budget
    counts, last, worst = budget.counts, budget.last_day, budget.worst_exact
    interval = budget.evidence.interval or (None, None)
    return {
        **_subject(evaluation),
        "slo_window_key": stable_hash(*_identity(evaluation)),
        "objective": slo.objective_text,
        "limit_text": slo.limit_text,
        "op": slo.objective.op,
        "consequence": slo.consequence,
        "window_started_at": budget.window.started_at,
        "window_ended_at": budget.window.ended_at,
        "event_count": counts.n_all,
        "bad_count": counts.n_bad,
        "pending_count": budget.n_pending,
        "bad_lower_ratio": _float(counts.ratio),
        "bad_upper_ratio": _upper_ratio(evaluation),
        "consumed_lower_ratio": _float(budget.consumed) if counts.n_all else None,
        "consumed_nowcast_ratio": _float(evaluation.consumed_nowcast),
        "consumed_upper_ratio": _float(budget.consumed_upper) if counts.n_all else None,
        **_nowcast(sources, evaluation),
        "bad_interval_lower_ratio": interval[0],
        "bad_interval_upper_ratio": interval[1],
        "p_breach": budget.evidence.p_breach,
        "event_24h_count": last.n_all,
        "bad_24h_count": last.n_bad,
        "bad_24h_ratio": _float(last.ratio),
        "burn_rate_24h": _float(budget.burn_rates[24]),
        "worst_24h_ratio": None if worst is None else worst.n_bad / worst.n_all,
        "worst_24h_ended_at": None if worst is None else worst.ended_at,
        "detector_score": evaluation.score,
        "time_to_exhaustion_h": _float(evaluation.time_to_exhaustion_h),
        "verdict": evaluation.verdict,
        "state_hint": judged.state if evaluation.has_data else "",
        "burn_windows": _burn_windows(sources, evaluation),
        "reason": explain(evaluation),
        "input_hash": _input_hash(sources, evaluation.as_of),
        "evidence_query": evidence_query(evaluation),
    }


def attribution_rows(evaluation: Evaluation, sources: SloEvents) -> list[Row]:
    """Return the ``slo_attributions`` rows of an evaluation: dimensions and values, then days."""
    window, as_of_us = evaluation.budget.window, to_us(evaluation.as_of)
    start_us, end_us, length_us = to_us(window.started_at), to_us(window.ended_at), window.length_us
    slo = evaluation.slo
    known = _known_events(sources, evaluation)
    inside = known.between(start_us, end_us)
    if slo.slices is not None:  # a slice is of no single version or tenant
        return _attributed(evaluation, DAY_DIMENSION, count_days(inside, as_of_us), {})
    before = known.between(start_us - length_us, start_us)
    rows = []
    for dimension in sources.dimensions:
        size = len(dimension.values)
        counted = [group_counts(part, dimension.codes, size, as_of_us) for part in (before, inside)]
        previous, current = (dict(zip(dimension.values, part, strict=True)) for part in counted)
        rows += _attributed(evaluation, dimension.name, current, previous)
    return rows + _attributed(evaluation, DAY_DIMENSION, count_days(inside, as_of_us), {})


def _attributed(
    evaluation: Evaluation,
    dimension: str,
    current: Mapping[str, Counts],
    previous: Mapping[str, Counts],
) -> list[Row]:
    """Return the rows of one dimension: every value with events in this window or the one before.

    Args:
        evaluation: The evaluation.
        dimension: Name of the dimension.
        current: Counts of the window by value.
        previous: Counts of the window before; empty where values are not compared.
    """
    nothing = Counts(0, 0)
    values = [v for v in current if current[v].n_all or previous.get(v, nothing).n_all]
    changes = {item.value: item for item in explain_change(previous, current)}
    rows = []
    for part in attribute({v: current[v] for v in values}, evaluation.slo.objective.limit):
        change = changes.get(part.value)
        rows.append(
            {
                **_subject(evaluation),
                "slo_attribution_key": stable_hash(*_identity(evaluation), dimension, part.value),
                "dimension": dimension,
                "dimension_value": part.value,
                "event_count": part.counts.n_all,
                "bad_count": part.counts.n_bad,
                "bad_ratio": _float(part.counts.ratio),
                "budget_share_ratio": _float(part.budget_share),
                "excess_bad_count": float(part.excess_bad),
                "consumed_without_ratio": _float(part.consumed_without),
                "previous_event_count": previous[part.value].n_all if previous else None,
                "previous_bad_ratio": _float(previous[part.value].ratio) if previous else None,
                "rate_effect_ratio": None if change is None else float(change.rate_effect),
                "mix_effect_ratio": None if change is None else float(change.mix_effect),
            }
        )
    return rows


def evidence_query(evaluation: Evaluation) -> str:
    """Return SQL that lists the known bad events of the window."""
    slo, window = evaluation.slo, evaluation.budget.window
    at, known_at = slo.event_at_column, slo.bad_known_at_column or slo.arrived_at_column
    return (
        f"select * from {slo.relation} where feature = {_quote(evaluation.feature)} "
        f"and environment = {_quote(evaluation.environment)} "
        f"and ({slo.is_event_sql}) and ({slo.is_bad_sql}) "
        f"and {at} >= {_instant(window.started_at)} and {at} < {_instant(window.ended_at)} "
        f"and {slo.arrived_at_column} < {_instant(evaluation.as_of)} "
        f"and {known_at} < {_instant(evaluation.as_of)} order by {at}"
    )


def _subject(evaluation: Evaluation) -> Row:
    """Return the columns that name the subject."""
    return {
        "as_of": evaluation.as_of,
        "slo_name": evaluation.slo.name,
        "feature": evaluation.feature,
        "environment": evaluation.environment,
    }


def _identity(evaluation: Evaluation) -> Sequence[object]:
    """Return what makes an evaluation one of its kind."""
    return (evaluation.slo.name, evaluation.feature, evaluation.environment, evaluation.as_of)


def _input_hash(sources: SloEvents, as_of: datetime) -> str:
    """Return the hash of the events that were known."""
    as_of_us = to_us(as_of)
    known = sources.events.known_at(as_of_us)
    bad_us = known.at_us[known.is_bad(as_of_us)]
    return stable_hash(known.size, int(known.at_us.sum()), len(bad_us), int(bad_us.sum()))


def _known_events(sources: SloEvents, evaluation: Evaluation) -> Events:
    """Return the counted events that were known, whenever they happened."""
    events = counted_events(evaluation.slo, sources.events, evaluation.as_of)
    return events.known_at(to_us(evaluation.as_of))


def _nowcast(sources: SloEvents, evaluation: Evaluation) -> Row:
    """Return the nowcast of the window's final bad ratio with its interval."""
    window, lag = evaluation.budget.window, evaluation.slo.objective.maturity_lag
    known = _known_events(sources, evaluation)
    inside = known.between(to_us(window.started_at), to_us(window.ended_at))
    found = nowcast_ratio(inside, lag, to_us(evaluation.as_of))
    values = (None,) * 3 if found is None else (found.ratio, found.lower, found.upper)
    return dict(zip(_NOWCAST_COLUMNS, values, strict=True))


_NOWCAST_COLUMNS = ("nowcast_bad_ratio", "nowcast_bad_lower_ratio", "nowcast_bad_upper_ratio")


def _burn_windows(sources: SloEvents, evaluation: Evaluation) -> str:
    """Write the counts of the last hours, which alerts are judged on."""
    slo, as_of = sources.slo, evaluation.as_of
    events = counted_events(slo, sources.events, as_of)
    end_us, counts = recent_counts(events, slo.objective.maturity_lag, to_us(as_of))
    hours = {
        str(length): {
            "bad_count": each.n_bad,
            "event_count": each.n_all,
            "independence": each.independence,
        }
        for length, each in counts.items()
    }
    found = {
        "ended_at": from_us(end_us).isoformat(),
        "hours": hours,
        "independence": evaluation.budget.counts.independence,
    }
    return json.dumps(found, sort_keys=True)


def _upper_ratio(evaluation: Evaluation) -> float | None:
    """Return the bad ratio if every pending event turns bad."""
    counts = evaluation.budget.counts
    n_upper = counts.n_bad + evaluation.budget.n_pending
    return n_upper / counts.n_all if counts.n_all else None


def _float(value: Fraction | None) -> float | None:
    """Return the nearest float; unknown stays unknown."""
    return None if value is None else float(value)


def _quote(text: str) -> str:
    """Return a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def _instant(moment: datetime) -> str:
    """Return a SQL timestamp literal."""
    return f"timestamptz '{moment.isoformat()}'"
