"""A table of any SQL database as a store: what it recorded in a UTC day is one object.

So a fact from a database goes the way of every other one: redacted, made pseudonymous, quarantined
with a reason, counted in the ledger, kept out by tombstones, and known by ``as_of``. A row that was
changed or deleted changes its day's object, which is landed again in its place.
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from include.freezeline.adapters.object_store import Folder, ObjectInfo, ObjectStore, content_etag
from include.freezeline.adapters.sql_connection import connected, open_engine
from include.freezeline.errors import StoreError, StoreNotFoundError

_FILE = "rows.jsonl"
_UNDATED = "undated"
_DAY = timedelta(days=1)


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
    """A table, read only; keys are ``<prefix>dt=YYYY-MM-DD/rows.jsonl``.

    Rows that do not say when they were recorded, or say a time that no calendar has, belong to no
    day: ``<prefix>undated/rows.jsonl`` brings them to where they are put aside and counted.
    """

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
        key = self._key(None)
        data = self._rows(None) if key.startswith(prefix) else b""
        if data:
            yield ObjectInfo(key, len(data), self._undated_at(), content_etag(data))

    def list_folder(self, prefix: str) -> Folder:
        """Return the folders of days, or the object of one."""
        undated = (None,) if self._rows(None) else ()
        days = [self._key(day).removesuffix(_FILE) for day in (*self._days(), *undated)]
        if prefix in days:
            return Folder((), list(self.list_objects(prefix)))
        return Folder([folder for folder in days if folder.startswith(prefix)], ())

    def read_bytes(self, key: str) -> bytes:
        """Return the rows of a day as JSON lines.

        Raises:
            StoreNotFoundError: There are none.
        """
        data = self._rows_of(key)
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
        return bool(self._rows_of(key))

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

        ends = sa.select(sa.func.min(self._recorded), sa.func.max(self._recorded))
        with self._connect() as connection:
            found = connection.execute(ends.where(*self._between(date.min, date.max))).one()
        if found[0] is None:
            return []
        first, last = (self._date_of(value) for value in found)
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    def _days_with_rows(self) -> Iterator[date]:
        """Yield the UTC dates that recorded a row, from one to the next whatever lies between."""
        import sqlalchemy as sa

        earliest, since = sa.select(sa.func.min(self._recorded)), date.min
        while True:
            with self._connect() as connection:
                asked = earliest.where(*self._between(since, date.max))
                found = connection.execute(asked).scalar()
            if found is None:
                return
            day = self._date_of(found)
            yield day
            since = day + _DAY

    def _undated_at(self) -> datetime:
        """Return when rows of no day count as arrived.

        That is the end of the day before the last one with rows: before the night that reads them
        ends, also where rows of the next day are there already, and recent as long as the table
        grows.

        Raises:
            StoreError: No row has a day.
        """
        days = self._days()
        if not days:
            message = (
                f"{self.uri}: no row says in {self._fact.recorded} when it was recorded, so none "
                "can be placed in a night (fill the column in, or point the fact to a view that does)"
            )
            raise StoreError(message)
        return _start(days[-1]) - timedelta(microseconds=1)

    def _rows_of(self, key: str) -> bytes:
        """Return the rows behind a key; none when it is no key of this store."""
        day = self._day_of(key)
        return self._rows(day) if day is not None or key == self._key(None) else b""

    def _rows(self, day: date | None) -> bytes:
        """Return the rows recorded on a UTC date as JSON lines, in one order whatever the plan.

        Args:
            day: The date; None for the rows of no date.
        """
        import sqlalchemy as sa

        if day == date.max:
            return b""
        dated = self._between(date.min, date.max) if day is None else self._between(day, day + _DAY)
        recorded = self._recorded
        within = sa.and_(*dated) if day else sa.or_(recorded.is_(None), sa.not_(sa.and_(*dated)))
        with self._connect() as connection:
            query = sa.select(*map(self._told, self._table.c)).where(within)
            found = connection.execute(query).mappings().all()
        lines = [json.dumps(dict(row), default=_plain, sort_keys=True) for row in found]
        return "".join(f"{line}\n" for line in sorted(lines)).encode()

    def _told(self, column: Any) -> Any:
        """Return a column as it is read.

        PostgreSQL writes every type as text itself: its drivers fail on what Python has no value
        for, such as the timestamp infinity, and a row that cannot be used is put aside alone.
        """
        import sqlalchemy as sa

        is_text = self._engine.dialect.name == "postgresql"
        return sa.cast(column, sa.Text).label(column.name) if is_text else column

    def _between(self, since: date, until: date) -> tuple[Any, Any]:
        """Return the conditions of the rows recorded from one UTC date on and before another."""
        return self._recorded >= self._bound(since), self._recorded < self._bound(until)

    @property
    def _recorded(self) -> Any:
        """The column that says when a row was recorded."""
        return self._table.c[self._fact.recorded]

    def _bound(self, day: date) -> datetime | str:
        """Return the first instant of a UTC date as the database compares it.

        SQLite compares texts, of whatever precision: a date is before each of its times.
        """
        is_text = self._engine.dialect.name == "sqlite"
        return day.isoformat() if is_text else datetime.combine(day, time())

    def _date_of(self, value: Any) -> date:
        """Return the UTC date of a recorded time, a text in databases that have no type for it.

        Raises:
            StoreError: It is none.
        """
        try:
            moment = value if isinstance(value, date) else datetime.fromisoformat(str(value))
        except ValueError:
            message = (
                f"{self.uri}: {self._fact.recorded} holds {str(value)[:40]!r}, which is no ISO 8601 "
                "time (point the fact to a view that writes 2026-10-14 03:00:00)"
            )
            raise StoreError(message) from None
        if isinstance(moment, datetime):
            return (moment.astimezone(UTC) if moment.tzinfo else moment).date()
        return moment

    def _key(self, day: date | None) -> str:
        """Return the key of a day, or of the rows of none."""
        folder = _UNDATED if day is None else f"dt={day.isoformat()}"
        return f"{self._prefix}{folder}/{_FILE}"

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
        """The database."""
        return open_engine(self._url, self.uri)

    def _connect(self) -> AbstractContextManager[Any]:
        """Connect for a query."""
        return connected(self._engine, self.uri)


def _start(day: date) -> datetime:
    """Return the first instant of a UTC date."""
    return datetime.combine(day, time(), tzinfo=UTC)


def _plain(value: Any) -> Any:
    """Return a value that JSON has no form of; times without a zone are UTC."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return str(value)
