"""An evaluation in words, with its numbers."""

from include.freezeline.slo.evaluation import Evaluation


def explain(evaluation: Evaluation) -> str:
    """Return the verdict as one sentence a release manager can read aloud."""
    if not evaluation.has_events:
        return f"no events in the last {evaluation.slo.window_text}; nothing is known"
    parts = [] if evaluation.silence is None else [evaluation.silence.explain()]
    parts.append(_spent(evaluation))
    if evaluation.budget.n_pending:
        parts.append(_pending(evaluation))
    if evaluation.is_tripped:
        parts.append(
            f"trip wire: the last days are above the limit (evidence score "
            f"{_score(evaluation.score)}, alarm at {evaluation.slo.trip_wire:,})"
        )
    if evaluation.has_data and evaluation.verdict == "insufficient_evidence":
        budget = evaluation.budget
        allowed = float(budget.objective.limit) * budget.counts.as_evidence[1]
        seen = "" if budget.counts.independence == 1 else f" of those {budget.counts.n_seen:,} seen"
        parts.append(
            f"too few events to judge (the limit allows {allowed:.1f} bad{seen}, it takes 5)"
        )
    return "; ".join(parts)


def _spent(evaluation: Evaluation) -> str:
    """Say how much of the budget is surely spent."""
    budget, slo = evaluation.budget, evaluation.slo
    consumed = budget.consumed
    spent = "more than all" if consumed is None else f"{float(consumed):.0%}"
    return (
        f"{spent} of the {slo.window_text} budget spent: {budget.counts.n_bad:,} bad of "
        f"{budget.counts.n_all:,} events, {float(budget.allowed_bad):,.1f} allowed at "
        f"{float(slo.objective.limit):.3g}"
    )


def _pending(evaluation: Evaluation) -> str:
    """Say what the pending outcomes may add."""
    return (
        f"{evaluation.budget.n_pending:,} outcomes pending, with their nowcast at most "
        f"{float(evaluation.nowcast_upper):.0%}"
    )


def _score(score: float | None) -> str:
    """Write a score that may be astronomic."""
    value = score or 0.0
    return f"{value:,.0f}" if value < 1e6 else "above 1,000,000"
