"""The erasure policy (``config/erasure.yml``): which aggregates may stay, and what may stay at all."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from include.freezeline.config import load_yaml, parse_config

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Reason = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    """No unknown keys, no changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Aggregates(_Strict):
    """When a row about many people may outlive one of them.

    Attributes:
        min_persons: Fewest different persons behind a row that stays; 2 at least, since a row
            about one person is that person's.
        dimensions: Columns that say which group of calls an aggregate row is about.
    """

    min_persons: Annotated[int, Field(ge=2)]
    dimensions: Annotated[tuple[_Name, ...], Field(min_length=1)]


class MayStay(_Strict):
    """Something that an erasure leaves where it is.

    Attributes:
        name: What.
        reason: Why, for the receipt.
    """

    name: _Reason
    reason: _Reason


class ErasurePolicy(_Strict):
    """The document ``config/erasure.yml``.

    Attributes:
        aggregates: When rows about many people stay.
        may_stay: What every receipt names as left.
    """

    aggregates: Aggregates
    may_stay: tuple[MayStay, ...] = ()


def load_erasure_policy(config_dir: Path) -> ErasurePolicy:
    """Read the policy.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = config_dir / "erasure.yml"
    return parse_config(ErasurePolicy, path, load_yaml(path))
