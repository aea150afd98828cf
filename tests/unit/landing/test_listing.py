"""What a night lists: what is new, old dates in their turn, and nothing else."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.freezeline.landing.arrival import arrival_of
from include.freezeline.landing.horizon import EVERYTHING, Horizon, plan_horizon
from include.freezeline.landing.listing import period_of, walk
from include.freezeline.landing.sources import Listing
from tests.unit.landing.buckets import CountingStore, Listed

DAY = timedelta(days=1)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
RULES = Listing()


def horizon(as_of: datetime = AS_OF, *, missed: int = 0) -> Horizon:
    """What a nightly run looks at, after some nights were missed."""
    last = as_of - DAY * (1 + missed)
    return plan_horizon(as_of, last_night=last, interval_start=as_of - DAY, listing=RULES)


def test_first_run_looks_at_everything() -> None:
    assert plan_horizon(AS_OF, last_night=None, interval_start=None, listing=RULES) == EVERYTHING
    assert EVERYTHING.covers(datetime(1, 1, 1, tzinfo=UTC))
    assert EVERYTHING.dates() is None


def test_a_night_looks_at_its_interval_the_days_before_and_old_dates_in_turn() -> None:
    dates = horizon().dates()
    assert dates is not None
    # Three days before the last night (31 October) up to the day that has just begun.
    assert list(dates[-5:]) == [date(2026, 10, day) for day in (28, 29, 30, 31)] + [AS_OF.date()]
    # 7, 14, ... 91 days back.
    assert list(dates[:-5]) == [AS_OF.date() - DAY * age for age in range(91, 0, -7)]


def test_a_backfill_looks_at_its_whole_interval() -> None:
    start = AS_OF - DAY * 40
    found = plan_horizon(AS_OF, last_night=AS_OF, interval_start=start, listing=RULES).dates()
    assert found is not None
    assert set(found) >= {(start + DAY * n).date() for n in range(40)}


@given(st.integers(0, 90), st.lists(st.integers(1, 9), min_size=8, max_size=8))
def test_a_date_up_to_ninety_days_old_is_listed_again_within_seven_nights(
    age_days: int, gaps: list[int]
) -> None:
    """However many nights are missed: what comes after a run is found by the seventh night on."""
    arrived_to = AS_OF - DAY * age_days
    night, is_found = AS_OF, False
    for gap in gaps:
        last, night = night, night + DAY * gap
        looked = plan_horizon(night, last_night=last, interval_start=None, listing=RULES)
        is_found |= looked.covers(arrived_to)
        if night - AS_OF >= DAY * 7:
            break
    assert is_found


def hive(day: datetime, n: int) -> str:
    return f"otel/{day:year=%Y/month=%m/day=%d/hour=}{n % 24:02}/minute={n % 60:02}/traces_{n}.json"


def dated(day: datetime, n: int) -> str:
    return f"otel/dt={day:%Y-%m-%d}/{n}.json"


def folders(day: datetime, n: int) -> str:
    return f"otel/{day:%Y/%m/%d}/{n % 24:02}/{n}.json"


def bare_date(day: datetime, n: int) -> str:
    return f"otel/{day:%Y-%m-%d}/{n % 24:02}/{n}.json"


def by_service(day: datetime, n: int) -> str:
    return f"otel/service-{n % 9}/{day:year=%Y/month=%m/day=%d}/{n}.json"


LAYOUTS = [hive, dated, folders, bare_date, by_service]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_listing_costs_what_is_recent_and_finds_all_of_it(
    layout: Callable[[datetime, int], str],
) -> None:
    """A year and more of nights cost the last one no more than the recent ones."""
    days = [AS_OF - DAY * (age + 1) for age in range(400)]
    store = CountingStore(Listed(layout(day, n)) for day in days for n in range(20))
    found = {item.key for item in walk(store, "otel/", horizon())}
    wanted = {
        item.key
        for item in store.objects
        if horizon().covers(arrival_of(item.key, item.modified_at))
    }
    assert len(wanted) == (4 + 13) * 20
    assert found == wanted
    assert store.n_requests <= (300 if layout is by_service else 45)
    assert store.n_listed <= len(wanted) + (1000 if layout is by_service else 600)


def test_objects_under_folders_that_only_look_like_years_or_dates_are_found() -> None:
    keys = [
        "customers/2023/spans.json",
        "customers/2024/spans.json",
        "releases/2024-01-15/otel/year=2026/month=10/day=31/a.json",
        "releases/2024-02-15/otel/year=2026/month=10/day=31/a.json",
        "flat/spans.json",
        "9999/99/99/a.json",
    ]
    modified_at = AS_OF - timedelta(hours=3)
    store = CountingStore(Listed(key, modified_at) for key in keys)
    assert {item.key for item in walk(store, "", horizon())} == set(keys)


def test_many_undated_folders_are_listed_at_once_unless_partitions_lie_in_them() -> None:
    flat = CountingStore(Listed(f"by-trace/{n:05}/spans.json") for n in range(3000))
    assert len(list(walk(flat, "by-trace/", horizon()))) == 3000
    assert flat.n_requests <= 10
    beside = [Listed(f"mixed/{n:05}/spans.json") for n in range(100)]
    old = [Listed(f"mixed/dt=2020-01-01/{n}.json") for n in range(5000)]
    mixed = CountingStore([*beside, *old, Listed("mixed/top.json")])
    assert len(list(walk(mixed, "mixed/", horizon()))) == 101
    tenants = CountingStore(
        Listed(f"t/{n:05}/dt={day:%Y-%m-%d}/x.json")
        for n in range(100)
        for day in (AS_OF - DAY * age for age in range(1, 200))
    )
    found = list(walk(tenants, "t/", horizon()))
    assert {item.key[11:21] for item in found} == {
        f"{day:%Y-%m-%d}" for day in horizon().dates() or () if day < AS_OF.date()
    }


@given(
    keys=st.lists(
        st.builds(
            "/".join,
            st.lists(
                st.sampled_from(
                    [
                        "a",
                        "b",
                        "2026",
                        "10",
                        "31",
                        "2025",
                        "13",
                        "dt=2026-10-31",
                        "dt=2025-01-01",
                        "2026-10-30",
                        "2025-01-01",
                        "year=2026",
                        "month=10",
                        "day=30",
                        "day=01",
                    ]
                ),
                max_size=5,
            ),
        ).map(lambda folder: f"{folder}/x".lstrip("/")),
        unique=True,
        max_size=25,
    )
)
@hypothesis_settings(max_examples=150)
def test_walking_shows_each_object_at_most_once_and_misses_none_that_names_its_time(
    keys: list[str],
) -> None:
    store = CountingStore(Listed(key, datetime(2020, 1, 1, tzinfo=UTC)) for key in keys)
    found = [item.key for item in walk(store, "", horizon())]
    assert len(found) == len(set(found))
    near = {
        item.key
        for item in store.objects
        if period_of(item.key) is not None
        and horizon().covers(arrival_of(item.key, item.modified_at))
        and not _contradicts(item.key)
    }
    assert near <= set(found)


def _contradicts(key: str) -> bool:
    """Whether a key names several times, so that it is not clear when it arrived."""
    names = key.split("/")[:-1]
    return sum(name.startswith(("dt=", "year=", "20")) for name in names) > 1


@pytest.mark.parametrize(
    ("folder", "first", "end"),
    [
        ("a/year=2026/", "2026-01-01", "2027-01-01"),
        ("a/2026/12/", "2026-12-01", "2027-01-01"),
        ("a/year=2026/month=2/", "2026-02-01", "2026-03-01"),
        ("dt=2026-02-28/", "2026-02-28", "2026-03-01"),
    ],
)
def test_folders_name_the_time_they_hold(folder: str, first: str, end: str) -> None:
    period = period_of(folder)
    assert period is not None
    assert [f"{moment:%Y-%m-%d}" for moment in period] == [first, end]


@pytest.mark.parametrize("folder", ["a/", "year=2026x/", "0000/", "a/2026/13/", "month=10/", ""])
def test_other_folders_name_no_time(folder: str) -> None:
    assert period_of(folder) is None or folder == "a/2026/13/"
