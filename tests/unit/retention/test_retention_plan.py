"""What is past its time."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.config import config_dir
from include.freezeline.errors import ConfigError, RetentionError
from include.freezeline.retention.inventory import (
    ArchiveItem,
    Holding,
    Inventory,
    LakeItem,
    SnapshotItem,
    WarehouseItem,
    count_holdings,
)
from include.freezeline.retention.plan import (
    parse_plan,
    plan_retention,
    plan_to_json,
)
from include.freezeline.retention.policy import (
    LegalHold,
    RetentionPolicy,
    load_retention_policy,
)
from include.freezeline.settings import Settings

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
TODAY = AS_OF.date()
POLICY = RetentionPolicy.model_validate(
    {
        "hot": {"default_days": 30, "days_by_environment": {"staging": 7}},
        "warm": {
            "spans": {
                "default_days": 90,
                "days_by_environment": {"staging": 10},
                "then": "archive",
            },
            "quarantine": {"default_days": 40, "then": "delete"},
            "judgement": {"default_days": 300, "then": "delete"},
        },
        "cold": {"default_days": 1000},
        "snapshots": {"max_count": 3, "max_days": 30},
    }
)


def span_file(age_days: int, *holdings: Holding) -> LakeItem:
    event_date = TODAY - timedelta(days=age_days)
    return LakeItem(f"lake/spans/dt={event_date}/a.parquet", "spans", event_date, holdings)


def planned(inventory: Inventory, policy: RetentionPolicy = POLICY) -> list[tuple[str, str]]:
    plan = plan_retention(inventory, policy, AS_OF)
    return [(action.kind, action.environments[0]) for action in plan.actions]


@pytest.mark.parametrize(
    ("age_days", "expected"),
    [
        (7, []),
        (8, [("empty_texts", "staging")]),
        (11, [("archive_rows", "staging")]),
        (31, [("archive_rows", "staging"), ("empty_texts", "production")]),
        (91, [("archive_rows", "production"), ("archive_rows", "staging")]),
    ],
)
def test_rows_pass_through_the_tiers_of_their_environment(
    age_days: int, expected: list[tuple[str, str]]
) -> None:
    item = span_file(age_days, Holding("production", 9, 9), Holding("staging", 2, 2))
    assert planned(Inventory(lake=(item,))) == expected


def test_nothing_is_planned_for_texts_when_they_are_empty_already() -> None:
    assert planned(Inventory(lake=(span_file(60, Holding("production", 9, 0)),))) == []


def test_snapshots_go_when_too_many_or_too_old_but_never_the_newest() -> None:
    snapshots = tuple(SnapshotItem(f"s{n}", AS_OF - timedelta(days=n)) for n in (0, 1, 2, 3, 50))
    plan = plan_retention(Inventory(snapshots=snapshots), POLICY, AS_OF)
    assert [action.target for action in plan.actions] == ["s3", "s50"]
    lonely = Inventory(snapshots=(SnapshotItem("old", AS_OF - timedelta(days=900)),))
    assert planned(lonely) == []


def test_a_held_file_is_left_alone_and_counted() -> None:
    hold = LegalHold(
        name="case-1",
        environment="production",
        from_date=TODAY - timedelta(days=100),
        to_date=TODAY - timedelta(days=90),
        reason="dispute",
    )
    policy = POLICY.model_copy(update={"legal_holds": (hold,)})
    item = span_file(95, Holding("production", 9, 9), Holding("staging", 2, 2))
    plan = plan_retention(Inventory(lake=(item,)), policy, AS_OF)
    assert [action.environments for action in plan.actions] == [("staging",)]
    assert plan.n_held == 1


def test_plan_survives_json_and_is_refused_when_it_was_edited() -> None:
    item = span_file(95, Holding("production", 9, 9))
    plan = plan_retention(Inventory(lake=(item,)), POLICY, AS_OF)
    assert len(plan.actions) == 1
    assert parse_plan(plan_to_json(plan)) == plan
    with pytest.raises(RetentionError, match=r"content was changed"):
        parse_plan(plan_to_json(plan).replace("dt=", "dt=x"))


def test_a_class_wins_over_the_environment_and_decides_what_becomes_of_rows() -> None:
    policy = RetentionPolicy.model_validate(
        {
            **POLICY.model_dump(),
            "hot": {"default_days": 30, "days_by_class": {"health": 5, "open": 60}},
            "warm": {
                "spans": {
                    "default_days": 90,
                    "then": "delete",
                    "then_by_class": {"books": "archive"},
                }
            },
        }
    )
    young = span_file(
        31,
        Holding("production", 1, 1, "health"),
        Holding("production", 1, 1, "open"),
        Holding("production", 1, 1),
    )
    plan = plan_retention(Inventory(lake=(young,)), policy, AS_OF)
    assert [(a.data_class, a.reason) for a in plan.actions] == [
        ("*", "hot: 30 days are over"),
        ("health", "hot: 5 days are over"),
    ]
    old = span_file(91, Holding("production", 1, 0, "books"), Holding("production", 1, 0))
    ends = plan_retention(Inventory(lake=(old,)), policy, AS_OF).actions
    assert [(a.kind, a.data_class) for a in ends] == [
        ("archive_rows", "books"),
        ("delete_rows", "*"),
    ]


def test_plan_says_what_goes_and_why_and_leaves_out_what_goes_with_its_snapshot() -> None:
    target = "snapshots/as_of=2026-01-01T000000Z.duckdb"
    rows = WarehouseItem(f"{target}:marts.fct_call_texts", "text_rows", date(2026, 1, 1), "*", 9)
    newest = SnapshotItem("snapshots/new.duckdb", AS_OF)
    snapshot = SnapshotItem(target, datetime(2026, 1, 1, tzinfo=UTC))
    item = span_file(60, Holding("production", 9, 7))
    plan = plan_retention(
        Inventory(lake=(item,), snapshots=(snapshot, newest), warehouse=(rows,)), POLICY, AS_OF
    )
    assert [action.kind for action in plan.actions] == ["delete_snapshot", "empty_texts"]
    assert plan.lines()[1:] == [
        "  delete_snapshot, snapshots.max_days: 30: 1 targets, 0 rows",
        "  empty_texts of lake/spans for production/*, hot: 30 days are over: 1 targets, 7 rows",
    ]
    assert plan.actions[1].text() == (
        "empty_texts lake/spans/dt=2026-08-15/a.parquet (2026-08-15, 7 rows of production/*): "
        "hot: 30 days are over"
    )


def test_packaged_policy_keeps_production_texts_long_enough_for_drift_and_shorter_than_staging(
    settings: Settings,
) -> None:
    policy = load_retention_policy(config_dir(settings))
    assert 56 <= policy.hot.days("production") < policy.hot.days("staging")
    assert policy.hot.days("staging", "health") < policy.hot.days("production")
    assert set(policy.warm) >= {"spans", "evaluations", "facts", "quarantine", "judgement"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"snapshots": {"max_count": 3, "max_days": 31}}, r"snapshots hold texts"),
        ({"cold": {"default_days": 50}}, r"warm.spans.default_days must be below"),
        ({"hot": {"default_dayz": 1}}, r"hot.default_d"),
        (
            {
                "legal_holds": [
                    {"name": "x", "from_date": "2026-02-02", "to_date": "2026-02-01", "reason": "r"}
                ]
            },
            r"swap them",
        ),
    ],
)
def test_policy_is_refused_when_its_tiers_contradict(
    change: dict[str, object], message: str
) -> None:
    from pathlib import Path

    from include.freezeline.config import parse_config

    document = {**POLICY.model_dump(mode="json"), **change}
    with pytest.raises(ConfigError, match=message):
        parse_config(RetentionPolicy, Path("config/retention.yml"), document)


def test_holdings_are_counted_by_environment() -> None:
    rows = [
        ("production", "health", True),
        ("production", None, True),
        ("production", None, False),
        (None, None, False),
    ]
    assert count_holdings(rows) == (
        Holding("*", 1, 0),
        Holding("production", 2, 1),
        Holding("production", 1, 1, "health"),
    )


ages = st.integers(0, 3000)
environments = st.sampled_from(["production", "staging", "development"])
holdings = st.builds(Holding, environments, st.integers(1, 5), st.integers(0, 1))


@given(
    st.lists(st.tuples(ages, st.lists(holdings, max_size=3, unique_by=lambda h: h.environment))),
    st.lists(st.tuples(ages, environments), max_size=5),
    st.lists(ages, max_size=8),
    st.lists(st.tuples(ages, st.integers(0, 40), environments | st.just("*")), max_size=3),
)
def test_plan_never_touches_what_is_young_or_held(
    files: list[tuple[int, list[Holding]]],
    archived: list[tuple[int, str]],
    snapshots: list[int],
    holds: list[tuple[int, int, str]],
) -> None:
    def day(age: int) -> date:
        return TODAY - timedelta(days=age)

    inventory = Inventory(
        lake=tuple(span_file(age, *held) for age, held in files),
        archive=tuple(
            ArchiveItem(f"a{n}", day(age), (env,), 1) for n, (age, env) in enumerate(archived)
        ),
        snapshots=tuple(SnapshotItem(f"s{age}", AS_OF - timedelta(days=age)) for age in snapshots),
        warehouse=tuple(
            WarehouseItem(
                "marts.fct_call_texts",
                holds="text_rows",
                event_date=day(age),
                environment=env,
                n_rows=1,
            )
            for age, env in archived
        ),
    )
    policy = POLICY.model_copy(
        update={
            "legal_holds": tuple(
                LegalHold(
                    name="h",
                    environment=env,
                    from_date=day(age + width),
                    to_date=day(age),
                    reason="r",
                )
                for age, width, env in holds
            )
        }
    )
    limits = {
        "empty_texts": policy.hot,
        "archive_rows": policy.warm["spans"],
        "delete_archive": policy.cold,
        "delete_warehouse_rows": policy.hot,
    }
    for action in plan_retention(inventory, policy, AS_OF).actions:
        age = (TODAY - action.event_date).days
        if action.kind == "delete_snapshot":
            assert age > policy.snapshots.max_days or len(snapshots) > policy.snapshots.max_count
            continue
        (environment,) = action.environments
        assert age > limits[action.kind].days(environment)
        assert not policy.is_held(action.event_date, environment)
