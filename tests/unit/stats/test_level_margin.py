"""How far off the told change of an hourly level may be."""

import numpy as np
import pytest

from include.freezeline.stats.level_margin import change_margin

N_HOURS, SPLIT = 31 * 24, 28 * 24


def _residuals(seed: int, day_sd: float, hour_sd: float = 0.05) -> np.ndarray:
    """Return hours around the median of the week before, which days move together."""
    rng = np.random.default_rng([4, seed])
    days = np.repeat(rng.normal(0.0, day_sd, 38), 24)
    values = days + rng.normal(0.0, hour_sd, 38 * 24)
    levels = [np.median(values[d * 24 : (d + 7) * 24]) for d in range(31)]
    # The judged days are all compared with the level before them.
    levels[28:] = [levels[28]] * 3
    return np.asarray(values[7 * 24 :] - np.repeat(levels, 24))


@pytest.mark.parametrize("day_sd", [0.0, 0.03, 0.1])
@pytest.mark.parametrize("n_last", [6, 30, 72])
def test_margin_holds_the_change_however_days_vary(day_sd: float, n_last: int) -> None:
    told = slice(N_HOURS - n_last, None)
    n_held = 0
    for seed in range(150):
        residuals = _residuals(seed, day_sd)
        residuals[told] += 0.4
        margin = change_margin(residuals, SPLIT, told)
        n_held += abs(float(np.median(residuals[told])) - 0.4) <= margin
    assert n_held >= 0.88 * 150


@pytest.mark.parametrize(
    "residuals",
    [np.zeros(N_HOURS), np.full(N_HOURS, np.nan), np.concatenate([np.full(SPLIT, np.nan), np.zeros(72)])],
)  # fmt: skip
def test_margin_is_never_zero(residuals: np.ndarray) -> None:
    assert change_margin(residuals, SPLIT, slice(SPLIT, None)) > 0.01


def test_margin_grows_with_the_noise_of_days_and_shrinks_with_their_number() -> None:
    calm, noisy = _residuals(1, 0.02), _residuals(1, 0.1)
    told = slice(SPLIT, None)
    assert change_margin(noisy, SPLIT, told) > 2.0 * change_margin(calm, SPLIT, told)
    assert change_margin(noisy, SPLIT, slice(-12, None)) > change_margin(noisy, SPLIT, told)
