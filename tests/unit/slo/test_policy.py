"""``freeze.yml``: which policies an SLO may follow, and what they change."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from include.freezeline.errors import ConfigError
from include.freezeline.slo.catalogue import load_slo, load_slos
from include.freezeline.slo.evaluation import evaluate
from include.freezeline.slo.policy import FreezePolicy, FreezeRules, load_freeze_rules
from tests.unit.landing.test_config_schemas import DIALECT
from tests.unit.slo.builders import AS_OF, steady

CONFIG = Path("include/config")
STRICT = {
    "warn_at": "0.3",
    "warn_clear": "0.2",
    "recover_at": "0.5",
    "min_freeze": "48h",
    "clean_evaluations": 5,
}


def write(folder: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """Copy the configuration with another freeze.yml."""
    shutil.copytree(CONFIG, folder)
    document = yaml.safe_load((folder / "freeze.yml").read_text())
    change(document)
    (folder / "freeze.yml").write_text(yaml.safe_dump(document))
    return folder


def test_shipped_policy_is_the_house_default_and_fits_its_schema() -> None:
    schema = json.loads((CONFIG / "schema" / "freeze_rules.schema.json").read_text())
    assert schema == {"$schema": DIALECT, **FreezeRules.model_json_schema()}
    jsonschema.validate(yaml.safe_load((CONFIG / "freeze.yml").read_text()), schema)
    assert load_freeze_rules(CONFIG).compiled() == {"default": FreezePolicy()}


def test_slo_follows_the_policy_it_names(tmp_path: Path) -> None:
    folder = write(tmp_path / "config", lambda d: d["policies"].update(strict=STRICT))
    path = folder / "slos" / "hard-error-rate.yml"
    document = yaml.safe_load(path.read_text())
    document["metadata"]["annotations"]["freezeline.dev/policy"] = "strict"
    path.write_text(yaml.safe_dump(document))
    strict = load_slo(path)
    assert (strict.policy.warn_at, strict.policy.clean_evaluations) == (Fraction(3, 10), 5)
    assert strict.policy.min_freeze == timedelta(hours=48)
    by_name = {slo.name: slo for slo in load_slos(folder)}
    assert by_name["support-escalation"].policy.min_freeze == timedelta(hours=72)  # its lag
    events = steady(10_000, 28, 400)  # half of the budget
    default = load_slo(CONFIG / "slos" / "hard-error-rate.yml")
    verdicts = [
        evaluate(slo, events, "f", "production", AS_OF).verdict for slo in (default, strict)
    ]
    assert verdicts == ["ok", "warning"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(validity="30"), "validity: must be a whole number"),
        (lambda d: d.update(validity="8d"), "validity: must be at most 7d"),
        (lambda d: d["policies"].clear(), "policies: required: 'default'"),
        (
            lambda d: d["policies"]["default"].update(warn_at="1.5"),
            "warn_at: must be below 1, got '1.5' (write less than 1)",
        ),
        (lambda d: d["policies"]["default"].update(min_freeze="0h"), "min_freeze: must be a whole"),
        (lambda d: d["policies"]["default"].update(thaw="1"), "default.thaw: unknown key"),
    ],
)
def test_wrong_policy_is_refused_with_its_place(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    folder = write(tmp_path / "config", change)
    with pytest.raises(ConfigError) as caught:
        load_slos(folder)
    assert message in str(caught.value)


def test_unknown_policy_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    folder = write(tmp_path / "config", lambda _d: None)
    path = folder / "slos" / "hard-error-rate.yml"
    text = path.read_text().replace(
        "freezeline.dev/op: lt", "freezeline.dev/op: lt\n    freezeline.dev/policy: lenient"
    )
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"no such policy 'lenient' .one of default"):
        load_slo(path)
