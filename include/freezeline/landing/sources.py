"""Which prefixes of the bucket are landed, and as what (``config/sources.yml``)."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.errors import ConfigError

SourceKind = Literal["traces", "fact"]


class Source(BaseModel):
    """One stream of objects.

    Attributes:
        name: What ledger and reports call it.
        kind: ``traces`` is telemetry whose format is found by content; ``fact`` follows the
            fact file of the same name.
        prefixes: Starts of the object keys; "" is the whole bucket. The longest prefix wins.
        expected: Whether a night in which it delivers nothing, or far less than usual, is an
            incident.
        least_volume_ratio: Least share of the usual records that an expected source must
            deliver; 0 asks for no volume, only for something.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: SourceKind = "traces"
    prefixes: Annotated[tuple[str, ...], Field(min_length=1)]
    expected: bool = False
    least_volume_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1

    @field_validator("prefixes")
    @classmethod
    def _no_leading_slash(cls, prefixes: tuple[str, ...]) -> tuple[str, ...]:
        """Object keys never start with a slash, so such a prefix would match nothing."""
        for prefix in prefixes:
            if prefix.startswith("/"):
                message = "a prefix must not start with '/' (object keys do not)"
                raise ValueError(message)
        return prefixes


class Listing(BaseModel):
    """How far back a night lists the bucket.

    Attributes:
        lookback_days: Days before the last night that every night lists again.
        late_days: Age in days up to which old dates are listed again in turn.
        sweep_nights: Nights in which each of them has its turn once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lookback_days: Annotated[int, Field(ge=2)] = 3
    late_days: Annotated[int, Field(ge=0)] = 90
    sweep_nights: Annotated[int, Field(ge=1)] = 7


class SourcesFile(BaseModel):
    """The document ``config/sources.yml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listing: Listing = Listing()
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]


def load_sources(config_dir: Path) -> tuple[Source, ...]:
    """Read the trace sources.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = config_dir / "sources.yml"
    sources = parse_config(SourcesFile, path, load_yaml(path)).sources
    for number, source in enumerate(sources):
        if source.kind == "fact":
            message = (
                f"{path}: sources.{number}.kind: only traces are declared here, got 'fact' "
                f"(write config/facts/{source.name}.yml instead)"
            )
            raise ConfigError(message)
    return sources


def load_listing(config_dir: Path) -> Listing:
    """Read how far back a night lists.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = config_dir / "sources.yml"
    return parse_config(SourcesFile, path, load_yaml(path)).listing


def check_sources(sources: Sequence[Source]) -> None:
    """Reject sources that share a name or a prefix.

    Raises:
        ConfigError: Naming the first clash.
    """
    owners: dict[str, str] = {}
    names: set[str] = set()
    for source in sources:
        if source.name in names:
            message = f"source {source.name}: named twice (rename one; facts are sources too)"
            raise ConfigError(message)
        names.add(source.name)
        for prefix in source.prefixes:
            if prefix in owners:
                message = (
                    f"source {source.name}: prefix {prefix!r} already belongs to "
                    f"{owners[prefix]} (give each prefix one owner)"
                )
                raise ConfigError(message)
            owners[prefix] = source.name


def listing_prefixes(sources: Iterable[Source]) -> list[str]:
    """Return the fewest prefixes whose listings together show every source's objects once."""
    chosen: list[str] = []
    for prefix in sorted({prefix for source in sources for prefix in source.prefixes}):
        if not any(prefix.startswith(parent) for parent in chosen):
            chosen.append(prefix)
    return chosen


def source_of(key: str, sources: Iterable[Source]) -> Source | None:
    """Return the source with the longest prefix of ``key``, or None when it belongs to none."""
    best: tuple[int, Source] | None = None
    for source in sources:
        for prefix in source.prefixes:
            if key.startswith(prefix) and (best is None or len(prefix) > best[0]):
                best = (len(prefix), source)
    return None if best is None else best[1]
