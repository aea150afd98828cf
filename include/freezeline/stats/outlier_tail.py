"""From scores to p-values: how unusual ordinary rows get, and what lies beyond the most unusual.

With n calibrating rows no conformal p-value is below 1 / (n + 1), too few for a night of
thousands; beyond the calibrated scores the tail is taken to be exponential with the upper 75%
bound of its mean excess (Pickands 1975 with shape 0: scores are logarithms). That step is a
model, not a theorem.

The largest fifth of the tail is left out of the fit (an exponential censored from above, Epstein
& Sobel 1953), so that one odd row among the calibrating ones does not hide odd rows of other
kinds. It still speaks for rows of its own kind: what came before is no outlier.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from include.freezeline.stats.result import BoolArray, FloatArray

_TAIL_SHARE = 0.1
_MIN_TAIL = 8
_CENSORED_SHARE = 0.2
_TAIL_BOUND = 0.75
# Where ordinary answers are all alike, nothing says how fast the tail falls; scores are logarithms,
# so this is one factor of e a unit. Narrower tails would call every new word of a label odd.
_LEAST_SCALE = 1.0


@dataclass(frozen=True, slots=True)
class Tail:
    """The calibrated scores, and the exponential that continues them.

    Attributes:
        ordered: Calibrated scores, the smallest first.
        start: Score at which the tail starts; infinite with too few scores for one.
        end: Largest score that the tail was fitted to.
        scale: Units of score in which the tail falls by a factor of e.
        share: Share of rows beyond the start.
    """

    ordered: FloatArray
    start: float
    end: float
    scale: float
    share: float

    def exact(self, scores: FloatArray) -> FloatArray:
        """Return the share of calibrated scores at least as large, the judged one included."""
        n_as_large = len(self.ordered) - np.searchsorted(self.ordered, scores, "left")
        return np.asarray((1.0 + n_as_large) / (1.0 + len(self.ordered)), dtype=np.float64)

    def continued(self, scores: FloatArray, is_known_kind: BoolArray) -> FloatArray:
        """Return p-values with the tail beyond the scores that it was fitted to.

        Args:
            scores: Scores of judged rows.
            is_known_kind: Whether a calibrating row beyond the fitted ones is of a row's kind;
                such a row is as usual as the calibrating ones say.
        """
        exact = self.exact(scores)
        tail = self.share * np.exp(-np.maximum(scores - self.start, 0.0) / self.scale)
        clipped = np.clip(np.minimum(exact, tail), np.finfo(np.float64).tiny, 1.0)
        return np.where((scores > self.end) & ~is_known_kind, clipped, exact)


def fit_tail(calibrated: FloatArray) -> Tail:
    """Return the tail of calibrated scores."""
    ordered = np.sort(calibrated)
    n_tail = int(_TAIL_SHARE * len(ordered))
    if n_tail < _MIN_TAIL:
        return Tail(ordered, np.inf, np.inf, _LEAST_SCALE, 0.0)
    n_censored = int(_CENSORED_SHARE * n_tail)
    n_fitted = n_tail - n_censored
    start, end = float(ordered[-n_tail - 1]), float(ordered[-n_censored - 1])
    # What was censored exceeded at least the largest score that was not.
    excess = float((ordered[-n_tail : len(ordered) - n_censored] - start).sum())
    excess += n_censored * (end - start)
    # Upper bound of the mean of n exponentials, so that a lucky sample does not promise too much.
    bound = 2.0 * excess / float(stats.chi2(2 * n_fitted).ppf(1.0 - _TAIL_BOUND))
    share = (1.0 + n_tail) / (1.0 + len(ordered))
    return Tail(ordered, start, end, max(bound, _LEAST_SCALE), share)
