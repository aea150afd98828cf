"""Rates, rhythm and sizes of the drawn traffic."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from include.freezeline.demo.incidents import ALL_INCIDENTS, Columns
from include.freezeline.demo.traffic import draw_day
from include.freezeline.demo.world import CODE, DATES, FEATURES, RISK, SUPPORT, FeatureSpec

_LAST_WEEK = DATES[-5:]
_NUMBERS = {feature.name: feature for feature in FEATURES}


@lru_cache(maxsize=8)
def _days(name: str, days: tuple[date, ...], active: frozenset[str]) -> Columns:
    """Return the organic production calls of several days."""
    parts = [draw_day(_NUMBERS[name], day, seed=7, scale=1.0, active=active) for day in days]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    is_kept = (joined["canary_id"] == "") & (joined["environment"] == "production")
    return {name: values[is_kept] for name, values in joined.items()}


def _assert_rate(hits: NDArray[np.bool_], expected: float) -> None:
    """Fail when a share is outside the central 99.99% of its binomial."""
    low, high = stats.binom.interval(0.9999, len(hits), expected)
    assert len(hits) > 300
    assert low <= hits.sum() <= high


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_quiet_rates_hold_on_the_whole_history(feature: FeatureSpec) -> None:
    calls = _days(feature.name, DATES, frozenset())
    _assert_rate(calls["is_error"], 0.002)
    _assert_rate(calls["is_escalated"], feature.escalation_ratio * 0.998)
    _assert_rate(calls["u_override"] < feature.override_ratio, feature.override_ratio)
    _assert_rate(calls["n_documents"] == 0, 0.02)
    _assert_rate(calls["personal_data"] > 0, 0.015)


def test_v8_escalates_as_rarely_as_v7_when_the_incident_is_off() -> None:
    calls = _days(SUPPORT.name, _LAST_WEEK, frozenset())
    is_v8 = calls["prompt_version"] == "v8"
    _assert_rate(is_v8, 0.6)
    _assert_rate(calls["is_escalated"][is_v8], 0.02)


def test_v8_escalates_often_when_the_incident_is_on() -> None:
    calls = _days(SUPPORT.name, _LAST_WEEK, ALL_INCIDENTS)
    is_v8 = calls["prompt_version"] == "v8"
    _assert_rate(calls["is_escalated"][is_v8], 0.28)
    _assert_rate(calls["is_escalated"][~is_v8], 0.02)
    _assert_rate(calls["n_documents"] == 0, 0.25)


def test_stutter_slows_a_third_of_one_model() -> None:
    quiet, loud = (
        _days(CODE.name, DATES[-3:], active) for active in (frozenset[str](), ALL_INCIDENTS)
    )
    is_model = quiet["request_model"] == "claude-sonnet-4-5"
    slowed = loud["tpot_ms"][is_model] / quiet["tpot_ms"][is_model]
    assert set(np.round(slowed, 6)) == {1.0, 2.2}
    _assert_rate(slowed > 2, 0.35)


def test_creep_grows_by_a_steady_factor() -> None:
    quiet, loud = (
        _days(CODE.name, (date(2026, 10, 1),), active)
        for active in (frozenset[str](), ALL_INCIDENTS)
    )
    is_model = quiet["request_model"] == "gpt-4.1"
    growth = loud["input_tokens"][is_model] / quiet["input_tokens"][is_model]
    assert len(growth) > 50
    np.testing.assert_allclose(growth, 1.015**10, rtol=0.005)


def test_streams_start_within_a_second_when_nothing_is_wrong() -> None:
    ttft_ms = _days(CODE.name, DATES, frozenset())["ttft_ms"]
    assert len(ttft_ms) > 10_000
    assert 330 < np.median(ttft_ms) < 370
    assert np.quantile(ttft_ms, 0.99) < 1000


def test_output_tokens_lie_between_one_and_two_hundred_and_a_bit() -> None:
    for feature in FEATURES:
        tokens = _days(feature.name, DATES, frozenset())["output_tokens"]
        assert len(tokens) > 10_000
        assert tokens.min() >= 25
        assert np.quantile(tokens, 0.99) < 200


def test_volume_is_about_sixty_thousand_with_quiet_weekends() -> None:
    total = sum(_count(feature, DATES) for feature in FEATURES)
    assert 58_000 < total < 62_000
    saturday, tuesday = date(2026, 9, 12), date(2026, 9, 15)
    assert _count(RISK, (saturday,)) < 0.75 * _count(RISK, (tuesday,))


def test_scale_changes_organic_traffic_but_not_the_probes() -> None:
    small = draw_day(CODE, DATES[3], seed=7, scale=0.1, active=frozenset())
    is_probe = small["canary_id"] != ""
    assert is_probe.sum() == CODE.n_canaries * len(CODE.models)
    assert 10 < (~is_probe).sum() < 100


def test_calls_are_in_order_of_time_and_inside_their_day() -> None:
    started = draw_day(SUPPORT, DATES[0], seed=7, scale=0.5, active=frozenset())["started_ns"]
    assert len(started) > 100
    assert (np.diff(started) >= 0).all()
    assert {int(ns) // (86_400 * 10**9) for ns in started} == {20_697}


def test_other_seed_gives_another_world() -> None:
    one, two = (
        draw_day(RISK, DATES[0], seed=seed, scale=1.0, active=frozenset()) for seed in (7, 8)
    )
    assert one["started_ns"].tolist() != two["started_ns"].tolist()


def _count(feature: FeatureSpec, days: Iterable[date]) -> int:
    """Count calls, probes included."""
    return sum(
        len(draw_day(feature, day, seed=7, scale=1.0, active=frozenset())["started_ns"])
        for day in days
    )
