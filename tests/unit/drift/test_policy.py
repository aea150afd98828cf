"""The policy files and their schemas."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from include.freezeline.config import config_dir
from include.freezeline.drift.anomaly_policy import AnomalyPolicy, load_anomaly_policy
from include.freezeline.drift.policy import DriftPolicy, load_drift_policy
from include.freezeline.errors import ConfigError
from include.freezeline.settings import Settings

FOLDER = config_dir(Settings())


@pytest.mark.parametrize(("name", "model"), [("drift", DriftPolicy), ("anomalies", AnomalyPolicy)])
def test_schema_is_the_one_of_the_model_when_compared(name: str, model: type[BaseModel]) -> None:
    schema = json.loads((FOLDER / "schema" / f"{name}.schema.json").read_text())
    dialect = "https://json-schema.org/draft/2020-12/schema"
    assert schema == {"$schema": dialect, **model.model_json_schema()}
    jsonschema.validate(yaml.safe_load((FOLDER / f"{name}.yml").read_text()), schema)


def test_packaged_policies_load_when_nothing_is_set() -> None:
    assert load_drift_policy(FOLDER).sustained.at_least >= 2
    assert {q.name for q in load_anomaly_policy(FOLDER).questions} >= {
        "input_tokens_creep",
        "retrieval_empty_ratio",
        "tpot_p95_ms",
    }


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("drift", "window: 2d", "windows: 2d", "window"),
        ("drift", "window: 2d", "window: 5m", "window: must lie between 30m and 31d, got '5m'"),
        ("drift", "window: 2d", "window: 2 days", "such as 30m, 6h or 2d, got '2 days'"),
        ("drift", "window: 2d", "window: 2", "window: must be text, got 2"),
        ("drift", "[feature, environment, model]", "[feature, model]", "must hold environment"),
        ("drift", "environment, model]", "environment, user_key]", "tenant_tier.*got 'user_key'"),
        ("drift", "environment, model]", "environment, feature]", "a dimension twice"),
        ("drift", "moves: when_prompt_version_is_new", "moves: daily", "got 'daily'"),
        (
            "drift",
            "moves: when_prompt_version_is_new",
            "moves: never\n  accepted_changes:\n    - {feature: f, from_date: 2026-10-02, by: a, reason: b}",
            "would change nothing while moves is never",
        ),
        ("drift", "at_least: 2", "at_least: 4", "at_least must be at most windows"),
        ("drift", "level: 0.01", "level: 5", r"level: must be below 1, got 5 \(write 0.05\)"),
        ("drift", "min_effect: 0.57", "min_effect: .nan", r"semantic_shift.min_effect: .*got nan"),
        (
            "drift",
            "min_effect: 0.57",
            "min_effect: .inf",
            "min_effect: must be a finite number, got inf",
        ),
        ("drift", "min_effect: 0.57", "min_effect: -1", "must be at least 0, got -1"),
        ("drift", "screen: 499", "screen: 98", "screen: must be at least 99, got 98"),
        (
            "drift",
            "refine: 9999",
            "refine: 1000001",
            "refine: must be at most 1000000, got 1000001",
        ),
        (
            "drift",
            "max_texts: 300",
            "max_texts: 30",
            "sampling.max_texts must be at least 50 = questions.semantic_shift.min_current, got 30 "
            r"\(write 50 or more\)",
        ),
        (
            "anomalies",
            "\nbaseline_days: 28",
            "\nbaseline_days: 5",
            "min_baseline_days: must be at most the 5 baseline_days, got 10",
        ),
        (
            "anomalies",
            "creep_days: 28",
            "creep_days: 5",
            "min_baseline_days: must be at most the 5 creep_days, got 10",
        ),
        (
            "anomalies",
            "min_hours: 120",
            "min_hours: 9000",
            "hourly.min_hours: must be at most the 600 hours of baseline_days without the first 72, "
            r"got 9000 \(write",
        ),
        ("anomalies", "sustained_days: 2", "sustained_days: 9", "at most current_days"),
        ("anomalies", "name: error_ratio", "name: tpot_p95_ms", "same name, tpot_p95_ms"),
        ("anomalies", "name: error_ratio", "name: timeout_hourly", "same name, timeout_hourly"),
        ("anomalies", "min_change_ratio: 0.15", "min_change_ratio: .inf", "finite number, got inf"),
        ("anomalies", "min_change_ratio: 0.15", "min_change_ratio: .nan", "finite number, got nan"),
        (
            "anomalies",
            "min_difference: 0.03",
            "min_difference: 1.5",
            "must be at most 1, got",
        ),
        ("anomalies", "min_difference: 0.03", "min_difference: .inf", "finite number, got inf"),
        ("anomalies", "min_difference: 0.03", "min_difference: -0.1", "must be at least 0"),
        (
            "anomalies",
            "min_difference: 0.001",
            "min_difference: 2",
            "hourly.questions.*at most 1, got 2",
        ),
        ("anomalies", "column: is_error", "column: is_error; drop", "must be text that fits"),
    ],
)
def test_policy_says_what_is_wrong_when_a_value_is_bad(
    tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    text = (FOLDER / f"{name}.yml").read_text()
    assert old in text
    (tmp_path / f"{name}.yml").write_text(text.replace(old, new, 1))
    load = load_drift_policy if name == "drift" else load_anomaly_policy
    with pytest.raises(ConfigError, match=message):
        load(tmp_path)
