"""What is still to be told to whom."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.alerts.episodes import open_episodes, plan_events
from include.freezeline.alerts.outbox import due_events
from tests.unit.alerts.builders import NIGHT, POLICY, enabled, event, night, observation

AT = NIGHT + timedelta(minutes=30)


def done(row: dict[str, Any], channel: str, status: str = "delivered") -> dict[str, Any]:
    return {
        "alert_event_key": row["alert_event_key"],
        "channel": channel,
        "delivery_status": status,
    }


def due(events: Any, deliveries: Any = (), kind: str = "pagerduty", at: Any = None) -> list[str]:
    found = due_events(events, deliveries, enabled(kind), at or events[-1]["transitioned_at"])
    return [each.event["transition"] for each in found]


def test_nothing_is_due_while_channels_are_off() -> None:
    assert due_events([event()], [], POLICY, AT) == []


def test_silent_event_is_never_due() -> None:
    assert due([event(is_silent=True)]) == []


def test_delivered_event_is_not_due_again() -> None:
    opened = event()
    assert due([opened]) == ["OPENED"]
    assert due([opened], [done(opened, "pager")]) == []
    assert due([opened], [done(opened, "pager", "failed")]) == ["OPENED"]
    assert due([opened], [done(opened, "quality-chat")]) == ["OPENED"]


def test_less_urgent_alerts_do_not_page() -> None:
    assert due([event(tier="P2")]) == []
    assert due([event(tier="P2")], kind="slack") == ["OPENED"]


def test_only_alertmanager_hears_that_an_alert_lasts() -> None:
    opened, lasts = event(), event(transition="REFRESHED", transitioned_at=night(1))
    assert due([opened, lasts], [done(opened, "pager")]) == []
    assert due([opened, lasts], [done(opened, "quality-chat")], "slack") == []
    assert due([opened, lasts], [done(opened, "alertmanager")], "alertmanager") == ["REFRESHED"]


def test_only_the_last_word_is_sent_late() -> None:
    events = [event(tier="P2"), event(transition="ESCALATED", transitioned_at=night(1), tier="P1")]
    assert due(events) == ["ESCALATED"]
    assert due(events, kind="slack") == ["ESCALATED"]


def test_what_nobody_heard_needs_no_all_clear() -> None:
    events = [event(), event(transition="RESOLVED", transitioned_at=night(2))]
    assert due(events) == []
    assert due(events, [done(events[0], "pager")]) == ["RESOLVED"]


def test_all_clear_reaches_who_heard_even_if_it_is_less_urgent_by_then() -> None:
    events = [
        event(),
        event(transition="DEESCALATED", transitioned_at=night(1), tier="P3"),
        event(transition="RESOLVED", transitioned_at=night(3), tier="P3"),
    ]
    assert due(events, [done(events[0], "pager")]) == ["RESOLVED"]
    assert due(events[:2], [done(events[0], "pager")]) == []


def test_page_that_failed_is_not_sent_once_the_alert_is_less_urgent() -> None:
    events = [event(), event(transition="DEESCALATED", transitioned_at=night(1), tier="P3")]
    assert due(events) == []


def test_page_that_failed_is_sent_while_the_alert_lasts_however_long() -> None:
    lasts = [event(transition="REFRESHED", transitioned_at=night(n)) for n in range(1, 8)]
    assert due([event(), *lasts]) == ["OPENED"]


def test_old_all_clear_is_given_up() -> None:
    events = [event(), event(transition="RESOLVED", transitioned_at=night(2))]
    heard = [done(events[0], "pager")]
    assert due(events, heard, at=night(5)) == ["RESOLVED"]
    assert due(events, heard, at=night(5) + timedelta(hours=1)) == []


@pytest.mark.parametrize(("owner", "expected"), [("serving", ["OPENED"]), ("finops", [])])
def test_channel_takes_alerts_of_its_owners(owner: str, expected: list[str]) -> None:
    on = enabled("slack")
    channels = [{**c.model_dump(), "owners": ["serving"]} for c in on.channels]
    only = type(on).model_validate({**on.model_dump(), "channels": channels})
    found = due_events([event(owner=owner)], [], only, AT)
    assert [each.event["transition"] for each in found] == expected


KINDS = ("slack", "pagerduty", "alertmanager", "webhook")
drawn_nights = st.lists(
    st.tuples(
        st.sampled_from([None, "P0", "P1", "P2", "P3"]),
        st.booleans(),
        st.lists(st.sampled_from(["delivered", "failed", "unconfirmed"]), min_size=12, max_size=12),
    ),
    max_size=12,
)


@given(drawn_nights)
def test_no_channel_hears_anything_twice_however_deliveries_fail(drawn: Any) -> None:
    outbox: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = []
    on = enabled(*KINDS)
    for number, (tier, is_silent, outcomes) in enumerate(drawn):
        before = open_episodes(outbox)
        outbox += plan_events(
            [observation(tier)], before, night(number), POLICY, is_silent=is_silent, scores={}
        )
        chances = iter(outcomes)
        for retry in range(3):  # the task is tried again at once
            at = night(number) + timedelta(minutes=30 + retry)
            sent += [
                {
                    **done(each.event, each.channel.name, next(chances, "failed")),
                    **{name: each.event[name] for name in ("dedup_key", "is_silent", "transition")},
                }
                for each in due_events(outbox, sent, on, at)
            ]
    heard = [row for row in sent if row["delivery_status"] != "failed"]
    assert len({(row["channel"], row["alert_event_key"]) for row in heard}) == len(heard)
    assert not any(row["is_silent"] for row in sent)
    for channel in on.channels:
        for key in {row["dedup_key"] for row in heard}:
            words = [r["transition"] for r in heard
                     if (r["channel"], r["dedup_key"]) == (channel.name, key)]  # fmt: skip
            assert "RESOLVED" not in words[:1]
            assert words.count("OPENED") <= 1
            assert "RESOLVED" not in words[:-1]
