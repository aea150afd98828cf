"""The alert policies of an SLO file, as OpenSLO writes them."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from include.freezeline.slo.annotations import Strict
from include.freezeline.slo.spec_indicator import IndicatorMetadata
from include.freezeline.slo.spec_names import Name
from include.freezeline.slo.windows import parse_duration


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
