"""The ``freezeline.dev/`` annotations: everything an SLO needs that OpenSLO v1 has no field for."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from include.freezeline.slo.windows import parse_duration

ANNOTATION_PREFIX = "freezeline.dev/"


class Strict(BaseModel):
    """Every key must be known."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Annotations(Strict):
    """The ``freezeline.dev/`` annotations: everything OpenSLO v1 has no field for.

    Attributes:
        limit: Allowed bad ratio X as an exact decimal string; ``target`` must be 1 - X.
        op: ``lt``: the bad ratio must stay below X; ``lte``: it may be X (quantiles).
        owner: Team that answers for it.
        runbook: Address of what to do when it breaks.
        consequence: ``freeze`` stops releases, ``warn`` is only shown.
        maturity_lag: Age at which a call without a bad outcome counts as good.
        fact: Fact that brings the bad outcomes; needed with a maturity lag.
        fact_silence: Time without a landed file of the fact after which nothing is judged.
        min_window_events: 24-hour windows with fewer events are not judged.
        features: ``service`` judges spec.service only, ``*`` every feature with events.
        trip_wire: Freeze also when the Shiryaev-Roberts score reaches this many looks between
            false alarms; without it only the budget freezes.
        evidence: Probability that a low-volume breach needs before it freezes.
        policy: Policy of ``config/freeze.yml``.
    """

    limit: str = Field(alias="freezeline.dev/limit")
    op: Literal["lt", "lte"] = Field("lt", alias="freezeline.dev/op")
    owner: str = Field(alias="freezeline.dev/owner", min_length=1)
    runbook: str = Field(alias="freezeline.dev/runbook", pattern=r"^(https?://|docs/)\S+$")
    consequence: Literal["freeze", "warn"] = Field(alias="freezeline.dev/consequence")
    maturity_lag: str | None = Field(None, alias="freezeline.dev/maturity-lag")
    fact: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] | None = Field(
        None, alias="freezeline.dev/fact"
    )
    fact_silence: str = Field("48h", alias="freezeline.dev/fact-silence")
    min_window_events: Annotated[str, Field(pattern=r"^[1-9][0-9]*$")] = Field(
        "20", alias="freezeline.dev/min-window-events"
    )
    features: Literal["service", "*"] = Field("service", alias="freezeline.dev/features")
    trip_wire: Annotated[str, Field(pattern=r"^[1-9][0-9]*$")] | None = Field(
        None, alias="freezeline.dev/trip-wire"
    )
    evidence: str = Field("0.99", alias="freezeline.dev/evidence")

    policy: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")] = Field(
        "default", alias="freezeline.dev/policy"
    )

    @field_validator("limit")
    @classmethod
    def _check_limit(cls, text: str) -> str:
        value = _decimal(text)
        if value is None or not 0 < value < 1:
            message = "must be a decimal string between 0 and 1 such as '0.05' for 5%"
            raise ValueError(message)
        return text

    @field_validator("evidence")
    @classmethod
    def _check_evidence(cls, text: str) -> str:
        value = _decimal(text)
        if value is None or not Decimal("0.5") <= value < 1:
            message = "must be a probability string from 0.5 to below 1 such as '0.99'"
            raise ValueError(message)
        return text

    @field_validator("maturity_lag", "fact_silence")
    @classmethod
    def _check_lag(cls, text: str | None) -> str | None:
        if text is not None:
            parse_duration(text)
        return text


def _decimal(text: str) -> Decimal | None:
    """Parse a finite decimal."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
