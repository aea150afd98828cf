"""One SLO of the report: its window, who spent the budget, and the burn-down."""

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal

from include.freezeline.reports import queries
from include.freezeline.reports.method import method_lines
from include.freezeline.reports.model import BurnDown, BurnPoint, Contributor, SloStatus
from include.freezeline.reports.queries import Reader, Row

MIN_CONTRIBUTOR_EVENTS = 30
"""Values with fewer events are gathered in ``(other)``: their ratios are noise."""

DAY_DIMENSION = "call_date"
"""Attribution dimension that holds the window's days; it makes the burn-down, not a table."""


def load_slo(reader: Reader, window: Row) -> SloStatus:
    """Load everything about one SLO window, its contributors and burn-down included."""
    limit = Decimal(window["limit_text"])
    cuts = queries.attributions(reader, window)
    contributors = _contributors(row for row in cuts if row["dimension"] != DAY_DIMENSION)
    days = [row for row in cuts if row["dimension"] == DAY_DIMENSION]
    burn = _burn_by_day(days, window, limit) or _burn_by_night(queries.burn_down(reader, window))
    allowed = limit * window["event_count"]
    main = _main_contributor(contributors, float(limit))
    shown = {name: window[name] for name in _WINDOW_COLUMNS}
    # Snapshots of the first release do not have the column.
    nowcast = window.get("consumed_nowcast_ratio")
    return SloStatus(
        **shown,
        consumed_nowcast_ratio=nowcast,
        limit=limit,
        allowed_bad_count=allowed,
        remaining_ratio=_remaining(window["consumed_lower_ratio"]),
        contributors=contributors,
        main_contributor=main,
        burn_down=burn,
        method=method_lines(window, limit, main),
    )


_WINDOW_COLUMNS = (
    "slo_name", "objective", "op", "consequence", "as_of", "window_started_at",
    "window_ended_at", "event_count", "bad_count", "pending_count", "bad_lower_ratio",
    "bad_upper_ratio", "consumed_lower_ratio", "consumed_upper_ratio",
    "bad_interval_lower_ratio", "bad_interval_upper_ratio", "p_breach", "event_24h_count",
    "bad_24h_count", "bad_24h_ratio", "burn_rate_24h", "worst_24h_ratio", "worst_24h_ended_at",
    "detector_score", "time_to_exhaustion_h", "verdict", "reason", "evidence_query",
)  # fmt: skip


def _contributors(rows: Iterable[Row]) -> tuple[Contributor, ...]:
    """Rank the values of each dimension by excess; small ones are gathered in ``(other)``."""
    by_dimension: dict[str, list[Row]] = {}
    for row in rows:
        by_dimension.setdefault(row["dimension"], []).append(row)
    ranked: list[Contributor] = []
    for dimension in sorted(by_dimension):
        cut = _gather_small(by_dimension[dimension])
        positive = sum(max(0.0, row["excess_bad_count"]) for row in cut)
        ranked.extend(_contributor(row, positive) for row in cut)
    return tuple(ranked)


def _gather_small(rows: list[Row]) -> list[Row]:
    """Merge values with too few events to say anything about; sums stay exact."""
    large = [row for row in rows if row["event_count"] >= MIN_CONTRIBUTOR_EVENTS]
    small = [row for row in rows if row["event_count"] < MIN_CONTRIBUTOR_EVENTS]
    if len(small) < 2:
        return rows
    events = sum(row["event_count"] for row in small)
    bad = sum(row["bad_count"] for row in small)
    other = {
        **small[0],
        "dimension_value": f"(other: {len(small)} values)",
        "event_count": events,
        "bad_count": bad,
        "bad_ratio": bad / events if events else None,
        "budget_share_ratio": sum(row["budget_share_ratio"] or 0.0 for row in small),
        "excess_bad_count": sum(row["excess_bad_count"] or 0.0 for row in small),
    }
    return [*large, other]


def _contributor(row: Row, positive_excess: float) -> Contributor:
    """Turn an attribution row into a contributor with its part of the positive excess."""
    excess = row["excess_bad_count"] or 0.0
    return Contributor(
        dimension=row["dimension"],
        value=row["dimension_value"],
        event_count=row["event_count"],
        bad_count=row["bad_count"],
        bad_ratio=row["bad_ratio"],
        budget_share_ratio=row["budget_share_ratio"],
        excess_bad_count=excess,
        excess_share_ratio=max(0.0, excess) / positive_excess if positive_excess > 0 else 0.0,
    )


def _main_contributor(contributors: Sequence[Contributor], limit: float) -> Contributor | None:
    """Return the value that isolates the most excess, of a dimension with something to compare.

    A dimension with a single value explains nothing: it is the whole traffic under another name.
    None when no value stands out from chance.
    """
    sizes: dict[str, int] = {}
    for item in contributors:
        sizes[item.dimension] = sizes.get(item.dimension, 0) + 1
    candidates = [
        item
        for item in contributors
        if sizes[item.dimension] > 1
        and item.event_count >= MIN_CONTRIBUTOR_EVENTS
        # Less than two Poisson deviations over the allowance is what chance does.
        and item.excess_bad_count > 2 * math.sqrt(max(1.0, limit * item.event_count))
    ]
    # Ties go to what a team can change first: the prompt, then the model.
    order = ("prompt_version", "request_model", "route", "tenant_key")
    rank = {name: place for place, name in enumerate(order)}
    return min(
        candidates,
        key=lambda item: (-item.excess_bad_count, rank.get(item.dimension, 9), item.value),
        default=None,
    )


def _burn_by_day(days: Sequence[Row], window: Row, limit: Decimal) -> BurnDown | None:
    """Spend the window's budget day by day; None unless the days add up to the whole window."""
    budget = float(limit * window["event_count"])
    complete = sum(row["event_count"] for row in days) == window["event_count"]
    if not days or not complete or budget <= 0:
        return None
    points, bad, events = [], 0, 0
    for row in sorted(days, key=lambda item: item["dimension_value"]):
        bad += row["bad_count"]
        events += row["event_count"]
        points.append(
            BurnPoint(
                at=queries.end_of_day(row["dimension_value"]),
                event_count=row["event_count"],
                bad_count=row["bad_count"],
                bad_ratio=row["bad_ratio"],
                remaining_ratio=1 - bad / budget,
                even_spend_ratio=1 - events / window["event_count"],
            )
        )
    return BurnDown("event_day", tuple(points))


def _burn_by_night(rows: Sequence[Row]) -> BurnDown:
    """Show the rolling budget that each night saw left."""
    points = tuple(
        BurnPoint(
            at=row["as_of"],
            event_count=row["event_24h_count"],
            bad_count=row["bad_24h_count"],
            bad_ratio=row["bad_24h_ratio"],
            remaining_ratio=row["remaining_ratio"],
            even_spend_ratio=None,
        )
        for row in rows
    )
    return BurnDown("nightly", points)


def _remaining(consumed: float | None) -> float | None:
    """Return what is left of the budget; below 0 is overspent, None is unknown."""
    return None if consumed is None else 1 - consumed
