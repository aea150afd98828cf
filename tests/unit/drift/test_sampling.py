"""Which answers a drift question reads, and what the verdict says of it."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.drift.plans import plan_output_divergence, plan_paired, plan_semantic_shift
from include.freezeline.drift.sampling import describe_sample
from include.freezeline.drift.segments import SegmentTexts, TextRow
from include.freezeline.drift.windows import recent_windows
from include.freezeline.jobs.judge_reads import load_segments
from include.freezeline.settings import Settings
from tests.unit.drift.worlds import AS_OF, FIRST_DAY, POLICY, segment_texts

_TABLES = (
    "create schema marts",
    "create table marts.fct_llm_calls (call_key varchar, is_retrieval_empty boolean, "
    "is_gateway_cache_hit boolean, tenant_key varchar)",
    "create table marts.fct_call_texts (call_key varchar, feature varchar, environment varchar, "
    "request_model varchar, prompt_version varchar, called_at timestamptz, canary_id varchar, "
    "input_text_redacted varchar, output_text_redacted varchar)",
)
_INSERT = (
    "insert into marts.fct_call_texts values "
    "($key, 'f', 'production', 'm', $version, $at, $canary, 'question', $answer)"
)
Call = tuple[str, str | None, datetime, str | None, str | None]
NEWEST = recent_windows(AS_OF, POLICY)[0]
# How many calls the two versions get on a day of the newest window: a rollout on its second day.
ROLLOUT = {("v1", 12): 90, ("v1", 13): 50, ("v2", 13): 7}


def _calls() -> list[Call]:
    """Return six weeks of calls; two answers of the newest window say nothing."""
    n_by_day = {("v1", FIRST_DAY + timedelta(days=i)): 10 for i in range(41)}
    n_by_day |= {(version, datetime(2026, 10, day, tzinfo=UTC)): n for (version, day), n in ROLLOUT.items()}  # fmt: skip
    calls: list[Call] = [
        (f"{version}-{start:%m%d}-{i}", version, start + timedelta(minutes=i), None, f"answer {i}")
        for (version, start), n in n_by_day.items()
        for i in range(n)
    ]
    late = AS_OF - timedelta(hours=1)
    calls += [("blank", "v1", late, None, " \n"), ("purged", "v1", late, None, None)]
    return [*calls, *((f"probe-{i}", "v1", late, f"p{i}", "probed") for i in range(3))]


def _load(settings: Settings, calls: list[Call]) -> SegmentTexts:
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        _fill(warehouse, calls)
        (segment,) = load_segments(warehouse, POLICY, AS_OF)
    return segment


def _fill(warehouse: Warehouse, calls: list[Call]) -> None:
    warehouse.execute("drop schema if exists marts cascade")
    for statement in _TABLES:
        warehouse.execute(statement)
    for key, version, at, canary, answer in calls:
        values = {"key": key, "version": version, "at": at, "canary": canary, "answer": answer}
        warehouse.execute(_INSERT, values)


def _strata(rows: tuple[TextRow, ...]) -> Counter[tuple[str, int]]:
    return Counter((row.prompt_version, row.called_at.day) for row in rows)


def test_verdict_says_how_many_of_how_many_answers_were_read(settings: Settings) -> None:
    texts = _load(settings, _calls())
    sampling = plan_output_divergence(texts, NEWEST, POLICY).sampling
    current = sampling["current"]
    assert current["n_answers"] == sum(ROLLOUT.values()), "neither probes nor empty answers"
    assert current["n_read"] == POLICY.sampling.max_texts == 80
    assert current["by_stratum"] == [
        ["v1", "2026-10-12", 41, 90],
        ["v1", "2026-10-13", 39, 50],  # The empty answer had its turn.
        ["v2", "2026-10-13", 0, 7],
    ]
    assert sampling["reference"]["n_answers"] == 140
    assert sum(n_read for _, _, n_read, _ in sampling["reference"]["by_stratum"]) == 80
    assert {n_read for _, _, n_read, _ in sampling["reference"]["by_stratum"]} == {5, 6}


def test_every_prefix_of_a_sample_takes_one_of_each_stratum_in_turn(settings: Settings) -> None:
    rows = _load(settings, _calls()).rows_in(NEWEST)
    organic = tuple(row for row in rows if row.canary_id is None and row.answer.strip())
    for size in (3, 9, 21):
        assert set(_strata(organic[:size]).values()) == {size // 3}
    assert _strata(organic[:60])[("v2", 13)] == 7, "a small stratum is read whole"


def test_sample_depends_on_call_keys_alone(settings: Settings) -> None:
    calls = _calls()
    shuffled = [calls[i] for i in np.random.default_rng(1).permutation(len(calls))]
    first, second = (_load(settings, each) for each in (calls, shuffled))
    assert first == second
    renamed = [(f"other-{key}", *rest) for key, *rest in calls]
    plans = [
        plan_semantic_shift(each, NEWEST, POLICY) for each in (first, _load(settings, renamed))
    ]
    minutes = [[row.called_at for row in plan.current] for plan in plans]
    assert minutes[0] != minutes[1], "other keys, other sample"


def test_what_a_cache_repeated_is_not_read(settings: Settings) -> None:
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        _fill(warehouse, _calls())
        for key, is_hit in (("v1-1013-0", True), ("probe-0", True), ("probe-1", False)):
            warehouse.execute(
                f"insert into marts.fct_llm_calls values ('{key}', null, {is_hit}, null)"
            )
        (texts,) = load_segments(warehouse, POLICY, AS_OF)
    keys = {row.call_key for row in texts.rows_in(NEWEST)}
    assert not keys & {"v1-1013-0", "probe-0"}
    assert keys >= {"v1-1013-1", "probe-1", "probe-2"}


def test_probes_are_read_whole() -> None:
    sampling = plan_paired(segment_texts(), NEWEST, POLICY).sampling
    assert sampling["current"]["n_read"] == sampling["current"]["n_answers"] == 24


def test_a_side_without_answers_is_said_to_have_none() -> None:
    sampling = describe_sample({"current": ()}, {"current": ()})
    assert sampling["current"] == {"n_read": 0, "n_answers": 0, "by_stratum": []}


@pytest.mark.parametrize("counted", [None, 5])
def test_rows_that_nobody_counted_stand_for_themselves(counted: int | None) -> None:
    at = datetime(2026, 10, 12, 1, tzinfo=UTC)
    rows = [TextRow(f"k{i}", at, "v1", None, None, "", "a", n_in_stratum=counted) for i in range(3)]
    told = describe_sample({"current": rows}, {"current": rows[:2]})["current"]
    assert told["by_stratum"] == [["v1", date(2026, 10, 12).isoformat(), 2, counted or 3]]
