"""Find and read the policy files; each reader validates what it gets strictly."""

import re
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from include.freezeline.errors import ConfigError
from include.freezeline.settings import Settings

ModelT = TypeVar("ModelT", bound=BaseModel)


def config_dir(settings: Settings) -> Path:
    """Return the folder of policy files: the setting, else the packaged defaults."""
    if settings.config_dir is not None:
        return settings.config_dir
    with as_file(files("include").joinpath("config")) as packaged:
        return packaged


def load_yaml(path: Path) -> Any:
    """Read one YAML document.

    Raises:
        ConfigError: The file is missing or is not YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{path}: no such file (restore it, or point FREEZELINE_CONFIG_DIR elsewhere)"
        raise ConfigError(message) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        where = f"{path}:{place.line + 1}" if place is not None else str(path)
        message = f"{where}: not valid YAML (fix the syntax)"
        raise ConfigError(message) from None


def parse_config(model: type[ModelT], path: Path, data: Any) -> ModelT:
    """Validate data against a strict model; the error names file, field, value and remedy.

    Raises:
        ConfigError: The first thing that is wrong.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "(document)"
        if first["type"] == "extra_forbidden":
            message = f"{path}: {field}: unknown key (remove it or correct its spelling)"
        elif first["type"] == "missing":
            message = f"{path}: {field}: required but missing (add it)"
        else:
            message = f"{path}: {field}: {_complaint(first)}"
        raise ConfigError(message) from None


def demanding_pattern(pattern: str) -> str:
    """Return a pattern that asks for something.

    Raises:
        ValueError: It cannot be compiled, or fits an empty text.
    """
    try:
        fits_nothing = re.fullmatch(pattern, "") is not None
    except re.error as error:
        message = f"not a regular expression ({error})"
        raise ValueError(message) from None
    if fits_nothing:
        message = "must not fit an empty text (ask for something)"
        raise ValueError(message)
    return pattern


def _complaint(error: Mapping[str, Any]) -> str:
    """Say what is wrong with a value, and the value when it fits in a line."""
    said = str(error["msg"]).removeprefix("Value error, ")
    value = error["input"]
    return said if isinstance(value, dict | list) else f"{said}, got {value!r}"
