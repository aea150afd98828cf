"""Alert: plan what people are to be told about a night, and what may help."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.alerts.episodes import (
    Episode,
    Identity,
    Observation,
    open_episodes,
    plan_events,
    unplanned,
)
from include.freezeline.alerts.observe import COMPOSITE, RELEASE, observe_night, unjudged
from include.freezeline.alerts.policy import AlertPolicy, load_alert_policy
from include.freezeline.alerts.signals import Signal, score_signals, slo_signal, verdict_signals
from include.freezeline.config import config_dir
from include.freezeline.contracts.judgement import ALERT_EVENTS, RECOMMENDED_ACTIONS
from include.freezeline.errors import AlertError
from include.freezeline.jobs.alert_reads import (
    NightFound,
    load_found,
    load_night_events,
    load_open_events,
    newest_decided,
)
from include.freezeline.jobs.decide import DecideSummary, Progress, decide
from include.freezeline.jobs.flag_rows import listed_slos
from include.freezeline.jobs.recommend import action_rows
from include.freezeline.reports.queries import has_table
from include.freezeline.settings import Settings

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AlertPlan:
    """What a night has to say.

    Attributes:
        as_of: The night.
        is_silent: Whether it is a backfill, of which nobody is told.
        events: Outbox rows that are new.
        actions: Recommended actions.
        tiers: New events by tier.
        n_rows_written: Rows appended; 0 when the night had spoken already.
    """

    as_of: datetime
    is_silent: bool
    events: tuple[Row, ...]
    actions: tuple[Row, ...]
    tiers: dict[str, int]
    n_rows_written: int


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """An :class:`AlertPlan` in numbers, for the log."""

    is_silent: bool
    n_events: int
    n_actions: int
    tiers: dict[str, int]
    n_rows_written: int


@dataclass(frozen=True, slots=True)
class NightSummary:
    """What was decided, and what is to be said about it."""

    decisions: DecideSummary
    alerts: PlanSummary


def decide_and_plan(
    settings: Settings,
    as_of: datetime,
    interval_start: datetime,
    at: datetime,
    progress: Progress | None = None,
) -> NightSummary:
    """Decide an interval, then plan what to say about its last night.

    Args:
        settings: Where warehouse and policies are.
        as_of: Exclusive end of the interval.
        interval_start: Its start.
        at: Time of planning.
        progress: Told about each tenth night.

    Raises:
        ConfigError: A policy is wrong; told before anything is decided.
    """
    load_alert_policy(config_dir(settings))
    decisions = decide(settings, interval_start, as_of, progress)
    if not decisions.states:
        return NightSummary(decisions, PlanSummary(True, 0, 0, {}, 0))  # noqa: FBT003
    return NightSummary(decisions, plan_alerts(settings, as_of, at))


def plan_alerts(settings: Settings, as_of: datetime, at: datetime) -> PlanSummary:
    """Plan a night and write its outbox rows and recommended actions, all or nothing.

    Args:
        settings: Where warehouse and policy are.
        as_of: The night.
        at: Time of planning: an old night, or one that a later one has overtaken, is silent.

    Raises:
        AlertError: The night was not decided.
        ConfigError: The policy is wrong.
    """
    plan = make_plan(settings, as_of, at, is_written=True)
    return PlanSummary(
        plan.is_silent, len(plan.events), len(plan.actions), plan.tiers, plan.n_rows_written
    )


def make_plan(settings: Settings, as_of: datetime, at: datetime, *, is_written: bool) -> AlertPlan:
    """Plan a night; see :func:`plan_alerts`. Without ``is_written`` nothing is changed."""
    policy = load_alert_policy(config_dir(settings))
    with open_warehouse(settings.warehouse_path, read_only=not is_written) as warehouse:
        if is_written:
            warehouse.ensure_judgement_tables()
        elif not has_table(warehouse, "judgement", ALERT_EVENTS.name):
            message = (
                "the warehouse has no table of alerts yet (run the nightly of this release once, "
                "or plan with --apply)"
            )
            raise AlertError(message)
        found = load_found(warehouse, as_of)
        if not found.flags:
            message = (
                f"no freeze flags for {as_of.isoformat()} (run the decide step for that night)"
            )
            raise AlertError(message)
        is_silent = not _is_live(warehouse, as_of, at, policy)
        signals = night_signals(found, policy)
        events = _plan(warehouse, found, signals, as_of, policy, is_silent=is_silent)
        actions = action_rows(warehouse, found, signals, as_of, policy.actions)
        n_written = _append(warehouse, events, actions) if is_written else 0
    tiers = dict(sorted(Counter(row["tier"] for row in events).items()))
    return AlertPlan(as_of, is_silent, tuple(events), tuple(actions), tiers, n_written)


def night_signals(found: NightFound, policy: AlertPolicy) -> list[Signal]:
    """Return every signal of a night."""
    listed = {
        (slo["slo_id"], flag["feature"], flag["environment"]): slo
        for flag in found.flags
        for slo in listed_slos(flag)
    }
    slos = [
        slo_signal(
            row, listed.get((row["slo_name"], row["feature"], row["environment"]), {}), policy
        )
        for row in found.windows
    ]
    return [*slos, *verdict_signals(found.verdicts, policy), *score_signals(found.scores, policy)]


def _plan(
    warehouse: Warehouse,
    found: NightFound,
    signals: list[Signal],
    as_of: datetime,
    policy: AlertPolicy,
    *,
    is_silent: bool,
) -> list[Row]:
    """Return the outbox rows of a night that are not there yet."""
    episodes = open_episodes(load_open_events(warehouse, as_of))
    observations, scores = observe_night(signals, found.flags, found.attributions, policy)
    observations += _unjudged(found, observations, episodes.values(), policy)
    rows = plan_events(
        observations, episodes, as_of, policy, is_silent=is_silent, scores=scores
    )  # fmt: skip
    return [dict(row) for row in unplanned(rows, load_night_events(warehouse, as_of))]


def _unjudged(
    found: NightFound,
    observations: Iterable[Observation],
    episodes: Iterable[Episode],
    policy: AlertPolicy,
) -> list[Observation]:
    """Return what to hold: alerts of a stage that wrote nothing at all for the night."""
    seen = {each.identity for each in observations}
    evaluators = {rule.evaluator for rule in policy.scores}
    slos = {row["slo_name"] for row in found.windows}

    def is_missing(identity: Identity) -> bool:
        if identity in seen or identity.signal in slos | {COMPOSITE, RELEASE}:
            return False
        return not (found.scores if identity.signal in evaluators else found.verdicts)

    return unjudged([each for each in episodes if is_missing(each.identity)])


def _is_live(warehouse: Warehouse, as_of: datetime, at: datetime, policy: AlertPolicy) -> bool:
    """Whether people are told of a night: it is the newest one, and not an old one."""
    is_newest = newest_decided(warehouse) == as_of
    return is_newest and at - as_of <= timedelta(hours=policy.live_for_hours)


def _append(warehouse: Warehouse, events: list[Row], actions: list[Row]) -> int:
    """Append rows, all or nothing, and return how many that was."""
    warehouse.execute("begin transaction")
    try:
        n_written = warehouse.append_revisions(ALERT_EVENTS, events)
        n_written += warehouse.append_revisions(RECOMMENDED_ACTIONS, actions)
    except BaseException:
        warehouse.execute("rollback")
        raise
    warehouse.execute("commit")
    return n_written
