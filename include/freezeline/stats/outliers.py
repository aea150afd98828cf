"""Single answers unlike the others of their class, with a false-alarm rate that can be stated.

A class is a set of answers that ought to look alike. Half of its earlier answers say what is
usual, the other half how unusual ordinary answers get, and a new answer is compared with those.

The score of a row is ``max_j log(1 + z_j^2)`` over its features, plus ``2 log(1 + u^2)`` for how
far its vector is from the nearest of the class, the same for how unlike its prompt it is, and
``-2 log`` of the share of rows that are what it is where that is rare (JSON, markup, ...): one of
them far out is enough, and logarithms keep heavy tails from drowning everything else.

Sources: Vovk, Gammerman & Shafer 2005 (split conformal p-values, exact when new answers are
exchangeable with earlier ones); Bates et al. 2023 (they may go to Benjamini-Hochberg).
``outlier_tail`` continues them beyond the largest calibrated score; the bench measures what it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from include.freezeline.stats.outlier_tail import fit_tail
from include.freezeline.stats.permutation import Float32Array
from include.freezeline.stats.rare_events import EventRarity, Events, fit_rarity
from include.freezeline.stats.result import BoolArray, FloatArray
from include.freezeline.stats.robust import MAD_TO_SD

METHOD = "conformal_outlier"
METHOD_VERSION = "3"
# With fewer earlier answers there is no tail to continue, and one odd answer of a night of sixty
# could not be told from the most unusual of the ordinary ones.
LEAST_REFERENCE = 160
NEAREST, PROMPT = "unlike_all_others", "unlike_its_prompt"
_SIDE_WEIGHT = 2.0
_N_NEAREST = 5
# Rows whose contributions, or whose vectors, point the same way are of one kind.
_SAME_PROFILE, _SAME_VECTOR = 0.95, 0.9
_LEAST_SPREAD = 0.02


@dataclass(frozen=True, slots=True)
class Rows:
    """Answers as numbers.

    Attributes:
        features: A row of structure features per answer.
        vectors: An L2-normalised row per answer.
        prompts: An L2-normalised row per prompt, in the same space; zeros where it is unknown.
        events: What each answer is.
    """

    features: FloatArray
    vectors: Float32Array
    prompts: Float32Array
    events: Events

    def pick(self, places: Sequence[int] | np.ndarray) -> "Rows":
        """Return some of the rows."""
        return Rows(
            self.features[places],
            self.vectors[places],
            self.prompts[places],
            self.events.pick(places),
        )


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
    rarity: EventRarity


def outlier_p_values(
    reference: Rows, judged: Rows, names: Sequence[str], units: FloatArray, *, seed: int
) -> Outliers:
    """Return how unusual each judged answer is among those of its class.

    Args:
        reference: Earlier answers of the class, at least 20; they should not hold the judged ones.
        judged: Answers to judge.
        names: Names of the features, then of the events.
        units: A step of each feature that matters at all; spreads are not taken to be smaller, so
            that what differs between answers elsewhere is no cause for alarm in a class of few
            kinds.
        seed: Seed of the split of the reference.
    """
    order = np.random.default_rng(seed).permutation(len(reference.features))
    fitted, held = np.split(order, [len(order) // 2])
    usual, calibrating = _fit(reference.pick(fitted), units), reference.pick(held)
    calibrated, parts = _parts(usual, calibrating), _parts(usual, judged)
    tail = fit_tail(calibrated.scores)
    is_odd = calibrated.scores > tail.end
    is_known = _is_of_a_kind(
        parts.columns, calibrated.columns[is_odd], judged.vectors, calibrating.vectors[is_odd]
    )
    return Outliers(
        scores=parts.scores,
        conformal_p_values=tail.exact(parts.scores),
        p_values=tail.continued(parts.scores, is_known),
        features=tuple(parts.strongest(names)),
        n_fitted=len(fitted),
        n_calibrated=len(held),
    )


def step_units(features: FloatArray, least: FloatArray) -> FloatArray:
    """Return a step of each feature that matters: its deviation over answers of all classes.

    Args:
        features: Features of the answers of all classes.
        least: Least steps, for nights on which few classes hardly differ.
    """
    return np.asarray(np.maximum(features.std(axis=0), least), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Contributions to the scores: a column per feature and event, and two more."""

    features: FloatArray
    events: FloatArray
    gap: FloatArray
    mismatch: FloatArray

    @property
    def columns(self) -> FloatArray:
        """All contributions."""
        return np.column_stack([self.features, self.events, self.gap, self.mismatch])

    @property
    def scores(self) -> FloatArray:
        """The scores: the best feature and the best event, and the others in full."""
        best = self.features.max(axis=1) + self.events.max(axis=1)
        return np.asarray(best + self.gap + self.mismatch, dtype=np.float64)

    def strongest(self, names: Sequence[str], n: int = 4) -> list[tuple[str, ...]]:
        """Return the names of the largest contributions of each row, of equals the later one.

        Many features are as rare as can be in an odd answer; the later ones say more.
        """
        columns = self.columns.round(3)
        labels = [*names, NEAREST, PROMPT]
        last = columns.shape[1] - 1
        order = last - np.argsort(-columns[:, ::-1], axis=1, kind="stable")[:, :n]
        return [
            tuple(labels[j] for j in places if columns[i, j] > 0.0)
            for i, places in enumerate(order)
        ]


def _is_of_a_kind(
    parts: FloatArray, odd_parts: FloatArray, vectors: Float32Array, odd_vectors: Float32Array
) -> BoolArray:
    """Return which rows are of the kind of an odd one: the same stands out, or the words agree."""
    if not len(odd_parts):
        return np.zeros(len(parts), dtype=np.bool_)
    same_profile = _directions(parts) @ _directions(odd_parts).T >= _SAME_PROFILE
    same_words = vectors @ odd_vectors.T >= _SAME_VECTOR
    return np.asarray((same_profile | same_words).any(axis=1))


def _directions(rows: FloatArray) -> FloatArray:
    """Return rows of length 1; zeros stay zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float64)


def _fit(rows: Rows, units: FloatArray) -> _Usual:
    """Learn what is usual; medians, so that a few odd answers do not become the norm."""
    centre = np.median(rows.features, axis=0)
    robust = MAD_TO_SD * np.median(np.abs(rows.features - centre), axis=0)
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
        rarity=fit_rarity(rows.events),
    )


def _parts(usual: _Usual, rows: Rows) -> _Parts:
    """Return what each row's score is made of."""
    z = (rows.features - usual.centre) / usual.spread
    mismatch = np.where(_has_prompt(rows), _beyond(_mismatches(rows), usual.mismatch), 0.0)
    gap = _beyond(_gaps(rows.vectors, usual.vectors), usual.gap)
    return _Parts(
        features=np.log1p(z**2),
        events=_SIDE_WEIGHT * usual.rarity.of(rows.events),
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
    spread = MAD_TO_SD * float(np.median(np.abs(values - centre)))
    return centre, max(spread, _LEAST_SPREAD)


def _beyond(values: FloatArray, usual: tuple[float, float]) -> FloatArray:
    """Return by how many spreads values exceed the usual; being closer is not unusual."""
    return np.asarray(np.maximum((values - usual[0]) / usual[1], 0.0), dtype=np.float64)
