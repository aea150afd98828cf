"""Which aggregates go with one of the persons behind them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from include.freezeline.adapters.database_erasure import DatabaseStore
from include.freezeline.adapters.erasure_session import open_session
from include.freezeline.erasure.policy import Aggregates
from include.freezeline.erasure.quotes import Quotes
from tests.unit.erasure.test_erase import BEFORE

USER, TENANT = "u_" + "1" * 32, "t_" + "3" * 32
POLICY = Aggregates(min_persons=3, dimensions=("feature", "prompt_name", "tenant_key", "call_date"))
DAY = "date '2026-10-01'"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Calls of the user at 9 with one other, at 10 with two; one of another feature alone."""
    file = tmp_path / "a.duckdb"
    calls = [("a", USER, 9), ("b", "u2", 9), ("c", USER, 10), ("d", "u2", 10), ("e", "u3", 10),
             ("f", None, 11)]  # fmt: skip
    with duckdb.connect(str(file)) as made:
        made.execute("set TimeZone = 'UTC'")
        made.execute("create schema marts; create schema judgement")
        made.execute(
            "create table marts.fct_llm_calls (call_key text, trace_id text, user_key text, "
            "called_at timestamptz, call_date date, feature text, environment text, "
            "tenant_key text, prompt_name text)"
        )
        made.executemany(
            "insert into marts.fct_llm_calls values (?, ?, ?, ?, ?, 'f', 'e', ?, 'p')",
            [(key, key, user, f"2026-10-01 {hour}:30:00+00", "2026-10-01", TENANT)
             for key, user, hour in calls],
        )  # fmt: skip
        for step in ("hour", "day"):
            name = {"hour": "agg_calls_hourly", "day": "agg_calls_daily"}[step]
            made.execute(
                f"create table marts.{name} as select 'tenant' as dimension, tenant_key as "
                "dimension_value, feature, cast(null as text) as prompt_name, "
                f"date_trunc('{step}', called_at) as period_started_at, "
                "count(*) as n_calls from marts.fct_llm_calls group by all union all select "
                "'environment', 'e', null, null, period_started_at, n_calls from "
                f"(select date_trunc('{step}', called_at) as period_started_at, count(*) as "
                "n_calls from marts.fct_llm_calls group by all)"
            )
        made.execute(
            "create table marts.agg_finer_daily as select * from (values ('f', "
            f"{DAY}, 'x', 2), ('f', {DAY}, 'y', 4), ('g', {DAY}, 'x', 1)) "
            "as v(feature, call_date, model, n_calls)"
        )
        made.execute(
            "create table judgement.verdicts as select * from (values ('f', 2), ('f', 3), ('g', 1))"
            " as v(feature, n_current), (select 'e' as environment, timestamptz '2026-10-02' as as_of)"
        )
    return file


def rows(path: Path, table: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as opened:
        opened.execute("set TimeZone = 'UTC'")
        return sorted(opened.execute(table).fetchall())


def erase(path: Path, kind: Any, key: str) -> None:
    with open_session(kind, ()) as session:
        session.name(key, BEFORE)
        store = DatabaseStore(session, path, "a", "db", POLICY)
        store.note_calls()
        assert store.erase(Quotes((), ()))
        assert store.find(Quotes((), ())) == []


def test_rows_of_too_few_persons_go_and_those_of_enough_stay(path: Path) -> None:
    hours = "select hour(period_started_at), dimension from marts.agg_calls_hourly"
    assert len(rows(path, hours)) == 6
    erase(path, "user", USER)
    assert rows(path, hours) == [
        (10, "environment"), (10, "tenant"), (11, "environment"), (11, "tenant"),
    ]  # fmt: skip
    assert rows(path, "select dimension from marts.agg_calls_daily") == [
        ("environment",), ("tenant",),
    ]  # fmt: skip
    assert rows(path, "select feature, model from marts.agg_finer_daily") == [
        ("f", "y"),
        ("g", "x"),
    ]
    assert rows(path, "select feature, n_current from judgement.verdicts") == [("f", 3), ("g", 1)]


def test_days_that_dimensions_add_up_go_as_aggregates_do(path: Path) -> None:
    with duckdb.connect(str(path)) as made:
        made.execute("create schema intermediate")
        made.execute(
            "create table intermediate.int_daily__prompts_counted as select * from (values "
            f"('f', {DAY}, 'hash-of-few', 2), ('f', {DAY}, 'hash-of-many', 4)) "
            "as v(feature, call_date, prompt_hash, n_calls)"
        )
    erase(path, "user", USER)
    left = "select prompt_hash from intermediate.int_daily__prompts_counted"
    assert rows(path, left) == [("hash-of-many",)]


@pytest.mark.parametrize(("before", "n_left"), [("2026-10-01T10:00", 2), ("2026-10-02", 1)])
def test_rows_of_a_day_that_has_later_events_stay(path: Path, before: str, n_left: int) -> None:
    """The next build makes them again without the earlier events."""
    with duckdb.connect(str(path)) as made:
        made.execute("create table marts.agg_user_cost_daily (user_key text, call_date date)")
        made.execute(f"insert into marts.agg_user_cost_daily values ('{USER}', {DAY}), "
                     f"('{USER}', date '2026-10-02')")  # fmt: skip
    with open_session("user", ()) as session:
        session.name(USER, datetime.fromisoformat(before).replace(tzinfo=UTC))
        session.execute("update own set is_gone = false")
        store = DatabaseStore(session, path, "a", "db", POLICY)
        store.note_calls()
        store.erase(Quotes((), ()))
    assert len(rows(path, "select * from marts.agg_user_cost_daily")) == n_left


@pytest.fixture
def lonely(tmp_path: Path) -> Path:
    """Of the user's five calls four name nobody; probes and somebody else's one call beside them."""
    file = tmp_path / "lonely.duckdb"
    called = "timestamptz '2026-10-01 09:30:00+00'"
    arrived = "timestamptz '2026-10-02 01:00:00+00'"
    with duckdb.connect(str(file)) as made:
        made.execute("set TimeZone = 'UTC'; create schema marts")
        made.execute(
            "create table marts.fct_llm_calls as select 'c' || n as call_key, case when n < 5 then "
            f"'theirs' else 't' || n end as trace_id, case when n = 0 then '{USER}' when n = 9 "
            f"then 'u2' end as user_key, {called} as called_at, {arrived} as arrived_at, "
            f"{DAY} as call_date, 'f' as feature, 'e' as environment, '{TENANT}' as tenant_key, "
            "null::text as provider, 's' as service_name, n between 5 and 8 as is_canary "
            "from range(10) as calls(n)"
        )
        for name, column, value in (
            ("agg_feature_daily", "call_date", DAY),
            ("agg_usage_daily", "usage_date", DAY),
            ("agg_telemetry_cost_daily", "arrival_date", "date '2026-10-02'"),
            ("agg_cost_hourly", "hour_started_at", "timestamptz '2026-10-01 09:00:00+00'"),
        ):
            made.execute(
                f"create table marts.{name} as select 'unknown' as provider, 's' as service_name, "
                f"{value} as {column}, 6 as n_calls union all "
                f"select 'unknown', 's', {value} + interval 1 day, 6"
            )
        made.execute(
            "create table marts.rpt_finance__doubled_tokens as select * from "
            "(values ('f', 2, 30), ('g', 2, 30)) as v(feature, n_turns, n_calls_before)"
        )
        made.execute(
            "create table marts.agg_user_cost_daily as select user_key, call_date, "
            "count(*) as n_calls from marts.fct_llm_calls group by all"
        )
        made.execute(
            "create table marts.fct_feedback as select call_key, null::text as trace_id, user_key, "
            "timestamptz '2026-10-20 00:00:00+00' as evaluated_at from marts.fct_llm_calls"
        )
    return file


def erase_lonely(path: Path) -> None:
    """Erase the user, whose trace is known and who came back later."""
    policy = POLICY.model_copy(update={"dimensions": (*POLICY.dimensions, "provider",
                                                      "service_name")})  # fmt: skip
    with open_session("user", ()) as session:
        session.name(USER, BEFORE)
        session.execute("insert into theirs_trace_id (id) values ('theirs')")
        session.execute("update own set is_gone = false")
        store = DatabaseStore(session, path, "a", "db", policy)
        store.note_calls()
        assert store.erase(Quotes((), ()))
        assert store.find(Quotes((), ())) == []


@pytest.mark.parametrize(
    "name",
    ["agg_feature_daily", "agg_usage_daily", "agg_telemetry_cost_daily", "agg_cost_hourly"],
)
def test_calls_that_name_nobody_and_probes_make_no_crowd(lonely: Path, name: str) -> None:
    erase_lonely(lonely)
    assert len(rows(lonely, f"select * from marts.{name}")) == 1


def test_reports_about_too_few_calls_go(lonely: Path) -> None:
    erase_lonely(lonely)
    report = "select feature from marts.rpt_finance__doubled_tokens"
    assert rows(lonely, report) == [("g",)]


def test_rows_that_name_others_stay_however_few_calls_they_are_about(lonely: Path) -> None:
    erase_lonely(lonely)
    assert rows(lonely, "select user_key from marts.agg_user_cost_daily") == [("u2",)]


def test_later_feedback_on_their_calls_goes_without_a_trace(lonely: Path) -> None:
    erase_lonely(lonely)
    left = rows(lonely, "select call_key from marts.fct_feedback")
    assert left == [(f"c{number}",) for number in range(5, 10)]


def test_few_invoice_lines_make_no_small_group(path: Path) -> None:
    with duckdb.connect(str(path)) as made:
        made.execute(
            f"create table marts.agg_invoice_gap_daily as select {DAY} as usage_date, * from "
            "(values (2.0, 1), (6.0, 1)) as v(call_count, n_invoice_lines)"
        )
    erase(path, "user", USER)
    assert rows(path, "select call_count from marts.agg_invoice_gap_daily") == [(6,)]


def test_rows_about_an_erased_tenant_go_whatever_their_size(path: Path) -> None:
    erase(path, "tenant", TENANT)
    assert rows(path, "select * from marts.fct_llm_calls") == []
    assert (
        rows(path, "select dimension from marts.agg_calls_daily where dimension = 'tenant'") == []
    )


@pytest.mark.parametrize("other", ["u2", USER])
def test_fingerprints_of_too_few_persons_go_with_one_of_them(path: Path, other: str) -> None:
    """A day's style is that of its writers: only the group's own persons count."""
    policy = Aggregates(
        min_persons=2, dimensions=("feature", "provider", "request_model", "response_model")
    )
    with duckdb.connect(str(path)) as made:
        made.execute("alter table marts.fct_llm_calls add column provider text")
        made.execute("alter table marts.fct_llm_calls add column request_model text")
        made.execute("alter table marts.fct_llm_calls add column response_model text")
        made.execute(
            "update marts.fct_llm_calls set request_model = 'm', user_key = "
            f"case call_key when 'a' then '{USER}' when 'b' then '{other}' else 'u3' end, "
            "response_model = case when call_key in ('a', 'b') then 'm-1' end"
        )
        made.execute(
            "create table judgement.style_fingerprints as select 'f' as feature, 'e' as "
            f"environment, null::text as provider, model, {DAY} + age as fingerprint_date, "
            "n_answers, timestamptz '2026-10-02' as as_of from (values ('m-1', 0, 2), "
            "('m-1', 0, 1), ('m-1', 1, 1), ('m', 0, 4)) as v(model, age, n_answers)"
        )
    with open_session("user", ()) as session:
        session.name(USER, BEFORE)
        store = DatabaseStore(session, path, "a", "db", policy)
        store.note_calls()
        store.erase(Quotes((), ()))
    left = rows(
        path, "select model, day(fingerprint_date), n_answers from judgement.style_fingerprints"
    )
    enough = [("m-1", 1, 2)] if other != USER else []
    assert left == [("m", 1, 4), *enough, ("m-1", 2, 1)]
