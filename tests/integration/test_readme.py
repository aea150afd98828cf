"""Every command in the README works."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.integration.line import ROOT, LineRun, freezeline

pytestmark = [pytest.mark.integration, pytest.mark.slow]

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
FREEZELINE = ".venv/bin/python -m include.freezeline "
# Statuses that are the answer, not a failure.
EXPECTED_STATUS = {"--feature support-assistant": 3}


def test_readme_has_commands_of_every_kind() -> None:
    assert {command.split()[0] for command in COMMANDS} == {"make", "export", FREEZELINE.split()[0]}


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_readme_make_target_exists(command: str) -> None:
    # `make test` is running right now and `make demo` is the fixture of this folder; the others
    # are run by tests of their own. Here: the target exists and `make` can plan it.
    done = subprocess.run(  # noqa: S603
        ["make", "--dry-run", *shlex.split(command)[1:]],  # noqa: S607
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith(FREEZELINE)])
def test_readme_command_works(night: LineRun, command: str) -> None:
    done = freezeline(night.home, *shlex.split(command.removeprefix(FREEZELINE)))
    expected = next((s for text, s in EXPECTED_STATUS.items() if text in command), 0)
    assert done.returncode == expected, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("export ")])
def test_readme_variable_is_a_setting(command: str) -> None:
    from include.freezeline.settings import Settings

    name = command.removeprefix("export ").split("=")[0]
    assert name.removeprefix("FREEZELINE_").lower() in Settings.model_fields


def test_readme_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    missing = [link for link in links if not (ROOT / Path(link)).exists()]
    assert not missing
