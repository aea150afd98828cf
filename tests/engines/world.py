"""What the targets are compared on: landed days of the demo world, awkward rows, judgement rows."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.contracts.columns import ColumnType
from include.freezeline.contracts.judgement import (
    ALERT_DELIVERIES,
    ALERT_EVENTS,
    FREEZE_FLAGS,
    FREEZE_OVERRIDES,
    FREEZE_TRANSITIONS,
    RECOMMENDED_ACTIONS,
    SLO_WINDOWS,
    STYLE_FINGERPRINTS,
    VERDICTS,
)
from include.freezeline.demo.world import DATES
from include.freezeline.jobs import demo
from include.freezeline.jobs.demo import make_demo_bucket
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings
from tests.dbt.tiny_lake import TinyLake
from tests.integration.test_build import fill

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
# Enough for questions that compare a day or a week with the days before.
_N_DAYS = 12
_SCALE = 0.08
_FILLER: Mapping[ColumnType, Any] = {
    "string": "x", "json": "[]", "int64": 1, "int32": 1, "float64": 0.25, "bool": True,
    "timestamp": AS_OF, "date": AS_OF.date(), "list<string>": ["x"],
}  # fmt: skip
_JUDGED: Mapping[str, Mapping[str, Any]] = {
    "verdicts": {"verdict": "ok", "details": json.dumps({"n": 1})},
    "slo_windows": {"verdict": "ok", "consequence": "freeze"},
    "freeze_transitions": {"from_state": "OPEN", "to_state": "FROZEN"},
    "freeze_flags": {"state": "FROZEN"},
    "freeze_overrides": {"event_kind": "granted"},
    "alert_events": {"transition": "OPENED", "family": "outcome", "tier": "P2"},
    "alert_deliveries": {"channel_kind": "slack", "delivery_status": "delivered"},
    "recommended_actions": {"action": "roll_back_prompt"},
    "style_fingerprints": {"means": json.dumps({"commas": 0.5})},
}


class _BesideTheWorld(TinyLake):
    """Rows that are written by hand; the landed sources have nights of their own."""

    def night(self, name: str, **values: Any) -> None:
        super().night(f"awkward_{name}", **values)


def settings_in(home: Path, **values: object) -> Settings:
    """Return settings whose home is the folder."""
    given = {"home": home, "source_uri": (home / "bucket").as_uri(), "pseudonym_key": "test-key"}
    return Settings.model_validate(given | values)


def land_world(settings: Settings) -> None:
    """Land the last days of the demo world, then put rows of every awkward kind beside them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "DATES", DATES[-_N_DAYS:])
        make_demo_bucket(settings, scale=_SCALE)
    land(settings, AS_OF)
    fill(_BesideTheWorld(settings))


def judge_world(settings: Settings) -> None:
    """Write two rows into every judgement table, one of them revised."""
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        for table in (
            VERDICTS, SLO_WINDOWS, FREEZE_TRANSITIONS, FREEZE_FLAGS, FREEZE_OVERRIDES,
            ALERT_EVENTS, ALERT_DELIVERIES, RECOMMENDED_ACTIONS, STYLE_FINGERPRINTS,
        ):  # fmt: skip
            row = {c.name: _FILLER[c.type] for c in table.columns} | _JUDGED[table.name]
            own = {name: row[name] for name in row if name not in {"revision", "content_hash"}}
            earlier = own | {"reason": "at first"}
            other = own | dict.fromkeys(table.key, "y") | {"feature": "y"}
            if "as_of" in other:
                other["as_of"] = AS_OF - timedelta(days=1)
            for each in (earlier, own, other):
                warehouse.append_revisions(table, [each])
