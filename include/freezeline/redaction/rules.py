"""Redaction rules: which library finds which kind of value, with examples that a test runs."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.freezeline.config import load_yaml, parse_config

Library = Literal["presidio", "phonenumbers", "detect_secrets", "pattern"]
Prefilter = Literal[
    "at_sign", "digits", "phone", "dotted", "colons", "letters_digits", "long_token", "key"
]

_NEEDS: dict[Library, tuple[str, ...]] = {
    "presidio": ("recogniser", "module"),
    "phonenumbers": ("regions",),
    "detect_secrets": ("recogniser", "module"),
    "pattern": ("pattern",),
}


class RedactionRule(BaseModel):
    """One kind of value and the library code that finds it.

    Attributes:
        entity: Type in placeholders and counts: ``<EMAIL_1>``.
        library: Whose code decides; ``pattern`` only where no library knows the shape.
        prefilter: Cheap shape that a text must show before the library is asked.
        hints: Strings of which the text must hold one; all texts pass when empty.
        module: Module of the recogniser below the library's folder of recognisers.
        recogniser: Class name inside that module.
        options: Keyword arguments of the recogniser.
        group: Group of a detect-secrets pattern that is the secret; 0 is the whole match.
        pattern: Regular expression of a ``pattern`` rule; group 1 is the value when it exists.
        validator: python-stdnum module whose ``is_valid`` a value must pass.
        regions: Countries whose national phone numbers are known.
        min_score: Least Presidio score that counts.
        context: Words of which one must stand shortly before the value; none needed when empty.
        reject: Values that match this whole expression are kept.
        not_before: The text before a value must not match this (anchored at the value).
        not_after: The text after a value must not match this (anchored at the value).
        extend: What follows a value and belongs to it, as an expression.
        may_sit_in_id: Whether the value may be a part of a UUID or hex id.
        must_redact: Texts whose part in ``[[...]]`` must be found as this entity.
        must_keep: Texts that must come out unchanged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    entity: str = Field(pattern=r"^[A-Z][A-Z_]+[A-Z]$|^[A-Z]{2}$")
    library: Library
    prefilter: Prefilter
    hints: tuple[str, ...] = ()
    module: str | None = None
    recogniser: str | None = None
    options: dict[str, str | int | bool] = Field(default_factory=dict)
    group: int = Field(default=0, ge=0)
    pattern: str | None = None
    validator: str | None = None
    regions: tuple[str, ...] | None = None
    min_score: float = Field(default=0.3, ge=0.0, le=1.0)
    context: tuple[str, ...] = ()
    reject: str | None = None
    not_before: str | None = None
    not_after: str | None = None
    extend: str | None = None
    may_sit_in_id: bool = False
    must_redact: tuple[str, ...] = Field(min_length=1)
    must_keep: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_its_library_code(self) -> Self:
        """Refuse a rule that does not say which code of the library to run."""
        missing = [name for name in _NEEDS[self.library] if getattr(self, name) is None]
        if missing:
            message = f"library {self.library} needs {' and '.join(missing)}"
            raise ValueError(message)
        return self


class RedactionConfig(BaseModel):
    """The whole of ``config/redaction/default.yml``.

    Attributes:
        version: Version of the file's format.
        max_field_chars: Longer fields are dropped, because scanning them could stall a night.
        rules: In order of rank: where values overlap, the earlier rule names the placeholder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    max_field_chars: int = Field(gt=0)
    rules: tuple[RedactionRule, ...] = Field(min_length=1)


def load_redaction_config(config_dir: Path) -> RedactionConfig:
    """Read ``redaction/default.yml``.

    Raises:
        ConfigError: The file is missing or wrong.
    """
    path = config_dir / "redaction" / "default.yml"
    return parse_config(RedactionConfig, path, load_yaml(path))
