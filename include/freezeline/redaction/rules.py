"""Redaction rules: which library finds which kind of value, with examples that a test runs."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.freezeline.config import load_yaml, parse_config

Gate = Literal["digits", "mixed"]
Library = Literal["presidio", "phonenumbers", "detect_secrets", "pattern"]

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

_WORD_START = r"\b"
_WORDS = "{words}"
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
        triggers: Expressions of which every value must contain, or directly follow, one; only
            around them is the library asked. Hyperscan runs them: bounded, no look-around; a
            character outside ASCII looks like ``?``.
        words: What ``{words}`` in a trigger or pattern stands for: any of these expressions.
        gate: What a text must hold for the triggers to be looked for at all, which pays for those
            that begin with no fixed text: ``digits``, seven of them with at most two separators
            between that are more than a date, or ``mixed``, two digits, a letter and a digit.
            The triggers behind ``digits`` run only near these digits.
        before_chars: How far before the end of a trigger a value and its context may begin.
        after_chars: How far after the end of a trigger a value may reach.
        is_one_word: Whether values hold no white space and need none around them; then the library
            sees only the word that a trigger ended in, which is quicker.
        module: Module of the recogniser below the library's folder of recognisers.
        recogniser: Class name inside that module.
        options: Keyword arguments of the recogniser.
        group: Group of a detect-secrets pattern that is the secret; 0 is the whole match.
        pattern: Regular expression of a ``pattern`` rule; group 1 is the value when it exists.
        validator: python-stdnum module whose ``is_valid`` a value must pass.
        regions: Countries whose national phone numbers are known.
        min_score: Least Presidio score that counts.
        min_entropy: Least Shannon entropy of a value, in bits per character; 0 asks for none.
        context: Words of which one must stand shortly before the value; none needed when empty.
        reject: Values that match this whole expression are kept.
        published_sha256: SHA-256 of values that are published samples and therefore no secrets;
            such a value is kept, unless another rule finds it too.
        not_before: The text before a value must not match this (anchored at the value).
        not_after: The text after a value must not match this (anchored at the value).
        only: How a value goes on from its start; what the library takes along beyond is kept.
        extend: What follows a value and belongs to it, as an expression.
        may_sit_in_id: Whether the value may be a part of a UUID or hex id.
        may_be_emphasised: Whether underscores around the value are Markdown's and no part of it.
        must_redact: Texts whose part in ``[[...]]`` must be found as this entity.
        must_keep: Texts that must come out unchanged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    entity: str = Field(pattern=r"^[A-Z][A-Z_]+[A-Z]$|^[A-Z]{2}$")
    library: Library
    triggers: tuple[str, ...] = Field(min_length=1)
    words: tuple[str, ...] = ()
    gate: Gate | None = None
    before_chars: int = Field(default=160, gt=0, le=1000)
    after_chars: int = Field(default=96, ge=0, le=1000)
    is_one_word: bool = False
    module: str | None = None
    recogniser: str | None = None
    options: dict[str, str | int | bool] = Field(default_factory=dict)
    group: int = Field(default=0, ge=0)
    pattern: str | None = None
    validator: str | None = None
    regions: tuple[str, ...] | None = None
    min_score: float = Field(default=0.3, ge=0.0, le=1.0)
    min_entropy: float = Field(default=0.0, ge=0.0, le=8.0)
    context: tuple[str, ...] = ()
    reject: str | None = None
    published_sha256: tuple[Sha256, ...] = ()
    not_before: str | None = None
    not_after: str | None = None
    only: str | None = None
    extend: str | None = None
    may_sit_in_id: bool = False
    may_be_emphasised: bool = False
    must_redact: tuple[str, ...] = Field(min_length=1)
    must_keep: tuple[str, ...] = ()

    def expressions(self) -> list[str]:
        """Return the triggers, one for each word: many short ones run faster than a long one."""
        return [
            self._led_in(trigger.replace(_WORDS, word))
            for trigger in self.triggers
            for word in (self.words if _WORDS in trigger else ("",))
        ]

    def _led_in(self, trigger: str) -> str:
        """Return a trigger that sees a word begin behind an underscore where that is no letter."""
        if not self.may_be_emphasised or not trigger.startswith(_WORD_START):
            return trigger
        return rf"(?:{_WORD_START}|_){trigger.removeprefix(_WORD_START)}"

    def full_pattern(self) -> str:
        """Return the pattern with its words filled in."""
        return str(self.pattern).replace(_WORDS, "|".join(self.words))

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
        named_labels: Labels of language models by the entity they stand for; used only when a
            model is set.
        rules: In order of rank: where values overlap, the earlier rule names the placeholder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    max_field_chars: int = Field(gt=0)
    named_labels: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    rules: tuple[RedactionRule, ...] = Field(min_length=1)


def load_redaction_config(config_dir: Path) -> RedactionConfig:
    """Read ``redaction/default.yml``.

    Raises:
        ConfigError: The file is missing or wrong.
    """
    path = config_dir / "redaction" / "default.yml"
    return parse_config(RedactionConfig, path, load_yaml(path))
