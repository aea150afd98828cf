"""A model's handwriting on a day, and the days on which it changed.

The fingerprint of some answers is the mean of every habit of style with its standard error. Kept
day by day it costs nothing to compare later, and the change of a provider's model shows as a change
point although no text is kept. What the answers are about changes the fingerprint too, so a change
point is a reason to ask the conditional test, not a verdict.

Sources: Sun et al. 2025 (*Idiosyncrasies in Large Language Models*); Page 1954 and Antoch & Huskova
2001 (change points by permutation); DerSimonian & Laird 1986 (how far days differ beyond what
their numbers of answers explain). Null hypothesis of a change point: deviations of days, each in
units of what a day of as many answers varies by, are exchangeable; with as many answers on every day
these are the days themselves. Days that resemble the day before (a mix of topics that wanders) are
not; the statistic allows for that, which leaves the test exact where they are, and near its level
where they are not.
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
FINGERPRINT_VERSION = "2"
MIN_TEXTS = 20
MIN_DAYS = 8
_MIN_SIDE = 3
_MOST_RESEMBLANCE = 0.6
_N_FITTED = 4
_CHANCE = 2.0
_ROUNDING = 1e-6
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
    in units of its spread over the days; days of few answers weigh less where that explains how far
    they are off. The statistic is the largest mean square over splits, lessened by how much a day
    resembles the one before it. Deviations are permuted, so what one day differs from the next
    anyhow is no evidence. How much a feature moved is told in units of its spread over answers,
    which does not shrink with their number.

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
    series = _series(days)
    if not series.deviations.any():
        return insufficient(METHOD, "all days are equal", 0, n_days)
    _, p_value = staged_test(
        lambda size, rng: {"largest_split": _largest_splits(series, size, rng)},
        n_permutations,
        n_refined,
        seed,
    )
    curve = _split_curves(series, series.deviations).mean(axis=1)
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


@dataclass(frozen=True, slots=True)
class _Series:
    """Days as deviations from their mean.

    Attributes:
        deviations: Per day and feature, in units of what such a day varies by; their mean square
            over the days is 1 in every feature, or 0 where it never moves.
        roots: Per day and feature, the root of the day's weight.
        noise: Per feature, the share of the spread over days that the numbers of answers explain.
    """

    deviations: FloatArray
    roots: FloatArray
    noise: FloatArray


def _series(days: Sequence[Fingerprint]) -> _Series:
    """Return days as deviations, days of few answers with less weight."""
    means = np.array([day.means for day in days])
    counts = np.array([day.n_texts for day in days], dtype=np.float64)
    answers = np.mean([np.square(day.errors) * day.n_texts for day in days], axis=0)
    # What a mean of as many answers varies by anyhow, and what days differ by beyond that.
    sampling = answers / counts[:, None]
    total = np.where(np.ptp(means, axis=0) > 0, means.var(axis=0), 0.0)
    between = _between_days(means, sampling)
    variance = np.where(total > 0, between + sampling, 0.0)
    roots = 1.0 / np.sqrt(np.where(variance > 0, variance, np.inf))
    weights = np.square(roots)
    sums = np.where(weights.sum(axis=0) > 0, weights.sum(axis=0), np.inf)
    deviations = (means - (weights * means).sum(axis=0) / sums) * roots
    scale = np.sqrt(np.square(deviations).mean(axis=0))
    unit = np.where((total > 0) & (scale > 0), scale, np.inf)
    explained = sampling.mean(axis=0) / np.where(total > 0, total, 1.0)
    noise = np.where(total > 0, np.clip(explained, 0.0, 1.0), 1.0)
    return _Series(deviations / unit, roots, noise)


def _between_days(means: FloatArray, sampling: FloatArray) -> FloatArray:
    """Return the variance of days beyond what their numbers of answers explain, per feature.

    The estimate of DerSimonian & Laird 1986, and 0 where Cochran's Q is within chance: a little too
    much of it would make the noise of days of few answers look like a change.
    """
    n_days = len(means)
    precision = 1.0 / np.where(sampling > 0, sampling, np.inf)
    whole = np.where(precision.sum(axis=0) > 0, precision.sum(axis=0), np.inf)
    centre = (precision * means).sum(axis=0) / whole
    q = (precision * np.square(means - centre)).sum(axis=0)
    free = whole - np.square(precision).sum(axis=0) / whole
    within_chance = n_days - 1 + _CHANCE * np.sqrt(2.0 * (n_days - 1))
    found = np.where(q > within_chance, (q - (n_days - 1)) / free, 0.0)
    # Answers that are all alike within a day have no noise to compare with.
    return np.where(np.isinf(whole), means.var(axis=0), found)


def _largest_splits(series: _Series, n_permutations: int, rng: np.random.Generator) -> FloatArray:
    """Return the statistic of the days in their order, then in permuted ones."""
    n_days = len(series.deviations)
    orders = [np.arange(n_days), *(rng.permutation(n_days) for _ in range(n_permutations))]
    return np.array([_largest_split(series, series.deviations[order]) for order in orders])


def _largest_split(series: _Series, deviations: FloatArray) -> float:
    """Return the largest mean squared difference, less where days resemble the day before anyhow.

    What is left of the days after the split tells how the part of their spread that numbers of
    answers do not explain carries over from a day to the next. Each feature is divided by what a
    first-order autoregression of that part adds to the variance of a mean (Bayley & Hammersley
    1946).
    """
    curves = _split_curves(series, deviations)
    position = int(np.argmax(curves.mean(axis=1))) + _MIN_SIDE
    left = _left_of_sides(series, deviations, position)
    spread = np.square(left).mean(axis=0)
    # A feature that only steps leaves nothing but rounding.
    some = np.where(spread > _ROUNDING, spread, np.inf)
    lagged = (left[1:] * left[:-1]).sum(axis=0) / (len(left) * some)
    signal = np.maximum(1.0 - series.noise / some, 0.0) * np.isfinite(some)
    # Of less than one feature that wanders nothing is told but noise.
    carried = float(signal @ lagged) / max(float(signal @ signal), 1.0)
    # Two means and the choice of the split take most of a wandering out of what is left.
    n_days = len(deviations)
    carried = (n_days * carried + _N_FITTED) / max(n_days - 1.5 * _N_FITTED, 1.0)
    carried = min(max(carried, 0.0), _MOST_RESEMBLANCE)
    inflation = 1.0 + signal * 2.0 * carried / (1.0 - carried)
    return float((curves / inflation).mean(axis=1).max())


def _left_of_sides(series: _Series, deviations: FloatArray, position: int) -> FloatArray:
    """Return deviations from the mean of their side of a split."""
    parts = []
    for side in (slice(None, position), slice(position, None)):
        roots, own = series.roots[side], deviations[side]
        weights = np.square(roots).sum(axis=0)
        mean = (roots * own).sum(axis=0) / np.where(weights > 0, weights, np.inf)
        parts.append(own - roots * mean)
    return np.concatenate(parts)


def _shifts_of_answers(days: Sequence[Fingerprint], position: int) -> FloatArray:
    """Return by how much each feature moved, in units of its spread over all answers of all days."""
    means = np.array([day.means for day in days])
    inside = np.mean([np.square(day.errors) * day.n_texts for day in days], axis=0)
    spread = np.sqrt(inside + means.var(axis=0))
    shifts = means[position:].mean(axis=0) - means[:position].mean(axis=0)
    return np.asarray(shifts / np.where(spread > 0, spread, np.inf))


def _split_curves(series: _Series, deviations: FloatArray) -> FloatArray:
    """Return the squared difference of means at every split and feature, by its precision."""
    n_days = len(deviations)
    before = np.arange(_MIN_SIDE, n_days - _MIN_SIDE + 1)
    sums = np.cumsum(series.roots * deviations, axis=0)
    weights = np.cumsum(np.square(series.roots), axis=0)
    total = np.where(weights[-1] > 0, weights[-1], 1.0)
    # The weighted sum of a side, beside what its share of the whole would be.
    share = weights[before - 1] / total
    excess = sums[before - 1] - share * sums[-1]
    precision = np.where(weights[-1] > 0, total * share * (1.0 - share), np.inf)
    return np.asarray(np.square(excess) / precision)


def _interval(curve: FloatArray) -> tuple[float, float]:
    """Return the first and last split whose statistic is at least nine tenths of the largest."""
    near = np.flatnonzero(curve >= 0.9 * curve.max()) + _MIN_SIDE
    return float(near[0]), float(near[-1])
