"""The schemas that editors use are those of the models, and the packaged files keep to them."""

import json
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from include.freezeline.alerts.policy import AlertPolicy
from include.freezeline.config import config_dir
from include.freezeline.cost.policy import CostPolicy
from include.freezeline.erasure.policy import ErasurePolicy
from include.freezeline.errors import ConfigError
from include.freezeline.evaluations.policy import EvaluationPolicy
from include.freezeline.evaluators.policy import EvaluatorPolicy
from include.freezeline.freeze.overrides import OverrideRules
from include.freezeline.labelling.policy import LabellingPolicy
from include.freezeline.landing.sources import SourcesFile, load_sources
from include.freezeline.retention.policy import RetentionPolicy
from include.freezeline.sealing.policy import BreakGlassPolicy
from include.freezeline.settings import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("alerts", AlertPolicy),
        ("break_glass", BreakGlassPolicy),
        ("cost", CostPolicy),
        ("erasure", ErasurePolicy),
        ("evaluations", EvaluationPolicy),
        ("evaluators", EvaluatorPolicy),
        ("labelling", LabellingPolicy),
        ("overrides", OverrideRules),
        ("retention", RetentionPolicy),
        ("sources", SourcesFile),
    ],
)
def test_schema_is_the_one_of_the_model(
    settings: Settings, name: str, model: type[BaseModel]
) -> None:
    folder = config_dir(settings)
    schema: dict[str, Any] = json.loads((folder / "schema" / f"{name}.schema.json").read_text())
    assert schema == {"$schema": DIALECT, **model.model_json_schema()}
    jsonschema.validate(yaml.safe_load((folder / f"{name}.yml").read_text()), schema)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sources: [{name: traces, prefix: a/}]", r"sources\.yml: sources\.0\.prefix"),
        ("sources: [{name: traces, prefixes: [/a]}]", r"must not start with '/'"),
        ("sources: []", r"sources\.yml: sources:"),
    ],
)
def test_load_sources_says_what_is_wrong(
    settings: Settings, tmp_path: Any, text: str, message: str
) -> None:
    (tmp_path / "sources.yml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_sources(tmp_path)
