"""Fixtures of the reader tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.readers.reading import read_object
from include.freezeline.readers.result import ReadResult, Row
from include.freezeline.readers.rules import LandingRules, load_landing_rules
from tests.unit.readers import builders

CONFIG_DIR = Path(__file__).resolve().parents[3] / "include" / "config"


@pytest.fixture(scope="session")
def rules() -> LandingRules:
    """The packaged landing rules."""
    return load_landing_rules(CONFIG_DIR)


@pytest.fixture(scope="session")
def read(rules: LandingRules) -> Callable[..., ReadResult]:
    """Read a document given as a Python value."""

    def read_document(value: Any, key: str = "traces_1.json") -> ReadResult:
        return read_object(key, builders.encode(value), rules)

    return read_document


@pytest.fixture(scope="session")
def read_one(read: Callable[..., ReadResult]) -> Callable[..., Row]:
    """Read one span and return its row."""

    def read_span(span: dict[str, Any], **document: Any) -> Row:
        result = read(builders.document([span], **document))
        assert result.rejects == []
        assert len(result.spans) == 1
        return result.spans[0]

    return read_span
