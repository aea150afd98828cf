"""What the Airflow page shows: the published state, or plainly that there is none.

An outage must look like an outage. "Nothing published yet" and "cannot be read" are states of
their own, and an expired decision is marked as one: none of them may ever read as "no freezes".
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from include.freezeline.reports.model import FeatureReport, FreezeReport
from include.freezeline.reports.render import html_environment
from include.freezeline.reports.render_json import to_jsonable

Status = Literal["published", "nothing_published", "unavailable"]


@dataclass(frozen=True, slots=True)
class PageState:
    """What is known at the moment the page is asked for.

    Attributes:
        status: Whether there is a report.
        report: The last published one; None unless ``published``.
        message: Why there is none and what to do; empty when ``published``.
        now: When the page was asked for; decides what has expired.
    """

    status: Status
    report: FreezeReport | None
    message: str
    now: datetime

    @property
    def expired(self) -> tuple[FeatureReport, ...]:
        """Features whose last decision is no longer valid."""
        if self.report is None:
            return ()
        return tuple(
            item
            for item in self.report.features
            if item.flag is not None and item.flag.valid_until_at <= self.now
        )


def render_page(state: PageState) -> str:
    """Return the page as HTML."""
    return html_environment().get_template("page.html.j2").render(state=state, report=state.report)


def page_json(state: PageState) -> dict[str, Any]:
    """Return the page's content for programs: flags, budgets and completeness, unrounded."""
    report = state.report
    expired = {(item.feature, item.environment) for item in state.expired}
    shown: dict[str, Any] = {
        "schema_version": "1",
        "status": state.status,
        "message": state.message,
        "served_at": state.now,
        "as_of": report.as_of if report else None,
        "headline": report.headline if report else None,
        # Null and not false: without a report nobody knows.
        "is_any_frozen": report.is_any_frozen if report else None,
        "features": [_feature(item, expired) for item in report.features] if report else None,
        "night": report.night if report else None,
    }
    plain: dict[str, Any] = to_jsonable(shown)
    return plain


def _feature(item: FeatureReport, expired: set[tuple[str, str]]) -> dict[str, Any]:
    """Return a feature's flag and what is left of its budgets."""
    budgets = [
        {
            "slo_name": slo.slo_name,
            "verdict": slo.verdict,
            "consumed_lower_ratio": slo.consumed_lower_ratio,
            "consumed_nowcast_ratio": slo.consumed_nowcast_ratio,
            "consumed_upper_ratio": slo.consumed_upper_ratio,
            "remaining_ratio": slo.remaining_ratio,
        }
        for slo in item.slos
    ]
    return {
        "feature": item.feature,
        "environment": item.environment,
        "sentence": item.sentence,
        "flag": item.flag,
        "overrides": item.overrides,
        "is_expired": (item.feature, item.environment) in expired,
        "budgets": budgets,
    }
