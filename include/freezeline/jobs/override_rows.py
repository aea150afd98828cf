"""The log of overrides as rows of the judgement schema, for whoever asks in SQL."""

from datetime import datetime
from typing import Any

from include.freezeline.adapters.override_log import override_log
from include.freezeline.hashing import stable_hash
from include.freezeline.settings import Settings


def override_event_rows(settings: Settings, as_of: datetime) -> list[dict[str, Any]]:
    """Return the rows of ``judgement.freeze_overrides`` known before a time: one per feature."""
    times = ("recorded_at", "created_at", "expires_at")
    return [
        {
            "override_event_key": stable_hash(row["event_hash"], feature),
            **{name: row[name] for name in _COPIED},
            **{name: datetime.fromisoformat(row[name]) for name in times},
            "feature": feature,
        }
        for row in override_log(settings).rows()
        if datetime.fromisoformat(row["recorded_at"]) < as_of
        for feature in row["features"]
    ]


_COPIED = (
    "event_kind", "override_id", "environment", "change_ref", "reason", "requested_by",
    "approved_by", "login_name", "event_index", "event_hash",
)  # fmt: skip
