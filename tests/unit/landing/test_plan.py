"""Which objects are due."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.errors import ConfigError
from include.freezeline.landing.horizon import Horizon
from include.freezeline.landing.plan import (
    DueObject,
    KnownObject,
    batch_objects,
    plan_landing,
    unplaced_keys,
)
from include.freezeline.landing.sources import (
    Source,
    check_sources,
    listing_prefixes,
    source_of,
)
from tests.unit.landing.buckets import Listed

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
TRACES = Source(name="traces", prefixes=("traces/",), expected=True)
EVERYTHING = Source(name="everything", prefixes=("",))
FACT = Source(name="escalations", kind="fact", prefixes=("facts/escalations/",))


def test_plan_takes_new_and_changed_objects_and_skips_known_ones() -> None:
    known_at = datetime(2026, 10, 13, 12, tzinfo=UTC)
    ledger = {
        "traces/known": KnownObject("e1", 10, known_at),
        "traces/changed": KnownObject("e0", 10, known_at),
        "traces/longer": KnownObject("e1", 9, known_at - timedelta(days=3)),
    }
    names = ("new", "known", "changed", "longer")
    plan = plan_landing([Listed(f"traces/{name}") for name in names], ledger, [TRACES], AS_OF)
    assert [due.key for due in plan.due] == ["traces/changed", "traces/longer", "traces/new"]
    assert [due.may_replace for due in plan.due] == [True, True, False]
    assert [due.was_on and due.was_on.day for due in plan.due] == [13, 10, None]
    assert plan.n_skipped == {"traces": 1}


def test_bytes_are_read_for_a_version_tag_only_when_the_ledger_knows_the_object() -> None:
    asked: list[str] = []

    class Unhashed(Listed):
        @property
        def etag(self) -> str:
            asked.append(self.key)
            return "e1"

    ledger = {
        "traces/known": KnownObject("e1", 10, AS_OF),
        "traces/longer": KnownObject("e1", 9, AS_OF),
    }
    at = AS_OF - timedelta(hours=1)
    listing = [Unhashed(f"traces/{name}", at, 10, None) for name in ("known", "longer", "new")]
    listing.append(Unhashed("traces/old", AS_OF - timedelta(days=40), 10, None))
    horizon = Horizon(((date(2026, 10, 10), date(2026, 10, 15)),))
    plan = plan_landing(listing, ledger, [TRACES], AS_OF, horizon=horizon)
    assert asked == ["traces/known"]
    assert [(due.key, due.etag) for due in plan.due] == [("traces/longer", ""), ("traces/new", "")]


def test_only_keys_without_a_time_are_looked_for_under_other_dates() -> None:
    dated = "traces/year=2026/month=10/day=13/a"
    listing = [Listed(dated), Listed("traces/a"), Listed("traces/known")]
    listing.append(Listed("traces/old", AS_OF - timedelta(days=40)))
    horizon = Horizon(((date(2026, 10, 10), date(2026, 10, 15)),))
    ledger = {"traces/known": KnownObject("e1", 10, AS_OF)}
    assert unplaced_keys(listing, ledger, horizon) == {"traces/a"}


def test_plan_leaves_an_object_for_a_later_night_when_it_arrives_at_as_of() -> None:
    listing = [
        Listed("traces/year=2026/month=10/day=13/hour=23/minute=59/a"),
        Listed("traces/year=2026/month=10/day=14/hour=00/minute=00/b"),
        Listed("traces/c", modified_at=AS_OF),
    ]
    plan = plan_landing(listing, {}, [TRACES], AS_OF)
    assert [due.key for due in plan.due] == [listing[0].key]
    assert plan.n_not_due == {"traces": 2}


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
