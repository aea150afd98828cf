"""The full demo runs once per session; several test files look at what it published."""

import pytest

from tests.integration.line import LineRun, make_demo, run_line


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> LineRun:
    """The README's `make demo`: the full demo with every incident planted."""
    return make_demo(tmp_path_factory.mktemp("line"))


@pytest.fixture(scope="session")
def quiet_night(tmp_path_factory: pytest.TempPathFactory) -> LineRun:
    """The same world with the incidents off."""
    return run_line(tmp_path_factory.mktemp("quiet"), "--no-incidents")
