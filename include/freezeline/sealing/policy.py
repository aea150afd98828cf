"""The break-glass policy (``config/break_glass.yml``): what is sealed, for how long, who may read."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from include.freezeline.config import demanding_pattern, load_yaml, parse_config

_Name = Annotated[str, Field(min_length=1, max_length=300)]
_Pattern = Annotated[str, Field(min_length=1, max_length=300)]


class _Strict(BaseModel):
    """No unknown keys, no changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SealedScope(_Strict):
    """Whose originals are sealed.

    Attributes:
        features: Product features; all when empty.
        environments: Deployment environments; all when empty.
        data_classes: Classes of data; all when empty.
        except_data_classes: Classes that are never sealed.
    """

    features: tuple[_Name, ...] = ()
    environments: tuple[_Name, ...] = ()
    data_classes: tuple[_Name, ...] = ()
    except_data_classes: tuple[_Name, ...] = ()

    @model_validator(mode="after")
    def _no_class_is_in_both(self) -> Self:
        """A class that is both asked for and excluded is a mistake."""
        both = sorted(set(self.data_classes) & set(self.except_data_classes))
        if both:
            message = f"{both[0]!r} is in data_classes and in except_data_classes (keep one)"
            raise ValueError(message)
        return self

    def covers(self, feature: str | None, environment: str | None, data_class: str | None) -> bool:
        """Whether a text of these labels is sealed; an unknown label is in no list."""
        return data_class not in self.except_data_classes and all(
            not wanted or value in wanted
            for wanted, value in (
                (self.features, feature),
                (self.environments, environment),
                (self.data_classes, data_class),
            )
        )

    @property
    def covers_unknown(self) -> bool:
        """Whether texts are sealed of which no label is known.

        An excluded class could be among them, so that nothing may be excluded either.
        """
        return not (
            self.features or self.environments or self.data_classes or self.except_data_classes
        )


class AccessRules(_Strict):
    """What a reader has to say.

    Attributes:
        person_pattern: What a person's name must match, whole.
        ticket_pattern: What a ticket must match, whole.
        min_reason_chars: Fewest characters of a reason.
        empty_words: Words that say nothing; a reason needs three others.
    """

    person_pattern: _Pattern
    ticket_pattern: _Pattern
    min_reason_chars: Annotated[int, Field(ge=10, le=500)]
    empty_words: tuple[_Name, ...] = ()

    @field_validator("person_pattern", "ticket_pattern")
    @classmethod
    def _is_an_expression(cls, pattern: str) -> str:
        return demanding_pattern(pattern)


class BreakGlassPolicy(_Strict):
    """The document ``config/break_glass.yml``.

    Attributes:
        enabled: Whether landing seals anything.
        lifetime_days: Days after an object's arrival that its originals can be read.
        scope: Whose originals.
        only_where_replaced: Whether rows in which redaction changed nothing are left out.
        access: What a reader has to say.
    """

    enabled: bool
    lifetime_days: Annotated[int, Field(ge=1, le=30)]
    scope: SealedScope = SealedScope()
    only_where_replaced: bool = True
    access: AccessRules


def load_break_glass_policy(config_dir: Path) -> BreakGlassPolicy:
    """Read the policy.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = config_dir / "break_glass.yml"
    return parse_config(BreakGlassPolicy, path, load_yaml(path))
