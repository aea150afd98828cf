"""The OpenSLO v1 file of one SLO, as a strict model; what OpenSLO lacks sits in annotations."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, field_validator

from include.freezeline.slo.annotations import ANNOTATION_PREFIX, Annotations, Strict
from include.freezeline.slo.spec_alerts import AlertPolicy
from include.freezeline.slo.spec_indicator import EventSource, Indicator
from include.freezeline.slo.spec_names import Name
from include.freezeline.slo.spec_window import TimeWindow
from include.freezeline.slo.windows import parse_duration

_HOUR_S = 3600


class Metadata(Strict):
    """Name and annotations."""

    name: Name
    displayName: str  # noqa: N815 - OpenSLO's spelling
    annotations: Annotations
    labels: dict[str, str | list[str]] = Field(default_factory=dict)


class TargetObjective(Strict):
    """The objective: share of good events, or of good slices.

    Attributes:
        displayName: The objective in words.
        target: Share of events, or slices, that must be good.
        op: How a good value compares with ``value`` (threshold metrics only).
        value: The threshold (threshold metrics only).
        timeSliceTarget: Share of a slice's events that must be good for the slice to be good.
        timeSliceWindow: Length of a slice.
    """

    displayName: str  # noqa: N815 - OpenSLO's spelling
    target: float = Field(gt=0, lt=1)
    op: Literal["lt", "lte", "gt", "gte"] | None = None
    value: float | None = None
    timeSliceTarget: float | None = Field(None, gt=0, le=1)  # noqa: N815 - OpenSLO's spelling
    timeSliceWindow: str | None = None  # noqa: N815 - OpenSLO's spelling

    @field_validator("timeSliceWindow")
    @classmethod
    def _check_slice(cls, text: str | None) -> str | None:
        if text is not None and parse_duration(text).total_seconds() > 24 * _HOUR_S:
            message = "must be at most 24h"
            raise ValueError(message)
        return text


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
    bad, total = event_sources(document)
    if target != 1 - limit:
        return (
            f"spec.objectives.0.target: must be 1 - {ANNOTATION_PREFIX}limit = "
            f"{float(1 - limit)}, got {float(target)} (change one of them)"
        )
    problem = _find_threshold_problem(document.spec) or _find_slice_problem(document.spec)
    if problem is not None:
        return problem
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


def event_sources(document: SloDocument) -> tuple[EventSource, EventSource]:
    """Return which rows are bad and which are events; a threshold is a condition like others."""
    indicator, objective = document.spec.indicator.spec, document.spec.objectives[0]
    if indicator.ratioMetric is not None:
        ratio = indicator.ratioMetric
        return ratio.bad.metricSource.spec, ratio.total.metricSource.spec
    if indicator.thresholdMetric is None:
        raise AssertionError
    source = indicator.thresholdMetric.metricSource.spec
    total = EventSource(
        relation=source.relation,
        where=f"({source.where}) and ({source.value}) is not null",
        eventTime=source.eventTime,
        arrivedAt=source.arrivedAt,
    )
    sign, value = _SIGNS[objective.op or "lt"], Decimal(str(objective.value or 0))
    bad = EventSource(relation=source.relation, where=f"not (({source.value}) {sign} {value:f})")
    return bad, total


_SIGNS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def _find_threshold_problem(spec: SloSpec) -> str | None:
    """Return what is wrong between the indicator and the objective's threshold."""
    is_threshold = spec.indicator.spec.thresholdMetric is not None
    for name in ("op", "value"):
        if (getattr(spec.objectives[0], name) is not None) != is_threshold:
            remedy = "add it" if is_threshold else "remove it; bad.where says what is bad"
            return (
                f"spec.objectives.0.{name}: {'required' if is_threshold else 'has no meaning'} "
                f"with {'thresholdMetric' if is_threshold else 'ratioMetric'} ({remedy})"
            )
    return None


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
