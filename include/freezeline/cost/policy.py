"""What a cost may be: gaps to the invoice, and the budget of telemetry (``config/cost.yml``)."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from include.freezeline.config import load_yaml, parse_config

Ratio = Annotated[Decimal, Field(ge=0, le=1000, decimal_places=6)]
Amount = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]


ErrorClass = Literal[
    "rate_limit",
    "timeout",
    "content_filter",
    "context_length_exceeded",
    "invalid_api_key",
    "server_error",
    "cancelled",
    "other",
]


class _Strict(BaseModel):
    """No unknown keys, no changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InvoicePolicy(_Strict):
    """How far an invoice and the computed cost of a day and model may be apart.

    Attributes:
        max_gap_ratio: Gap by billed amount that is no incident.
        max_gap_usd: Gap in US dollars that is none either.
        max_unpriced_ratio: Share of the calls that may have no known cost.
    """

    max_gap_ratio: Ratio
    max_gap_usd: Amount
    max_unpriced_ratio: Ratio = Decimal(0)


class FailedCalls(_Strict):
    """What failed calls cost of which the source reports no tokens.

    Attributes:
        not_billed_http_statuses: Statuses of answers that a provider does not bill.
        not_billed_error_classes: Classes of failures that it does not bill either.
        maybe_billed_error_classes: Classes whose cost is unknown, whatever their status.
    """

    not_billed_http_statuses: tuple[Annotated[int, Field(ge=400, le=599)], ...] = ()
    not_billed_error_classes: tuple[ErrorClass, ...] = ()
    maybe_billed_error_classes: tuple[ErrorClass, ...] = ()


class TelemetryPolicy(_Strict):
    """What keeping telemetry may cost.

    Attributes:
        usd_per_gib: US dollars that a stored GiB costs, through all tiers.
        max_spend_ratio: Telemetry by token spend that a service may reach.
        max_spend_ratio_by_service: Other limits for single services.
    """

    usd_per_gib: Amount
    max_spend_ratio: Ratio
    max_spend_ratio_by_service: Mapping[str, Ratio] = Field(default_factory=dict)


class CostPolicy(_Strict):
    """The file ``config/cost.yml``."""

    invoice: InvoicePolicy
    failed_calls: FailedCalls = FailedCalls()
    telemetry: TelemetryPolicy

    def variables(self) -> dict[str, object]:
        """Return the policy as dbt variables; numbers stay text, so that they stay exact."""
        telemetry = self.telemetry
        return {
            "invoice_max_gap_ratio": str(self.invoice.max_gap_ratio),
            "invoice_max_gap_usd": str(self.invoice.max_gap_usd),
            "invoice_max_unpriced_ratio": str(self.invoice.max_unpriced_ratio),
            **self.failed_calls.model_dump(mode="json"),
            "telemetry_usd_per_gib": str(telemetry.usd_per_gib),
            "telemetry_max_spend_ratio": str(telemetry.max_spend_ratio),
            "telemetry_max_spend_ratio_by_service": {
                service: str(ratio)
                for service, ratio in sorted(telemetry.max_spend_ratio_by_service.items())
            },
        }


def load_cost_policy(config_dir: Path) -> CostPolicy:
    """Read ``cost.yml``.

    Raises:
        ConfigError: The file is missing, or is not what it should be.
    """
    path = config_dir / "cost.yml"
    return parse_config(CostPolicy, path, load_yaml(path))
