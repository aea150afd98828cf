"""False alarms of quiet months: the night's decisions on p-values drawn under the null."""

from collections import defaultdict
from typing import Any

import pytest
from scipy import stats

from include.freezeline.drift.night import decide_night
from include.freezeline.drift.policy import DriftPolicy
from tests.unit.drift.quiet_nights import (
    NIGHTS_A_MONTH,
    DrawnAnswers,
    empty_segments,
    episodes,
    nights,
    poisson_interval,
)
from tests.unit.drift.worlds import FIRST_DAY, SHIPPED

N_NIGHTS, N_SEGMENTS = 90, 50


def _policy(**changes: Any) -> DriftPolicy:
    return DriftPolicy.model_validate({**SHIPPED, **changes})


def _breaches(ask: DrawnAnswers, policy: DriftPolicy) -> dict[tuple[str, str], list[int]]:
    """Return the nights of each breaching segment and question."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    segments = empty_segments(N_SEGMENTS)
    for number, as_of in enumerate(nights(FIRST_DAY, N_NIGHTS)):
        for judged in decide_night(segments, policy, as_of, ask):
            if judged.verdict == "breach":
                finding = judged.finding
                found[finding.segment.feature, finding.question].append(number)
    return found


def test_quiet_quarters_raise_at_most_one_false_alarm_a_month() -> None:
    n_alarms = 0
    for seed in range(4):
        found = _breaches(DrawnAnswers(seed, FIRST_DAY), _policy())
        n_alarms += sum(len(numbers) for numbers in found.values())
    n_months = 4 * N_NIGHTS / NIGHTS_A_MONTH
    upper = poisson_interval(n_alarms)[1] / n_months
    assert upper <= 1.0, f"{n_alarms} breach rows in {n_months:g} months"


def test_one_window_alone_gives_as_many_false_alarms_as_the_level_says() -> None:
    """Without the sustained rule the arithmetic of the page shows: the level, per night."""
    alone = _policy(sustained={"windows": 1, "at_least": 1}, window="1d")
    n_loud = 0
    for seed in range(3):
        # no common reference and no common days: nights are independent
        found = _breaches(DrawnAnswers(100 + seed, FIRST_DAY, reference_share=0.0), alone)
        n_loud += len({night for numbers in found.values() for night in numbers})
    assert stats.binomtest(n_loud, 3 * N_NIGHTS, 0.01).pvalue > 0.001


def test_planted_shift_is_found_in_the_same_nights() -> None:
    ask = DrawnAnswers(7, FIRST_DAY, shifted={"feature-03": 6.0})
    found = _breaches(ask, _policy())
    assert {feature for feature, _ in found} >= {"feature-03"}
    assert len({n for (f, _), numbers in found.items() if f == "feature-03" for n in numbers}) >= 80


def test_a_night_says_when_it_asks_more_than_its_permutations_can_answer() -> None:
    said: list[str] = []
    ask, as_of = DrawnAnswers(1, FIRST_DAY), nights(FIRST_DAY, 1)[0]
    decide_night(empty_segments(50), _policy(), as_of, ask, said.append)
    assert any("set permutations.refine in drift.yml to at least 19999" in line for line in said)
    said.clear()
    decide_night(empty_segments(4), _policy(), as_of, ask, said.append)
    assert not any("permutations" in line for line in said)


@pytest.mark.parametrize(
    ("n_events", "lower", "upper"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)]
)
def test_poisson_interval_is_garwoods(n_events: int, lower: float, upper: float) -> None:
    assert poisson_interval(n_events) == pytest.approx((lower, upper), abs=0.01)


def test_episodes_are_runs_of_nights() -> None:
    assert [episodes(n) for n in ([], [3], [3, 4, 5], [3, 5, 6, 9])] == [0, 1, 1, 3]
