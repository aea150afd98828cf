"""The flagd file: one flag per feature and environment, which turns to frozen by itself.

A caller's code default must be ``frozen``: a disabled or missing flag and a provider that is
not ready all give the caller's default.
"""

import json
from collections.abc import Mapping
from typing import Any

from include.freezeline.freeze.gate import EXEMPT_CLASSES, parse_moment

SCHEMA = "https://flagd.dev/schema/v0/flags.json"
_VARIANTS = ("open", "warning", "recovering", "frozen")


def flag_name(feature: str, environment: str) -> str:
    """Return the flag's key; production has the short one."""
    suffix = "" if environment == "production" else f".{environment}"
    return f"llm-freeze.{feature}{suffix}"


def build_flagd_file(document: Mapping[str, Any]) -> bytes:
    """Return the flagd file of a freeze document.

    From ``valid_until`` on every flag says ``frozen``, without anyone writing the file again,
    except to fixes and rollbacks.
    """
    content = {
        "$schema": SCHEMA,
        "metadata": {"flagSetId": "llm-release-freeze", "version": document["evaluated_at"]},
        "flags": {
            flag_name(item["feature"], item["environment"]): _flag(item, document)
            for item in document["features"]
        },
    }
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode("utf-8")


def _flag(item: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return one flag; metadata values must be flat."""
    valid_until_s = int(parse_moment(document["valid_until"]).timestamp())
    worst = item["slos"][0]["slo_id"] if item["slos"] else ""
    state = item["state"].lower()
    return {
        "state": "ENABLED",
        "variants": {name: name for name in _VARIANTS},
        # flagd's schema lets a variant pass that is not there; evaluating it is an error.
        "defaultVariant": state if state in _VARIANTS else "frozen",
        "targeting": {
            "if": [
                {"in": [{"var": "change_class"}, sorted(EXEMPT_CLASSES)]},
                "open",
                {">=": [{"var": "$flagd.timestamp"}, valid_until_s]},
                "frozen",
                None,
            ]
        },
        "metadata": {
            "slo_id": worst,
            "reason": item["reason"],
            "since": item["since"],
            "data_through": document["data_through"] or "",
            "valid_until": valid_until_s,
            "report_url": document["report_url"],
            # The flag says the state. Whether a change may ship although frozen, the gate says.
            "overrides": _overrides_text(item),
        },
    }


def _overrides_text(item: Mapping[str, Any]) -> str:
    """Return the overrides of a feature as one text; metadata values are flat."""
    return "; ".join(
        f"{override['override_id']} until {override['expires_at']} by {override['requested_by']}, "
        f"approved by {override['approved_by']}"
        for override in item.get("overrides", [])
    )
