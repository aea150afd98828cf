"""Other ways to count a budget: time slices, quantiles, and a band around a baseline."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import numpy as np

from include.freezeline.slo.budget import Counts, count
from include.freezeline.slo.events import Events
from include.freezeline.slo.windows import Window, to_us

BandStatus = Literal["good", "bad_low", "bad_high", "bad_cost_without_outcome", "empty"]


def share_of(part: Fraction | int, whole: Fraction | int) -> Fraction | None:
    """Return part / whole; 0 when nothing was spent, None when a budget of zero was."""
    if part == 0:
        return Fraction(0)
    return Fraction(part) / whole if whole else None


@dataclass(frozen=True, slots=True)
class SliceBudget:
    """A window cut into slices and judged by three methods at one target."""

    n_slices: int
    n_bad_slices: int
    n_empty_slices: int
    counts: Counts
    budget_slices: Fraction
    consumed_timeslices: Fraction | None
    consumed_occurrences: Fraction | None
    consumed_ratio_timeslices: Fraction | None

    @property
    def good_ratio(self) -> Fraction:
        """Share of good slices."""
        return 1 - Fraction(self.n_bad_slices, self.n_slices)


def evaluate_slices(
    events: Events,
    window: Window,
    slice_us: int,
    slice_limit: Fraction,
    target: Fraction,
    as_of_us: int,
) -> SliceBudget:
    """Judge slices of a window; an empty slice is good and counted.

    Args:
        events: Events of the subject.
        window: Compliance window; slices start at its start.
        slice_us: Length of a slice.
        slice_limit: A slice is bad when its bad ratio reaches this.
        target: Share of slices that must be good.
        as_of_us: Exclusive end of what is known.
    """
    start_us, end_us = to_us(window.started_at), to_us(window.ended_at)
    inside = events.known_at(as_of_us).between(start_us, end_us)
    n_slices = -(-(end_us - start_us) // slice_us)
    index = (inside.at_us - start_us) // slice_us
    is_bad = inside.is_bad(as_of_us)
    n_all = np.bincount(index, inside.weight, minlength=n_slices)
    n_bad = np.bincount(index[is_bad], inside.weight[is_bad], minlength=n_slices)
    slices = [Counts(int(b), int(a)) for b, a in zip(n_bad, n_all, strict=True)]
    ratios = [item.ratio for item in slices if item.ratio is not None]
    n_bad_slices = sum(ratio >= slice_limit for ratio in ratios)
    counts = count(inside, as_of_us)
    allowed = 1 - target
    return SliceBudget(
        n_slices=n_slices,
        n_bad_slices=n_bad_slices,
        n_empty_slices=n_slices - len(ratios),
        counts=counts,
        budget_slices=allowed * n_slices,
        consumed_timeslices=share_of(n_bad_slices, allowed * n_slices),
        consumed_occurrences=share_of(counts.n_bad, allowed * counts.n_all),
        consumed_ratio_timeslices=share_of(sum(ratios, Fraction(0)), allowed * n_slices),
    )


@dataclass(frozen=True, slots=True)
class QuantileBudget:
    """A quantile objective, also read as occurrences."""

    n_values: int
    value: Decimal | None
    n_bad: int
    n_allowed_bad: int
    is_quantile_ok: bool
    consumed: Fraction | None

    @property
    def is_occurrence_ok(self) -> bool:
        """Whether the bad values are within what the quantile allows; the same verdict."""
        return self.n_bad <= self.n_allowed_bad


def evaluate_quantile(
    values: Sequence[Decimal], quantile: Fraction, threshold: Decimal
) -> QuantileBudget:
    """Judge "the nearest-rank quantile is below the threshold"; a value at it is bad."""
    ordered = sorted(values)
    n_bad = sum(value >= threshold for value in ordered)
    rank = math.ceil(quantile * len(ordered))
    value = ordered[max(rank, 1) - 1] if ordered else None
    allowed = (1 - quantile) * len(ordered)
    return QuantileBudget(
        n_values=len(ordered),
        value=value,
        n_bad=n_bad,
        n_allowed_bad=math.floor(allowed),
        is_quantile_ok=value is None or value < threshold,
        consumed=share_of(n_bad, allowed),
    )


@dataclass(frozen=True, slots=True)
class BandSlice:
    """One slice against the band."""

    value: Fraction | None
    status: BandStatus
    deviation: Fraction | None


@dataclass(frozen=True, slots=True)
class BandBudget:
    """Cost per outcome against a band around its pooled baseline."""

    baseline: Fraction
    low: Fraction
    high: Fraction
    slices: tuple[BandSlice, ...]
    budget_slices: Fraction
    consumed: Fraction | None

    @property
    def n_bad_slices(self) -> int:
        """Slices outside the band, or with cost and no outcome."""
        return sum(item.status.startswith("bad") for item in self.slices)


def evaluate_band(
    baseline_days: Sequence[tuple[Fraction, int]],
    slices: Sequence[tuple[Fraction, int]],
    tolerance: Fraction,
    target: Fraction,
) -> BandBudget | None:
    """Judge cost per outcome in a closed band around the pooled baseline.

    Args:
        baseline_days: Cost and outcomes of the days before the slices.
        slices: Cost and outcomes of each slice.
        tolerance: Half width of the band, as a share of the baseline.
        target: Share of slices that must be inside.

    Returns:
        None when the baseline has no outcomes: nothing to compare with.
    """
    outcomes = sum(n for _, n in baseline_days)
    if outcomes == 0:
        return None
    baseline = sum((cost for cost, _ in baseline_days), Fraction(0)) / outcomes
    low, high = baseline * (1 - tolerance), baseline * (1 + tolerance)
    judged = tuple(_judge_band(cost, n, baseline, low, high) for cost, n in slices)
    n_bad = sum(item.status.startswith("bad") for item in judged)
    budget_slices = (1 - target) * len(slices)
    return BandBudget(baseline, low, high, judged, budget_slices, share_of(n_bad, budget_slices))


def _judge_band(
    cost: Fraction, n_outcomes: int, baseline: Fraction, low: Fraction, high: Fraction
) -> BandSlice:
    """Judge one slice; cost without an outcome is bad, nothing at all is neutral."""
    if n_outcomes == 0:
        return BandSlice(None, "bad_cost_without_outcome" if cost else "empty", None)
    value = cost / n_outcomes
    status: BandStatus = "bad_low" if value < low else "bad_high" if value > high else "good"
    return BandSlice(value, status, value / baseline - 1 if baseline else None)
