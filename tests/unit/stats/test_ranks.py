"""The stratified rank test against closed forms, and its level."""

import numpy as np
import pytest
from scipy import stats

from include.freezeline.stats.ranks import rank_shift_test

N = 60
LABELS = np.arange(2 * N) >= N


def _draw(seed: int, shift: float = 0.0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=2 * N)
    return values + shift * LABELS


def test_value_is_mann_whitney_when_there_is_one_stratum() -> None:
    values = np.round(_draw(1, 0.4), 1)  # with ties
    result = rank_shift_test(values, LABELS, seed=1)
    u = stats.mannwhitneyu(values[LABELS], values[~LABELS])
    assert result.value == pytest.approx(u.statistic / N**2)
    assert result.p_value == pytest.approx(u.pvalue, abs=0.02)
    assert result.interval is not None
    assert result.interval[0] < result.value < result.interval[1]


def test_strata_take_away_what_their_mix_explains() -> None:
    rng = np.random.default_rng(2)
    strata = np.where(rng.random(2 * N) < np.where(LABELS, 0.8, 0.2), 1, 0)
    values = rng.normal(size=2 * N) + 5.0 * strata
    plain = rank_shift_test(values, LABELS, seed=1)
    given = rank_shift_test(values, LABELS, seed=1, strata=strata)
    assert plain.p_value is not None
    assert plain.p_value < 0.001
    assert given.p_value is not None
    assert given.p_value > 0.05
    assert given.value == pytest.approx(0.5, abs=0.15)


def test_level_holds_and_intervals_cover_when_nothing_moved() -> None:
    results = [
        rank_shift_test(_draw(seed), LABELS, seed=seed, n_refined=999) for seed in range(200)
    ]
    rejected = sum(r.p_value is not None and r.p_value <= 0.05 for r in results)
    covered = sum(r.interval is not None and r.interval[0] <= 0.5 <= r.interval[1] for r in results)
    assert stats.binomtest(rejected, 200, 0.05).pvalue > 0.001
    assert stats.binomtest(covered, 200, 0.95).pvalue > 0.001


def test_shift_is_seen_when_it_is_one_standard_deviation() -> None:
    found = [rank_shift_test(_draw(seed, 1.0), LABELS, seed=seed).p_value for seed in range(10)]
    assert all(p is not None and p <= 0.01 for p in found)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (np.ones(8), np.arange(8) >= 4),
        (np.arange(4.0), np.array([False, True, True, True])),
        (np.empty(0), np.empty(0, dtype=bool)),
    ],
)
def test_evidence_lacks_when_numbers_are_equal_or_few(
    values: np.ndarray, labels: np.ndarray
) -> None:
    result = rank_shift_test(values, labels, seed=1)
    assert (result.value, result.p_value, result.is_sufficient) == (None, None, False)


def test_interval_has_a_width_when_windows_do_not_overlap() -> None:
    result = rank_shift_test(np.arange(20.0), np.arange(20) >= 10, seed=1)
    assert result.value == 1.0
    assert result.interval == (pytest.approx(0.87, abs=0.01), 1.0)
