"""The parsed dbt project, once for all of its rules."""

from typing import Any

import pytest

from include.freezeline.adapters.dbt import load_manifest
from include.freezeline.settings import Settings


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The parsed project."""
    return load_manifest(Settings(home=tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every model by its unique id; an empty answer is a broken test."""
    found = {k: n for k, n in manifest["nodes"].items() if n["resource_type"] == "model"}
    assert len(found) >= 30, "the manifest has lost models"
    return found
