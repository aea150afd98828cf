"""How far an evaluator agrees with people: ROC area, calibrated threshold, corrected rate.

A label is True where people say that what the evaluator looks for is there; a high score claims
the same. Everything is computed from scores and labels alone, so that any evaluator, a judge
included, is measured in the same way.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from include.freezeline.stats.proportions import hanley_error, jeffreys_interval, placements
from include.freezeline.stats.result import BoolArray, FloatArray, StatResult, insufficient

AUC_METHOD, AUC_VERSION = "roc_auc_delong", "2"
RATE_METHOD, RATE_VERSION = "rogan_gladen", "2"
_Z = 1.959964
_MIN_EACH = 10


@dataclass(frozen=True, slots=True)
class Threshold:
    """A score from which on an evaluator says yes.

    Attributes:
        value: The threshold; a score at or above it is a yes.
        interval: 95% percentile interval over bootstrap samples.
        gain: ``w * sensitivity + (1 - w) * specificity`` at the threshold, on the labels it was
            chosen with, where it is flattered; measure it on others.
        n_positive: Labels that say yes.
        n_negative: Labels that say no.
        n_bootstrap: Bootstrap samples.
        seed: Seed of the bootstrap.
    """

    value: float
    interval: tuple[float, float]
    gain: float
    n_positive: int
    n_negative: int
    n_bootstrap: int
    seed: int


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold gets right, with Jeffreys 95% intervals.

    Attributes:
        sensitivity: Share of what is there that is found.
        sensitivity_interval: Its interval.
        n_positive: Labels that say yes.
        specificity: Share of what is not there that is passed.
        specificity_interval: Its interval.
        n_negative: Labels that say no.
    """

    sensitivity: float
    sensitivity_interval: tuple[float, float]
    n_positive: int
    specificity: float
    specificity_interval: tuple[float, float]
    n_negative: int


def roc_agreement(scores: FloatArray, labels: BoolArray, min_each: int = _MIN_EACH) -> StatResult:
    """Return the area under the ROC curve: how often a yes is scored above a no, ties a half.

    Sources: DeLong, DeLong & Clarke-Pearson 1988 with Student's t for few labels of a kind
    (Welch-Satterthwaite), or Hanley & McNeil 1982 where that is wider: a handful of yes labels
    happen to agree more often than their variance shows. Both on the logit scale so that the
    interval stays inside 0 to 1. Where the scores separate perfectly the variance is 0 and the
    interval is that of as many independent pairs as the smaller group has.

    Args:
        scores: A score per answer; no NaN.
        labels: What people said.
        min_each: Fewer labels of either kind are insufficient evidence.
    """
    positive, negative = scores[labels], scores[~labels]
    if min(len(positive), len(negative)) < min_each:
        reason = f"{len(positive)} yes and {len(negative)} no labels, at least {min_each} needed"
        return insufficient(AUC_METHOD, reason, len(negative), len(positive))
    above = placements(positive, negative)
    area = float(above.mean())
    below = 1.0 - placements(negative, positive)
    variances = above.var(ddof=1) / len(positive), below.var(ddof=1) / len(negative)
    sizes = len(positive), len(negative)
    return StatResult(
        value=area,
        interval=_area_interval(area, variances, sizes),
        p_value=None,
        n_reference=len(negative),
        n_current=len(positive),
        method=AUC_METHOD,
        method_version=AUC_VERSION,
    )


def calibrate_threshold(
    scores: FloatArray,
    labels: BoolArray,
    *,
    seed: int,
    sensitivity_weight: float = 0.5,
    n_bootstrap: int = 999,
) -> Threshold:
    """Return the threshold with the largest weighted mean of sensitivity and specificity.

    With equal weights that is Youden's index (Youden 1950); another weight states that a miss
    costs more, or less, than a false alarm. The interval resamples yes and no labels apart.

    Args:
        scores: A score per answer.
        labels: What people said; both kinds must be there.
        seed: Seed of the bootstrap.
        sensitivity_weight: Weight of the sensitivity, 0 to 1.
        n_bootstrap: Bootstrap samples.

    Raises:
        ValueError: One kind of label is missing.
    """
    positive, negative = np.sort(scores[labels]), np.sort(scores[~labels])
    if not len(positive) or not len(negative):
        message = f"labels: {len(positive)} yes, {len(negative)} no (both kinds are needed)"
        raise ValueError(message)
    value, gain = _best_threshold(positive, negative, sensitivity_weight)
    rng = np.random.default_rng(seed)
    drawn = [
        _best_threshold(_resample(positive, rng), _resample(negative, rng), sensitivity_weight)[0]
        for _ in range(n_bootstrap)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (value, value)
    return Threshold(
        value=value,
        interval=(float(low), float(high)),
        gain=gain,
        n_positive=len(positive),
        n_negative=len(negative),
        n_bootstrap=n_bootstrap,
        seed=seed,
    )


def operating_point(scores: FloatArray, labels: BoolArray, threshold: float) -> OperatingPoint:
    """Return sensitivity and specificity of "at or above the threshold".

    Raises:
        ValueError: One kind of label is missing.
    """
    said = scores >= threshold
    n_positive, n_negative = int(labels.sum()), int((~labels).sum())
    n_found, n_passed = int((said & labels).sum()), int((~said & ~labels).sum())
    found, passed = jeffreys_interval(n_found, n_positive), jeffreys_interval(n_passed, n_negative)
    if found is None or passed is None:
        message = f"labels: {n_positive} yes, {n_negative} no (both kinds are needed)"
        raise ValueError(message)
    return OperatingPoint(
        sensitivity=n_found / n_positive,
        sensitivity_interval=found,
        n_positive=n_positive,
        specificity=n_passed / n_negative,
        specificity_interval=passed,
        n_negative=n_negative,
    )


def corrected_rate(n_said: float, n_scored: float, point: OperatingPoint) -> StatResult:
    """Return the rate that people would have found, from the rate that an evaluator said.

    Sources: Rogan & Gladen 1978 for the value; Lang & Reiczigel 2014 for the interval, which
    carries the uncertainty of sensitivity and specificity too. Where it lies wholly below 0 or
    above 1, answers with labels and answers scored are not alike, and there is no value.

    Args:
        n_said: Answers with a yes; of a weighted sample their share of ``n_scored``.
        n_scored: Answers scored; of a weighted sample its effective size.
        point: Sensitivity and specificity on answers with labels.
    """
    n_labels = point.n_positive + point.n_negative
    informedness = point.sensitivity + point.specificity - 1.0
    if n_scored == 0:
        return insufficient(RATE_METHOD, "nothing was scored", n_labels, 0)
    if informedness <= 0.0:
        reason = "sensitivity and specificity add up to at most 1: the evaluator says nothing"
        return insufficient(RATE_METHOD, reason, n_labels, round(n_scored))
    low, high = _rate_interval(n_said, n_scored, point)
    if high < 0.0 or low > 1.0:
        return insufficient(RATE_METHOD, _beyond_labels(n_said / n_scored, point), n_labels,
                            round(n_scored))  # fmt: skip
    rate = (n_said / n_scored + point.specificity - 1.0) / informedness
    return StatResult(
        value=float(np.clip(rate, 0.0, 1.0)),
        interval=(max(low, 0.0), min(high, 1.0)),
        p_value=None,
        n_reference=n_labels,
        n_current=round(n_scored),
        method=RATE_METHOD,
        method_version=RATE_VERSION,
        details={"said_ratio": n_said / n_scored},
    )


def _area_interval(
    area: float, variances: tuple[float, float], sizes: tuple[int, int]
) -> tuple[float, float]:
    """Return the interval of an area on the logit scale.

    Args:
        area: The area.
        variances: What yes and no labels add to its variance.
        sizes: How many they are.
    """
    variance, n_pairs = float(sum(variances)), min(sizes)
    if area in (0.0, 1.0) or variance <= 0.0:
        bounds = jeffreys_interval(area * n_pairs, n_pairs)
        return bounds if bounds is not None else (0.0, 1.0)
    freedom = variance**2 / sum(v**2 / (n - 1) for v, n in zip(variances, sizes, strict=True))
    delong = float(special.stdtrit(freedom, 0.975)) * np.sqrt(variance)
    margin = max(delong, _Z * hanley_error(area, *sizes)) / (area * (1.0 - area))
    logit = special.logit(area)
    low, high = special.expit([logit - margin, logit + margin])
    return float(low), float(high)


def _best_threshold(
    positive: FloatArray, negative: FloatArray, weight: float
) -> tuple[float, float]:
    """Return the threshold of the largest gain, the middle one of equals, and its gain.

    Args:
        positive: Sorted scores of yes labels.
        negative: Sorted scores of no labels.
        weight: Weight of the sensitivity.
    """
    values = np.unique(np.concatenate([positive, negative]))
    # Between two scores, so that another sample's scores near one of them are not split by it;
    # the first and the last candidate say yes to all and to none.
    middles = (values[1:] + values[:-1]) / 2.0
    candidates = np.concatenate([values[:1], middles, [np.nextafter(values[-1], np.inf)]])
    sensitivity = 1.0 - np.searchsorted(positive, candidates, "left") / len(positive)
    specificity = np.searchsorted(negative, candidates, "left") / len(negative)
    gain = weight * sensitivity + (1.0 - weight) * specificity
    best = np.flatnonzero(gain >= gain.max() - 1e-12)
    return float(candidates[best[len(best) // 2]]), float(gain.max())


def _resample(ordered: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return a bootstrap sample, sorted."""
    places = np.sort(rng.integers(len(ordered), size=len(ordered)))
    return ordered[places]


def _rate_interval(n_said: float, n_scored: float, point: OperatingPoint) -> tuple[float, float]:
    """Return the interval of Lang & Reiczigel 2014 (their equations for unknown Se and Sp).

    It may lie outside 0 to 1. A rate beyond either end has at least the margin of that end, since
    to be further out is no reason to be surer.
    """
    z2 = _Z**2
    n, n_se, n_sp = n_scored + z2, point.n_positive + 2.0, point.n_negative + 2.0
    said = (n_said + z2 / 2.0) / n
    se = (point.n_positive * point.sensitivity + 1.0) / n_se
    sp = (point.n_negative * point.specificity + 1.0) / n_sp
    youden = se + sp - 1.0
    if youden <= 0.0:
        return 0.0, 1.0
    rate = (said + sp - 1.0) / youden
    var_se, var_sp = se * (1.0 - se) / n_se, sp * (1.0 - sp) / n_sp

    def bounds(at: float) -> tuple[float, float]:
        shift = 2.0 * z2 * (at * var_se - (1.0 - at) * var_sp)
        spread = said * (1.0 - said) / n + var_se * at**2 + var_sp * (1.0 - at) ** 2
        margin = _Z * float(np.sqrt(spread)) / youden
        return at + shift - margin, at + shift + margin

    low, high = bounds(rate)
    if high < 0.0 or low > 1.0:
        return low, high
    inside = bounds(min(max(rate, 0.0), 1.0))
    return min(low, inside[0]), max(high, inside[1])


def _beyond_labels(said_ratio: float, point: OperatingPoint) -> str:
    """Say why a rate cannot be corrected by labels that do not fit it."""
    if said_ratio < 0.5 * (point.sensitivity + 1.0 - point.specificity):
        least = 1.0 - point.specificity
        compared = (
            f"{said_ratio:.3f} said, fewer than the {least:.3f} false alarms among the labels"
        )
    else:
        compared = (
            f"{said_ratio:.3f} said, more than the {point.sensitivity:.3f} found in the labels"
        )
    return f"{compared}: the answers with labels are not like those scored"
