"""Which objects are due."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.errors import ConfigError
from include.freezeline.landing.plan import (
    DueObject,
    KnownObject,
    batch_objects,
    plan_landing,
)
from include.freezeline.landing.sources import (
    Source,
    check_sources,
    listing_prefixes,
    source_of,
)

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
TRACES = Source(name="traces", prefixes=("traces/",), expected=True)
EVERYTHING = Source(name="everything", prefixes=("",))
FACT = Source(name="escalations", kind="fact", prefixes=("facts/escalations/",))


@dataclass(frozen=True)
class Listed:
    """A listed object."""

    key: str
    etag: str = "e1"
    size_bytes: int = 10
    modified_at: datetime = datetime(2026, 10, 13, 12, tzinfo=UTC)


def test_plan_takes_new_and_changed_objects_and_skips_known_ones() -> None:
    known_at = datetime(2026, 10, 13, 12, tzinfo=UTC)
    ledger = {
        "traces/known": KnownObject("e1", "traces", known_at),
        "traces/changed": KnownObject("e0", "traces", known_at),
    }
    listing = [Listed("traces/new"), Listed("traces/known"), Listed("traces/changed")]
    plan = plan_landing(listing, ledger, [TRACES], AS_OF)
    assert [due.key for due in plan.due] == ["traces/changed", "traces/new"]
    assert [due.may_replace for due in plan.due] == [True, False]
    assert plan.n_skipped == {"traces": 1}


def test_plan_leaves_an_object_for_a_later_night_when_it_arrives_at_as_of() -> None:
    listing = [
        Listed("traces/year=2026/month=10/day=13/hour=23/minute=59/a"),
        Listed("traces/year=2026/month=10/day=14/hour=00/minute=00/b"),
        Listed("traces/c", modified_at=AS_OF),
    ]
    plan = plan_landing(listing, {}, [TRACES], AS_OF)
    assert [due.key for due in plan.due] == [listing[0].key]
    assert plan.n_not_due == {"traces": 2}


def test_plan_names_a_silent_source_when_nothing_arrived_in_the_night() -> None:
    old = Listed("traces/year=2026/month=10/day=12/a")
    assert plan_landing([old], {}, [TRACES, FACT], AS_OF).silent == ("traces",)
    assert plan_landing([], {}, [TRACES, FACT], AS_OF).silent == ("traces",)


def test_plan_is_not_silent_when_the_lake_holds_the_night_already() -> None:
    ledger = {"traces/x": KnownObject("e1", "traces", datetime(2026, 10, 13, 1, tzinfo=UTC))}
    assert plan_landing([], ledger, [TRACES], AS_OF).silent == ()


def test_plan_marks_every_object_when_an_earlier_run_was_cut_off() -> None:
    plan = plan_landing([Listed("traces/new")], {}, [TRACES], AS_OF, is_resumed=True)
    assert [due.may_replace for due in plan.due] == [True]


def test_source_with_the_longest_prefix_wins_and_others_are_ignored() -> None:
    sources = (EVERYTHING, FACT)
    assert source_of("facts/escalations/a.csv", sources) is FACT
    assert source_of("facts/other/a.csv", sources) is EVERYTHING
    assert source_of("elsewhere/a", (TRACES, FACT)) is None


def test_listing_prefixes_do_not_overlap() -> None:
    assert listing_prefixes((EVERYTHING, FACT, TRACES)) == [""]
    assert listing_prefixes((FACT, TRACES)) == ["facts/escalations/", "traces/"]


@pytest.mark.parametrize(
    "clash",
    [Source(name="traces", prefixes=("other/",)), Source(name="other", prefixes=("traces/",))],
)
def test_sources_are_refused_when_two_share_a_name_or_prefix(clash: Source) -> None:
    with pytest.raises(ConfigError, match=r"traces"):
        check_sources((TRACES, clash))


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 9), st.integers(1, 100))
def test_batches_hold_every_object_once_within_their_bounds(
    sizes: list[int], max_objects: int, max_bytes: int
) -> None:
    due = [
        DueObject(f"k{n:03}", "traces", "traces", "e", size, AS_OF, may_replace=False)
        for n, size in enumerate(sizes)
    ]
    batches = batch_objects(due, max_objects=max_objects, max_bytes=max_bytes)
    assert [item for batch in batches for item in batch] == due
    for batch in batches:
        assert 1 <= len(batch) <= max_objects
        assert len(batch) == 1 or sum(item.size_bytes for item in batch) <= max_bytes
