"""The packaged rules, loaded once: the libraries take half a second."""

from importlib.resources import files
from pathlib import Path

import pytest

from include.freezeline.redaction.engine import Redactor, load_redactor


@pytest.fixture(scope="session")
def config_dir() -> Path:
    return Path(str(files("include").joinpath("config")))


@pytest.fixture(scope="session")
def redactor(config_dir: Path) -> Redactor:
    return load_redactor(config_dir)
