"""Every rule proves itself on its own examples."""

import json
import re
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest

from include.freezeline.errors import ConfigError
from include.freezeline.redaction.engine import Redactor, load_redactor
from include.freezeline.redaction.rules import (
    RedactionConfig,
    RedactionRule,
    load_redaction_config,
)
from include.freezeline.redaction.scanner import Finding, Scanner

_CONFIG_DIR = Path(str(files("include").joinpath("config")))
_RULES = load_redaction_config(_CONFIG_DIR).rules
_MUST_REDACT = [(rule, text) for rule in _RULES for text in rule.must_redact]
_MUST_KEEP = [text for rule in _RULES for text in rule.must_keep]
_MARKED = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)


def _unmarked(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text without marks, and where the marked values are."""
    parts = _MARKED.split(marked)
    spans, place = [], 0
    for index, part in enumerate(parts):
        if index % 2:
            spans.append((place, place + len(part)))
        place += len(part)
    return "".join(parts), spans


def test_examples_are_plenty() -> None:
    assert len(_MUST_REDACT) >= 50
    assert len(_MUST_KEEP) >= 40


@pytest.mark.parametrize(("rule", "marked"), _MUST_REDACT)
def test_rule_finds_exactly_the_marked_value_when_text_holds_it(
    redactor: Redactor, rule: RedactionRule, marked: str
) -> None:
    text, spans = _unmarked(marked)
    assert spans
    redacted = redactor.redact_text(text)
    found = [(finding.type, finding.start, finding.end) for finding in redacted.findings]
    assert found == [(rule.entity, start, end) for start, end in spans]
    assert all(text[start:end] not in redacted.text for start, end in spans)


@pytest.mark.parametrize("text", _MUST_KEEP)
def test_text_is_unchanged_when_it_only_looks_alike(redactor: Redactor, text: str) -> None:
    assert redactor.redact_text(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "4242 4242 4242 4241",
        "10.0.19045.4291",
        "3f2b1a90-7c1d-4c55-9f0e-1a2b3c4d5e6f",
        "1Z999AA10123456784",
        "the @example team",
        "2024-11-0420",
    ],
)
def test_decoy_is_unchanged_when_alone_in_a_sentence_or_in_json(
    redactor: Redactor, text: str
) -> None:
    for shape in ("{}", "see {}, please", '{{"text": "{}"}}', "a={};"):
        assert redactor.redact_text(shape.format(text)).findings == ()


def _write(folder: Path, text: str) -> Path:
    path = folder / "redaction" / "default.yml"
    path.parent.mkdir()
    path.write_text(text)
    return folder


def test_config_error_names_file_and_field_when_a_key_is_misspelt(tmp_path: Path) -> None:
    rule = "{entity: EMAIL, librari: presidio, triggers: ['@'], must_redact: [a]}"
    _write(tmp_path, f"version: 1\nmax_field_chars: 9\nrules: [{rule}]\n")
    with pytest.raises(ConfigError, match=r"default\.yml: rules\.0\.") as caught:
        load_redaction_config(tmp_path)
    assert str(caught.value).endswith("unknown key (write library)")


def test_config_error_names_recogniser_when_the_library_has_none(tmp_path: Path) -> None:
    rule = (
        "{entity: EMAIL, library: presidio, triggers: ['@'], must_redact: [a], "
        "module: generic.email_recognizer, recogniser: NoSuchRecognizer}"
    )
    _write(tmp_path, f"version: 1\nmax_field_chars: 9\nrules: [{rule}]\n")
    with pytest.raises(ConfigError, match=r"EMAIL: presidio cannot run generic\.email"):
        load_redactor(tmp_path)


def test_value_is_kept_only_when_its_rule_lists_it_as_a_published_sample() -> None:
    published, secret = "acme_0aB1cD2eF3gH4iJ5", "acme_9zY8xW7vU6tS5rQ4"
    rule = RedactionRule(
        entity="API_KEY",
        library="pattern",
        triggers=("acme_[A-Za-z0-9]{16}",),
        pattern="acme_[A-Za-z0-9]{16}",
        may_sit_in_id=True,
        must_redact=(f"[[{secret}]]",),
    )
    listing = rule.model_copy(
        update={"published_sha256": (sha256(published.encode()).hexdigest(),)}
    )
    text = f"{published} {secret}"
    second = Finding("API_KEY", 22, 43)
    assert Scanner([rule]).scan(text) == [Finding("API_KEY", 0, 21), second]
    assert Scanner([listing]).scan(text) == [second]


def test_config_error_when_a_published_sample_is_not_a_lower_case_sha256(tmp_path: Path) -> None:
    rule = (
        "{entity: API_KEY, library: pattern, triggers: [acme_], pattern: acme_, "
        f"must_redact: [a], published_sha256: [{'A' * 64}]}}"
    )
    _write(tmp_path, f"version: 1\nmax_field_chars: 9\nrules: [{rule}]\n")
    with pytest.raises(ConfigError, match=r"rules\.0\.published_sha256\.0"):
        load_redaction_config(tmp_path)


def test_schema_file_equals_the_model() -> None:
    path = _CONFIG_DIR / "schema" / "redaction.schema.json"
    wanted = json.dumps(RedactionConfig.model_json_schema(), indent=2, sort_keys=True) + "\n"
    assert path.read_text() == wanted, f"write this to {path.name}:\n{wanted}"
