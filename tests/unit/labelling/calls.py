"""Made-up calls, as the mart has them."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd


def call(number: int, **changes: Any) -> dict[str, Any]:
    """One call that may be drawn."""
    return {
        "call_key": f"{number:032x}",
        "feature": "chat",
        "request_model": "gpt-4.1",
        "environment": "production",
        "consent": "granted",
        "data_class": None,
        "is_canary": False,
        "is_text_withheld": False,
        "has_text": True,
        "is_escalated": None,
        "sample_weight": 1.0,
        "called_at": datetime(2026, 10, 13, tzinfo=UTC),
    } | changes


def frame(*calls: dict[str, Any]) -> pd.DataFrame:
    """Calls as a frame."""
    return pd.DataFrame(list(calls))
