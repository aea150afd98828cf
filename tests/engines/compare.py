"""Compare the marts of two DuckDB files cell by cell."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse

# Sums of floating-point numbers depend on the order in which an engine adds them.
RELATIVE_TOLERANCE = 1e-9
# A quantile picks or interpolates two values: every engine must find the same number.
_QUANTILE = re.compile(r"_p\d\d?(_|$)")
_MAX_SHOWN = 3


def mart_names(path: Path) -> list[str]:
    """Return the names of every mart, tables and views."""
    sql = "select table_name from information_schema.tables where table_schema = 'marts'"
    with open_warehouse(path, read_only=True) as warehouse:
        return sorted(row["table_name"] for row in warehouse.rows(sql))


def row_counts(path: Path) -> dict[str, int]:
    """Return how many rows every mart has."""
    with open_warehouse(path, read_only=True) as warehouse:
        return {
            name: warehouse.rows(f"select count(*) as n from marts.{name}")[0]["n"]
            for name in mart_names(path)
        }


def differences(left: Path, right: Path, names: Iterable[str]) -> list[str]:
    """Return what differs, a line per mart; nothing when the marts are the same."""
    with (
        open_warehouse(left, read_only=True) as one,
        open_warehouse(right, read_only=True) as other,
    ):
        found = {name: list(_mart_differences(one, other, name)) for name in names}
    return [f"{name}: {'; '.join(lines[:_MAX_SHOWN])}" for name, lines in found.items() if lines]


def _mart_differences(one: Warehouse, other: Warehouse, name: str) -> Iterable[str]:
    """Yield what differs between two copies of a mart."""
    types, types_there = _types(one, name), _types(other, name)
    if types != types_there:
        yield f"columns {sorted(set(types.items()) ^ set(types_there.items()))}"
        return
    rows, rows_there = (_rows(opened, name, types) for opened in (one, other))
    if len(rows) != len(rows_there):
        yield f"{len(rows)} rows and {len(rows_there)}"
    for row, row_there in zip(rows, rows_there, strict=False):
        for column, value in row.items():
            if not _is_same(column, value, row_there[column]):
                yield f"{column} {value!r} and {row_there[column]!r} in {_start(row)}"


def _types(warehouse: Warehouse, name: str) -> dict[str, str]:
    """Return a mart's columns and their types."""
    found = warehouse.rows(f"describe marts.{name}")
    return {row["column_name"]: row["column_type"] for row in found}


def _rows(warehouse: Warehouse, name: str, types: Mapping[str, str]) -> Sequence[dict[str, Any]]:
    """Return the rows in an order that a small error of a sum does not change."""
    exact = [column for column, kind in types.items() if kind != "DOUBLE"]
    rough = [f"round({column}, 6)" for column, kind in types.items() if kind == "DOUBLE"]
    return warehouse.rows(f"select * from marts.{name} order by {', '.join(exact + rough)}")


def _is_same(column: str, value: Any, there: Any) -> bool:
    """Whether two cells are equal, apart from the rounding of sums."""
    if isinstance(value, float) and isinstance(there, float) and not _QUANTILE.search(column):
        return math.isclose(value, there, rel_tol=RELATIVE_TOLERANCE) or (
            math.isnan(value) and math.isnan(there)
        )
    return bool(value == there)


def _start(row: Mapping[str, Any]) -> str:
    """Return the first cells of a row, which usually are its key."""
    return str(dict(list(row.items())[:4]))
