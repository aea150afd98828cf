"""Spark: dbt builds the marts through a Thrift server; rows come and go as Parquet files.

Home folder and lake must be the same path for the workers as for us, for instance on a network
file system: that is how the cluster reads the lake, and how we read its marts.
"""

import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.judgement import JUDGEMENT_TABLES
from include.freezeline.errors import WarehouseError
from include.freezeline.settings import Settings

_CONNECT_TIMEOUT_S = 5
# Spark's own default is a type without a zone.
_WRITE_INSTANTS = "set spark.sql.parquet.outputTimestampType = TIMESTAMP_MICROS"


class SparkTarget:
    """A Spark cluster behind a Thrift server."""

    modules = ("dbt.adapters.spark", "pyhive")

    def __init__(self, settings: Settings) -> None:
        """Use the settings' server and home folder."""
        self._host, self._port = settings.spark_host, settings.spark_port
        self._exchange = settings.home.resolve() / "exchange"

    def variables(self) -> Mapping[str, object]:
        """Return what the dbt profile must know."""
        return {
            "spark_host": self._host,
            "spark_port": self._port,
            "judgement_dir": str(self._exchange / "judgement"),
        }

    def secrets(self) -> Mapping[str, str]:
        """Return nothing: who may connect is the network's business."""
        return {}

    def hand_over_lake(self, tables: Sequence[Table]) -> int:  # noqa: ARG002 - other targets need it
        """Hand over nothing: Spark reads the lake where it lies.

        Raises:
            WarehouseError: Nobody answers at the server's address.
        """
        self._require_server()
        return 0

    def prepare_build(self, warehouse: Warehouse, tables: Sequence[Table]) -> None:  # noqa: ARG002
        """Write the judgement tables as files that Spark reads."""
        for table in JUDGEMENT_TABLES:
            folder = _empty_folder(self._exchange / "judgement" / table.name)
            warehouse.execute(
                f"copy judgement.{table.name} to '{_quoted(folder)}/part.parquet' (format parquet)"
            )

    def fetch_marts(self, warehouse: Warehouse) -> None:
        """Let Spark write every mart that is a table as files, and copy these."""
        with self._cursor() as cursor:
            views = set(_column(cursor, "show views in marts", "viewName"))
            names = set(_column(cursor, "show tables in marts", "tableName")) - views
        self.fetch(warehouse, sorted(names))

    def fetch(self, warehouse: Warehouse, names: Sequence[str]) -> None:
        """Copy some marts, tables or views, into the DuckDB file."""
        folder = self._exchange / "marts"
        with self._cursor() as cursor:
            for name in names:
                written = _quoted(_empty_folder(folder / name))
                cursor.execute(
                    f"insert overwrite directory '{written}' using parquet "
                    f"select * from marts.{name}"
                )
                warehouse.replace_mart(name, f"read_parquet('{written}/*.parquet')")
        shutil.rmtree(folder)

    def _require_server(self) -> None:
        """Fail at once where nobody listens; dbt would try for minutes."""
        try:
            socket.create_connection((self._host, self._port), _CONNECT_TIMEOUT_S).close()
        except OSError as error:
            message = (
                f"FREEZELINE_SPARK_HOST:FREEZELINE_SPARK_PORT = {self._host}:{self._port}: no "
                f"Spark Thrift server answers ({error}); start it, or correct the address"
            )
            raise WarehouseError(message) from None

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        """Open a session on the Thrift server."""
        from pyhive import hive

        with closing(hive.connect(self._host, self._port, username="freezeline")) as connection:
            cursor = connection.cursor()
            cursor.execute(_WRITE_INSTANTS)
            yield cursor


def _column(cursor: Any, sql: str, name: str) -> Sequence[str]:
    """Run a query and return one column of its rows."""
    cursor.execute(sql)
    place = [column[0] for column in cursor.description].index(name)
    return [row[place] for row in cursor.fetchall()]


def _empty_folder(folder: Path) -> Path:
    """Make a folder without files."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def _quoted(path: Path) -> str:
    """Return a path for use between single quotes."""
    return str(path).replace("'", "''")
