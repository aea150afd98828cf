"""A model's handwriting on a day, and the days on which it changed.

The fingerprint of some answers is the mean of every habit of style with its standard error. Kept
day by day it costs nothing to compare later, and the change of a provider's model shows as a change
point although no text is kept. What the answers are about changes the fingerprint too, so a change
point is a reason to ask the conditional test, not a verdict.

Sources: Sun et al. 2025 (*Idiosyncrasies in Large Language Models*); Page 1954 and Antoch & Huskova
2001 (change points by permutation). Null hypothesis of a change point: the days are exchangeable. Days
that resemble the day before (a mix of topics that wanders) are not; the statistic allows for that,
which leaves the test exact where they are, and near its level where they are not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from include.freezeline.hashing import stable_hash
from include.freezeline.stats.permutation import staged_test
from include.freezeline.stats.result import FloatArray, StatResult, insufficient, most_moved
from include.freezeline.stats.style import FEATURE_NAMES, style_matrix

METHOD = "fingerprint_change_point"
FINGERPRINT_METHOD = "style_fingerprint"
FINGERPRINT_VERSION = "1"
MIN_TEXTS = 20
MIN_DAYS = 8
_MIN_SIDE = 3
_MOST_RESEMBLANCE = 0.9
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The habits of some answers.

    Attributes:
        means: Mean of log(1 + feature) of each feature, in the order of ``FEATURE_NAMES``.
        errors: Standard error of each mean.
        n_texts: Answers.
        fingerprint_hash: Hash of the means to four digits; equal answers give equal hashes.
    """

    means: tuple[float, ...]
    errors: tuple[float, ...]
    n_texts: int
    fingerprint_hash: str


def style_fingerprint(texts: Sequence[str]) -> Fingerprint | None:
    """Return the fingerprint of answers; None of fewer than 20, whose means say little.

    Args:
        texts: Answers of one provider, model and feature.
    """
    if len(texts) < MIN_TEXTS:
        return None
    rows = np.log1p(np.maximum(style_matrix(texts).astype(np.float64), 0.0))
    means = np.round(rows.mean(axis=0), _DIGITS)
    errors = np.round(rows.std(axis=0, ddof=1) / np.sqrt(len(rows)), _DIGITS)
    digest = stable_hash([list(FEATURE_NAMES), means.tolist()])
    return Fingerprint(tuple(means.tolist()), tuple(errors.tolist()), len(texts), digest)


def change_point(
    days: Sequence[Fingerprint], *, seed: int, n_permutations: int = 499, n_refined: int = 999
) -> StatResult:
    """Find the day from which on a model writes differently; the value is its position.

    Every split of the days compares the mean fingerprints before and after it, feature by feature
    in units of its spread over the days; the statistic is the largest mean square over splits,
    lessened by how much a day resembles the one before it. Days are permuted, so what one day
    differs from the next anyhow is no evidence. How much a feature
    moved is told in units of its spread over answers, which does not shrink with their number.

    Args:
        days: Fingerprints in time order, one a day; a day without enough answers is left out.
        seed: Seed of the permutations.
        n_permutations: Permutations of the screening stage.
        n_refined: Permutations that give a p-value of at most 10% again.
    """
    n_days = len(days)
    if n_days < MIN_DAYS:
        reason = f"{n_days} days with a fingerprint, at least {MIN_DAYS} are needed"
        return insufficient(METHOD, reason, 0, n_days)
    rows = _standardised(np.array([day.means for day in days]))
    if not rows.any():
        return insufficient(METHOD, "all days are equal", 0, n_days)
    _, p_value = staged_test(
        lambda size, rng: {"largest_split": _largest_splits(rows, size, rng)},
        n_permutations,
        n_refined,
        seed,
    )
    curve = _split_curve(rows)
    position = int(np.argmax(curve)) + _MIN_SIDE
    shifts = _shifts_of_answers(days, position)
    return StatResult(
        value=float(position),
        interval=_interval(curve),
        p_value=p_value,
        n_reference=position,
        n_current=n_days - position,
        method=METHOD,
        seed=seed,
        details={
            "moved_features": most_moved(shifts, FEATURE_NAMES),
            "largest_shift_sd": float(np.abs(shifts).max()),
        },
    )


def _largest_splits(rows: FloatArray, n_permutations: int, rng: np.random.Generator) -> FloatArray:
    """Return the statistic of the days in their order, then in permuted ones."""
    n_days = len(rows)
    orders = [np.arange(n_days), *(rng.permutation(n_days) for _ in range(n_permutations))]
    return np.array([_largest_split(rows[order]) for order in orders])


def _largest_split(rows: FloatArray) -> float:
    """Return the largest mean squared difference, less where days resemble the day before anyhow.

    What is left of the days after the split is divided by what a first-order autoregression of
    theirs adds to the variance of a mean (Bayley & Hammersley 1946).
    """
    curve = _split_curve(rows)
    position = int(np.argmax(curve)) + _MIN_SIDE
    sides = (rows[:position], rows[position:])
    left = np.concatenate([side - side.mean(axis=0) for side in sides])
    total = float(np.square(left).sum())
    resemblance = float((left[1:] * left[:-1]).sum()) / total if total > 0 else 0.0
    resemblance = min(max(resemblance, 0.0), _MOST_RESEMBLANCE)
    return float(curve.max()) * (1.0 - resemblance) / (1.0 + resemblance)


def _shifts_of_answers(days: Sequence[Fingerprint], position: int) -> FloatArray:
    """Return by how much each feature moved, in units of its spread over all answers of all days."""
    means = np.array([day.means for day in days])
    inside = np.mean([np.square(day.errors) * day.n_texts for day in days], axis=0)
    spread = np.sqrt(inside + means.var(axis=0))
    shifts = means[position:].mean(axis=0) - means[:position].mean(axis=0)
    return np.asarray(shifts / np.where(spread > 0, spread, np.inf))


def _standardised(rows: FloatArray) -> FloatArray:
    """Return features in units of their spread over all days, which no order of them changes."""
    spread = np.where(np.ptp(rows, axis=0) > 0, rows.std(axis=0), np.inf)
    return np.asarray((rows - rows.mean(axis=0)) / spread)


def _split_curve(rows: FloatArray) -> FloatArray:
    """Return the mean squared difference of means at every split, weighted by its precision."""
    n_days = len(rows)
    before = np.arange(_MIN_SIDE, n_days - _MIN_SIDE + 1)
    sums = np.cumsum(rows, axis=0)[before - 1]
    means = sums / before[:, None]
    later = (rows.sum(axis=0) - sums) / (n_days - before)[:, None]
    weight = before * (n_days - before) / n_days
    return np.asarray(((later - means) ** 2 * weight[:, None]).mean(axis=1))


def _interval(curve: FloatArray) -> tuple[float, float]:
    """Return the first and last split whose statistic is at least nine tenths of the largest."""
    near = np.flatnonzero(curve >= 0.9 * curve.max()) + _MIN_SIDE
    return float(near[0]), float(near[-1])
