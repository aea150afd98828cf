"""The Freezeline page in Airflow: current freezes, budgets and the last night's completeness.

Read-only: it opens the published snapshot, never the warehouse that the night writes. The page
is behind Airflow's login and the role that may see the website, because Airflow serves plugin
apps to everybody unless they ask for a user themselves.

Besides ``reports`` it imports ``settings``, ``adapters.warehouse``, which finds and opens the
snapshot, and the log of overrides, which is newer than any snapshot: the exceptions to "plugins
read only through reports" (docs/report.md).
"""

import os
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import structlog
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse

from include.freezeline.adapters.override_log import override_log
from include.freezeline.adapters.warehouse import latest_snapshot, open_warehouse
from include.freezeline.errors import FreezelineError, WarehouseError
from include.freezeline.freeze.overrides import live_overrides
from include.freezeline.reports.freeze_report import build_report, with_overrides
from include.freezeline.reports.model import FreezeReport
from include.freezeline.reports.page import PageState, page_json, render_page
from include.freezeline.reports.queries import latest_as_of
from include.freezeline.reports.render import render_html
from include.freezeline.settings import Settings, load_settings

URL_PREFIX = "/freezeline"
_HEADERS = {
    # The page holds no script and loads nothing; only Airflow itself may frame it.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STATUS_CODES = {"published": 200, "nothing_published": 404, "unavailable": 503}

log = structlog.get_logger(__name__)

# The schema and docs routes of FastAPI would escape the dependency, so there are none.
app = FastAPI(
    title="Freezeline",
    dependencies=[Depends(requires_access_view(AccessView.WEBSITE))],
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
)


# Plain functions: FastAPI runs them in threads, so reading a file never blocks the server.
@app.get("/", response_class=HTMLResponse)
def show_page() -> HTMLResponse:
    """Show the current state; without one the page says why."""
    state = load_state()
    code = 503 if state.status == "unavailable" else 200
    return HTMLResponse(render_page(state), status_code=code, headers=_HEADERS)


@app.get("/report", response_class=HTMLResponse)
def show_report() -> HTMLResponse:
    """Show the full report of the published night, the same bytes as the published file."""
    state = load_state()
    if state.report is None:
        code = _STATUS_CODES[state.status]
        return HTMLResponse(render_page(state), status_code=code, headers=_HEADERS)
    return HTMLResponse(render_html(state.report), headers=_HEADERS)


@app.get("/status.json")
def show_json() -> JSONResponse:
    """Return the page's content as JSON; 404 before the first night, 503 in an outage."""
    state = load_state()
    code = _STATUS_CODES[state.status]
    return JSONResponse(page_json(state), status_code=code, headers=_HEADERS)


def load_state() -> PageState:
    """Read the published snapshot, or say why it cannot be read."""
    now = datetime.now(UTC)
    try:
        settings = load_settings(os.environ)
        if not (settings.snapshot_dir / "current.json").exists():
            message = "Run the nightly DAG, or make demo."
            return PageState("nothing_published", None, message, now)
        live = live_overrides(override_log(settings).rows(), now)
        return PageState("published", with_overrides(_load_latest(settings), live), "", now)
    except FreezelineError as error:
        return PageState("unavailable", None, str(error), now)
    except Exception:
        # Whatever breaks, the page must say that it does not know; details go to the log.
        log.exception("the published snapshot cannot be read")
        message = "The api-server's log says why."
        return PageState("unavailable", None, message, now)


def _load_latest(settings: Settings) -> FreezeReport:
    """Read the current snapshot; once more when it was superseded and purged in between."""
    path = latest_snapshot(settings)
    try:
        return _load_report(path, path.stat().st_mtime_ns)
    except (FileNotFoundError, WarehouseError):
        newer = latest_snapshot(settings)
        if newer == path:
            raise
        return _load_report(newer, newer.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _load_report(path: Path, _mtime_ns: int) -> FreezeReport:
    """Build the report of a snapshot once: a published snapshot never changes."""
    with open_warehouse(path, read_only=True) as warehouse:
        as_of = latest_as_of(warehouse)
        if as_of is None:
            message = f"{path.name}: the snapshot holds no decided night (run the nightly DAG)"
            raise WarehouseError(message)
        return build_report(warehouse, as_of)


def _base_path() -> str:
    """Return the path under which Airflow is served, without its last slash."""
    return urlparse(conf.get("api", "base_url", fallback="")).path.rstrip("/")


class FreezelinePagePlugin(AirflowPlugin):
    """Registers the page and its entry in Airflow's navigation."""

    name = "freezeline_page"
    fastapi_apps: list[Any] = [{"name": "freezeline", "app": app, "url_prefix": URL_PREFIX}]  # noqa: RUF012
    external_views: list[Any] = [  # noqa: RUF012 - Airflow's declaration
        {
            "name": "Freezeline",
            "href": f"{_base_path()}{URL_PREFIX}/",
            "destination": "nav",
            "url_route": "freezeline",
        }
    ]
