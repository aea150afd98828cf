"""How far an evaluator of a night can be trusted: agreement with people, and what sways a judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from include.freezeline.evaluators.interface import Score
from include.freezeline.evaluators.judge import Preference
from include.freezeline.stats.agreement import (
    OperatingPoint,
    calibrate_threshold,
    corrected_rate,
    operating_point,
    roc_agreement,
)
from include.freezeline.stats.judge_bias import length_bias, position_bias, self_preference
from include.freezeline.stats.result import BoolArray, FloatArray, StatResult

Answers = Mapping[str, StatResult]
"""Results by question."""
UNITS = {
    "roc_auc": "ratio",
    "sensitivity": "ratio",
    "specificity": "ratio",
    "calibrated_threshold": "score",
    "corrected_bad_ratio": "ratio",
    "length_bias": "none",
    "self_preference": "score",
    "position_bias": "ratio",
}


_FATES = {"a": 1, "tie": 0, "b": -1}


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer that people evaluated.

    Attributes:
        call_key: Key of the call.
        is_bad: What they said.
        n_chars: Length of the answer.
        model: Model that gave it.
    """

    call_key: str
    is_bad: bool
    n_chars: int
    model: str


@dataclass(frozen=True, slots=True)
class NightCounts:
    """What an evaluator said of a night's answers, each segment of the sample with its weight.

    Attributes:
        bad_ratio: Share of the answers on the bad side, from 0 to 1.
        n_effective: As many answers drawn evenly from all would tell as much (Kish 1965).
    """

    bad_ratio: float
    n_effective: float


def weighted_counts(said: Sequence[tuple[bool, float]]) -> NightCounts:
    """Return what an evaluator said of a night.

    Args:
        said: Whether each scored answer is bad, and for how many answers it stands.
    """
    weights = np.array([weight for _, weight in said], dtype=np.float64)
    if not len(weights):
        return NightCounts(0.0, 0.0)
    bad_ratio = float(np.average([is_bad for is_bad, _ in said], weights=weights))
    return NightCounts(bad_ratio, float(weights.sum() ** 2 / (weights**2).sum()))


def agreement(
    labelled: Sequence[Labelled],
    scores: Mapping[str, Score],
    *,
    is_high_bad: bool,
    threshold: float | None,
    night: NightCounts,
    min_each: int,
    seed: int,
) -> dict[str, StatResult]:
    """Return how far an evaluator agrees with people.

    Args:
        labelled: Answers that people evaluated.
        scores: The evaluator's scores of them.
        is_high_bad: Whether a high score is bad news.
        threshold: The threshold in use; None without one.
        night: What the evaluator said of the night.
        min_each: Fewer labels of either kind are insufficient evidence.
        seed: Seed of the bootstrap.
    """
    known = [(each, s.value) for each in labelled if (s := scores.get(each.call_key)) and
             s.value is not None]  # fmt: skip
    values = np.array([value for _, value in known], dtype=np.float64)
    labels = np.array([each.is_bad == is_high_bad for each, _ in known], dtype=np.bool_)
    area = roc_agreement(values, labels, min_each)
    if not area.is_sufficient:
        return {"roc_auc": area}
    found = {"roc_auc": area, "calibrated_threshold": _calibrated(values, labels, seed)}
    if threshold is not None:
        found |= _at_threshold(
            operating_point(values, labels, threshold), night, is_high_bad=is_high_bad
        )
    return found


def judge_bias(
    labelled: Sequence[Labelled],
    scores: Mapping[str, Score],
    family_prefixes: Sequence[str],
    preferences: Sequence[Preference],
    seed: int,
) -> dict[str, StatResult]:
    """Return what sways a judge.

    Args:
        labelled: Answers that people evaluated.
        scores: The judge's scores of them.
        family_prefixes: Beginnings of model names of its own family; none is not asked.
        preferences: Pairs that it compared in both orders.
        seed: Seed of the permutations.
    """
    known = [(each, s.value) for each in labelled if (s := scores.get(each.call_key)) and
             s.value is not None]  # fmt: skip
    values = np.array([value for _, value in known], dtype=np.float64)
    labels = np.array([each.is_bad for each, _ in known], dtype=np.int64)
    lengths = np.array([each.n_chars for each, _ in known], dtype=np.float64)
    found = {"length_bias": length_bias(values, lengths, labels)}
    if family_prefixes:
        is_own = [each.model.startswith(tuple(family_prefixes)) for each, _ in known]
        own = np.array(is_own, dtype=np.bool_)
        found["self_preference"] = self_preference(values, own, labels, seed=seed)
    told = [(_FATES[p.first], _FATES[p.swapped]) for p in preferences if p.first and p.swapped]
    first, swapped = np.array(told, dtype=np.int64).reshape(-1, 2).T
    return found | {"position_bias": position_bias(first, swapped)}


def _calibrated(values: FloatArray, labels: BoolArray, seed: int) -> StatResult:
    """Return the threshold that these labels would set."""
    found = calibrate_threshold(values, labels, seed=seed)
    return StatResult(
        value=found.value,
        interval=found.interval,
        p_value=None,
        n_reference=found.n_negative,
        n_current=found.n_positive,
        method="youden_bootstrap",
        seed=seed,
    )


def _at_threshold(
    point: OperatingPoint, night: NightCounts, *, is_high_bad: bool
) -> dict[str, StatResult]:
    """Return what the threshold in use gets right, and the night's rate corrected by it."""
    # A rate of bad answers: where a high score is good, what is bad is what is not said.
    bad = point if is_high_bad else _turned(point)
    n_positive, n_negative = bad.n_positive, bad.n_negative
    return {
        "sensitivity": StatResult(
            bad.sensitivity, bad.sensitivity_interval, None, 0, n_positive, "jeffreys"
        ),
        "specificity": StatResult(
            bad.specificity, bad.specificity_interval, None, n_negative, 0, "jeffreys"
        ),
        "corrected_bad_ratio": corrected_rate(
            night.bad_ratio * night.n_effective, night.n_effective, bad
        ),
    }


def _turned(point: OperatingPoint) -> OperatingPoint:
    """Return the point of the opposite question."""
    return OperatingPoint(
        point.specificity, point.specificity_interval, point.n_negative,
        point.sensitivity, point.sensitivity_interval, point.n_positive,
    )  # fmt: skip
