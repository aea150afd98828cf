"""The full demo runs once per session; several test files look at what it published."""

import pytest

from tests.integration.line import SMALL, LineRun, make_demo, run_line


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> LineRun:
    """The README's `make demo`: the full demo with every incident planted."""
    return make_demo(tmp_path_factory.mktemp("line"))


@pytest.fixture(scope="session")
def quiet_night(tmp_path_factory: pytest.TempPathFactory) -> LineRun:
    """The same world with the incidents off."""
    return run_line(tmp_path_factory.mktemp("quiet"), "--no-incidents")


@pytest.fixture(scope="session")
def small_night(tmp_path_factory: pytest.TempPathFactory) -> LineRun:
    """A tenth of the demo's traffic, enough for breaches and a freeze."""
    return run_line(tmp_path_factory.mktemp("small"), *SMALL)
