"""The indicator of an SLO file: bad events of all events, or values against a threshold."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from include.freezeline.slo.annotations import Strict
from include.freezeline.slo.spec_names import ColumnName, Name, Relation


def _one_expression(text: str) -> str:
    """Refuse more than one SQL expression."""
    if ";" in text or "--" in text or "/*" in text:
        message = "must be one SQL condition without ';' or comments"
        raise ValueError(message)
    return text


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
        return _one_expression(text)


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


class ValueSource(Strict):
    """Which value of which rows is held against the objective's threshold.

    Attributes:
        relation: Mart, as ``marts.<name>``.
        value: SQL expression on its columns; rows where it is null are no events.
        where: SQL condition of an event; every row when absent.
        eventTime: Column with the time of the event.
        arrivedAt: Column with the time we learned of it; ``arrived_at`` when absent.
    """

    relation: Relation
    value: str = Field(min_length=1)
    where: str = "true"
    eventTime: ColumnName | None = None  # noqa: N815 - reads like OpenSLO's own keys
    arrivedAt: ColumnName | None = None  # noqa: N815 - reads like OpenSLO's own keys

    @field_validator("where", "value")
    @classmethod
    def _check_sql(cls, text: str) -> str:
        return _one_expression(text)


class ValueMetricSource(Strict):
    """A value in the warehouse."""

    type: Literal["warehouse"]
    spec: ValueSource


class ThresholdMetric(Strict):
    """Values, each good or bad by the objective's ``op`` and ``value``."""

    metricSource: ValueMetricSource  # noqa: N815 - OpenSLO's spelling


class IndicatorSpec(Strict):
    """The ratio that is judged, or the values that a threshold makes one of."""

    ratioMetric: RatioMetric | None = None  # noqa: N815 - OpenSLO's spelling
    thresholdMetric: ThresholdMetric | None = None  # noqa: N815 - OpenSLO's spelling

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.ratioMetric is None) == (self.thresholdMetric is None):
            message = "give one of ratioMetric and thresholdMetric"
            raise ValueError(message)
        return self


class IndicatorMetadata(Strict):
    """Name of the indicator."""

    name: Name


class Indicator(Strict):
    """An inline service level indicator."""

    metadata: IndicatorMetadata
    spec: IndicatorSpec
