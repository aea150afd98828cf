"""DuckLake: many machines write one lake, whose catalogue is PostgreSQL and whose files are in S3.

Each machine lands into its own folder and hands the files over: their rows become rows of its own
tables in the lake, and views put the machines' tables together. DuckLake refuses one of two commits
that insert into and delete from one table, so no two machines write the same. A file that changed
replaces its earlier rows, in one transaction: handing over again, or being cut off, neither loses
nor doubles a row.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import boto3
import duckdb

from include.freezeline.adapters.lake import SCHEMA_FILE, Lake
from include.freezeline.adapters.warehouse import SqlError, Warehouse, open_scratch, sql_columns
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.judgement import JUDGEMENT_TABLES
from include.freezeline.contracts.lake import PRICE_BOOK, REDACTION_CANARIES
from include.freezeline.errors import ConfigError, WarehouseError
from include.freezeline.settings import Settings

_EXTENSIONS = ("httpfs", "postgres_scanner", "ducklake")
# Every machine has these for all of them: those of the machine that builds count.
_OWN_ONLY = frozenset({PRICE_BOOK.name, REDACTION_CANARIES.name})
_SCHEMA_PREFIX = "lake_of_"
_FILES = "handed_over_files"
_COMMIT_ATTEMPTS = 100
_ATTEMPTS = 8
_ATTACH_ATTEMPTS = 4
_WAIT_S = 0.1

_T = TypeVar("_T")


class SharedTarget:
    """A DuckLake whose catalogue lies in PostgreSQL."""

    modules = ("duckdb_extensions", *(f"duckdb_extension_{name}" for name in _EXTENSIONS))

    def __init__(self, settings: Settings) -> None:
        """Use the settings' catalogue and data.

        Raises:
            ConfigError: A setting is missing.
        """
        catalog, data_uri = settings.shared_catalog, settings.shared_data_uri
        if catalog is None or data_uri is None:
            message = (
                "FREEZELINE_TARGET=shared: FREEZELINE_SHARED_CATALOG and FREEZELINE_SHARED_DATA_URI "
                "must say where catalogue and files are (write 'dbname=lake host=db' and "
                "s3://bucket/prefix)"
            )
            raise ConfigError(message)
        self._catalog = f"ducklake:postgres:{catalog.get_secret_value()}"
        self._data_uri = data_uri
        self._settings = settings
        self._extension_dir = settings.cache_dir.resolve() / "duckdb_extensions"
        self._lake = Lake(settings.lake_dir.resolve())
        self._schema = f'shared."{_SCHEMA_PREFIX}{settings.shared_writer}"'

    def variables(self) -> Mapping[str, object]:
        """Return what the dbt profile must know, without secrets."""
        self._install_extensions()
        endpoint = urlsplit(self._settings.s3_endpoint_url or "")
        is_path = endpoint.netloc != "" and self._settings.s3_addressing != "virtual"
        return {
            "extension_dir": str(self._extension_dir),
            "shared_data_uri": self._data_uri,
            "s3_region": self._settings.s3_region,
            "s3_endpoint": endpoint.netloc or "s3.amazonaws.com",
            "s3_url_style": "path" if is_path else "vhost",
            "s3_use_ssl": endpoint.scheme != "http",
        }

    def secrets(self) -> Mapping[str, str]:
        """Return what the dbt profile must know and no log may.

        Raises:
            ConfigError: boto3 finds no credentials.
        """
        found = boto3.Session(profile_name=self._settings.s3_profile).get_credentials()
        if found is None:
            message = "FREEZELINE_TARGET=shared: no S3 credentials (boto3's own chain finds none)"
            raise ConfigError(message)
        keys = found.get_frozen_credentials()
        return {
            "DBT_ENV_SECRET_SHARED_CATALOG": self._catalog,
            "DBT_ENV_SECRET_S3_KEY_ID": str(keys.access_key),
            "DBT_ENV_SECRET_S3_SECRET": str(keys.secret_key),
            "DBT_ENV_SECRET_S3_SESSION_TOKEN": keys.token or "",
        }

    def hand_over_lake(self, tables: Sequence[Table]) -> int:
        """Make the rows of this machine's lake files rows of its tables in the shared lake.

        Returns:
            How many files were new or had changed.
        """
        n_files = 0
        with open_scratch() as connection, self.attached(connection):
            self._create_tables(connection, tables)
            for table in tables:
                n_files += _persevere(connection, partial(self._hand_over_table, table))
        return n_files

    def prepare_build(self, warehouse: Warehouse, tables: Sequence[Table]) -> None:
        """Put the machines' tables together, and replace the copies of the judgement tables."""
        with self.attached(warehouse):
            self._create_tables(warehouse, tables)
            for schema in ("lake", "judgement"):
                warehouse.execute(f"create schema if not exists shared.{schema}")
            for table in tables:
                sources = [self._schema]
                if table.name not in _OWN_ONLY:
                    sources = _schemas_with(warehouse, table.name)
                parts = [f"select * from {schema}.{table.name}" for schema in sources]
                warehouse.execute(
                    f"create or replace view shared.lake.{table.name} as "
                    + " union all by name ".join(parts)
                )
            for table in JUDGEMENT_TABLES:
                warehouse.execute(
                    f"create or replace table shared.judgement.{table.name} as "
                    f"from judgement.{table.name}"
                )

    def fetch_marts(self, warehouse: Warehouse) -> None:
        """Copy every mart that is a table, as one snapshot of the lake, into the DuckDB file."""
        with self.attached(warehouse):
            names = warehouse.rows(
                "select table_name from duckdb_tables() "
                "where database_name = 'shared' and schema_name = 'marts' order by table_name"
            )
            for row in names:
                warehouse.replace_mart(row["table_name"], f"shared.marts.{row['table_name']}")

    def _create_tables(self, connection: Warehouse, tables: Sequence[Table]) -> None:
        """Create this machine's tables, or what is missing of their columns."""
        connection.execute(f"create schema if not exists {self._schema}")
        connection.execute(
            f"create table if not exists {self._schema}.{_FILES} "
            "(table_name varchar, lake_file varchar, version varchar)"
        )
        for table in tables:
            _create_table(connection, self._schema, table)

    def _hand_over_table(self, table: Table, connection: Warehouse) -> int:
        """Replace the rows of the files that changed, and of those that are gone."""
        local = {
            str(file.path.relative_to(self._lake.root)): file.path
            for file in self._lake.files(table.name)
            if file.path.name != SCHEMA_FILE
        }
        known = _known_files(connection, self._schema, table.name)
        versions = {name: _version(path) for name, path in local.items()}
        fresh = [name for name in local if known.get(name) != versions[name]]
        stale = [name for name in known if known[name] != versions.get(name)]
        if stale:
            _forget(connection, self._schema, table.name, stale)
        if fresh:
            files = {name: local[name] for name in fresh}
            _insert_files(connection, f"{self._schema}.{table.name}", files)
            rows = [(table.name, name, versions[name]) for name in fresh]
            _remember(connection, self._schema, rows)
        return len(fresh)

    @contextmanager
    def attached(self, warehouse: Warehouse) -> Iterator[None]:
        """Attach the DuckLake to an open warehouse for a while."""
        self._attach(warehouse)
        try:
            yield
        finally:
            warehouse.execute("detach shared")

    def _attach(self, connection: Warehouse) -> None:
        """Attach the DuckLake as the database ``shared``.

        Raises:
            WarehouseError: Catalogue or bucket cannot be reached.
        """
        given = self.variables()
        connection.execute(f"set extension_directory = {_text(given['extension_dir'])}")
        for name in _EXTENSIONS:
            connection.execute(f"load {name}")
        connection.execute(f"set ducklake_max_retry_count = {_COMMIT_ATTEMPTS}")
        connection.execute(_secret_sql(given, self.secrets()))
        self._open_catalog(connection)

    def _open_catalog(self, connection: Warehouse) -> None:
        """Attach the catalogue; the first machines may be creating it at the same time."""
        # Rows kept inside the catalogue would make every delete a conflict with every insert.
        options = f"data_path {_text(self._data_uri)}, data_inlining_row_limit 0"
        sql = f"attach {_text(self._catalog)} as shared ({options})"
        for attempt in range(_ATTACH_ATTEMPTS):
            try:
                return connection.execute(sql)
            except SqlError as error:
                kind = type(error).__name__
                time.sleep(_WAIT_S * 2**attempt)
        # DuckDB's own message repeats the address, with a password in it.
        message = (
            f"FREEZELINE_SHARED_CATALOG, FREEZELINE_SHARED_DATA_URI: cannot be opened ({kind}); "
            "is PostgreSQL up, does the database exist, may we read and write the bucket?"
        )
        raise WarehouseError(message)

    def _install_extensions(self) -> None:
        """Put the extensions where DuckDB loads them from; nothing is downloaded."""
        from duckdb_extensions import import_extension

        self._extension_dir.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute(f"set extension_directory = {_text(self._extension_dir)}")
            for name in _EXTENSIONS:
                import_extension(name, con=connection)


def _create_table(connection: Warehouse, schema: str, table: Table) -> None:
    """Create a table, or what is missing of its columns; rows know their file."""
    columns = {**sql_columns(table), "lake_file": "varchar"}
    listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"create table if not exists {schema}.{table.name} ({listed})")
    known = {row["column_name"] for row in connection.rows(f"describe {schema}.{table.name}")}
    for name in columns.keys() - known:
        connection.execute(f"alter table {schema}.{table.name} add column {name} {columns[name]}")


def _schemas_with(connection: Warehouse, table_name: str) -> list[str]:
    """Return the machines' schemas that have a table."""
    found = connection.rows(
        "select schema_name from duckdb_tables() where database_name = 'shared' "
        "and table_name = ? and starts_with(schema_name, ?) order by schema_name",
        [table_name, _SCHEMA_PREFIX],
    )
    return [f'shared."{row["schema_name"]}"' for row in found]


def _known_files(connection: Warehouse, schema: str, table_name: str) -> dict[str, str]:
    """Return the versions of the files whose rows are in a table."""
    sql = f"select lake_file, version from {schema}.{_FILES} where table_name = ?"
    return {row["lake_file"]: row["version"] for row in connection.rows(sql, [table_name])}


def _version(path: Path) -> str:
    """Return what changes when a file is written again."""
    stat = path.stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def _forget(connection: Warehouse, schema: str, table_name: str, names: Sequence[str]) -> None:
    """Delete the rows of files."""
    for relation in (table_name, _FILES):
        connection.execute(
            f"delete from {schema}.{relation} where lake_file in (select unnest(?))",
            [list(names)],
        )


def _insert_files(connection: Warehouse, relation: str, files: Mapping[str, Path]) -> None:
    """Insert the rows of files, each with the name of its file."""
    connection.execute(
        f"insert into {relation} by name "
        "select rows.* exclude (filename), names.lake_file "
        "from read_parquet($paths, hive_partitioning = false, union_by_name = true, "
        "filename = true) as rows inner join (select unnest($paths) as path, "
        "unnest($names) as lake_file) as names on rows.filename = names.path",
        {"paths": [str(path) for path in files.values()], "names": list(files)},
    )


def _remember(connection: Warehouse, schema: str, files: Sequence[tuple[str, str, str]]) -> None:
    """Note that the rows of files are in, by table, name and version."""
    tables, names, versions = zip(*files, strict=True)
    connection.execute(
        f"insert into {schema}.{_FILES} select unnest(?), unnest(?), unnest(?)",
        [list(tables), list(names), list(versions)],
    )


def _persevere(connection: Warehouse, write: Callable[[Warehouse], _T]) -> _T:
    """Run a write as one transaction, again when another process committed a conflicting one.

    DuckLake itself tries a commit again that merely came second; what reaches us is another
    process of the same machine that wrote the same table, and has to look again.
    """
    for attempt in range(_ATTEMPTS):
        connection.execute("begin")
        try:
            done = write(connection)
            connection.execute("commit")
        except SqlError as error:
            connection.rollback()
            if not _is_conflict(error) or attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_WAIT_S * 2**attempt)
        else:
            return done
    raise AssertionError


def _is_conflict(error: SqlError) -> bool:
    """Whether somebody else's commit came in between."""
    text = str(error).lower()
    return "conflict" in text or "already exists" in text


def _secret_sql(given: Mapping[str, object], secrets: Mapping[str, str]) -> str:
    """Return the statement that lets DuckDB read and write the bucket."""
    token = secrets["DBT_ENV_SECRET_S3_SESSION_TOKEN"]
    words = {
        "region": given["s3_region"],
        "endpoint": given["s3_endpoint"],
        "url_style": given["s3_url_style"],
        "key_id": secrets["DBT_ENV_SECRET_S3_KEY_ID"],
        "secret": secrets["DBT_ENV_SECRET_S3_SECRET"],
        **({"session_token": token} if token else {}),
    }
    listed = ", ".join(f"{name} {_text(value)}" for name, value in words.items())
    use_ssl = str(given["s3_use_ssl"]).lower()
    return f"create or replace secret freezeline_shared (type s3, use_ssl {use_ssl}, {listed})"


def _text(value: object) -> str:
    """Return a value as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"
