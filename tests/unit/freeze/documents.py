"""Signed freeze documents for tests."""

from datetime import UTC, datetime
from typing import Any

from include.freezeline.freeze.signing import private_key_from_seed, public_key_of, sign_document

PRIVATE = private_key_from_seed(b"\x01" * 32)
PUBLIC = public_key_of(PRIVATE)
OTHER_PRIVATE = private_key_from_seed(b"\x02" * 32)
NOW = datetime(2026, 10, 14, 1, tzinfo=UTC)
NOW_TEXT = "2026-10-14T01:00:00Z"


def make_document(**changes: Any) -> dict[str, Any]:
    """Return a fresh document: one feature open, one frozen, one of an unknown state."""
    states = {"calm": "OPEN", "hot": "FROZEN", "mending": "RECOVERING", "odd": "THAWED"}
    features = [_entry(feature, "production", state) for feature, state in states.items()]
    document = {
        "schema_version": "1",
        "sequence": 7,
        "as_of": "2026-10-14T00:00:00Z",
        "data_through": "2026-10-13T23:59:00Z",
        "evaluated_at": "2026-10-14T00:00:00Z",
        "valid_until": "2026-10-15T06:00:00Z",
        "report_url": "file:///published/reports/2026-10-14/freeze_report.html",
        "features": [*features, _entry("calm", "staging", "FROZEN")],
    }
    return {**document, **changes}


def make_override(**changes: Any) -> dict[str, Any]:
    """Return an override that holds for eight hours from the document's night on."""
    override = {
        "override_id": "ov-1a2b3c4d5e6f",
        "change_ref": None,
        "reason": "The fix for the refund loop needs this prompt",
        "requested_by": "pat@example.com",
        "approved_by": "sam@example.com",
        "created_at": "2026-10-14T00:00:00Z",
        "expires_at": "2026-10-14T08:00:00Z",
    }
    return {**override, **changes}


def sign(document: dict[str, Any], private: bytes = PRIVATE) -> bytes:
    """Sign a document."""
    return sign_document(document, private)


def _entry(feature: str, environment: str, state: str) -> dict[str, Any]:
    """Return a feature's entry."""
    return {
        "feature": feature,
        "environment": environment,
        "state": state,
        "since": "2026-10-08T00:00:00Z",
        "reason": "support-escalation: 112% of the 28d budget spent",
        "slos": [{"slo_id": "support-escalation", "verdict": "breach"}],
        "earliest_thaw": None,
        "contributors": [],
        "what_to_do": [],
    }
