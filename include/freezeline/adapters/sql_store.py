"""A table of any SQL database as a store: what it recorded in a UTC day is one object.

So a fact from a database goes the way of every other one: redacted, made pseudonymous, quarantined
with a reason, counted in the ledger, kept out by tombstones, and known by ``as_of``. A row that was
changed or deleted changes its day's object, which is landed again in its place.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from include.freezeline.adapters.object_store import Folder, ObjectInfo, ObjectStore, content_etag
from include.freezeline.errors import StoreError, StoreNotFoundError

_FILE = "rows.jsonl"
_DAY = timedelta(days=1)
# Times are compared as UTC, whatever the server's clock shows.
_IN_UTC = {"postgresql": "set time zone 'UTC'", "mysql": "set time_zone = '+00:00'"}


@dataclass(frozen=True, slots=True)
class FactTable:
    """What to read.

    Attributes:
        database: Name of the database, for messages.
        name: Name of the table or view, its schema before a dot.
        columns: Columns to read.
        recorded: Column that says when a row was recorded.
        optional: Columns to read where the table has them.
    """

    database: str
    name: str
    columns: tuple[str, ...]
    recorded: str
    optional: tuple[str, ...] = ()


class SqlStore(ObjectStore):
    """A table, read only; keys are ``<prefix>dt=YYYY-MM-DD/rows.jsonl``."""

    def __init__(self, url: str, table: FactTable, prefix: str) -> None:
        """Use a table.

        Args:
            url: SQLAlchemy URL of its database.
            table: The table.
            prefix: What its keys start with.
        """
        self._url = url
        self._fact = table
        self._prefix = prefix

    @property
    def uri(self) -> str:
        """Database and table, without credentials."""
        return f"{self._fact.database}:{self._fact.name}"

    def list_objects(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the days that recorded a row and whose key starts with ``prefix``, in order."""
        asked = self._day_of(f"{prefix.rstrip('/')}/{_FILE}")
        for day in self._days_with_rows() if asked is None else (asked,):
            key = self._key(day)
            data = self._rows(day) if key.startswith(prefix) else b""
            if data:
                yield ObjectInfo(key, len(data), _start(day + _DAY), content_etag(data))

    def list_folder(self, prefix: str) -> Folder:
        """Return the folders of days, or the object of one."""
        days = [f"{self._prefix}dt={day.isoformat()}/" for day in self._days()]
        if prefix in days:
            return Folder((), list(self.list_objects(prefix)))
        return Folder([folder for folder in days if folder.startswith(prefix)], ())

    def read_bytes(self, key: str) -> bytes:
        """Return the rows of a day as JSON lines.

        Raises:
            StoreNotFoundError: There are none.
        """
        day = self._day_of(key)
        data = b"" if day is None else self._rows(day)
        if not data:
            message = f"{self.uri}: no rows of {key}"
            raise StoreNotFoundError(message)
        return data

    def write_bytes(
        self,
        key: str,
        data: bytes,  # noqa: ARG002 - the store's signature
        *,
        content_type: str | None = None,  # noqa: ARG002
        modified_at: datetime | None = None,  # noqa: ARG002
    ) -> None:
        """Refuse: a company's database is only read."""
        self._refuse(key)

    def exists(self, key: str) -> bool:
        """Return whether a day has rows."""
        day = self._day_of(key)
        return day is not None and bool(self._rows(day))

    def delete(self, key: str) -> None:
        """Refuse: a company's database is only read."""
        self._refuse(key)

    def _refuse(self, key: str) -> None:
        """Say that nothing is written."""
        message = f"{self.uri}: {key}: databases are only read"
        raise StoreError(message)

    def _days(self) -> list[date]:
        """Return every UTC date from the first to the last recorded row."""
        import sqlalchemy as sa

        recorded = self._table.c[self._fact.recorded]
        with self._connect() as connection:
            ends = connection.execute(sa.select(sa.func.min(recorded), sa.func.max(recorded))).one()
        if ends[0] is None:
            return []
        first, last = (_date_of(value) for value in ends)
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    def _days_with_rows(self) -> Iterator[date]:
        """Yield the UTC dates that recorded a row, from one to the next whatever lies between."""
        import sqlalchemy as sa

        recorded = self._table.c[self._fact.recorded]
        earliest = sa.select(sa.func.min(recorded))
        while True:
            with self._connect() as connection:
                found = connection.execute(earliest).scalar()
            day = None if found is None else _date_of(found)
            if day is None or day == date.max:  # the end of time has no night after it
                return
            yield day
            earliest = sa.select(sa.func.min(recorded)).where(recorded >= self._bound(day + _DAY))

    def _rows(self, day: date) -> bytes:
        """Return the rows recorded on a UTC date as JSON lines, in one order whatever the plan."""
        import sqlalchemy as sa

        if day == date.max:
            return b""
        recorded = self._table.c[self._fact.recorded]
        within = (recorded >= self._bound(day), recorded < self._bound(day + _DAY))
        with self._connect() as connection:
            found = connection.execute(sa.select(self._table).where(*within)).mappings().all()
        lines = [json.dumps(dict(row), default=_plain, sort_keys=True) for row in found]
        return "".join(f"{line}\n" for line in sorted(lines)).encode()

    def _bound(self, day: date) -> datetime | str:
        """Return the first instant of a UTC date as the database compares it.

        SQLite compares texts, of whatever precision: a date is before each of its times.
        """
        is_text = self._engine.dialect.name == "sqlite"
        return day.isoformat() if is_text else datetime.combine(day, time())

    def _key(self, day: date) -> str:
        """Return the key of a day."""
        return f"{self._prefix}dt={day.isoformat()}/{_FILE}"

    def _day_of(self, key: str) -> date | None:
        """Return the day of a key, or None when it is no key of this store."""
        text = key.removeprefix(f"{self._prefix}dt=").removesuffix(f"/{_FILE}")
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return None
        return day if self._key(day) == key else None

    @cached_property
    def _table(self) -> Any:
        """The table with columns of no type, so that values come as the database gives them."""
        import sqlalchemy as sa

        schema, _, name = self._fact.name.rpartition(".")
        names = (*self._fact.columns, *self._optional_columns(schema or None, name))
        columns: list[Any] = [sa.column(column) for column in names]
        return sa.table(name, *columns, schema=schema or None)

    def _optional_columns(self, schema: str | None, name: str) -> tuple[str, ...]:
        """Return the optional columns that the table has."""
        import sqlalchemy as sa

        if not self._fact.optional:
            return ()
        with self._connect() as connection:
            found = {c["name"] for c in sa.inspect(connection).get_columns(name, schema=schema)}
        return tuple(column for column in self._fact.optional if column in found)

    @cached_property
    def _engine(self) -> Any:
        """The database; its connections are not kept, a night needs few."""
        import sqlalchemy as sa

        return sa.create_engine(self._url, poolclass=sa.pool.NullPool)

    @contextmanager
    def _connect(self) -> Iterator[Any]:
        """Connect for a query, in UTC.

        Raises:
            StoreError: The database cannot be reached or refuses the query.
        """
        import sqlalchemy as sa

        try:
            with self._engine.connect() as connection:
                in_utc = _IN_UTC.get(connection.dialect.name)
                if in_utc is not None:
                    connection.exec_driver_sql(in_utc)
                yield connection
        except (sa.exc.SQLAlchemyError, ImportError) as error:
            told = str(getattr(error, "orig", None) or error).strip().splitlines() or [""]
            message = (
                f"{self.uri}: the database cannot be read: {type(error).__name__}: {told[0]} (check "
                f"its URL in FREEZELINE_DATABASES, its driver, and the fact's table and columns)"
            )
            raise StoreError(message) from None


def _start(day: date) -> datetime:
    """Return the first instant of a UTC date."""
    return datetime.combine(day, time(), tzinfo=UTC)


def _date_of(value: Any) -> date:
    """Return the UTC date of a recorded time, a text in databases that have no type for it."""
    moment = value if isinstance(value, date) else datetime.fromisoformat(str(value))
    if isinstance(moment, datetime):
        return (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    return moment


def _plain(value: Any) -> Any:
    """Return a value that JSON has no form of; times without a zone are UTC."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return str(value)
