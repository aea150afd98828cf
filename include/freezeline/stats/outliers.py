"""Single answers unlike the others of their class, with a false-alarm rate that can be stated.

A class is a set of answers that ought to look alike. Half of its earlier answers say what is
usual, the other half how unusual ordinary answers get, and a new answer is compared with those.

The score of a row is ``max_j log(1 + z_j^2)`` over its features plus ``2 log(1 + u^2)`` for how
far its vector is from the nearest of the class, and the same for how unlike its prompt it is:
one feature far out is enough, and logarithms keep heavy tails from drowning everything else.

Sources: Vovk, Gammerman & Shafer 2005 (split conformal p-values, exact when new answers are
exchangeable with earlier ones); Bates et al. 2023 (they may go to Benjamini-Hochberg). With n
calibrating answers no conformal p-value is below 1 / (n + 1), too few for a night of thousands;
beyond the largest calibrated score the tail is taken to be exponential with the upper 75% bound
of its mean excess (Pickands 1975 with shape 0: scores are logarithms). That step is a model, not
a theorem; the bench measures what it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from include.freezeline.stats.permutation import Float32Array
from include.freezeline.stats.result import FloatArray

METHOD = "conformal_outlier"
METHOD_VERSION = "2"
# With fewer earlier answers there is no tail to continue, and one odd answer of a night of sixty
# could not be told from the most unusual of the ordinary ones.
LEAST_REFERENCE = 160
NEAREST, PROMPT = "unlike_all_others", "unlike_its_prompt"
_SIDE_WEIGHT = 2.0
_N_NEAREST = 5
_TAIL_SHARE = 0.1
_MIN_TAIL = 8
_TAIL_BOUND = 0.75
# Where ordinary answers are all alike, nothing says how fast the tail falls; scores are logarithms,
# so this is one factor of e a unit. Narrower tails would call every new word of a label odd.
_LEAST_SCALE = 1.0
_LEAST_SPREAD = 0.02
_MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True)
class Rows:
    """Answers as numbers.

    Attributes:
        features: A row of structure features per answer.
        vectors: An L2-normalised row per answer.
        prompts: An L2-normalised row per prompt, in the same space; zeros where it is unknown.
    """

    features: FloatArray
    vectors: Float32Array
    prompts: Float32Array

    def pick(self, places: Sequence[int] | np.ndarray) -> "Rows":
        """Return some of the rows."""
        return Rows(self.features[places], self.vectors[places], self.prompts[places])


@dataclass(frozen=True, slots=True)
class Outliers:
    """How unusual each judged answer is.

    Attributes:
        scores: Scores of the judged answers.
        conformal_p_values: Share of calibrating answers at least as unusual; exact, never 0.
        p_values: The same, continued beyond the largest calibrated score.
        features: Names of what stands out most in each answer, the strongest first.
        n_fitted: Earlier answers that say what is usual.
        n_calibrated: Earlier answers that say how unusual ordinary ones get.
    """

    scores: FloatArray
    conformal_p_values: FloatArray
    p_values: FloatArray
    features: tuple[tuple[str, ...], ...]
    n_fitted: int
    n_calibrated: int


@dataclass(frozen=True, slots=True)
class _Usual:
    """What is usual in a class."""

    centre: FloatArray
    spread: FloatArray
    vectors: Float32Array
    gap: tuple[float, float]
    mismatch: tuple[float, float]


def outlier_p_values(
    reference: Rows, judged: Rows, names: Sequence[str], units: FloatArray, *, seed: int
) -> Outliers:
    """Return how unusual each judged answer is among those of its class.

    Args:
        reference: Earlier answers of the class, at least 20; they should not hold the judged ones.
        judged: Answers to judge.
        names: Names of the features.
        units: A step of each feature that matters at all; spreads are not taken to be smaller, so
            that what differs between answers elsewhere is no cause for alarm in a class of few
            kinds.
        seed: Seed of the split of the reference.
    """
    order = np.random.default_rng(seed).permutation(len(reference.features))
    fitted, held = np.split(order, [len(order) // 2])
    usual = _fit(reference.pick(fitted), units)
    calibrated = _parts(usual, reference.pick(held)).sum_of_best()
    parts = _parts(usual, judged)
    scores = parts.sum_of_best()
    exact = _conformal(calibrated, scores)
    return Outliers(
        scores=scores,
        conformal_p_values=exact,
        p_values=_continued(calibrated, scores, exact),
        features=tuple(parts.strongest(names)),
        n_fitted=len(fitted),
        n_calibrated=len(held),
    )


def step_units(features: FloatArray) -> FloatArray:
    """Return a step of each feature that matters: its deviation over answers of all classes."""
    return np.asarray(np.maximum(features.std(axis=0), 1e-6), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Contributions to the scores: a column per feature, and two more."""

    features: FloatArray
    gap: FloatArray
    mismatch: FloatArray

    def sum_of_best(self) -> FloatArray:
        """Return the scores."""
        return np.asarray(self.features.max(axis=1) + self.gap + self.mismatch, dtype=np.float64)

    def strongest(self, names: Sequence[str], n: int = 4) -> list[tuple[str, ...]]:
        """Return the names of the largest contributions of each row, of equals the later one.

        Many features are as rare as can be in an odd answer; the later ones say more.
        """
        columns = np.column_stack([self.features, self.gap, self.mismatch]).round(3)
        labels = [*names, NEAREST, PROMPT]
        last = columns.shape[1] - 1
        order = last - np.argsort(-columns[:, ::-1], axis=1, kind="stable")[:, :n]
        return [
            tuple(labels[j] for j in places if columns[i, j] > 0.0)
            for i, places in enumerate(order)
        ]


def _fit(rows: Rows, units: FloatArray) -> _Usual:
    """Learn what is usual; medians, so that a few odd answers do not become the norm."""
    centre = np.median(rows.features, axis=0)
    robust = _MAD_TO_SD * np.median(np.abs(rows.features - centre), axis=0)
    deviation = rows.features.std(axis=0)
    spread = np.where(robust > 0.0, np.maximum(robust, 0.5 * deviation), deviation)
    # Each fitted answer is its own nearest; leave it out.
    near = _gaps(rows.vectors, rows.vectors, skip=1)
    return _Usual(
        centre=centre,
        spread=np.maximum(spread, units),
        vectors=rows.vectors,
        gap=_centre_and_spread(near),
        mismatch=_centre_and_spread(_mismatches(rows)[_has_prompt(rows)]),
    )


def _parts(usual: _Usual, rows: Rows) -> _Parts:
    """Return what each row's score is made of."""
    z = (rows.features - usual.centre) / usual.spread
    mismatch = np.where(_has_prompt(rows), _beyond(_mismatches(rows), usual.mismatch), 0.0)
    gap = _beyond(_gaps(rows.vectors, usual.vectors), usual.gap)
    return _Parts(
        features=np.log1p(z**2),
        gap=_SIDE_WEIGHT * np.log1p(gap**2),
        mismatch=_SIDE_WEIGHT * np.log1p(mismatch**2),
    )


def _gaps(vectors: Float32Array, fitted: Float32Array, skip: int = 0) -> FloatArray:
    """Return 1 minus the mean cosine to the nearest fitted answers."""
    n = min(_N_NEAREST + skip, len(fitted))
    cosines = -np.partition(-(vectors @ fitted.T), n - 1, axis=1)[:, :n]
    nearest = -np.sort(-cosines, axis=1)[:, skip:]
    return 1.0 - np.asarray(nearest.mean(axis=1), dtype=np.float64)


def _mismatches(rows: Rows) -> FloatArray:
    """Return 1 minus the cosine of each answer and its prompt."""
    cosines = np.einsum("ij,ij->i", rows.vectors, rows.prompts)
    return 1.0 - np.asarray(cosines, dtype=np.float64)


def _has_prompt(rows: Rows) -> np.ndarray:
    """Return which prompts are known."""
    return np.asarray(np.any(rows.prompts != 0.0, axis=1))


def _centre_and_spread(values: FloatArray) -> tuple[float, float]:
    """Return median and robust spread; the spread of nothing is one that nothing exceeds."""
    if not len(values):
        return 1.0, 1.0
    centre = float(np.median(values))
    spread = _MAD_TO_SD * float(np.median(np.abs(values - centre)))
    return centre, max(spread, _LEAST_SPREAD)


def _beyond(values: FloatArray, usual: tuple[float, float]) -> FloatArray:
    """Return by how many spreads values exceed the usual; being closer is not unusual."""
    return np.asarray(np.maximum((values - usual[0]) / usual[1], 0.0), dtype=np.float64)


def _conformal(calibrated: FloatArray, scores: FloatArray) -> FloatArray:
    """Return the share of calibrated scores at least as large, the judged one included."""
    ordered = np.sort(calibrated)
    n_as_large = len(ordered) - np.searchsorted(ordered, scores, "left")
    return np.asarray((1.0 + n_as_large) / (1.0 + len(ordered)), dtype=np.float64)


def _continued(calibrated: FloatArray, scores: FloatArray, exact: FloatArray) -> FloatArray:
    """Return conformal p-values with an exponential tail beyond the largest calibrated score."""
    n_tail = int(_TAIL_SHARE * len(calibrated))
    if n_tail < _MIN_TAIL:
        return exact
    ordered = np.sort(calibrated)
    start = ordered[-n_tail - 1]
    excess = float((ordered[-n_tail:] - start).sum())
    # Upper bound of the mean of n exponentials, so that a lucky sample does not promise too much.
    bound = 2.0 * excess / float(stats.chi2(2 * n_tail).ppf(1.0 - _TAIL_BOUND))
    scale = max(bound, _LEAST_SCALE)
    tail = (1.0 + n_tail) / (1.0 + len(ordered)) * np.exp(-(scores - start) / scale)
    beyond = scores > ordered[-1]
    smallest = np.finfo(np.float64).tiny
    return np.where(beyond, np.clip(np.minimum(exact, tail), smallest, 1.0), exact)
