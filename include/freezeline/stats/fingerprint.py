"""A model's handwriting on a day, and the days on which it changed.

The fingerprint of some answers is the mean of every habit of style with its standard error. Kept
day by day it costs nothing to compare later, and the change of a provider's model shows as a change
point although no text is kept. What the answers are about changes the fingerprint too, so a change
point is a reason to ask the conditional test, not a verdict.

Sources: Sun et al. 2025 (*Idiosyncrasies in Large Language Models*); Page 1954 and Antoch & Huskova
2001 (change points by permutation). Null hypothesis of a change point: the days are exchangeable.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from include.freezeline.hashing import stable_hash
from include.freezeline.stats.permutation import permutation_p_value
from include.freezeline.stats.result import FloatArray, StatResult, insufficient, most_moved
from include.freezeline.stats.style import FEATURE_NAMES, style_matrix

METHOD = "fingerprint_change_point"
MIN_TEXTS = 20
MIN_DAYS = 8
_MIN_SIDE = 3
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The habits of some answers.

    Attributes:
        means: Mean of each feature, in the order of ``FEATURE_NAMES``.
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
    days: Sequence[Fingerprint], *, seed: int, n_permutations: int = 999
) -> StatResult:
    """Find the day from which on a model writes differently; the value is its position.

    Every split of the days compares the mean fingerprints before and after it, feature by feature
    in units of its spread over the days; the statistic is the largest mean square over splits. Days
    are permuted, so what one day differs from the next anyhow is no evidence.

    Args:
        days: Fingerprints in time order, one a day; a day without enough answers is left out.
        seed: Seed of the permutations.
        n_permutations: Permutations.
    """
    n_days = len(days)
    if n_days < MIN_DAYS:
        reason = f"{n_days} days with a fingerprint, at least {MIN_DAYS} are needed"
        return insufficient(METHOD, reason, 0, n_days)
    rows = _standardised(np.array([day.means for day in days]))
    if not rows.any():
        return insufficient(METHOD, "all days are equal", 0, n_days)
    rng = np.random.default_rng(seed)
    orders = [np.arange(n_days), *(rng.permutation(n_days) for _ in range(n_permutations))]
    curves = np.stack([_split_curve(rows[order]) for order in orders])
    position = int(np.argmax(curves[0])) + _MIN_SIDE
    shift = rows[position:].mean(axis=0) - rows[:position].mean(axis=0)
    return StatResult(
        value=float(position),
        interval=_interval(curves[0]),
        p_value=permutation_p_value(curves.max(axis=1)),
        n_reference=position,
        n_current=n_days - position,
        method=METHOD,
        seed=seed,
        details={
            "moved_features": most_moved(shift, FEATURE_NAMES),
            "n_permutations": n_permutations,
        },
    )


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
