"""When a night builds everything, and which days settle."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from include.freezeline.slices.plan import (
    BuiltInputs,
    Slice,
    is_worth_a_slice,
    reason_for_everything,
    settled_between,
)

NIGHT = datetime(2026, 10, 13, tzinfo=UTC)
BUILT = BuiltInputs(NIGHT, "code", "policy", "stones")


def test_the_next_night_and_the_same_one_again_are_slices() -> None:
    assert reason_for_everything(BUILT, replace(BUILT, as_of=NIGHT + timedelta(days=1))) is None
    assert reason_for_everything(BUILT, BUILT) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"as_of": NIGHT - timedelta(days=1)}, "knows 2026-10-13 00:00Z already"),
        ({"code_hash": "other"}, "models changed"),
        ({"policy_hash": "other"}, "policy changed"),
        ({"tombstones_hash": "other"}, "erased"),
    ],
)
def test_what_speaks_of_the_whole_past_builds_everything(
    change: dict[str, object], said: str
) -> None:
    assert said in (reason_for_everything(BUILT, replace(BUILT, **change)) or "")  # type: ignore[arg-type]


def test_without_a_build_that_ended_well_there_is_nothing_to_add_to() -> None:
    assert "no build" in (reason_for_everything(None, BUILT) or "")


def test_requests_of_a_day_settle_when_the_maturity_has_passed() -> None:
    nights = settled_between(NIGHT, NIGHT + timedelta(days=2), timedelta(hours=72))
    assert nights == [date(2026, 10, 10), date(2026, 10, 11), date(2026, 10, 12)]
    assert settled_between(NIGHT, NIGHT, timedelta(hours=72)) == []


def test_a_few_days_are_always_worth_a_slice_and_most_days_never() -> None:
    assert is_worth_a_slice(7, 7)
    assert is_worth_a_slice(200, 365)
    assert not is_worth_a_slice(220, 365)


def test_the_variable_names_every_axis_and_each_day_once() -> None:
    day, before = date(2026, 10, 12), date(2026, 10, 11)
    variable = Slice({"event": [day, before, day]}, {"spans": [day]}).as_variable()
    assert variable["touched"]["event"] == ["2026-10-11", "2026-10-12"]
    assert variable["touched"]["arrival"] == []
    assert variable["loaded"] == {"spans": ["2026-10-12"]}
