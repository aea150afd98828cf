"""Fingerprints of style and their change points."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from include.freezeline.stats.fingerprint import Fingerprint, change_point, style_fingerprint
from include.freezeline.stats.style import FEATURE_NAMES
from tests.unit.stats.texts import make_window


def _day(seed: int, other_share: float = 0.0) -> Fingerprint:
    _, texts = make_window(30, np.random.default_rng(seed), other_share=other_share)
    found = style_fingerprint(texts)
    assert found is not None
    return found


def test_fingerprint_of_equal_answers_has_an_equal_hash() -> None:
    assert _day(1).fingerprint_hash == _day(1).fingerprint_hash
    assert _day(1).fingerprint_hash != _day(2).fingerprint_hash
    assert len(_day(1).means) == len(FEATURE_NAMES)


def test_shift_is_told_in_the_spread_of_answers_whatever_their_number() -> None:
    def days(n_texts: int) -> list[Fingerprint]:
        error = 2.0 / np.sqrt(n_texts)
        return [Fingerprint((float(i >= 6), 1.0), (error, 0.0), n_texts, "") for i in range(12)]

    shifts = [change_point(days(n), seed=1).details["largest_shift_sd"] for n in (25, 2500)]
    assert shifts == pytest.approx([1 / np.sqrt(4.25)] * 2)


def test_few_answers_have_no_fingerprint() -> None:
    assert style_fingerprint(["a"] * 19) is None


def test_day_of_the_change_is_found() -> None:
    days = [_day(i, other_share=0.5 if i >= 13 else 0.0) for i in range(20)]
    result = change_point(days, seed=1)
    assert result.p_value == pytest.approx(0.001)
    assert result.value == 13.0
    assert result.interval is not None
    assert result.interval[0] <= 13.0 <= result.interval[1]


def test_quiet_days_keep_the_level() -> None:
    n_series, n_rejected = 400, 0
    for number in range(n_series):
        rng = np.random.default_rng(number)
        days = [Fingerprint(tuple(row), (0.0,) * 6, 50, "") for row in rng.normal(size=(14, 6))]
        n_rejected += (change_point(days, seed=number, n_permutations=99).p_value or 0.0) <= 0.05
    low, high = stats.binom.interval(0.999, n_series, 0.05)
    assert low <= n_rejected <= high


@pytest.mark.parametrize("resemblance", [0.3, 0.6])
def test_days_that_resemble_the_day_before_hardly_break_the_level(resemblance: float) -> None:
    """Without the allowance about half of these, and nearly all, are taken for a change."""
    n_series, n_rejected = 100, 0
    for number in range(n_series):
        noise = np.random.default_rng(number).normal(size=(40, 30))
        for i in range(1, len(noise)):
            noise[i] = resemblance * noise[i - 1] + np.sqrt(1 - resemblance**2) * noise[i]
        days = [Fingerprint(tuple(row), (0.0,) * 30, 50, "") for row in noise[-28:]]
        result = change_point(days, seed=number, n_permutations=99, n_refined=99)
        n_rejected += (result.p_value or 0.0) <= 0.05
    assert n_rejected <= 15


@pytest.mark.parametrize("n_days", [0, 7])
def test_few_days_are_insufficient(n_days: int) -> None:
    assert change_point([_day(1)] * n_days, seed=1).reason


def test_equal_days_are_insufficient() -> None:
    assert change_point([_day(1)] * 10, seed=1).reason == "all days are equal"


def _sampled(seed: int, n_by_day: list[int]) -> list[Fingerprint]:
    """Return days of answers from one pool, as many a day as told."""
    rng = np.random.default_rng(seed)
    days = []
    for n_texts in n_by_day:
        rows = rng.lognormal(0.0, 0.5, (n_texts, len(FEATURE_NAMES)))
        errors = rows.std(axis=0, ddof=1) / np.sqrt(n_texts)
        days.append(Fingerprint(tuple(rows.mean(axis=0)), tuple(errors), n_texts, "h"))
    return days


@pytest.mark.parametrize(
    "n_by_day", [[25] * 7 + [200] * 21, [200] * 23 + [25] * 5, [200, 200, 200, 200, 200, 25, 25] * 4]
)  # fmt: skip
def test_days_of_few_answers_are_no_change(n_by_day: list[int]) -> None:
    p_values = [
        change_point(_sampled(seed, n_by_day), seed=seed, n_permutations=199, n_refined=199).p_value
        for seed in range(150)
    ]
    assert sum(p is not None and p <= 0.05 for p in p_values) <= 15  # 99.5% of a binomial at 5%


def test_few_answers_hide_no_change() -> None:
    days = _sampled(1, [25] * 7 + [200] * 21)
    moved = [replace(day, means=tuple(0.15 + mean for mean in day.means)) for day in days[18:]]
    result = change_point([*days[:18], *moved], seed=1)
    assert result.value == 18.0
    assert result.p_value is not None
    assert result.p_value <= 0.01
