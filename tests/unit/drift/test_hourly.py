"""Anomaly questions on made-up hourly series."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.drift.anomaly_night import decide_anomalies
from include.freezeline.drift.anomaly_policy import HourlyPolicy, load_anomaly_policy
from include.freezeline.drift.findings import Judged
from include.freezeline.drift.hourly import ask_hourly
from include.freezeline.drift.hourly_asked import hourly_window
from include.freezeline.drift.segments import Segment
from include.freezeline.drift.series import HourlySeries
from include.freezeline.drift.verdicts import verdict_row
from include.freezeline.jobs.judge_hourly import load_hourly
from include.freezeline.settings import Settings
from tests.unit.drift.hourly_marts import hourly_tables
from tests.unit.drift.worlds import AS_OF

POLICY = load_anomaly_policy(config_dir(Settings()))
BY_NAME = {question.name: question for question in POLICY.hourly.questions}
SEGMENT = Segment("code-helper", "production", "gpt-4.1")
N_HOURS = 31 * 24
TOLD = {
    "tokens_per_request_hourly": "finops",
    "cost_per_call_hourly_usd": "finops",
    "feature_cost_per_call_hourly_usd": "finops",
    "ttft_p50_hourly_ms": "serving",
    "tpot_p50_hourly_ms": "prompt_model",
    "chunk_gap_hourly_ms": "streaming",
    "retrieval_prompt_hourly_ratio": "retrieval",
    "token_efficiency_hourly_ratio": "prompt_owner",
    "context_length_exceeded_drift": "prompt_owner",
    "empty_retrieval_hourly": "retrieval",
    "tool_error_hourly": "tools",
    "finish_length_hourly": "prompt_model",
    "tenant_input_tokens_p50": "customer_success",
}


def _levels(seed: int = 0, n_calls: float = 200.0) -> HourlySeries:
    """Return hours with a daily and a weekly season."""
    hours = np.arange(N_HOURS)
    season = 0.3 * np.sin(2 * np.pi * hours / 24) + 0.2 * (hours // 24 % 7 >= 5)
    noise = np.random.default_rng(seed).normal(0.0, 0.05, N_HOURS)
    return HourlySeries(SEGMENT, 500.0 * np.exp(season + noise), np.full(N_HOURS, n_calls))


def _shares(ratio: np.ndarray, n_calls: int = 200) -> HourlySeries:
    bad = np.random.default_rng(3).binomial(n_calls, ratio).astype(np.float64)
    return HourlySeries(SEGMENT, bad, np.full(N_HOURS, float(n_calls)))


def _judge(name: str, series: HourlySeries) -> Judged:
    finding = ask_hourly(BY_NAME[name], series, POLICY.hourly, AS_OF)
    (judged,) = decide_anomalies([finding], POLICY)
    return judged


def _raised(series: HourlySeries, factor: float, n_last: int, n_hours: int = 0) -> HourlySeries:
    values = series.values.copy()
    values[N_HOURS - n_last : N_HOURS - n_last + (n_hours or n_last)] *= factor
    return replace(series, values=values)


def test_every_listed_anomaly_has_a_question_with_a_route() -> None:
    assert {name: BY_NAME[name].route for name in TOLD} == TOLD
    assert BY_NAME["feature_cost_per_call_hourly_usd"].dimension == "feature"
    assert all(question.route for question in (*POLICY.questions, *POLICY.hourly.questions))


@pytest.mark.parametrize(("factor", "n_last"), [(1.5, 30), (1.25, 48), (0.6, 30)])
def test_lasting_shift_breaches_with_its_beginning_and_size(factor: float, n_last: int) -> None:
    judged = _judge("tokens_per_request_hourly", _raised(_levels(), factor, n_last))
    details = judged.finding.details
    assert judged.verdict == "breach"
    began = datetime.fromisoformat(details["began_at"])
    assert abs(began - (AS_OF - timedelta(hours=n_last))) <= timedelta(hours=2)
    assert details["began_lower_at"] <= details["began_at"] <= details["began_upper_at"]
    assert details["alarmed_at"] > details["began_at"]
    assert judged.finding.result.details["change_ratio"] == pytest.approx(factor - 1, abs=0.05)
    assert judged.finding.result.interval is not None
    lower, upper = judged.finding.result.interval
    assert lower < judged.finding.result.value < upper  # type: ignore[operator]
    assert "since about" in judged.reason


def _wandering_mean(factor: float, n_last: int) -> HourlySeries:
    """Return hours whose mean follows rare large requests, and whose quarters do not."""
    rng = np.random.default_rng(7)
    shift = np.where(np.arange(N_HOURS) >= N_HOURS - n_last, factor, 1.0)
    blocks = np.repeat(rng.standard_t(3, N_HOURS // 6), 6) * 0.3
    mean = 500.0 * np.exp(blocks) * shift
    low = 80.0 * np.exp(rng.normal(0.0, 0.02, N_HOURS)) * shift
    high = 900.0 * np.exp(blocks * 2.0) * shift
    return HourlySeries(SEGMENT, mean, np.full(N_HOURS, 200.0), (low, low, high, high))


def test_shift_of_all_requests_is_found_where_the_mean_wanders() -> None:
    judged = _judge("input_tokens_hourly", _wandering_mean(1.5, 30))
    result = judged.finding.result
    assert judged.verdict == "breach"
    assert result.details["reading"] == "input_p25_tokens"
    assert result.value == pytest.approx(120.0, rel=0.05)
    assert "input_tokens_hourly (input_p25_tokens) is" in judged.reason
    assert "input_sum_tokens, input_p25_tokens, n_input_tokens" in judged.finding.evidence_query
    alone = replace(_wandering_mean(1.5, 30), quantiles=())
    assert _judge("input_tokens_hourly", alone).verdict == "ok"


def test_wandering_mean_is_no_alarm_when_nothing_changed() -> None:
    assert _judge("input_tokens_hourly", _wandering_mean(1.0, 30)).verdict == "ok"


def test_shift_of_large_requests_alone_is_found_by_the_mean() -> None:
    still = tuple(np.full(N_HOURS, level) for level in (80.0, 100.0, 150.0, 400.0))
    series = replace(_raised(_levels(), 1.5, 30), quantiles=still)
    judged = _judge("input_tokens_hourly", series)
    assert judged.verdict == "breach"
    assert judged.finding.result.details["reading"] == "input_sum_tokens"


def test_fresh_shift_warns_within_six_hours() -> None:
    judged = _judge("ttft_p50_hourly_ms", _raised(_levels(), 1.5, 6))
    assert judged.verdict == "warning"
    assert "alarm at" in judged.reason


@pytest.mark.parametrize("n_last", [60, 30, 6])
def test_one_or_two_wild_hours_are_no_alarm(n_last: int) -> None:
    assert _judge("ttft_p50_hourly_ms", _raised(_levels(), 40.0, n_last, 2)).verdict == "ok"


def test_shift_that_is_over_does_not_breach() -> None:
    judged = _judge("ttft_p50_hourly_ms", _raised(_levels(), 2.0, 70, 12))
    assert judged.verdict in {"ok", "warning"}


def test_fall_is_fine_when_rises_were_asked() -> None:
    assert _judge("ttft_p50_hourly_ms", _raised(_levels(), 0.5, 40)).verdict == "ok"


def test_small_change_is_fine_however_certain() -> None:
    assert _judge("tokens_per_request_hourly", _raised(_levels(), 1.08, 48)).verdict == "ok"


@pytest.mark.parametrize(("n_calls", "reason"), [(3.0, "history"), (200.0, "judged hour")])
def test_missing_hours_are_insufficient_evidence(n_calls: float, reason: str) -> None:
    series = _levels(n_calls=n_calls)
    if n_calls > 100:
        series.counts[-72:] = 0.0
    judged = _judge("ttft_p50_hourly_ms", series)
    assert judged.verdict == "insufficient_evidence"
    assert reason in judged.reason
    assert judged.finding.result.value is None


def test_risen_share_breaches_when_it_lasts() -> None:
    ratio = np.full(N_HOURS, 0.001)
    ratio[-30:] = 0.04
    judged = _judge("context_length_exceeded_hourly", _shares(ratio))
    assert judged.verdict == "breach"
    assert judged.finding.result.value == pytest.approx(0.04, abs=0.01)


@pytest.mark.parametrize("ratio", [0.0, 0.02])
def test_steady_share_is_ok(ratio: float) -> None:
    judged = _judge("server_error_hourly", _shares(np.full(N_HOURS, ratio)))
    assert judged.verdict == "ok"


def test_slow_drift_of_an_error_class_is_found_with_its_beginning() -> None:
    ratio = 0.002 + 0.00004 * np.maximum(0, np.arange(N_HOURS) - 240)
    judged = _judge("context_length_exceeded_drift", _shares(ratio))
    assert judged.verdict == "breach"
    began = (AS_OF - timedelta(hours=N_HOURS - 240)).date().isoformat()
    details = judged.finding.details
    assert details["began_lower_date"] <= began <= details["began_upper_date"]
    assert _judge("context_length_exceeded_drift", _shares(np.full(N_HOURS, 0.004))).verdict == "ok"


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("rate_limit_drift", (0.005, 0.02)),
        ("server_error_drift", (0.005, 0.02)),
        ("empty_retrieval_drift", (0.03, 0.1)),
        ("finish_length_drift", (0.02, 0.06)),
    ],
)
def test_slow_growth_of_a_share_is_found(name: str, ends: tuple[float, float]) -> None:
    assert _judge(name, _shares(np.linspace(*ends, N_HOURS))).verdict == "breach"
    assert _judge(name, _shares(np.full(N_HOURS, ends[0]))).verdict == "ok"


def test_quiet_nights_are_quiet_when_many_series_are_judged() -> None:
    names = ("tokens_per_request_hourly", "ttft_p50_hourly_ms")
    findings = [
        ask_hourly(BY_NAME[name], _levels(seed), POLICY.hourly, AS_OF)
        for seed in range(8)
        for name in names
    ]
    verdicts = [judged.verdict for judged in decide_anomalies(findings, POLICY)]
    assert verdicts == ["ok"] * 16


def test_verdict_row_names_route_and_tenant() -> None:
    tenant = replace(
        _levels(), segment=Segment("code-helper", "production", None, (("tenant_key", "a" * 32),))
    )
    row = verdict_row(_judge("tenant_input_tokens_p50", tenant), AS_OF)
    assert row["tenant_key"] == "a" * 32
    assert json.loads(row["details"])["route"] == "customer_success"
    other = replace(tenant, segment=Segment("code-helper", "production"))
    assert (
        verdict_row(_judge("tenant_input_tokens_p50", other), AS_OF)["verdict_key"]
        != row["verdict_key"]
    )


def _fill(settings: Settings, policy: HourlyPolicy, weight: float) -> None:
    start = hourly_window(policy, AS_OF).started_at
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.execute("create schema marts")
        for statement in hourly_tables(policy).split(";")[:-1]:
            warehouse.execute(statement)
        warehouse.execute(
            "insert into marts.agg_calls_hourly by name select d as dimension, "
            "case d when 'feature' then 'f' when 'model' then 'm' else 't' end as dimension_value, "
            "'production' as environment, 'f' as feature, $start + to_hours(h::int) as "
            "period_started_at, 40 as n_calls, 40 * $weight as call_count, 30 as n_input_tokens, "
            "30 * $weight * (100 + h % 24) as input_sum_tokens, "
            "2 * $weight as error_timeout_count, 0.25 as empty_retrieval_ratio, 8 as n_retrievals "
            "from range(744) as hours(h), (select unnest(['feature', 'model', 'tenant']) as d)",
            {"start": start, "weight": weight},
        )
        warehouse.execute(
            "insert into marts.fct_tool_calls select 'f', 'production', 'executed', h % 3 = 0, "
            "$start + to_hours((h // 3)::int), false from range(2232) as hours(h)",
            {"start": start},
        )


@pytest.mark.parametrize("weight", [1.0, 10.0])
def test_series_are_those_of_the_marts_whatever_the_sampling(
    settings: Settings, weight: float
) -> None:
    _fill(settings, POLICY.hourly, weight)
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        found = {q.name: s for q, s in load_hourly(warehouse, POLICY.hourly, AS_OF)}
        tokens = found["input_tokens_hourly"]
        assert tokens.values == pytest.approx(100.0 + np.arange(N_HOURS) % 24)
        assert set(tokens.counts) == {30.0}
        assert tokens.segment == Segment("f", "production", "m")
        assert set(found["timeout_hourly"].values) == {2.0}
        assert set(found["empty_retrieval_hourly"].values) == {2.0}
        assert set(found["tool_error_hourly"].values) == {1.0}
        assert set(found["tool_error_hourly"].counts) == {3.0}
        for name in ("input_tokens_hourly", "timeout_hourly", "tool_error_hourly"):
            finding = ask_hourly(BY_NAME[name], found[name], POLICY.hourly, AS_OF)
            assert len(warehouse.rows(finding.evidence_query)) == N_HOURS


@pytest.mark.parametrize("began", range(0, 24, 4))
def test_six_hours_of_ten_times_as_much_warn_although_they_are_over(began: int) -> None:
    series = _levels()
    values = series.values.copy()
    start = N_HOURS - 48 + began
    values[start : start + 6] *= 10.0
    judged = _judge("tokens_per_request_hourly", replace(series, values=values))
    assert judged.verdict == "warning"
    assert " was " in judged.reason
    assert judged.finding.effect is not None
    assert judged.finding.effect > 1.0
    assert judged.finding.details["is_lasting"] is False


def test_change_that_goes_on_is_told_by_all_hours_since_it_began() -> None:
    series = _levels()
    values = series.values.copy()
    values[N_HOURS - 30 :] *= 3.0
    judged = _judge("tokens_per_request_hourly", replace(series, values=values))
    assert judged.verdict == "breach"
    assert " is " in judged.reason


@pytest.mark.parametrize("n_last", [30, 72])
def test_level_that_falls_to_zero_breaches(n_last: int) -> None:
    """A zero has no logarithm, and is no missing hour either."""
    judged = _judge("tokens_per_request_hourly", _raised(_levels(), 0.0, n_last))
    assert judged.verdict == "breach"
    assert "hours of zero count as a quarter" in judged.reason


def test_level_that_often_is_zero_is_judged_by_its_other_hours() -> None:
    series = _levels()
    series.values[::3] = 0.0
    judged = _judge("tokens_per_request_hourly", series)
    assert judged.verdict == "ok"
    assert "hours of zero" not in judged.reason


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("tokens_per_request_hourly", _levels()),
        ("empty_retrieval_hourly", _shares(np.full(N_HOURS, 0.02))),
        ("context_length_exceeded_drift", _shares(np.full(N_HOURS, 0.02))),
    ],
)
@pytest.mark.parametrize("n_last", [26, 80])
def test_series_that_has_stopped_is_insufficient_evidence(
    name: str, series: HourlySeries, n_last: int
) -> None:
    counts = series.counts.copy()
    counts[-n_last:] = 0.0
    judged = _judge(name, replace(series, counts=counts))
    assert judged.verdict == "insufficient_evidence"


@pytest.mark.parametrize("n_last", [76, 84, 96, 130])
def test_change_that_alarmed_before_the_judged_days_is_their_level(n_last: int) -> None:
    """It was told in the nights before; the numbers of this one must not contradict its verdict."""
    rng = np.random.default_rng(1)
    values = 200.0 * np.exp(rng.normal(0.0, 0.08, N_HOURS))
    values[-n_last:] *= 3.0
    judged = _judge("cost_per_call_hourly_usd", HourlySeries(SEGMENT, values, np.full(N_HOURS, 100.0)))  # fmt: skip
    ratio = np.full(N_HOURS, 0.01)
    ratio[-n_last:] = 0.08
    for each in (judged, _judge("timeout_hourly", _shares(ratio))):
        assert each.verdict == "ok"
        assert not each.finding.is_large
        assert each.q_value is not None
        assert each.q_value > 0.01
        assert "as since the change of about 2026-10-" in each.reason


@pytest.mark.parametrize(("before", "n_last"), [((240, 280), 30), ((0, 0), 96)])
def test_zeros_that_say_nothing_are_missing_hours(before: tuple[int, int], n_last: int) -> None:
    series = _levels()
    series.values[slice(*before)] = 0.0
    judged = _judge("output_tokens_hourly", _raised(series, 0.0, n_last))
    assert judged.verdict == "insufficient_evidence"
    assert "calls with a value above zero" in judged.reason


def test_day_that_is_ordinary_among_days_is_no_breach_however_its_hours_look() -> None:
    """Days that vary by 15% have one like this every other month; its hours alone say 1 in 10^6."""
    rng = np.random.default_rng(4)
    by_day = 0.08 * np.exp(rng.normal(0.0, 0.15, 31))
    by_day[-2:] = 0.125
    judged = _judge("finish_length_hourly", _shares(np.repeat(by_day, 24), 250))
    assert judged.verdict in ("ok", "warning")
    by_day[-2:] = 0.3
    assert _judge("finish_length_hourly", _shares(np.repeat(by_day, 24), 250)).verdict == "breach"


@pytest.mark.parametrize("n_last", [24, 26, 28, 30, 33, 38, 44])
@pytest.mark.parametrize("name", ["ttft_p50_hourly_ms", "empty_retrieval_hourly"])
def test_one_outlier_day_of_whatever_time_zone_warns_and_does_not_breach(
    name: str, n_last: int
) -> None:
    ratio = np.full(N_HOURS, 0.03)
    ratio[N_HOURS - n_last :][:24] = 0.3
    is_level = BY_NAME[name].kind == "level"
    series = _raised(_levels(), 2.0, n_last, 24) if is_level else _shares(ratio)
    judged = _judge(name, series)
    assert judged.verdict == "warning"
    assert judged.finding.details["is_lasting"] is False
    longer = _raised(_levels(), 2.0, 48) if is_level else _shares(np.repeat([0.03, 0.3], [696, 48]))
    assert _judge(name, longer).verdict == "breach"


def test_interval_of_a_share_is_as_wide_as_its_days_vary() -> None:
    noise = np.exp(np.random.default_rng(6).normal(0.0, 0.3, 31))
    widths = []
    for by_day in (np.full(31, 0.03), 0.03 * noise):
        by_day[-3:] = 0.12
        series = _shares(np.repeat(by_day, 24), 2000)
        result = _judge("timeout_hourly", series).finding.result
        assert result.interval is not None
        assert result.interval[0] < 0.12 < result.interval[1]
        widths.append(result.interval[1] - result.interval[0])
    assert widths[1] > 4.0 * widths[0]


def test_interval_of_a_level_is_as_wide_as_its_days_vary() -> None:
    """Hours of a day go together: 72 of them say as much as three."""
    noise = np.exp(np.random.default_rng(8).normal(0.0, 0.1, 31))
    noise[-10:] = 1.0
    series = _levels()
    widths = []
    for days in (np.ones(31), noise):
        values = series.values * np.repeat(days, 24)
        values[-72:] *= 1.8
        result = _judge("ttft_p50_hourly_ms", replace(series, values=values)).finding.result
        assert result.interval is not None
        assert result.interval[0] < result.details["baseline_level"] * 1.8 < result.interval[1]
        widths.append(np.log(result.interval[1] / result.interval[0]))
    assert widths[1] > 2.0 * widths[0] > 0.0
