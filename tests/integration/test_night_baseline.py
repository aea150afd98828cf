"""The pandas script that the warehouse is measured against computes the same marts."""

import numpy as np
import pandas as pd
import pytest

from include.freezeline.jobs.run_demo import NIGHT_END
from tests.bench.night_pandas import compute_marts
from tests.integration.line import LineRun

_KEYS = {
    "fct_llm_calls": ["call_key"],
    "fct_call_costs": ["call_key"],
    "agg_feature_daily": ["feature", "environment", "request_model", "call_date"],
    "agg_calls_hourly": ["dimension", "dimension_value", "environment", "feature", "prompt_name", "period_started_at"],
    "agg_calls_daily": ["dimension", "dimension_value", "environment", "feature", "prompt_name", "period_started_at"],
    "agg_cost_hourly": [
        "hour_started_at", "environment", "feature", "tenant_key", "prompt_name", "prompt_version",
        "provider", "model", "price_tier", "is_canary",
    ],
    "agg_user_cost_daily": ["tenant_key", "user_key", "environment", "feature", "call_date", "is_canary"],
}  # fmt: skip


@pytest.fixture(scope="module")
def computed(night: LineRun) -> dict[str, pd.DataFrame]:
    return compute_marts(night.home / "lake", NIGHT_END)


@pytest.mark.parametrize("mart", sorted(_KEYS))
def test_every_row_and_column_is_the_warehouses(
    mart: str, computed: dict[str, pd.DataFrame], night: LineRun
) -> None:
    theirs = computed[mart]
    key = _KEYS[mart]
    ours = pd.DataFrame(night.rows(f"select * from marts.{mart}"))
    assert set(theirs.columns) <= set(ours.columns)
    assert len(theirs) == len(ours) > 0
    ours, theirs = _in_order(ours, key), _in_order(theirs, key)
    for column in theirs.columns:
        _assert_same(ours[column], theirs[column])


def _in_order(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Sort by the key as text, which both sides write alike."""
    texts = frame[key].apply(_plain)
    assert not texts.duplicated().any()
    return frame.loc[texts.sort_values(key).index].reset_index(drop=True)


def _assert_same(ours: pd.Series, theirs: pd.Series) -> None:
    """Compare nulls exactly, numbers to nine digits, and everything else as text."""
    assert (ours.isna() == theirs.isna()).all(), ours.name
    ours, theirs = ours[ours.notna()], theirs[theirs.notna()]
    try:
        close = np.isclose(ours.astype(float), theirs.astype(float), rtol=1e-9, atol=1e-9)
    except (TypeError, ValueError):
        close = _plain(ours) == _plain(theirs)
    assert np.all(close), f"{ours.name}: {ours[~close][:3]} {theirs[~close][:3]}"


def _plain(values: pd.Series) -> pd.Series:
    """Write values alike: instants and dates in UTC, flags as words, null as nothing."""
    if str(values.name).endswith(("_at", "_date")):
        values = pd.to_datetime(values, utc=True)
    return values.astype(object).where(values.notna(), "").astype(str)
