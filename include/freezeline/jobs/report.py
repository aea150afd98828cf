"""Render the freeze report of a night as HTML, Markdown and JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from include.freezeline.adapters.override_log import override_log
from include.freezeline.adapters.snapshots import open_snapshot
from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.errors import WarehouseError
from include.freezeline.freeze.gate import EXEMPT_CLASSES
from include.freezeline.freeze.overrides import live_overrides
from include.freezeline.jobs.recommend import load_actions
from include.freezeline.reports.freeze_report import build_report, with_actions, with_overrides
from include.freezeline.reports.model import FreezeReport, Policy
from include.freezeline.reports.queries import latest_as_of
from include.freezeline.reports.render import render_html, render_markdown
from include.freezeline.reports.render_json import render_json
from include.freezeline.settings import Settings
from include.freezeline.slo.policy import DEFAULT_POLICY, FreezePolicy, load_freeze_rules

Source = Literal["warehouse", "snapshot"]


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The three texts of one report; HTML and Markdown are views of the same model as JSON."""

    html: str
    markdown: str
    json: str


def render_report(
    settings: Settings, as_of: datetime | None = None, *, source: Source = "warehouse"
) -> ReportFiles:
    """Render the report of a night; the same warehouse and night give the same bytes.

    Args:
        settings: Where the warehouse and the snapshots are.
        as_of: Night to report, exclusive end; the newest decided one when None.
        source: ``warehouse`` is the nightly's own file (the night publishes from it);
            ``snapshot`` is what the last good night published.

    Raises:
        WarehouseError: There is no such file, or it holds no decided night.
    """
    report = load_report(settings, as_of, source=source)
    return ReportFiles(render_html(report), render_markdown(report), render_json(report))


def load_report(
    settings: Settings, as_of: datetime | None = None, *, source: Source = "snapshot"
) -> FreezeReport:
    """Build the report's model; see :func:`render_report`."""
    with _open(settings, source) as warehouse:
        night = as_of or latest_as_of(warehouse)
        if night is None:
            message = f"the {source} holds no decided night (run the nightly DAG, or `make demo`)"
            raise WarehouseError(message)
        live = live_overrides(override_log(settings).rows(), night)
        policy = load_freeze_rules(config_dir(settings)).compiled()[DEFAULT_POLICY]
        report = build_report(warehouse, night, explained_policy(policy))
        return with_overrides(with_actions(report, load_actions(warehouse, night)), live)


def explained_policy(policy: FreezePolicy) -> Policy:
    """Return the rules of the state machine and the gate as the report explains them."""
    return Policy(
        freeze_at_ratio=float(policy.freeze_at),
        warn_at_ratio=float(policy.warn_at),
        thaw_at_ratio=float(policy.recover_at),
        thaw_evaluations_count=policy.clean_evaluations,
        min_frozen_h=policy.min_freeze.total_seconds() / 3600,
        exempt_change_classes=tuple(sorted(EXEMPT_CLASSES)),
    )


@contextmanager
def _open(settings: Settings, source: Source) -> Iterator[Warehouse]:
    """Open the file to report from, read-only."""
    if source == "snapshot":
        with open_snapshot(settings) as warehouse:
            yield warehouse
    else:
        with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
            yield warehouse
