"""Intervals of shares whose days vary by themselves."""

import numpy as np
import pytest

from include.freezeline.stats.daily_shares import share_baseline
from include.freezeline.stats.proportions import jeffreys_interval
from include.freezeline.stats.share_interval import level_interval, log_odds_variance

WEEKDAYS = np.arange(28) % 7
ALIKE = np.zeros(28, dtype=np.int64)


def _days(seed: int, share: float, day_sd: float, n_calls: int, n: int = 28) -> np.ndarray:
    """Return events of days that vary around a share by more than a binomial."""
    rng = np.random.default_rng([5, seed])
    day = np.exp(rng.normal(0.0, day_sd, n) - day_sd**2 / 2.0)
    return rng.binomial(n_calls, np.minimum(1.0, share * day))


def test_days_that_are_binomial_have_no_variance_of_their_own() -> None:
    found = [log_odds_variance(_days(i, 0.02, 0.0, 2000), np.full(28, 2000), ALIKE) for i in range(40)]  # fmt: skip
    assert np.median(found) < 0.1**2
    noisy = [log_odds_variance(_days(i, 0.02, 0.3, 20_000), np.full(28, 20_000), ALIKE) for i in range(40)]  # fmt: skip
    assert np.median(noisy) == pytest.approx(0.3**2, rel=0.2)


@pytest.mark.parametrize("counts", [[0, 0], [100, 100], [0]])
def test_days_without_a_difference_have_no_variance(counts: list[int]) -> None:
    sizes = np.full(len(counts), 100)
    assert log_odds_variance(np.array(counts), sizes, np.zeros(len(counts), dtype=np.int64)) == 0.0


def test_interval_without_variance_is_that_of_all_events() -> None:
    assert level_interval(0.1, np.array([50.0, 150.0]), 0.0, 28) == pytest.approx(
        jeffreys_interval(20, 200)
    )
    assert level_interval(0.1, np.zeros(3), 0.0, 28) is None


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5, -0.1])
def test_interval_stays_inside_when_the_share_is_at_an_end(share: float) -> None:
    found = level_interval(share, np.full(3, 100.0), 0.1, 28)
    assert found is not None
    assert 0.0 <= found[0] < found[1] <= 1.0


@pytest.mark.parametrize("n_calls", [1000, 20_000])
@pytest.mark.parametrize("day_sd", [0.0, 0.15, 0.3])
@pytest.mark.parametrize("is_median", [True, False])
def test_interval_holds_the_share_that_days_vary_around(
    n_calls: int, day_sd: float, is_median: bool
) -> None:
    n_held = 0
    for seed in range(120):
        before = share_baseline(_days(seed, 0.02, day_sd, n_calls), np.full(28, n_calls), WEEKDAYS)
        now = _days(1000 + seed, 0.06, day_sd, n_calls, 3) / n_calls
        found = level_interval(
            float(np.median(now) if is_median else now.mean()),
            np.full(3, float(n_calls)),
            before.variance,
            before.n_days,
            is_median=is_median,
        )
        assert found is not None
        n_held += found[0] <= 0.06 <= found[1]
    assert n_held >= 0.88 * 120
