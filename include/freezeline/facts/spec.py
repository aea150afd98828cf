"""What a business fact looks like: one YAML file per fact, one lake table per file."""

from collections import Counter
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.contracts.columns import Column, ColumnType, Privacy, Table
from include.freezeline.contracts.lake import EVALUATIONS
from include.freezeline.errors import ConfigError

FactType = Literal["string", "int64", "float64", "decimal", "bool", "timestamp"]
FactRole = Literal["key", "subject", "event_time", "arrival_time", "value"]
SubjectId = Literal["request_id", "run_id", "conversation_id"]
"""What an outcome may be about, most specific first."""

_NAME = r"^[a-z][a-z0-9_]*$"
_LAKE_TYPES: dict[FactType, ColumnType] = {
    "string": "string",
    "int64": "int64",
    "float64": "float64",
    "decimal": "decimal(38,12)",
    "bool": "bool",
    "timestamp": "timestamp",
}
# The lake knows a run by its trace and a conversation by its pseudonym, as it does for calls.
SUBJECT_COLUMNS: dict[SubjectId, str] = {
    "request_id": "request_id",
    "run_id": "trace_id",
    "conversation_id": "session_key",
}
_SOURCE_COLUMNS = ("source_offset", "source_object", "source_sha256", "arrived_at")


class FactColumn(BaseModel):
    """One column of a fact file.

    Attributes:
        name: Name in the file.
        type: Type in the lake.
        role: ``key`` identifies what the fact is about and always has a value; ``subject`` is
            one of several ids of it, of which a row has at least one and a file may lack some;
            ``event_time`` is when it happened, ``arrival_time`` when the company learned of it,
            ``value`` is what happened.
        output: Name in the lake; the name in the file when not given.
        pseudonym: Whose id the column holds; only its keyed pseudonym is stored.
        is_text: Whether people type into it, so that it is redacted.
        is_required: Whether a row without a value is rejected; keys and times always are.
        description: A sentence for the table's documentation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=_NAME)
    type: FactType
    role: FactRole
    output: str | None = Field(default=None, pattern=_NAME)
    pseudonym: Literal["tenant", "user", "session"] | None = None
    is_text: bool = False
    is_required: bool = False
    description: str = Field(min_length=1)

    @property
    def output_name(self) -> str:
        """Name in the lake."""
        return self.output or self.name

    @property
    def must_have_value(self) -> bool:
        """Whether a row without a value is rejected."""
        return self.is_required or self.role not in ("value", "subject")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        """Refuse combinations that cannot be landed."""
        if self.role in ("event_time", "arrival_time") and self.type != "timestamp":
            message = f"column {self.name}: role {self.role} needs type timestamp"
            raise ValueError(message)
        if self.pseudonym and (self.type, self.output_name) != ("string", f"{self.pseudonym}_key"):
            message = (
                f"column {self.name}: a pseudonym needs type string and output {self.pseudonym}_key"
            )
            raise ValueError(message)
        if self.role == "subject":
            self._require_joinable()
        return self

    def _require_joinable(self) -> None:
        """Refuse a subject that no call has."""
        known = {"request_id": None, "trace_id": None, "session_key": "session"}
        if (
            self.output_name not in known
            or self.pseudonym != known[self.output_name]
            or self.type != "string"
            or self.is_text
            or self.is_required
        ):
            message = (
                f"column {self.name}: a subject is a string with output request_id, output "
                "trace_id (a run), or output session_key and pseudonym session (a conversation), "
                "and neither is_text nor is_required (write role: key where every row has it)"
            )
            raise ValueError(message)


class Delivery(BaseModel):
    """How a fact must be delivered.

    Attributes:
        max_silent_h: Hours without a usable row, from night to night, that are no incident; any
            when None.
        max_quarantined_ratio: Share of a night's rows, and of its objects, that may be put aside.
        stops_night: Whether more than that stops the night; it is a warning otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_silent_h: float | None = Field(default=None, gt=0)
    max_quarantined_ratio: float = Field(default=0.01, ge=0, le=1)
    stops_night: bool = False


class DatabaseTable(BaseModel):
    """A table or view that holds a fact.

    Attributes:
        name: Name of its database in ``FREEZELINE_DATABASES``.
        table: Its name, with its schema before a dot where it has one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=_NAME)
    table: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$")


class FactSpec(BaseModel):
    """One business fact.

    Attributes:
        name: Name of the file, and of the lake table behind ``fact_``.
        description: What one row is.
        prefix: Folder of the bucket that holds the fact's objects.
        database: Table to read the fact from instead of the bucket; what it recorded in a day is
            then an object below ``prefix``.
        maturity_h: Hours after the event by which it is nearly always recorded.
        delivery: When it is late or broken.
        delivered_by: Ids by which it is delivered for whatever it happens to: a call that has one
            of them and no record is one that it did not happen to. For other calls nobody knows.
        columns: Columns of the file; others are ignored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=_NAME)
    description: str = Field(min_length=1)
    prefix: str = Field(pattern=r"^[^/].*/$")
    database: DatabaseTable | None = None
    maturity_h: float = Field(ge=0)
    delivery: Delivery = Delivery()
    delivered_by: tuple[SubjectId, ...] = Field(default=("request_id",), min_length=1)
    columns: tuple[FactColumn, ...] = Field(min_length=3)

    @property
    def event_time_column(self) -> str:
        """Lake name of the column that says when the fact happened."""
        return next(c.output_name for c in self.columns if c.role == "event_time")

    @property
    def arrival_time_column(self) -> str:
        """Lake name of the column that says when the company learned of it."""
        return next(c.output_name for c in self.columns if c.role == "arrival_time")

    @property
    def subjects(self) -> tuple[FactColumn, ...]:
        """Columns of which a row has at least one."""
        return tuple(column for column in self.columns if column.role == "subject")

    @property
    def subject_ids(self) -> tuple[SubjectId, ...]:
        """By what a row may say which calls it is about, most specific first."""
        about = {c.output_name for c in self.columns if c.role in ("key", "subject")}
        return tuple(name for name, column in SUBJECT_COLUMNS.items() if column in about)

    @model_validator(mode="after")
    def _has_its_parts(self) -> Self:
        """Refuse a fact without key or clocks, and columns of one name."""
        roles = Counter(column.role for column in self.columns)
        is_about_something = roles["key"] or roles["subject"]
        if not is_about_something or roles["event_time"] != 1 or roles["arrival_time"] != 1:
            message = (
                "columns must have at least one key or subject, one event_time and one arrival_time"
            )
            raise ValueError(message)
        names = Counter(column.output_name for column in self.columns)
        doubled = sorted(name for name, count in names.items() if count > 1)
        clashing = sorted(set(names) & set(_SOURCE_COLUMNS))
        if doubled or clashing:
            message = f"column names must be unique and not our own: {[*doubled, *clashing]}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _is_delivered_by_what_it_has(self) -> Self:
        """Refuse ids that no row could have; a fact about no call needs none."""
        is_told = bool(self.subjects) or "delivered_by" in self.model_fields_set
        missing = [name for name in self.delivered_by if name not in self.subject_ids]
        if is_told and (missing or len(set(self.delivered_by)) != len(self.delivered_by)):
            message = (
                f"delivered_by: must be different ids that its columns have, got "
                f"{', '.join(self.delivered_by)} (write some of "
                f"{', '.join(self.subject_ids) or 'none: no key or subject is an id of a call'})"
            )
            raise ValueError(message)
        return self

    def with_subjects_of(self, other: "FactSpec") -> "FactSpec":
        """Return this fact with the subjects that only the other has: its rows leave them empty."""
        names = {column.output_name for column in self.columns}
        more = tuple(column for column in other.subjects if column.output_name not in names)
        return self.model_copy(update={"columns": (*self.columns, *more)})


def load_fact_specs(config_dir: Path) -> tuple[FactSpec, ...]:
    """Read every file of ``facts/``, sorted by name; none when there is no such folder.

    Raises:
        ConfigError: A file is wrong, or is not named after its fact.
    """
    specs = tuple(_load_spec(path) for path in sorted((config_dir / "facts").glob("*.yml")))
    return tuple(sorted(specs, key=lambda spec: spec.name))


def _load_spec(path: Path) -> FactSpec:
    """Read one fact file."""
    spec = parse_config(FactSpec, path, load_yaml(path))
    if spec.name != path.stem:
        message = (
            f"{path}: name: must be the file's name, got {spec.name!r} "
            f"(write name: {path.stem}, or rename the file)"
        )
        raise ConfigError(message)
    return spec


def fact_table(spec: FactSpec) -> Table:
    """Return the lake table of a fact: its columns, then where each row came from.

    A correction of a record (same subject, recorded later) is another row; the warehouse keeps
    the one recorded last.
    """
    return Table(
        name=f"fact_{spec.name}",
        grain=spec.description,
        key=tuple(c.output_name for c in spec.columns if c.role != "value"),
        columns=(
            *(_lake_column(column) for column in spec.columns),
            *(EVALUATIONS.column(name) for name in _SOURCE_COLUMNS),
        ),
    )


def _lake_column(column: FactColumn) -> Column:
    """Return the lake column of a file's column."""
    privacy = Privacy.NONE
    if column.pseudonym:
        privacy = Privacy.PSEUDONYM
    elif column.is_text:
        privacy = Privacy.TEXT
    return Column(
        column.output_name,
        _LAKE_TYPES[column.type],
        column.description,
        nullable=not column.must_have_value,
        privacy=privacy,
    )
