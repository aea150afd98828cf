"""The worked SLO cases beside the checkout."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.slo import answer_case

pytestmark = pytest.mark.shared


def _differences(expected: Any, got: Any, path: str = "") -> list[str]:
    """Return where two results differ by more than the sixth decimal."""
    if isinstance(expected, dict) and isinstance(got, dict):
        keys = sorted(expected.keys() | got.keys())
        return [
            d
            for k in keys
            for d in _differences(expected.get(k, "absent"), got.get(k, "absent"), f"{path}.{k}")
        ]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        pairs = enumerate(zip(expected, got, strict=True))
        return [d for i, (e, g) in pairs for d in _differences(e, g, f"{path}[{i}]")]
    if _is_number(expected) and _is_number(got):
        return [] if abs(expected - got) <= 1.01e-6 else [f"{path}: {expected} != {got}"]
    return [] if expected == got else [f"{path}: {expected!r} != {got!r}"]


def _is_number(value: Any) -> bool:
    """Whether a value is a number and not a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def test_answer_case_agrees_when_case_was_worked_by_hand(shared_dir: Path) -> None:
    text = (shared_dir / "cases" / "slo_cases.json").read_text(encoding="utf-8")
    cases = json.loads(text)["cases"]
    assert len(cases) == 19
    wrong = {
        case["id"]: found
        for case in cases
        if (found := _differences(case["expected"], answer_case(case)))
    }
    assert wrong == {}
