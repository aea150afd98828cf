"""Connections to a company's databases, whose errors say what is wrong and show no password."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from include.freezeline.errors import StoreError

# Times are compared as UTC and written as ISO 8601, whatever the server and its users prefer.
_SESSION = {
    "postgresql": ("set time zone 'UTC'", "set datestyle to 'ISO'"),
    "mysql": ("set time_zone = '+00:00'",),
}


def open_engine(url: str, place: str) -> Any:
    """Open a database; nothing is contacted, and its connections are not kept: a night needs few.

    Args:
        url: Its SQLAlchemy URL.
        place: What it is called in messages.

    Raises:
        StoreError: The URL cannot be read, or its driver is not installed.
    """
    import sqlalchemy as sa

    try:
        made = sa.make_url(url)
        # An @ in a password ends it early: what follows would be shown as a host.
        is_torn = made.username is not None and "@" in f"{made.host}{made.database}"
    except (sa.exc.ArgumentError, ValueError):
        is_torn = True
    if is_torn:
        message = (
            f"{place}: could not parse its URL in FREEZELINE_DATABASES (write "
            "dialect+driver://user:password@host:port/database, with @, : and / of a password as "
            "%40, %3A and %2F)"
        )
        raise StoreError(message)
    try:
        return sa.create_engine(made, poolclass=sa.pool.NullPool)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise _unreadable(place, error) from None


@contextmanager
def connected(engine: Any, place: str) -> Iterator[Any]:
    """Connect for a query, in UTC.

    Raises:
        StoreError: The database cannot be reached, or refuses the query.
    """
    import sqlalchemy as sa

    try:
        with engine.connect() as connection:
            for statement in _SESSION.get(engine.dialect.name, ()):
                connection.exec_driver_sql(statement)
            yield connection
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise _unreadable(place, error) from None


def _unreadable(place: str, error: Exception) -> StoreError:
    """Return what to raise for an error of a driver, whose first line says what is wrong."""
    told = str(getattr(error, "orig", None) or error).strip().splitlines() or [""]
    return StoreError(
        f"{place}: the database cannot be read: {type(error).__name__}: {told[0]} (check its URL in "
        "FREEZELINE_DATABASES, its driver, and the fact's table and columns)"
    )
