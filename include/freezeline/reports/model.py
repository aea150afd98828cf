"""What a freeze report says, as typed values: JSON is this model, HTML and Markdown are views.

Numbers are unrounded and unknown is None; nothing here is formatted for people except the
sentences, which every view shows in the same words.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

SCHEMA_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of the freeze that readers need to know.

    Attributes:
        freeze_at_ratio: Consumed share of the budget at which releases freeze.
        warn_at_ratio: Consumed share at which the state is WARNING.
        thaw_at_ratio: Consumed share, with the nowcast of pending outcomes, that ends the freeze.
        thaw_evaluations_count: Evaluations in a row at or under ``thaw_at_ratio`` before feature
            changes may ship again.
        min_frozen_h: Hours a freeze lasts at least.
        exempt_change_classes: Changes that ship during a freeze.
    """

    freeze_at_ratio: float = 1.0
    warn_at_ratio: float = 0.75
    thaw_at_ratio: float = 0.90
    thaw_evaluations_count: int = 3
    min_frozen_h: float = 24.0
    exempt_change_classes: tuple[str, ...] = ("reliability_fix", "rollback", "security_fix")


@dataclass(frozen=True, slots=True)
class ThawRule:
    """What the SLO that decided adds to the rules that end a freeze.

    Attributes:
        min_frozen_h: Hours a freeze lasts at least: 24, or the maturity lag if that is longer.
        trip_wire: Evidence score that freezes; None without a trip wire.
        fact: Fact whose files have to land; None when outcomes come with the call.
        fact_silence_h: Hours that may pass without one.
    """

    min_frozen_h: float
    trip_wire: int | None
    fact: str | None
    fact_silence_h: float


@dataclass(frozen=True, slots=True)
class Flag:
    """A feature's freeze state in an environment; ``thaw_rule`` is None when none is stored."""

    state: str
    is_frozen: bool
    since_at: datetime
    slo_name: str | None
    reason: str
    earliest_thaw_at: datetime | None
    data_through_at: datetime | None
    evaluated_at: datetime
    valid_until_at: datetime
    is_stale: bool
    thaw_rule: ThawRule | None = None


@dataclass(frozen=True, slots=True)
class Contributor:
    """A prompt version, model, tenant or route and the budget it spent.

    Attributes:
        dimension: What the calls were cut by.
        value: The cut's value; ``(other)`` gathers values with few events.
        event_count: Events of the value.
        bad_count: Known bad ones.
        bad_ratio: ``bad_count / event_count``.
        budget_share_ratio: Part of the whole budget; the parts add up to the consumed ratio.
        excess_bad_count: Bad events beyond what the limit allows on the value's events; the
            values add up to the overspend, and below zero is under its share.
        excess_share_ratio: Part of all positive excess in the dimension; 0 when under its share.
    """

    dimension: str
    value: str
    event_count: int
    bad_count: int
    bad_ratio: float | None
    budget_share_ratio: float | None
    excess_bad_count: float
    excess_share_ratio: float


@dataclass(frozen=True, slots=True)
class BurnPoint:
    """One day of the burn-down.

    Attributes:
        at: End of the day, UTC.
        event_count: Events of the day.
        bad_count: Bad events of the day.
        bad_ratio: ``bad_count / event_count``; None without events.
        remaining_ratio: Share of the budget left at the end of the day; below 0 is overspent.
        even_spend_ratio: What would be left if bad events came evenly with traffic and used the
            budget exactly; None where the line has no meaning.
    """

    at: datetime
    event_count: int
    bad_count: int
    bad_ratio: float | None
    remaining_ratio: float | None
    even_spend_ratio: float | None


@dataclass(frozen=True, slots=True)
class BurnDown:
    """The burn-down of a window.

    Attributes:
        basis: ``event_day``: the window's own budget, spent on the day the call was made, as now
            known; ``nightly``: the rolling budget left each night, as that night knew it.
        points: In time order.
    """

    basis: str
    points: tuple[BurnPoint, ...]


@dataclass(frozen=True, slots=True)
class MethodLine:
    """A formula of the method box and the same formula with this SLO's numbers."""

    name: str
    formula: str
    numbers: str


@dataclass(frozen=True, slots=True)
class SloStatus:
    """An SLO of a feature at the end of the window.

    The budget spent has three values: ``consumed_lower_ratio`` is known, and freezes;
    ``consumed_nowcast_ratio`` adds the 97.5% nowcast of pending outcomes, and thaws;
    ``consumed_upper_ratio`` is the worst case, in which every pending outcome turns bad.
    """

    slo_name: str
    objective: str
    limit: Decimal
    op: str
    consequence: str
    as_of: datetime
    window_started_at: datetime
    window_ended_at: datetime
    event_count: int
    bad_count: int
    pending_count: int
    allowed_bad_count: Decimal
    bad_lower_ratio: float | None
    bad_upper_ratio: float | None
    consumed_lower_ratio: float | None
    consumed_nowcast_ratio: float | None
    consumed_upper_ratio: float | None
    remaining_ratio: float | None
    bad_interval_lower_ratio: float | None
    bad_interval_upper_ratio: float | None
    p_breach: float | None
    event_24h_count: int
    bad_24h_count: int
    bad_24h_ratio: float | None
    burn_rate_24h: float | None
    worst_24h_ratio: float | None
    worst_24h_ended_at: datetime | None
    detector_score: float | None
    time_to_exhaustion_h: float | None
    verdict: str
    reason: str
    evidence_query: str
    contributors: tuple[Contributor, ...]
    main_contributor: Contributor | None
    burn_down: BurnDown
    method: tuple[MethodLine, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A drift, divergence or anomaly verdict."""

    family: str
    question: str
    model: str | None
    prompt_version: str | None
    tenant_key: str | None
    value: float | None
    value_lower: float | None
    value_upper: float | None
    unit: str
    threshold: float | None
    p_value: float | None
    q_value: float | None
    n_reference: int
    n_current: int
    verdict: str
    reason: str
    method: str
    method_version: str
    window_started_at: datetime
    window_ended_at: datetime
    evidence_query: str
    cause: str | None


@dataclass(frozen=True, slots=True)
class Findings:
    """The night's verdicts on a feature: ok ones counted, the others listed."""

    ok_count: int
    raised: tuple[Finding, ...]
    insufficient: tuple[Finding, ...]

    @property
    def is_all_thin(self) -> bool:
        """Whether there were questions and none of them could be judged."""
        return bool(self.insufficient) and not self.ok_count and not self.raised


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of freeze state."""

    transitioned_at: datetime
    from_state: str
    to_state: str
    slo_name: str | None
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class Override:
    """What lets a frozen feature ship for some hours; ``change_ref`` None is any change."""

    override_id: str
    change_ref: str | None
    reason: str
    requested_by: str
    approved_by: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FeatureReport:
    """Everything about one feature in one environment.

    Attributes:
        feature: Product feature.
        environment: Deployment environment.
        sentence: The verdict in one sentence.
        flag: None when the feature was never decided.
        slos: The most spent budget first.
        findings: Drift, divergence and anomaly verdicts.
        transitions: The newest first.
        what_next: What may ship, what ends the freeze, in sentences.
        overrides: Those that were not over by the report's night, the oldest first.
    """

    feature: str
    environment: str
    sentence: str
    flag: Flag | None
    slos: tuple[SloStatus, ...]
    findings: Findings
    transitions: tuple[Transition, ...]
    what_next: tuple[str, ...]
    overrides: tuple[Override, ...] = ()

    @property
    def lead_slo(self) -> SloStatus | None:
        """The SLO to show first."""
        return deciding_slo(self.flag, self.slos)

    @property
    def is_loud(self) -> bool:
        """Whether a reader has to look: held, warned, or an SLO that is not ok."""
        is_calm = self.flag is not None and self.flag.state == "OPEN"
        return not is_calm or any(slo.verdict in {"breach", "warning"} for slo in self.slos)


def deciding_slo(flag: Flag | None, slos: tuple[SloStatus, ...]) -> SloStatus | None:
    """Return the SLO that holds the feature; the worst one when releases are open."""
    holds = flag is not None and flag.state != "OPEN"
    named = [slo for slo in slos if holds and flag is not None and slo.slo_name == flag.slo_name]
    return next(iter([*named, *slos]), None)


@dataclass(frozen=True, slots=True)
class LandedSource:
    """What one source delivered in the night."""

    source_name: str
    object_count: int
    quarantined_object_count: int
    empty_object_count: int
    record_count: int
    landed_count: int
    duplicate_count: int
    quarantined_count: int
    late_count: int
    redaction_count: int


@dataclass(frozen=True, slots=True)
class QuarantineReason:
    """Why records were put aside."""

    reason: str
    record_count: int
    object_count: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """What arrived in the last landed night.

    Attributes:
        night_as_of: The night that landed it; None when nothing has landed.
        is_current: Whether that night is the report's.
        sentence: The same in words.
        sources: By name.
        quarantine: The most frequent reason first.
    """

    night_as_of: datetime | None
    is_current: bool
    sentence: str
    sources: tuple[LandedSource, ...]
    quarantine: tuple[QuarantineReason, ...]


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """An expectation that did not hold."""

    suite_name: str
    expectation: str
    severity: str
    unexpected_count: int | None
    checked_count: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Restatement:
    """A night whose verdict or state changed after it was first reported."""

    subject: str
    feature: str
    environment: str
    as_of: datetime
    first_reported: str
    now_known: str
    revision: int


@dataclass(frozen=True, slots=True)
class FreezeReport:
    """The report of one night."""

    schema_version: str
    as_of: datetime
    headline: str
    is_any_frozen: bool
    features: tuple[FeatureReport, ...]
    policy: Policy
    night: Completeness | None
    checks_run_count: int
    failed_checks: tuple[FailedCheck, ...]
    restatements: tuple[Restatement, ...]
