"""How many units of each stratum a sample takes."""

import math
from collections.abc import Sequence

from include.freezeline.errors import LabellingError

_STEPS = 200


def allocate(
    sizes: Sequence[int], importance: Sequence[float], total: int, minimum: int
) -> list[int]:
    """Share a sample among strata: by importance, at least the minimum, at most all of a stratum.

    The shares are those of one common factor, cut at both ends; what rounding leaves goes to the
    largest remainders, the first stratum on a tie.

    Args:
        sizes: Units by stratum.
        importance: Share that each should have, in any unit.
        total: Units to take; all when there are fewer.
        minimum: Fewest of each stratum, as far as it has them.

    Raises:
        LabellingError: The minimum alone takes more than the total.
    """
    floors = [min(minimum, size) for size in sizes]
    if sum(floors) > total:
        message = (
            f"size {total}: {len(sizes)} strata of at least {minimum} need {sum(floors)} "
            "(raise --size, lower allocation.min_per_stratum, or use fewer --strata)"
        )
        raise LabellingError(message)
    wanted = min(total, sum(sizes))
    weights = [max(value, 1e-12) for value in importance]
    shares = _shares(sizes, floors, weights, wanted)
    counts = [math.floor(share + 1e-9) for share in shares]
    by_remainder = sorted(range(len(sizes)), key=lambda h: (counts[h] - shares[h], h))
    open_strata = [h for h in by_remainder if counts[h] < sizes[h]]
    for h in open_strata[: wanted - sum(counts)]:
        counts[h] += 1
    return _filled(counts, sizes, wanted)


def neyman_importance(n_calls: float, n_hits: float, n_known: float) -> float:
    """Return a stratum's importance by Neyman's rule: its size times the spread of a known rate.

    The rate is drawn half a hit towards one half, so that a stratum without hits counts as well
    (Neyman 1934; Cochran, Sampling Techniques, 5.5).
    """
    rate = (n_hits + 0.5) / (n_known + 1.0)
    return n_calls * math.sqrt(rate * (1.0 - rate))


def _shares(
    sizes: Sequence[int], floors: Sequence[int], weights: Sequence[float], wanted: int
) -> list[float]:
    """Return the shares of the factor at which they add up to what is wanted."""
    low, high = 0.0, max(size / weight for size, weight in zip(sizes, weights, strict=True))

    def at(factor: float) -> list[float]:
        return [
            min(max(factor * weight, floor), size)
            for size, floor, weight in zip(sizes, floors, weights, strict=True)
        ]

    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if sum(at(middle)) < wanted else (low, middle)
    return at(high)


def _filled(counts: list[int], sizes: Sequence[int], wanted: int) -> list[int]:
    """Give or take what floating point left over, first stratum first."""
    for h, size in enumerate(sizes):
        missing = wanted - sum(counts)
        counts[h] += max(0, min(missing, size - counts[h]))
    return counts
