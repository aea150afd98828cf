"""What a cost may be: exact limits, and mistakes that are named."""

from importlib.resources import files
from pathlib import Path

import pytest

from include.freezeline.cost.policy import load_cost_policy
from include.freezeline.errors import ConfigError

PACKAGED = Path(str(files("include").joinpath("config")))
GOOD = """
invoice: {max_gap_ratio: "0.02", max_gap_usd: "1.00"}
failed_calls: {not_billed_http_statuses: [429]}
telemetry: {usd_per_gib: "0.60", max_spend_ratio: "0.05", max_spend_ratio_by_service: {b: "0.1"}}
"""


def written(folder: Path, text: str) -> Path:
    """Write the policy into a folder and return the folder."""
    (folder / "cost.yml").write_text(text, encoding="utf-8")
    return folder


def test_policy_reaches_the_models_digit_by_digit(tmp_path: Path) -> None:
    assert load_cost_policy(written(tmp_path, GOOD)).variables() == {
        "invoice_max_gap_ratio": "0.02",
        "invoice_max_gap_usd": "1.00",
        "invoice_max_unpriced_ratio": "0",
        "not_billed_http_statuses": [429],
        "not_billed_error_classes": [],
        "maybe_billed_error_classes": [],
        "telemetry_usd_per_gib": "0.60",
        "telemetry_max_spend_ratio": "0.05",
        "telemetry_max_spend_ratio_by_service": {"b": "0.1"},
    }


def test_packaged_policy_has_every_limit() -> None:
    assert None not in load_cost_policy(PACKAGED).variables().values()


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('"0.02"', '"-0.02"', r"invoice\.max_gap_ratio: must be at least 0"),
        ('"0.05"', '"0.0000001"', r"telemetry\.max_spend_ratio: .*6 decimal places"),
        (
            '{b: "0.1"}',
            '{b: "much"}',
            r"max_spend_ratio_by_service\.b: must be a number, got 'much'",
        ),
        ("[429]", "[200]", r"failed_calls\.not_billed_http_statuses\.0: .*400"),
        ("http_statuses: [429]", "error_classes: [slow]", r"error_classes\.0: .*'rate_limit'"),
        ("usd_per_gib", "usd_per_gb", r"usd_per_gb: unknown key \(write usd_per_gib\)"),
    ],
)
def test_policy_is_refused_with_file_and_field_when_wrong(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        load_cost_policy(written(tmp_path, GOOD.replace(right, wrong, 1)))
    assert str(raised.value).startswith(str(tmp_path / "cost.yml"))


def test_policy_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cost\.yml"):
        load_cost_policy(tmp_path)
