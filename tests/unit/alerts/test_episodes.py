"""Transitions of alerts from night to night, and the outbox as their memory."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.alerts.episodes import (
    Identity,
    dedup_key_of,
    open_episodes,
    plan_events,
    unplanned,
)
from tests.unit.alerts.builders import IDENTITY, NIGHT, POLICY, night, observation, policy

OK = observation(None)
UNKNOWN = observation(None, is_known=False)
Outbox = list[dict[str, Any]]


def plan(outbox: Outbox, number: int, found: Any, *, is_silent: bool = False) -> Outbox:
    """Plan one night from the earlier ones and write what is new, as the job does."""
    before = [row for row in outbox if row["transitioned_at"] < night(number)]
    same = [row for row in outbox if row["transitioned_at"] == night(number)]
    rows = plan_events(
        [found] if found else [], open_episodes(before), night(number), POLICY,
        is_silent=is_silent, scores={("support-assistant", "production"): 0.3},
    )  # fmt: skip
    fresh = [dict(row) for row in unplanned(rows, same)]
    outbox.extend(fresh)
    return fresh


def play(*nights: Any, silent: tuple[int, ...] = ()) -> Outbox:
    """Plan nights in a row."""
    outbox: Outbox = []
    for number, found in enumerate(nights):
        plan(outbox, number, found, is_silent=number in silent)
    return outbox


def said(outbox: Outbox) -> list[str]:
    return [row["transition"] for row in outbox]


def test_alert_opens_lasts_and_resolves_after_two_clean_nights() -> None:
    outbox = play(OK, observation("P2"), observation("P2"), OK, OK, OK)
    assert said(outbox) == ["OPENED", "REFRESHED", "REFRESHED", "RESOLVED"]
    assert len({row["dedup_key"] for row in outbox}) == 1
    assert outbox[0]["dedup_key"] == (
        "freezeline:production:ttft-p99:support-assistant:latency:2026-10-15T000000Z"
    )
    assert outbox[0]["composite_score"] == 0.3


def test_change_of_tier_keeps_the_incident() -> None:
    outbox = play(observation("P2"), observation("P1"), observation("P3"))
    assert said(outbox) == ["OPENED", "ESCALATED", "DEESCALATED"]
    assert [row["earlier_tier"] for row in outbox] == [None, "P2", "P1"]
    assert len({row["dedup_key"] for row in outbox}) == 1


def test_a_clean_night_in_between_resolves_nothing() -> None:
    assert said(play(observation("P2"), OK, observation("P2"), OK, OK))[-1] == "RESOLVED"
    assert said(play(observation("P2"), OK, observation("P2"), OK)).count("RESOLVED") == 0


def test_nothing_known_neither_opens_nor_resolves() -> None:
    assert play(UNKNOWN) == []
    outbox = play(observation("P2"), OK, UNKNOWN, OK)
    assert "RESOLVED" not in said(outbox)


def test_what_is_not_judged_any_more_resolves() -> None:
    outbox = play(observation("P2"), None, None)
    assert said(outbox)[-1] == "RESOLVED"
    assert "not judged any more" in outbox[-1]["summary"]


def test_new_episode_has_a_key_of_its_own() -> None:
    outbox = play(observation("P2"), OK, OK, observation("P2"))
    assert said(outbox) == ["OPENED", "REFRESHED", "RESOLVED", "OPENED"]
    assert outbox[0]["dedup_key"] != outbox[-1]["dedup_key"]


def test_backfill_is_silent_and_the_first_live_night_tells() -> None:
    outbox = play(observation("P2"), observation("P2"), observation("P2"), silent=(0, 1))
    assert [(row["transition"], row["is_silent"]) for row in outbox] == [
        ("OPENED", True), ("REFRESHED", True), ("OPENED", False),
    ]  # fmt: skip
    assert len({row["dedup_key"] for row in outbox}) == 1


def test_nobody_hears_of_the_end_of_what_nobody_was_told() -> None:
    outbox = play(observation("P2"), OK, OK, silent=(0,))
    assert said(outbox)[-1] == "RESOLVED"
    assert all(row["is_silent"] for row in outbox)


def test_escalation_in_a_late_night_is_told_by_the_next_live_one() -> None:
    outbox = play(observation("P2"), observation("P1"), observation("P1"), silent=(1,))
    loud = [(row["transition"], row["earlier_tier"]) for row in outbox if not row["is_silent"]]
    assert loud == [("OPENED", None), ("ESCALATED", "P2")]


def test_late_night_does_not_resolve_what_people_were_told() -> None:
    outbox = play(observation("P2"), OK, OK, OK, silent=(2,))
    loud = [row["transition"] for row in outbox if not row["is_silent"]]
    assert loud == ["OPENED", "REFRESHED", "RESOLVED"]


def test_freeze_is_told_again_each_day_while_it_lasts() -> None:
    frozen = observation("P2", repeat_after=timedelta(hours=24))
    assert said(play(frozen, frozen, frozen)) == ["OPENED", "REMINDED", "REMINDED"]
    recovering = observation("P2")
    assert said(play(frozen, recovering)) == ["OPENED", "REFRESHED"]


def test_night_with_other_numbers_adds_nothing_where_it_spoke() -> None:
    outbox = play(observation("P2"), observation("P2"))
    assert plan(outbox, 1, observation("P1")) == []
    assert plan(outbox, 1, observation("P2"), is_silent=True) == []
    assert said(outbox + plan(outbox, 2, observation("P1")))[-1] == "ESCALATED"


drawn_nights = st.lists(
    st.tuples(st.sampled_from([None, "P0", "P1", "P2", "P3", "UNKNOWN", "GONE"]), st.booleans()),
    max_size=14,
)


def as_found(drawn: str | None) -> Any:
    if drawn == "GONE":
        return None
    return UNKNOWN if drawn == "UNKNOWN" else observation(drawn)


@given(drawn_nights, st.data())
def test_planning_a_night_again_gives_no_new_row(drawn: Any, data: Any) -> None:
    outbox: Outbox = []
    for number, (tier, is_silent) in enumerate(drawn):
        plan(outbox, number, as_found(tier), is_silent=is_silent)
        assert plan(outbox, number, as_found(tier), is_silent=is_silent) == []
    if drawn:
        again = data.draw(st.integers(0, len(drawn) - 1))
        tier, _ = drawn[again]
        assert plan(outbox, again, as_found(tier), is_silent=True) == []


@given(drawn_nights)
def test_episode_is_triggered_once_and_resolved_once(drawn: Any) -> None:
    outbox: Outbox = []
    for number, (tier, is_silent) in enumerate(drawn):
        plan(outbox, number, as_found(tier), is_silent=is_silent)
    by_key: dict[str, list[dict[str, Any]]] = {}
    for row in outbox:
        by_key.setdefault(row["dedup_key"], []).append(row)
    for rows in by_key.values():
        loud = Counter(row["transition"] for row in rows if not row["is_silent"])
        assert loud["OPENED"] <= 1
        assert sum(row["transition"] == "RESOLVED" for row in rows) <= 1
        if loud:
            assert next(r["transition"] for r in rows if not r["is_silent"]) == "OPENED"
        assert "RESOLVED" not in said(rows)[:-1]
    assert len({row["alert_event_key"] for row in outbox}) == len(outbox)
    assert all(row["runbook"] and row["owner"] for row in outbox)


@pytest.mark.parametrize("feature", ["a:b", "x" * 300, "a%3Ab", "évén"])
def test_dedup_keys_are_short_and_never_collide(feature: str) -> None:
    odd = Identity("production", "ttft-p99", feature, "latency")
    other = Identity("production", "ttft-p99", feature + "x", "latency")
    assert len(dedup_key_of(odd, NIGHT)) <= 255
    assert dedup_key_of(odd, NIGHT) != dedup_key_of(other, NIGHT)
    split = Identity("production", "ttft-p99:a", "b", "latency")
    joined = Identity("production", "ttft-p99", "a:b", "latency")
    assert dedup_key_of(split, NIGHT) != dedup_key_of(joined, NIGHT)
    assert dedup_key_of(IDENTITY, NIGHT).count(":") == 5


def test_clear_after_is_the_policys() -> None:
    rows = plan_events(
        [OK], open_episodes(play(observation("P2"))), night(1), policy(clear_after=1),
        is_silent=False, scores={},
    )  # fmt: skip
    assert [row["transition"] for row in rows] == ["RESOLVED"]
