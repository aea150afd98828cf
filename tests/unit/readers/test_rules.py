"""The landing rules file and its schema."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from include.freezeline.errors import ConfigError
from include.freezeline.readers.rules import (
    BlockedRules,
    BlockList,
    LandingRules,
    load_landing_rules,
)
from tests.unit.readers.conftest import CONFIG_DIR


def test_landing_schema_is_the_one_of_the_model() -> None:
    path = CONFIG_DIR / "schema" / "landing.schema.json"
    schema = json.loads(path.read_text())
    dialect = "https://json-schema.org/draft/2020-12/schema"
    assert schema == {"$schema": dialect, **LandingRules.model_json_schema()}
    jsonschema.validate(yaml.safe_load((CONFIG_DIR / "landing.yml").read_text()), schema)


def test_load_landing_rules_says_what_is_wrong_when_a_key_is_unknown(tmp_path: Path) -> None:
    text = (CONFIG_DIR / "landing.yml").read_text().replace("  tenant:", "  tennant:")
    (tmp_path / "landing.yml").write_text(text)
    with pytest.raises(ConfigError, match=r"landing\.yml: attributes\.ten+ant: "):
        load_landing_rules(tmp_path)


@pytest.mark.parametrize(
    ("key", "blocked"),
    [("secret", True), ("SECRET", True), ("secret.x", False), ("http.header.a", True),
     ("x.http.header.a", False), ("x.Secret", True), ("apiKey", True), ("my_secret", False), ("my.api_key", True), ("my.api_key.name", False)],
)  # fmt: skip
def test_block_list_matches_names_prefixes_and_suffixes(key: str, blocked: bool) -> None:
    rules = BlockedRules(names=("secret",), prefixes=("http.header.",), suffixes=(".api_key",))
    answers = BlockList(rules)
    assert (key in answers) is blocked
    assert (key in answers) is blocked
