"""The OpenSLO v1 file of one SLO, as a strict model; what OpenSLO lacks sits in annotations."""

import re
from datetime import datetime, time
from fractions import Fraction
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from include.freezeline.slo.annotations import ANNOTATION_PREFIX, Annotations, Strict
from include.freezeline.slo.windows import parse_duration

_HOUR_S = 3600
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
Relation = Annotated[str, Field(pattern=r"^marts\.[a-z][a-z0-9_]*$")]
ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Metadata(Strict):
    """Name and annotations."""

    name: Name
    displayName: str  # noqa: N815 - OpenSLO's spelling
    annotations: Annotations
    labels: dict[str, str | list[str]] = Field(default_factory=dict)


class EventSource(Strict):
    """Which rows of which relation are events.

    Attributes:
        relation: Mart, as ``marts.<name>``.
        where: SQL condition on its columns.
        eventTime: Column with the time of the event (total only).
        arrivedAt: Column with the time we learned of the event; ``arrived_at`` when absent (total
            only).
        knownAt: Column with the time we learned of the bad outcome; without it the outcome is
            known with the event (bad only).
    """

    relation: Relation
    where: str = Field(min_length=1)
    eventTime: ColumnName | None = None  # noqa: N815 - reads like OpenSLO's own keys
    arrivedAt: ColumnName | None = None  # noqa: N815 - reads like OpenSLO's own keys
    knownAt: ColumnName | None = None  # noqa: N815 - reads like OpenSLO's own keys

    @field_validator("where")
    @classmethod
    def _check_where(cls, text: str) -> str:
        if ";" in text or "--" in text or "/*" in text:
            message = "must be one SQL condition without ';' or comments"
            raise ValueError(message)
        return text


class MetricSource(Strict):
    """A metric in the warehouse."""

    type: Literal["warehouse"]
    spec: EventSource


class Metric(Strict):
    """Wrapper that OpenSLO puts round a metric source."""

    metricSource: MetricSource  # noqa: N815 - OpenSLO's spelling


class RatioMetric(Strict):
    """Bad events over all events."""

    counter: Literal[True]
    bad: Metric
    total: Metric


class IndicatorSpec(Strict):
    """The ratio that is judged."""

    ratioMetric: RatioMetric  # noqa: N815 - OpenSLO's spelling


class IndicatorMetadata(Strict):
    """Name of the indicator."""

    name: Name


class Indicator(Strict):
    """An inline service level indicator."""

    metadata: IndicatorMetadata
    spec: IndicatorSpec


class CalendarStart(Strict):
    """Where calendar periods begin.

    Attributes:
        startTime: ``YYYY-MM-DD HH:MM:SS``, a local midnight; for months the first of one.
        timeZone: IANA time zone of it.
    """

    startTime: str  # noqa: N815 - OpenSLO's spelling
    timeZone: str  # noqa: N815 - OpenSLO's spelling

    @field_validator("startTime")
    @classmethod
    def _check_start(cls, text: str) -> str:
        try:
            start = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - local by design
        except ValueError:
            message = "must be written as '2026-01-01 00:00:00'"
            raise ValueError(message) from None
        if start.time() != time():
            message = "must be a midnight (periods are whole local days; write 00:00:00)"
            raise ValueError(message)
        return text

    @field_validator("timeZone")
    @classmethod
    def _check_zone(cls, text: str) -> str:
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = "must be an IANA time zone such as 'Europe/Berlin'"
            raise ValueError(message) from None
        return text


class TimeWindow(Strict):
    """The compliance window: elapsed time that rolls, or a local day or month of the calendar."""

    duration: str
    isRolling: bool  # noqa: N815 - OpenSLO's spelling
    calendar: CalendarStart | None = None

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.isRolling:
            if self.calendar is not None:
                message = "calendar: a rolling window has none (remove it, or set isRolling: false)"
                raise ValueError(message)
            _check_rolling(self.duration)
        elif self.calendar is None:
            message = "calendar: required when isRolling is false (add startTime and timeZone)"
            raise ValueError(message)
        else:
            _check_calendar(self.duration, self.calendar)
        return self


def _check_rolling(duration: str) -> None:
    """Refuse a duration that is too short, or not of a fixed length."""
    if re.fullmatch(r"\d+m", duration):
        message = "duration: m means minutes; write '28d' for four weeks"
        raise ValueError(message)
    try:
        length = parse_duration(duration)
    except ValueError as error:
        message = f"duration: {error}"
        raise ValueError(message) from None
    if length.total_seconds() < 24 * _HOUR_S:
        message = f"duration: must be at least 24h, got {duration!r}"
        raise ValueError(message)


def _check_calendar(duration: str, start: CalendarStart) -> None:
    """Refuse what is not a local day or month."""
    if duration not in ("1d", "1M"):
        message = f"duration: a calendar window lasts 1d or 1M (a month), got {duration!r}"
        raise ValueError(message)
    if duration == "1M" and not start.startTime.startswith("01", 8):
        message = f"calendar.startTime: months begin on the first, got {start.startTime!r}"
        raise ValueError(message)


class TargetObjective(Strict):
    """The objective: share of good events, or of good slices.

    Attributes:
        displayName: The objective in words.
        target: Share of events, or slices, that must be good.
        timeSliceTarget: Share of a slice's events that must be good for the slice to be good.
        timeSliceWindow: Length of a slice.
    """

    displayName: str  # noqa: N815 - OpenSLO's spelling
    target: float = Field(gt=0, lt=1)
    timeSliceTarget: float | None = Field(None, gt=0, le=1)  # noqa: N815 - OpenSLO's spelling
    timeSliceWindow: str | None = None  # noqa: N815 - OpenSLO's spelling

    @field_validator("timeSliceWindow")
    @classmethod
    def _check_slice(cls, text: str | None) -> str | None:
        if text is not None and parse_duration(text).total_seconds() > 24 * _HOUR_S:
            message = "must be at most 24h"
            raise ValueError(message)
        return text


class BurnCondition(Strict):
    """Alert when a look-back window burns faster than a threshold."""

    kind: Literal["burnrate"]
    op: Literal["gt", "gte"]
    threshold: float = Field(gt=0)
    lookbackWindow: str  # noqa: N815 - OpenSLO's spelling
    alertAfter: str = "0m"  # noqa: N815 - OpenSLO's spelling

    @field_validator("lookbackWindow")
    @classmethod
    def _check_look_back(cls, text: str) -> str:
        parse_duration(text)
        return text


class ConditionSpec(Strict):
    """Severity and condition of an alert."""

    severity: str
    condition: BurnCondition


class AlertConditionDocument(Strict):
    """An inline alert condition."""

    kind: Literal["AlertCondition"]
    metadata: IndicatorMetadata
    spec: ConditionSpec


class TargetReference(Strict):
    """Where an alert goes."""

    targetRef: Name  # noqa: N815 - OpenSLO's spelling


class AlertPolicySpec(Strict):
    """One condition and its targets."""

    alertWhenBreaching: bool = True  # noqa: N815 - OpenSLO's spelling
    alertWhenResolved: bool = False  # noqa: N815 - OpenSLO's spelling
    alertWhenNoData: bool = False  # noqa: N815 - OpenSLO's spelling
    conditions: Annotated[list[AlertConditionDocument], Field(min_length=1, max_length=1)]
    notificationTargets: Annotated[list[TargetReference], Field(min_length=1)]  # noqa: N815


class AlertPolicy(Strict):
    """An inline alert policy."""

    kind: Literal["AlertPolicy"]
    metadata: IndicatorMetadata
    spec: AlertPolicySpec


class SloSpec(Strict):
    """What is promised."""

    description: str = Field(max_length=1050)
    service: Name
    indicator: Indicator
    timeWindow: Annotated[list[TimeWindow], Field(min_length=1, max_length=1)]  # noqa: N815
    budgetingMethod: Literal["Occurrences", "Timeslices"]  # noqa: N815 - OpenSLO's spelling
    objectives: Annotated[list[TargetObjective], Field(min_length=1, max_length=1)]
    alertPolicies: list[AlertPolicy] = Field(default_factory=list)  # noqa: N815 - OpenSLO's spelling


class SloDocument(Strict):
    """A whole SLO file."""

    apiVersion: Literal["openslo/v1"]  # noqa: N815 - OpenSLO's spelling
    kind: Literal["SLO"]
    metadata: Metadata
    spec: SloSpec


def find_disagreement(document: SloDocument) -> str | None:
    """Return what is wrong between fields that are each right on their own, with the remedy."""
    notes = document.metadata.annotations
    limit = Fraction(notes.limit)
    target = Fraction(str(document.spec.objectives[0].target))
    ratio = document.spec.indicator.spec.ratioMetric
    bad, total = ratio.bad.metricSource.spec, ratio.total.metricSource.spec
    if target != 1 - limit:
        return (
            f"spec.objectives.0.target: must be 1 - {ANNOTATION_PREFIX}limit = "
            f"{float(1 - limit)}, got {float(target)} (change one of them)"
        )
    slices = _find_slice_problem(document.spec)
    if slices is not None:
        return slices
    if bad.relation != total.relation:
        return (
            f"spec.indicator: bad must read the relation of total, {total.relation}, got "
            f"{bad.relation} (a bad event is one of all events)"
        )
    if notes.maturity_lag is not None and bad.knownAt is None:
        return (
            f"metadata.annotations.{ANNOTATION_PREFIX}maturity-lag: needs knownAt on the bad "
            "metric (name the column that says when the outcome was recorded)"
        )
    silence = _find_silent_feed(notes)
    if silence is not None:
        return f"metadata.annotations.{ANNOTATION_PREFIX}{silence}"
    unreachable = (_find_unreachable(policy, limit) for policy in document.spec.alertPolicies)
    return next((problem for problem in unreachable if problem), None)


def _find_slice_problem(spec: SloSpec) -> str | None:
    """Return what is wrong between the budgeting method and its slices."""
    objective, is_sliced = spec.objectives[0], spec.budgetingMethod == "Timeslices"
    for name in ("timeSliceTarget", "timeSliceWindow"):
        is_given = getattr(objective, name) is not None
        if is_given != is_sliced:
            remedy = "add it" if is_sliced else "remove it, or use Timeslices"
            return (
                f"spec.objectives.0.{name}: {'required' if is_sliced else 'has no meaning'} with "
                f"budgetingMethod {spec.budgetingMethod} ({remedy})"
            )
    if is_sliced and not spec.timeWindow[0].isRolling:
        return (
            "spec.timeWindow.0: Timeslices needs a rolling window, whose slices are all over "
            "(set isRolling: true)"
        )
    return None


def _find_silent_feed(notes: Annotations) -> str | None:
    """Return how outcomes could stop arriving without anyone noticing."""
    lag = notes.maturity_lag
    if notes.fact is None:
        if lag is not None:
            return (
                "fact: needed with maturity-lag, else calls count as good when outcomes stop "
                "arriving (name the fact of config/facts that brings them)"
            )
        if "fact_silence" in notes.model_fields_set:
            return "fact-silence: needs fact (name the fact of config/facts, or remove it)"
        return None
    if lag is not None and parse_duration(notes.fact_silence) > parse_duration(lag):
        return (
            f"fact-silence: must not be longer than maturity-lag {lag}, got {notes.fact_silence} "
            "(calls would count as good before the silence shows)"
        )
    return None


def _find_unreachable(policy: AlertPolicy, limit: Fraction) -> str | None:
    """Return the problem of an alert that could not fire even if every event were bad."""
    threshold = policy.spec.conditions[0].spec.condition.threshold
    if Fraction(str(threshold)) * limit <= 1:
        return None
    return (
        f"spec.alertPolicies: {policy.metadata.name}: burn rate {threshold:g} can never be reached "
        f"with limit {float(limit):g} (at most {float(1 / limit):g}; lower the threshold)"
    )
