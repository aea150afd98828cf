"""The full demo runs once per session; several test files look at what it published."""

import pytest

from tests.integration.line import LineRun, MadeDemo, make, run_line


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> LineRun:
    """The full demo with every incident planted."""
    return run_line(tmp_path_factory.mktemp("line"))


@pytest.fixture(scope="session")
def quiet_night(tmp_path_factory: pytest.TempPathFactory) -> LineRun:
    """The same world with the incidents off."""
    return run_line(tmp_path_factory.mktemp("quiet"), "--no-incidents")


@pytest.fixture(scope="session")
def made_demo(tmp_path_factory: pytest.TempPathFactory) -> MadeDemo:
    """The README's `make demo` itself, on a small world."""
    home = tmp_path_factory.mktemp("made")
    done = make("demo", "DEMO_ARGS=--scale 0.03", home=home)
    assert done.returncode == 0, done.stderr[-3000:]
    return MadeDemo(home, done)
