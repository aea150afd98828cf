"""The flagd file, evaluated by the real flagd core."""

import json
from datetime import datetime
from typing import Any

import pytest
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError

from include.freezeline.freeze.flagd import build_flagd_file, flag_name
from tests.unit.freeze.documents import make_document

FRESH_S = int(datetime.fromisoformat("2026-10-14T01:00:00Z").timestamp())
STALE_S = int(datetime.fromisoformat("2026-10-15T06:00:00Z").timestamp())


@pytest.fixture
def evaluate(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a caller of flagd core whose default is frozen, at a chosen time."""
    document = make_document()
    document["features"] = [f for f in document["features"] if f["state"] != "THAWED"]
    core = FlagdCore()
    core.set_flags(build_flagd_file(document).decode())

    def call(flag: str, at_s: int, change_class: str = "feature") -> Any:
        monkeypatch.setattr("time.time", lambda: float(at_s))
        context = EvaluationContext(attributes={"change_class": change_class})
        return core.resolve_string_value(flag, "frozen", context)

    return call


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("llm-freeze.calm", "open"),
        ("llm-freeze.calm.staging", "frozen"),
        ("llm-freeze.hot", "frozen"),
        ("llm-freeze.mending", "recovering"),
    ],
)
def test_flag_says_the_state_when_document_is_fresh(
    evaluate: Any, flag: str, expected: str
) -> None:
    assert evaluate(flag, FRESH_S).value == expected


def test_flag_expires_to_frozen_by_itself_when_validity_ends(evaluate: Any) -> None:
    assert evaluate("llm-freeze.calm", STALE_S - 1).value == "open"
    assert evaluate("llm-freeze.calm", STALE_S).value == "frozen"


def test_flag_lets_fixes_pass_when_feature_is_frozen(evaluate: Any) -> None:
    assert evaluate("llm-freeze.hot", FRESH_S, "rollback").value == "open"
    assert evaluate("llm-freeze.hot", FRESH_S, "canary").value == "frozen"


def test_core_gives_no_value_of_its_own_when_flag_is_missing(evaluate: Any) -> None:
    with pytest.raises(FlagNotFoundError):  # the SDK turns this into the caller's default
        evaluate("llm-freeze.renamed", FRESH_S)


def test_default_variant_exists_and_metadata_is_flat_when_flags_are_built() -> None:
    document = make_document()
    document["features"] = document["features"][:3]
    flags = json.loads(build_flagd_file(document))["flags"]
    assert len(flags) == 3
    for flag in flags.values():
        assert flag["defaultVariant"] in flag["variants"]
        assert all(isinstance(v, str | int | float | bool) for v in flag["metadata"].values())


def test_unknown_state_is_frozen_when_flags_are_built() -> None:
    flag = json.loads(build_flagd_file(make_document()))["flags"]["llm-freeze.odd"]
    assert flag["defaultVariant"] == "frozen"


def test_flagd_file_is_ascii_so_that_readers_need_no_encoding() -> None:
    document = make_document()
    document["features"][0]["reason"] = "Größe \u2028"
    assert build_flagd_file(document).isascii()


def test_flag_name_is_short_when_environment_is_production() -> None:
    assert flag_name("a", "production") == "llm-freeze.a"
    assert flag_name("a", "staging") == "llm-freeze.a.staging"
