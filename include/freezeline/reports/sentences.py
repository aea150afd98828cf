"""The report's sentences: the same words in HTML, Markdown, JSON and on the page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from include.freezeline.reports.formats import count, percent, plural, utc
from include.freezeline.reports.model import (
    Contributor,
    FeatureReport,
    Flag,
    LandedSource,
    Policy,
    SloStatus,
    ThawRule,
    deciding_slo,
)

_DIMENSIONS = {
    "prompt_version": "prompt version",
    "request_model": "model",
    "tenant_key": "tenant",
    "route": "route",
}


def headline(features: Sequence[FeatureReport]) -> str:
    """Return the first sentences of the report: what is frozen and why, or that nothing is."""
    if not any(item.flag is not None for item in features):
        return (
            "No release decision exists: no feature has been evaluated, so nothing may be "
            "assumed open."
        )
    frozen = [item for item in features if item.flag is not None and item.flag.is_frozen]
    if frozen:
        lead = f"{len(frozen)} releases are frozen. " if len(frozen) > 1 else ""
        return lead + " ".join(item.sentence for item in frozen)
    stale = sum(item.flag is not None and item.flag.is_stale for item in features)
    note = f" {plural(stale, 'decision')} expired: gates block until a night runs." if stale else ""
    return f"No release is frozen.{note}{_closest(features)}"


def feature_verdict(
    feature: str, environment: str, flag: Flag | None, slos: tuple[SloStatus, ...]
) -> str:
    """Return the verdict on a feature in one sentence (two when it has a thaw)."""
    who = f"{feature} ({environment})"
    if flag is None:
        return f"{who} has no release decision: no SLO of it was evaluated."
    slo = deciding_slo(flag, slos)
    spent = f": {_spent(slo, flag)}" if slo is not None else ""
    if flag.state == "FROZEN":
        return f"Releases for {who} are FROZEN since {utc(flag.since_at)}{spent}. {_thaw(flag)}"
    if flag.state == "RECOVERING":
        since = utc(flag.since_at)
        return f"Releases for {who} are RECOVERING since {since} and still held{spent}."
    if flag.state == "WARNING":
        return f"Releases for {who} may ship, with a WARNING since {utc(flag.since_at)}{spent}."
    if all(item.consumed_lower_ratio is None for item in slos) or all(
        item.verdict == "insufficient_evidence" for item in slos
    ):
        return f"Releases for {who} are OPEN, but there is too little evidence to judge any SLO."
    return f"Releases for {who} are OPEN{spent}.{_not_judged(slos)}"


def _not_judged(slos: Sequence[SloStatus]) -> str:
    """Name the freezing objectives that an open state says nothing about."""
    names = [
        slo.slo_name
        for slo in slos
        if slo.consequence == "freeze" and slo.verdict == "insufficient_evidence"
    ]
    return f" Not judged for lack of evidence: {_listing(sorted(names))}." if names else ""


def dimension(name: str) -> str:
    """Return a dimension's name for people."""
    return _DIMENSIONS.get(name, name.replace("_", " "))


def window_days(slo: SloStatus) -> str:
    """Return the window's length: ``28-day``."""
    return f"{(slo.window_ended_at - slo.window_started_at).days}-day"


def what_next(flag: Flag | None, slos: tuple[SloStatus, ...], policy: Policy) -> tuple[str, ...]:
    """Return what may ship, what ends the freeze and when, in sentences."""
    if flag is None:
        return ("Give the feature an SLO in config/slos, or wait for its first events.",)
    if not flag.is_frozen:
        return _next_when_open(flag, policy)
    exempt = _listing([name.replace("_", " ") for name in policy.exempt_change_classes])
    slo = deciding_slo(flag, slos)
    lines = [
        f"May ship during the freeze: {exempt}. Everything else is blocked at the gate "
        "(exit code 3).",
        _thaw_rule(flag, slo, policy),
        _thaw(flag),
    ]
    if slo is not None and slo.main_contributor is not None:
        lines.append(_suspect(slo.main_contributor))
    return tuple(lines)


def action(row: Mapping[str, Any]) -> str:
    """Say what may help, how sure that is and whom it would touch."""
    back = f" to {row['alternative']}" if row["alternative"] else ""
    sure = row["confidence_ratio"]
    words = "a rule of thumb" if sure is None else f"confidence {min(sure, 0.999):.1%}"
    return (
        f"May help, a suspect and not a cause: {row['action'].replace('_', ' ')} {row['target']}{back} "
        f"({words}; touches {row['affected_traffic_ratio']:.0%} of the feature's calls of 28 days "
        f"and {row['affected_tenant_count']} tenants). {row['reason']}"
    )


def _thaw_rule(flag: Flag, slo: SloStatus | None, policy: Policy) -> str:
    """Return every condition that ends the freeze, with the SLO's own numbers."""
    rule = flag.thaw_rule or ThawRule(policy.min_frozen_h, None, None, 0.0)
    budget = "the error budget" if slo is None else f"the error budget of {slo.slo_name}"
    conditions = [
        f"at most {percent(policy.thaw_at_ratio)} of {budget} is spent, counting the nowcast of "
        "pending outcomes (97.5% bound)"
    ]
    if rule.trip_wire is not None:
        conditions.append(
            f"the trip wire is quiet (evidence score below {count(rule.trip_wire)}, also on "
            "matured outcomes alone)"
        )
    conditions.append("there was traffic in the last 24 h")
    if rule.fact is not None:
        silence = count(rule.fact_silence_h)
        conditions.append(f"{rule.fact} files landed in the last {silence} h")
    conditions.append(f"at least {count(rule.min_frozen_h)} h have passed since the freeze began")
    return (
        f"The freeze ends after {policy.thaw_evaluations_count} nightly evaluations in a row at "
        f"which {_listing(conditions)}; missing data never ends it."
    )


def completeness(sources: Sequence[LandedSource], night: datetime | None, as_of: datetime) -> str:
    """Return what the last night landed, in words; an empty night is not a good night."""
    if night is None or not sources:
        return "Nothing has landed: there is no completeness to report."
    objects = sum(item.object_count for item in sources)
    records = sum(item.record_count for item in sources)
    landed = sum(item.landed_count for item in sources)
    aside = sum(item.quarantined_count for item in sources)
    repeated = sum(item.duplicate_count for item in sources)
    when = "The night" if night == as_of else f"The last night that landed anything, {utc(night)},"
    return (
        f"{when} landed {landed:,} of {plural(records, 'record')} from "
        f"{plural(objects, 'object')}; {plural(repeated, 'repeat')} inside an object dropped "
        f"(those across objects are removed when the warehouse is built), "
        f"{plural(aside, 'record')} in quarantine."
    )


def _closest(features: Sequence[FeatureReport]) -> str:
    """Name the freezing SLO nearest to its limit, so that an open night still says where to look."""
    best: tuple[float, FeatureReport, SloStatus] | None = None
    for item in features:
        for slo in item.slos:
            spent = slo.consumed_lower_ratio
            can_freeze = slo.consequence == "freeze" and slo.verdict != "insufficient_evidence"
            if can_freeze and spent is not None and (best is None or spent > best[0]):
                best = (spent, item, slo)
    if best is None:
        return " No SLO had enough evidence to be judged."
    spent, item, slo = best
    return (
        f" Closest to its limit: {item.feature} ({item.environment}), {percent(spent)} of the "
        f"{window_days(slo)} error budget of {slo.slo_name} is spent."
    )


def _spent(slo: SloStatus, flag: Flag) -> str:
    """Return how much of the budget is spent, on how many events, and by whom."""
    if slo.event_count == 0:
        return f"{slo.slo_name} saw no events in its window, so the state is held"
    if slo.consumed_lower_ratio is None:
        return (
            f"{slo.slo_name} allows no bad event and {plural(slo.bad_count, 'bad event')} happened"
        )
    text = (
        f"{percent(slo.consumed_lower_ratio)} of the {window_days(slo)} error budget of "
        f"{slo.slo_name} is spent ({_counts(slo)})"
    )
    if slo.consequence != "freeze":
        text += ", an objective that warns and does not freeze"
    if flag.state == "FROZEN" and slo.consumed_lower_ratio < 1:
        return f"{text}; {flag.reason.rstrip('.')}"
    main = slo.main_contributor
    if slo.consumed_lower_ratio >= 1 and main is not None:
        share = percent(main.excess_share_ratio)
        text += f", {share} of the overspend by {dimension(main.dimension)} {main.value}"
    return text


def _counts(slo: SloStatus) -> str:
    """Return bad of allowed."""
    return f"{count(slo.bad_count)} bad of {count(slo.allowed_bad_count)} allowed"


def _thaw(flag: Flag) -> str:
    """Return the earliest thaw in words."""
    if flag.earliest_thaw_at is None:
        return "No thaw is in sight inside the window, even if nothing new goes wrong."
    return f"Earliest thaw {utc(flag.earliest_thaw_at)} if nothing new goes wrong."


def _suspect(main: Contributor) -> str:
    """Name the value to look at first; a suspect, since nothing here is randomised."""
    return (
        f"Look first at {dimension(main.dimension)} {main.value}: {percent(main.bad_ratio)} bad on "
        f"{plural(main.event_count, 'event')}, {count(main.excess_bad_count)} bad events beyond "
        "its allowance. It is the suspect, not a proven cause."
    )


def _next_when_open(flag: Flag, policy: Policy) -> tuple[str, ...]:
    """Return what would change an open state."""
    freeze = percent(policy.freeze_at_ratio)
    first = "Releases may ship." if flag.state == "OPEN" else "Releases may ship; be careful."
    return (
        f"{first} They freeze when {freeze} of a freezing objective's error budget is surely "
        "spent, or its trip wire says that the last days are above the limit.",
        f"The decision holds until {utc(flag.valid_until_at)}; after that every gate answers "
        "stale and blocks feature changes.",
    )


def _listing(names: Sequence[str]) -> str:
    """Join names with commas and a final "and"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
