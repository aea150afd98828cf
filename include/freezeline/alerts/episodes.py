"""What people are to be told: pure transitions of alerts from one night to the next.

The outbox is the memory. A night plans from the events of earlier nights alone, so planning it
again gives the same events; what is already in the outbox is never changed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from include.freezeline.alerts.policy import AlertPolicy, more_urgent
from include.freezeline.contracts.judgement_alerts import AlertTier, Transition
from include.freezeline.hashing import stable_hash

Row = Mapping[str, Any]
_MAX_DEDUP_CHARS = 255


@dataclass(frozen=True, slots=True)
class Identity:
    """What an alert is about; one episode of it is open at a time."""

    environment: str
    signal: str
    feature: str
    family: str


@dataclass(frozen=True, slots=True)
class Observation:
    """How something that may be alerted on stands in a night.

    Attributes:
        identity: What it is about.
        tier: How urgent it is; None when nothing is wrong.
        is_known: False when too little is known: an open alert stays open, none opens.
        owner: Who answers for it.
        runbook: Where it says what to do.
        summary: The alert in one sentence.
        details: Numbers and contributors.
        repeat_after: Time after which it is told again while it lasts; None for never.
    """

    identity: Identity
    tier: AlertTier | None
    is_known: bool
    owner: str
    runbook: str
    summary: str
    details: Mapping[str, Any] = field(default_factory=dict)
    repeat_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """An open alert, as the outbox remembers it; ``told_tier`` is None while nobody was told."""

    identity: Identity
    dedup_key: str
    started_at: datetime
    tier: AlertTier
    told_tier: AlertTier | None
    n_clean: int
    reminded_at: datetime | None
    owner: str
    runbook: str


def open_episodes(events: Iterable[Row]) -> dict[Identity, Episode]:
    """Return the alerts that are open after some events of the outbox."""
    found: dict[Identity, Episode] = {}
    for row in sorted(events, key=lambda each: (each["transitioned_at"], each["dedup_key"])):
        identity = Identity(row["environment"], row["signal"], row["feature"], row["family"])
        if row["transition"] == "RESOLVED":
            if identity in found and found[identity].dedup_key == row["dedup_key"]:
                del found[identity]
        else:
            found[identity] = _episode(identity, row, found.get(identity))
    return found


def unplanned(rows: Iterable[Row], existing: Iterable[Row]) -> list[Row]:
    """Return the rows about what the same night has not spoken of yet.

    What was said stays said: a night that is planned again, with other numbers or as a backfill,
    adds nothing about an alert that it has a word on; the next night corrects it.
    """
    spoken = {_spoken(row) for row in existing}
    return [row for row in rows if _spoken(row) not in spoken]


def _spoken(row: Row) -> tuple[object, ...]:
    """Return which alert and night a row is about."""
    names = ("environment", "signal", "feature", "family", "transitioned_at")
    return tuple(row[name] for name in names)


def plan_events(
    observations: Sequence[Observation],
    episodes: Mapping[Identity, Episode],
    as_of: datetime,
    policy: AlertPolicy,
    *,
    is_silent: bool,
    scores: Mapping[tuple[str, str], float | None],
) -> list[dict[str, Any]]:
    """Return the outbox rows of a night, without revision and content hash.

    Args:
        observations: What stands how, each identity once.
        episodes: Alerts that were open before the night.
        as_of: The night.
        policy: The rules.
        is_silent: Whether it is a backfill, of which nobody is told.
        scores: Composite scores by feature and environment.
    """
    seen = {identity: _no_longer_judged(episode) for identity, episode in episodes.items()}
    seen |= {item.identity: item for item in observations}
    rows = []
    for identity in sorted(seen, key=_order):
        found, episode = seen[identity], episodes.get(identity)
        row = _plan_one(found, episode, as_of, policy, is_silent=is_silent)
        if row is not None:
            score = scores.get((identity.feature, identity.environment))
            rows.append({**row, "composite_score": score})
    return rows


def dedup_key_of(identity: Identity, started_at: datetime) -> str:
    """Return the key that all that is said about one episode carries.

    Its parts are escaped, so that no feature's name can take another one's key, and it fits what
    PagerDuty allows.
    """
    parts = (identity.environment, identity.signal, identity.feature, identity.family)
    escaped = [part.replace("%", "%25").replace(":", "%3A") for part in parts]
    key = ":".join(["freezeline", *escaped, started_at.strftime("%Y-%m-%dT%H%M%SZ")])
    if len(key) <= _MAX_DEDUP_CHARS:
        return key
    return f"{key[: _MAX_DEDUP_CHARS - 33]}:{stable_hash(key)}"


def _plan_one(
    found: Observation,
    episode: Episode | None,
    as_of: datetime,
    policy: AlertPolicy,
    *,
    is_silent: bool,
) -> dict[str, Any] | None:
    """Return what is said about one alert tonight; None where there is nothing."""
    if episode is None:
        if found.tier is None or not found.is_known:
            return None
        fresh = _fresh_episode(found, found.tier, as_of)
        return _row(found, fresh, "OPENED", as_of, is_silent=is_silent, earlier=None)
    if not found.is_known:
        return _stay(found, episode, as_of, 0, is_silent=is_silent)
    if found.tier is None:
        return _clear(found, episode, as_of, policy, is_silent=is_silent)
    return _last(found, found.tier, episode, as_of, is_silent=is_silent)


def _last(
    found: Observation, tier: AlertTier, episode: Episode, as_of: datetime, *, is_silent: bool
) -> dict[str, Any]:
    """Say that an alert lasts: more urgent, less urgent, a reminder, or as before."""
    before = episode.tier if is_silent else episode.told_tier
    is_due = not is_silent and _is_reminder_due(found, episode, as_of)
    now = replace(
        episode, tier=tier, n_clean=0, owner=found.owner, runbook=found.runbook,
        reminded_at=as_of if is_due else episode.reminded_at,
    )  # fmt: skip
    transition: Transition
    if before is None:
        # A backfill found it; the first live night tells it.
        transition, now = "OPENED", replace(now, reminded_at=None)
    elif tier != before:
        transition = "ESCALATED" if more_urgent(tier, before) else "DEESCALATED"
    else:
        transition = "REMINDED" if is_due else "REFRESHED"
    return _row(found, now, transition, as_of, is_silent=is_silent, earlier=before)


def _is_reminder_due(found: Observation, episode: Episode, as_of: datetime) -> bool:
    """Whether it is time to say again that an alert lasts."""
    if found.repeat_after is None or episode.told_tier is None:
        return False
    return as_of - (episode.reminded_at or episode.started_at) >= found.repeat_after


def _clear(
    found: Observation, episode: Episode, as_of: datetime, policy: AlertPolicy, *, is_silent: bool
) -> dict[str, Any]:
    """Count a clean night; enough of them resolve the alert.

    A backfill does not resolve what people were told: nobody would tell them.
    """
    n_clean = episode.n_clean + 1
    if n_clean < policy.clear_after or (is_silent and episode.told_tier is not None):
        return _stay(found, episode, as_of, n_clean, is_silent=is_silent)
    after = replace(episode, n_clean=n_clean)
    return _row(found, after, "RESOLVED", as_of, is_silent=is_silent, earlier=episode.tier)


def _stay(
    found: Observation, episode: Episode, as_of: datetime, n_clean: int, *, is_silent: bool
) -> dict[str, Any]:
    """Keep an alert open that is clean for too short a time, or about which nothing is known."""
    after = replace(episode, n_clean=n_clean)
    return _row(found, after, "REFRESHED", as_of, is_silent=is_silent, earlier=episode.tier)


def _fresh_episode(found: Observation, tier: AlertTier, as_of: datetime) -> Episode:
    """Return an episode that begins."""
    key = dedup_key_of(found.identity, as_of)
    return Episode(found.identity, key, as_of, tier, None, 0, None, found.owner, found.runbook)


def _row(
    found: Observation,
    episode: Episode,
    transition: Transition,
    as_of: datetime,
    *,
    is_silent: bool,
    earlier: AlertTier | None,
) -> dict[str, Any]:
    """Return an outbox row."""
    # What nobody was told needs no correction either.
    is_told = episode.told_tier is not None
    is_row_silent = is_silent or (transition != "OPENED" and not is_told)
    identity = episode.identity
    return {
        "alert_event_key": stable_hash(episode.dedup_key, transition, as_of),
        "as_of": as_of,
        "dedup_key": episode.dedup_key,
        "transition": transition,
        "feature": identity.feature,
        "environment": identity.environment,
        "signal": identity.signal,
        "family": identity.family,
        "tier": episode.tier,
        "earlier_tier": earlier,
        "episode_started_at": episode.started_at,
        "transitioned_at": as_of,
        "is_silent": is_row_silent,
        "is_told": is_told or not is_row_silent,
        "clean_run_count": episode.n_clean,
        "reminded_at": episode.reminded_at,
        "owner": episode.owner,
        "runbook": episode.runbook,
        "summary": found.summary,
        "details": json.dumps(found.details, sort_keys=True, default=str),
    }


def _no_longer_judged(episode: Episode) -> Observation:
    """Return a clean observation of what is not judged any more."""
    return Observation(
        episode.identity,
        None,
        is_known=True,
        owner=episode.owner,
        runbook=episode.runbook,
        summary=f"{episode.identity.signal} of {episode.identity.feature} is not judged any more",
    )


def _episode(identity: Identity, row: Row, before: Episode | None) -> Episode:
    """Read an episode back from its last event; what was told, from its last loud one."""
    told = before.told_tier if before and before.dedup_key == row["dedup_key"] else None
    return Episode(
        identity,
        row["dedup_key"],
        row["episode_started_at"],
        row["tier"],
        told if row["is_silent"] else row["tier"],
        row["clean_run_count"],
        row["reminded_at"],
        row["owner"],
        row["runbook"],
    )


def _order(identity: Identity) -> tuple[str, str, str, str]:
    """Sort alerts by whom they are about."""
    return (identity.feature, identity.environment, identity.family, identity.signal)
