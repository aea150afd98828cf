"""What evaluations mean is policy: it reaches the models whole, and mistakes are named."""

from importlib.resources import files
from pathlib import Path

import pytest

from include.freezeline.errors import ConfigError
from include.freezeline.evaluations.policy import load_evaluation_policy

PACKAGED = Path(str(files("include").joinpath("config")))


def written(folder: Path, before: str, after: str) -> Path:
    """Write the packaged policy with a change and return the folder."""
    text = (PACKAGED / "evaluations.yml").read_text(encoding="utf-8")
    assert before in text
    (folder / "evaluations.yml").write_text(text.replace(before, after, 1), encoding="utf-8")
    return folder


def test_company_may_give_its_evaluations_a_kind(tmp_path: Path) -> None:
    mine = "  - {kind: format, words: [layout], is_high_bad: true}\n  - {kind: refusal"
    policy = load_evaluation_policy(written(tmp_path, "  - {kind: refusal", mine))
    passed = policy.variables()["evaluations"]
    assert isinstance(passed, dict)
    assert passed["kinds"][0] == {"kind": "format", "words": ["layout"], "is_high_bad": True}
    assert "yes" in passed["liked_labels"], "YAML must not turn it into a truth value"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("kind: toxicity", "kind: toxicty", r"kinds\.1\.kind: .*'toxicity'"),
        ("[toxic]", "[toxic's]", r"kinds\.1\.words\.0: must be text that fits"),
        ("bad_labels: [fail", "bad_labels: [pass, fail", r"good and bad news at once: \['pass'\]"),
        ("liked_labels: [up", "liked_labels: [down, up", r"at once: \['down'\]"),
        ('"yes"', "yes", r"liked_labels\.9: must be text, got true"),
        ("not_words", "no_words", r"no_words: unknown key"),
    ],
)
def test_mistake_is_named(tmp_path: Path, before: str, after: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_evaluation_policy(written(tmp_path, before, after))
    assert "evaluations.yml" in str(caught.value)
