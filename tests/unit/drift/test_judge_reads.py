"""What the judge reads of sampled calls: the same as of the calls that the rows stand for."""

from datetime import timedelta

import numpy as np
import pytest

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.drift.anomalies import ask_anomaly
from include.freezeline.drift.anomaly_night import decide_anomalies
from include.freezeline.drift.anomaly_policy import AnomalyPolicy, load_anomaly_policy
from include.freezeline.drift.series import DailySeries
from include.freezeline.jobs.judge_reads import load_series
from include.freezeline.settings import Settings
from tests.unit.drift.worlds import AS_OF

_TABLE = """
create or replace table marts.fct_llm_calls (
    feature varchar, environment varchar, request_model varchar, prompt_version varchar,
    called_at timestamptz, is_canary boolean, sample_weight double, is_error boolean,
    ttft_ms double, tpot_ms double, duration_ms double, input_tokens bigint, output_tokens bigint,
    cost_usd decimal(18, 9), is_retrieval_empty boolean
)
"""
_INSERT = """
insert into marts.fct_llm_calls
select 'f', 'production', 'm', case when v::bigint % 3 = 0 then 'v2' else 'v1' end, $at, false,
    $weight, v > 150, v, v, v, v::bigint, v::bigint, v / 1000, v > 150
from (select unnest($values) as v)
"""
Day = list[tuple[float, int]]


@pytest.fixture
def policy(settings: Settings) -> AnomalyPolicy:
    return load_anomaly_policy(config_dir(settings))


def _days(*, n_rows: int) -> list[Day]:
    """Draw values and whole weights of 31 days."""
    rng = np.random.default_rng(3)
    values = np.round(rng.lognormal(np.log(100), 0.4, (31, n_rows)), 3)
    weights = rng.integers(1, 6, (31, n_rows))
    return [list(zip(v.tolist(), w.tolist(), strict=True)) for v, w in zip(values, weights, strict=True)]  # fmt: skip


def _fill(warehouse: Warehouse, days: list[Day]) -> None:
    """Write the days before ``AS_OF``, rows of one weight at a time."""
    warehouse.execute("create schema if not exists marts")
    warehouse.execute(_TABLE)
    for age, day in enumerate(days, 1):
        at = AS_OF - timedelta(days=age) + timedelta(hours=12)
        for weight in sorted({weight for _, weight in day}):
            values = [value for value, w in day if w == weight]
            warehouse.execute(_INSERT, {"at": at, "weight": float(weight), "values": values})


def _series(
    settings: Settings, policy: AnomalyPolicy, days: list[Day]
) -> dict[str, list[DailySeries]]:
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        _fill(warehouse, days)
        return {q.name: load_series(warehouse, q, policy, AS_OF) for q in policy.questions}


def test_rows_of_weight_one_give_the_ordinary_statistics(
    settings: Settings, policy: AnomalyPolicy
) -> None:
    days = [[(value, 1) for value, _ in day] for day in _days(n_rows=40)]
    series = _series(settings, policy, days)
    newest_first = [np.array([value for value, _ in day]) for day in days]
    found = {name: [day.level for day in items[0].days][::-1] for name, items in series.items()}
    n_days = len(found["ttft_p95_ms"])
    assert 20 <= n_days <= 31
    p95 = [float(np.quantile(day, 0.95)) for day in newest_first[:n_days]]
    assert found["ttft_p95_ms"] == pytest.approx(p95, rel=1e-14)
    means = [float(np.round(day / 1000, 9).mean()) for day in newest_first[:n_days]]
    assert found["cost_per_call_usd"] == pytest.approx(means, rel=1e-14)
    bad = [day.n_bad for day in series["error_ratio"][0].days][::-1]
    assert bad == [int((day > 150).sum()) for day in newest_first[: len(bad)]]


def test_sampled_rows_give_what_the_calls_they_stand_for_would(
    settings: Settings, policy: AnomalyPolicy
) -> None:
    sampled = _days(n_rows=40)
    whole = [[(value, 1) for value, weight in day for _ in range(weight)] for day in sampled]
    of_sampled = _series(settings, policy, sampled)
    of_whole = _series(settings, policy, whole)
    for question in policy.questions:
        ((few,), (many,)) = of_sampled[question.name], of_whole[question.name]
        assert {day.n_calls for day in few.days} == {40}, "the sample size is what was seen"
        assert min(day.n_calls for day in many.days) > 60
        if question.kind == "ratio":
            ratios = [day.n_bad / day.n_calls for day in many.days]
            assert [day.n_bad for day in few.days] == [round(40 * ratio) for ratio in ratios]
            continue
        for name in ("level", "relative_level"):
            expected = [getattr(day, name) for day in many.days]
            assert [getattr(day, name) for day in few.days] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", ["ratio", "shift"])
def test_calls_without_a_model_stand_beside_those_with_one(
    settings: Settings, policy: AnomalyPolicy, kind: str
) -> None:
    question = next(q for q in policy.questions if q.kind == kind)
    by_model = question.model_copy(update={"by_model": True})
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        _fill(warehouse, _days(n_rows=40))
        warehouse.execute(
            "insert into marts.fct_llm_calls by name "
            "select * replace (null as request_model) from marts.fct_llm_calls"
        )
        nameless, named = load_series(warehouse, by_model, policy, AS_OF)
    assert [nameless.segment.model, named.segment.model] == ["", "m"]
    assert nameless.days == named.days
    assert {day.n_calls for day in named.days} == {40}


def test_series_of_a_new_prompt_version_alone_has_days_without_a_level(
    settings: Settings, policy: AnomalyPolicy
) -> None:
    """They can be compared with nothing, and that is to be said."""
    question = next(q for q in policy.questions if q.kind == "shift")
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        _fill(warehouse, _days(n_rows=40)[:2])
        (series,) = load_series(warehouse, question, policy, AS_OF)
    assert len(series.days) == 31
    assert {(day.n_calls, day.level) for day in series.days} == {(0, None)}


def test_feature_that_moves_to_a_dearer_model_has_a_series_that_shows_it(
    settings: Settings, policy: AnomalyPolicy
) -> None:
    """By model there is nothing to see: one has stopped, and the other has no history."""
    dearer = [[(v * 10.0, w) for v, w in day] if i < 3 else day for i, day in enumerate(_days(n_rows=40))]  # fmt: skip
    by_name = {question.name: question for question in policy.questions}
    verdicts = {}
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        _fill(warehouse, dearer)
        moved_at = AS_OF - timedelta(days=3)
        warehouse.execute(
            "update marts.fct_llm_calls set request_model = 'n' where called_at >= $at",
            {"at": moved_at},
        )
        for name in ("cost_per_call_usd", "feature_cost_per_call_usd"):
            series = load_series(warehouse, by_name[name], policy, AS_OF)
            findings = [ask_anomaly(by_name[name], each, policy, AS_OF) for each in series]
            verdicts[name] = {j.verdict for j in decide_anomalies(findings, policy)}
    assert verdicts == {
        "cost_per_call_usd": {"insufficient_evidence"},
        "feature_cost_per_call_usd": {"breach"},
    }
