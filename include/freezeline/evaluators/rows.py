"""Scores, anomalies and agreement as rows of the judgement schema."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.freezeline.evaluators import anomalies
from include.freezeline.evaluators.anomalies import Anomaly
from include.freezeline.evaluators.interface import Score
from include.freezeline.evaluators.trust import UNITS
from include.freezeline.hashing import stable_hash
from include.freezeline.stats.result import StatResult

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Scorer:
    """Who scored, and what the score means.

    Attributes:
        name: Evaluator.
        version: Its version.
        threshold: Score from which on an answer is on the high side; None without one.
        is_high_bad: Whether the high side is bad.
    """

    name: str
    version: str
    threshold: float | None
    is_high_bad: bool

    def is_bad(self, score: Score) -> bool | None:
        """Return whether a score is on the bad side; None when nobody can tell."""
        value = _rounded(score)
        if value is None or self.threshold is None:
            return None
        return (value >= self.threshold) == self.is_high_bad


def score_row(
    subject: Mapping[str, Any], scorer: Scorer, score: Score, cost_usd: float | None
) -> dict[str, Any]:
    """Return the row of a score.

    Args:
        subject: as_of, and what is known of the call.
        scorer: Who scored.
        score: The score.
        cost_usd: What asking cost.
    """
    return {
        **_identified(subject, scorer.name, scorer.version),
        "evaluation_score": _rounded(score),
        "threshold_score": scorer.threshold,
        "is_bad": scorer.is_bad(score),
        "p_value": None,
        "q_value": None,
        "judge_cost_usd": cost_usd,
        "reason": score.reason,
        "details": "{}",
    }


def anomaly_row(subject: Mapping[str, Any], anomaly: Anomaly, level: float) -> dict[str, Any]:
    """Return the row of an answer that was held against its class."""
    details = {
        "features": list(anomaly.features),
        "conformal_p_value": anomaly.conformal_p_value,
        "class": anomaly.class_name,
    }
    return {
        **_identified(subject, anomalies.NAME, anomalies.VERSION),
        "evaluation_score": None,
        "threshold_score": level,
        "is_bad": anomaly.is_anomaly,
        "p_value": anomaly.p_value,
        "q_value": anomaly.q_value,
        "judge_cost_usd": None,
        "reason": anomaly.reason,
        "details": json.dumps(details, sort_keys=True),
    }


def agreement_row(
    as_of: datetime, name: str, version: str, question: str, result: StatResult
) -> dict[str, Any]:
    """Return the row of an answer about an evaluator."""
    lower, upper = result.interval or (None, None)
    return {
        "agreement_key": stable_hash(as_of, name, version, question),
        "as_of": as_of,
        "evaluator": name,
        "evaluator_version": version,
        "question": question,
        "value": result.value,
        "value_lower": lower,
        "value_upper": upper,
        "unit": UNITS[question],
        "p_value": result.p_value,
        "n_reference": result.n_reference,
        "n_current": result.n_current,
        "reason": result.reason or _said(result),
        "method": result.method,
        "seed": result.seed,
    }


def _rounded(score: Score) -> float | None:
    """Return a score as it is stored, so that the last digit of another machine is no news."""
    return None if score.value is None else round(score.value, _DIGITS)


def _identified(subject: Mapping[str, Any], name: str, version: str) -> dict[str, Any]:
    """Return subject, key and evaluator."""
    key = stable_hash(subject["as_of"], subject["call_key"], name)
    return {
        **subject,
        "call_score_key": key,
        "evaluator": name,
        "evaluator_version": version,
    }


def _said(result: StatResult) -> str:
    """Return a result in words."""
    interval = ""
    if result.interval is not None:
        interval = f" ({result.interval[0]:.3f} to {result.interval[1]:.3f})"
    tested = "" if result.p_value is None else f", p = {result.p_value:.2g}"
    return f"{result.value:.3f}{interval} on {result.n} answers{tested}"
