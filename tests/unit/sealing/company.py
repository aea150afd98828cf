"""A company that seals originals: a few traces, landed with break-glass on."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from include.freezeline.adapters.lake import Lake
from include.freezeline.config import config_dir
from include.freezeline.contracts.lake_sealed import SEALED
from include.freezeline.jobs.land import land
from include.freezeline.sealing.access import AccessRequest, Requester
from include.freezeline.settings import Settings
from tests.integration.erasable import Turn, otlp
from tests.unit.landing.bucket import trace_key, write

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
MASTER, NEW_MASTER = "0123456789abcdef" * 4, "fedcba9876543210" * 4
RAW = "jane.halvorsen912@example.com"
ASKED = Turn(1, "mallory-4711", "s-1", f"mail {RAW} today")
PLAIN = Turn(2, "ordinary-0815", "s-2", "nothing to hide")
DENIED = Turn(3, "private-1", "s-3", f"forget {RAW} please")
HEALTH = Turn(4, "patient-1", "s-4", f"pain, ask {RAW}")
REASON = "checkout answers in the wrong language since the last release"


def sealing(settings: Settings, folder: Path, **changes: Any) -> Settings:
    """The settings with break-glass switched on, in a configuration of their own."""
    config = folder / "config"
    shutil.copytree(config_dir(settings), config)
    path = config / "break_glass.yml"
    document = yaml.safe_load(path.read_text()) | {"enabled": True} | changes
    path.write_text(yaml.safe_dump(document))
    return Settings.model_validate(
        settings.model_dump() | {"config_dir": config, "break_glass_key": MASTER}
    )


def write_company(settings: Settings) -> None:
    """Put the traces into the bucket."""
    write(settings, trace_key("a"), otlp(*ASKED.spans(), *PLAIN.spans()))
    write(settings, trace_key("b"), otlp(*_said(DENIED, "app.consent", "denied")))
    write(settings, trace_key("c"), otlp(*_said(HEALTH, "app.data_class", "health")))


def landed(settings: Settings, folder: Path, **changes: Any) -> Settings:
    """Land the company with break-glass on."""
    changed = sealing(settings, folder, **changes)
    write_company(changed)
    land(changed, AS_OF)
    return changed


def request(
    trace_id: str = ASKED.trace_id, *, at: datetime = AS_OF, **changes: str
) -> AccessRequest:
    """A request that gives every answer."""
    given = {"person": "ana@example.org", "reason": REASON, "ticket": "INC-17"} | changes
    return AccessRequest(Requester(login_name="ana", requested_at=at, **given), trace_id, None)


def sealed_rows(settings: Settings) -> list[dict[str, Any]]:
    """What lies sealed in the lake."""
    return Lake(settings.lake_dir).read_rows(SEALED)


def _said(turn: Turn, name: str, value: str) -> list[dict[str, Any]]:
    """A trace whose spans carry one more attribute."""
    more = {"key": name, "value": {"stringValue": value}}
    return [{**span, "attributes": [*span["attributes"], more]} for span in turn.spans()]
