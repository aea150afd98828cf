"""The document ``config/alerts.yml``: tiers, weights, burn windows, routes and channels."""

from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.contracts.judgement_alerts import AlertTier
from include.freezeline.slo.alerts import BURN_COUNT_HOURS

Family = Literal["outcome", "errors", "quality", "latency", "cost", "drift"]
ChannelKind = Literal["slack", "pagerduty", "alertmanager", "webhook"]
TIERS: tuple[AlertTier, ...] = ("P0", "P1", "P2", "P3")
_FAMILIES: tuple[Family, ...] = ("outcome", "errors", "quality", "latency", "cost", "drift")

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
Runbook = Annotated[str, Field(pattern=r"^(https?://|docs/)\S+$")]
BaseUrl = Annotated[str, Field(pattern=r"^https?://\S+[^/\s]$")]
Share = Annotated[float, Field(gt=0, le=1)]
Hours = Annotated[float, Field(gt=0, le=8760)]
Probability = Annotated[float, Field(ge=0.5, lt=1)]


class Strict(BaseModel):
    """Every key must be known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FamilyRule(Strict):
    """How much a family counts.

    Attributes:
        weight: Weight in the composite score.
        may_lead: Whether it may be more urgent than P2 without another family.
    """

    weight: Annotated[float, Field(ge=0, le=1)]
    may_lead: bool = False


class TierRules(Strict):
    """When an alert has which tier.

    Attributes:
        p0_error_ratio: Share of failed calls in the shortest window that is P0.
        p1_composite: Composite score that is P1, with enough families.
        p1_families: Families that it takes.
        p2_composite: Composite score that is P2.
        warning_strength: Strength of a verdict that warns; one that breaches has 1.
    """

    p0_error_ratio: Share
    p1_composite: Share
    p1_families: Annotated[int, Field(ge=2, le=6)]
    p2_composite: Share
    warning_strength: Share


class BurnTier(Strict):
    """A pair of windows that must both burn too fast.

    Attributes:
        name: Its name.
        budget: Share of the whole budget that the long window may spend.
        long_h: Long window.
        short_h: Short window, which ends the alert soon after the burning ends.
        is_fast: Whether firing may page.
    """

    name: Name
    budget: Share
    long_h: int
    short_h: int
    is_fast: bool = False

    @model_validator(mode="after")
    def _has_counted_windows(self) -> Self:
        """A night counts the events of some windows only."""
        for hours in (self.long_h, self.short_h):
            if hours not in BURN_COUNT_HOURS:
                known = ", ".join(str(each) for each in BURN_COUNT_HOURS)
                message = f"windows are one of {known} hours, got {hours}"
                raise ValueError(message)
        if self.short_h >= self.long_h:
            message = f"short_h must be below long_h, got {self.short_h} and {self.long_h}"
            raise ValueError(message)
        return self

    def factor(self, compliance_h: Fraction) -> Fraction:
        """Return the burn rate that spends the tier's budget in its long window."""
        return Fraction(str(self.budget)) * compliance_h / self.long_h


class BurnRules(Strict):
    """The burn tiers and the evidence they need.

    Attributes:
        tiers: Pairs of windows, most urgent first.
        least_factor: Tiers with a lower factor would fire at a sustainable pace; left out.
        min_long_events: Events that the long window needs.
        min_short_events: Events that the short window needs.
        evidence: Probability that the long window is over the limit.
    """

    tiers: Annotated[tuple[BurnTier, ...], Field(min_length=1)]
    least_factor: Annotated[float, Field(gt=0)]
    min_long_events: Annotated[int, Field(ge=1)]
    min_short_events: Annotated[int, Field(ge=1)]
    evidence: Probability


class Answerable(Strict):
    """Who answers for an alert, and where it says what to do; there is none without."""

    owner: Name
    runbook: Runbook


class FreezeRule(Answerable):
    """How a frozen release is told."""

    tier: AlertTier
    repeat_after_hours: Hours


class SignalRule(Answerable):
    """What a signal belongs to.

    Attributes:
        match: Pattern of names, ``*`` and ``?`` as in file names.
        family: Its family.
        at_most: Most urgent tier it may have; None for any.
    """

    match: Annotated[str, Field(min_length=1)]
    family: Family
    at_most: AlertTier | None = None


class ScoreRule(Answerable):
    """A share of bad scores that says something on its own.

    Attributes:
        evaluator: Evaluator of ``evaluators.yml``.
        limit: Share of bad answers that must surely be exceeded.
        is_safety: Whether it is P0, whatever else is well.
    """

    evaluator: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    limit: Share
    is_safety: bool = False


class Channel(Strict):
    """Where alerts are sent.

    Attributes:
        name: Its name in tables and commands.
        kind: What is there.
        connection: Airflow connection, or name in ``FREEZELINE_ALERT_CONNECTIONS``.
        is_enabled: Nothing is sent before this is true.
        least_tier: Less urgent alerts are not sent.
        owners: Whose alerts; everybody's when empty.
    """

    name: Name
    kind: ChannelKind
    connection: Name
    is_enabled: bool = False
    least_tier: AlertTier = "P3"
    owners: tuple[Name, ...] = ()

    def takes(self, tier: AlertTier, owner: str) -> bool:
        """Whether alerts of a tier and owner are sent here."""
        is_urgent = TIERS.index(tier) <= TIERS.index(self.least_tier)
        return is_urgent and (not self.owners or owner in self.owners)


class Links(Strict):
    """Addresses that relative ones are put behind."""

    runbook_base_url: BaseUrl | None = None
    report_base_url: BaseUrl | None = None


class ActionRules(Strict):
    """When an action is recommended.

    Attributes:
        min_calls: Calls that a value needs in the window.
        min_excess_share: Part of the overspend that must be its own.
        confidence: Probability that it is worse than the rest of the feature.
        verdict_confidence: 1 - q that a verdict needs.
    """

    min_calls: Annotated[int, Field(ge=1)]
    min_excess_share: Share
    confidence: Probability
    verdict_confidence: Probability


class AlertPolicy(Strict):
    """The document ``config/alerts.yml``.

    Attributes:
        version: Of the document's form.
        cadence_hours: Time between two runs.
        ends_after_cadences: Runs after which Alertmanager forgets an alert by itself.
        live_for_hours: Age up to which a night is told to people.
        give_up_after_hours: Age from which on an undelivered alert is not tried again.
        families: Weight of each family.
        tiers: Rules of the tiers.
        burn: Burn windows.
        freeze: How a frozen release is told.
        composite: Who answers for several families at once.
        clear_after: Clean runs in a row that resolve.
        page_budget: Pages a run may send before it says so.
        signals: What each signal belongs to; the first match wins.
        scores: Shares of bad scores that are signals.
        channels: Where alerts are sent.
        links: Addresses for messages.
        actions: When an action is recommended.
    """

    version: Literal[1]
    cadence_hours: Hours
    ends_after_cadences: Annotated[float, Field(gt=1, le=10)]
    live_for_hours: Hours
    give_up_after_hours: Hours
    families: dict[Family, FamilyRule]
    tiers: TierRules
    burn: BurnRules
    freeze: FreezeRule
    composite: Answerable
    clear_after: Annotated[int, Field(ge=1, le=30)]
    page_budget: Annotated[int, Field(ge=0)]
    signals: Annotated[tuple[SignalRule, ...], Field(min_length=1)]
    scores: tuple[ScoreRule, ...] = ()
    channels: tuple[Channel, ...] = ()
    links: Links = Links()
    actions: ActionRules

    @model_validator(mode="after")
    def _leaves_nothing_out(self) -> Self:
        """Every family has a weight, every signal a rule, every channel a name of its own."""
        missing = [name for name in _FAMILIES if name not in self.families]
        if missing:
            message = f"families: add {', '.join(missing)}"
            raise ValueError(message)
        if self.signals[-1].match != "*":
            message = "signals: the last must match '*', or a new SLO would alert nobody"
            raise ValueError(message)
        names = [channel.name for channel in self.channels]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            message = f"channels: {', '.join(twice)}: each name once"
            raise ValueError(message)
        return self

    def rule_of(self, signal: str) -> SignalRule:
        """Return the first rule that matches a signal."""
        return next(rule for rule in self.signals if fnmatchcase(signal, rule.match))


def load_alert_policy(config_dir: Path) -> AlertPolicy:
    """Read the policy.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = config_dir / "alerts.yml"
    return parse_config(AlertPolicy, path, load_yaml(path))


def more_urgent(one: AlertTier, other: AlertTier | None) -> bool:
    """Whether a tier is more urgent than another; any is than none."""
    return other is None or TIERS.index(one) < TIERS.index(other)
