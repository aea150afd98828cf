"""Find and read the policy files; each reader validates what it gets strictly."""

import re
from collections.abc import Hashable
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from include.freezeline.complaints import explain
from include.freezeline.errors import ConfigError
from include.freezeline.settings import Settings

ModelT = TypeVar("ModelT", bound=BaseModel)
_BROKEN = "not valid YAML (fix the syntax)"
_MAX_SHOWN = 60


class _ContentError(yaml.MarkedYAMLError):
    """YAML whose syntax is right and whose content is not; ``problem`` says what is wrong."""


class _StrictLoader(yaml.SafeLoader):
    """Reads YAML, and refuses a key written twice and a value that its tag cannot hold."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Compose a mapping, and refuse a key written twice.

        Looked at here and not where the mapping is built: by then ``<<`` may have put the keys of
        other mappings between its own, which may repeat them.
        """
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self._key(key_node)
            if key is not None and key in seen:
                problem = f"key {key!r} is written twice (keep one)"
                raise _ContentError(problem=problem, problem_mark=key_node.start_mark)
            seen.add(key)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Build a value; one that its tag cannot hold, such as a 13th month, is an error of YAML."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, ArithmeticError, AttributeError, LookupError):
            # PyYAML lets out whatever date(), int() and the like raise.
            kind, value = node.tag.rpartition(":")[2], str(node.value)
            problem = f"must be a valid {kind}, got {value[:_MAX_SHOWN]!r} (correct it, or put it in quotes if it is text)"
            raise _ContentError(problem=problem, problem_mark=node.start_mark) from None

    def _key(self, node: yaml.Node) -> Hashable:
        """Return a key's value, or nothing for one that has none, such as ``<<``."""
        if not isinstance(node, yaml.ScalarNode) or node.tag not in self.yaml_constructors:
            return None
        value = self.construct_object(node)
        return value if isinstance(value, Hashable) else None


def config_dir(settings: Settings) -> Path:
    """Return the folder of policy files: the setting, else the packaged defaults."""
    if settings.config_dir is not None:
        return settings.config_dir
    with as_file(files("include").joinpath("config")) as packaged:
        return packaged


def load_yaml(path: Path) -> Any:
    """Read one YAML document.

    Raises:
        ConfigError: The file is missing, cannot be read or is not YAML, or a key is written twice.
    """
    try:
        return _parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{path}: no such file (restore it, or point FREEZELINE_CONFIG_DIR elsewhere)"
        raise ConfigError(message) from None
    except OSError as error:
        message = f"{path}: must be a file that can be read, got {error.strerror} (put the file there and let this user read it)"
        raise ConfigError(message) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        place = getattr(error, "problem_mark", None)
        where = f"{path}:{place.line + 1}" if place is not None else str(path)
        said = error.problem if isinstance(error, _ContentError) else _BROKEN
        message = f"{where}: {said}"
        raise ConfigError(message) from None


def _parse_yaml(text: str) -> Any:
    """Return the only document of a text."""
    loader = _StrictLoader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def parse_config(model: type[ModelT], path: Path, data: Any) -> ModelT:
    """Validate data against a strict model; the error names file, field, value and remedy.

    Kinds are strict as JSON's are: ``"3"`` and ``true`` are no numbers, a list is fine for a tuple.

    Raises:
        ConfigError: The first thing that is wrong.
    """
    try:
        text = to_json(data, inf_nan_mode="constants", bytes_mode="base64")
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        message = f"{path}: {explain(error, model)}"
        raise ConfigError(message) from None
    except (PydanticSerializationError, ValueError) as error:
        message = f"{path}: must hold plain keys, texts, numbers and lists ({error}; write it out)"
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
