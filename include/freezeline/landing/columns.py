"""From rows to columns, from guarded columns to Arrow by event date, and the rows that do not fit."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from include.freezeline.contracts.arrow import arrow_field, arrow_schema
from include.freezeline.contracts.columns import Column, Table
from include.freezeline.landing.records import Edits

_EPOCH = date(1970, 1, 1)
_DAY_US = 86_400_000_000
_ARROW_ERRORS = (pa.ArrowException, TypeError, ValueError, OverflowError)

Columns = Mapping[str, Sequence[Any]]


class Misfit(NamedTuple):
    """A row that does not fit the contract.

    Attributes:
        number: Its place among the rows.
        reason: Reason code: ``missing_value:`` or ``bad_value:`` and the column.
    """

    number: int
    reason: str


def transposed(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Any]]:
    """Return rows as columns; a missing value is null."""
    if not rows:
        return {name: [] for name in names}
    present = [name for name in names if name in rows[0]]
    try:
        fetched = zip(*map(itemgetter(*present, present[0]), rows), strict=True)
        columns: dict[str, Sequence[Any]] = dict(zip(present, fetched, strict=False))
    except KeyError:
        present = list(names)
        columns = {name: [row.get(name) for row in rows] for name in names}
    nothing = (None,) * len(rows)
    for name in names:
        column = columns.setdefault(name, nothing)
        if column is nothing and any(name in row for row in rows):
            columns[name] = [row.get(name) for row in rows]
    return columns


def to_arrow(
    table: Table, columns: Columns, constants: Mapping[str, Any], event_column: str
) -> tuple[pa.Table, list[Misfit]]:
    """Convert guarded columns to Arrow.

    Args:
        table: Their contract.
        columns: Values by column name, one list per column that is not constant.
        constants: Values that all rows share.
        event_column: The row's event time, which every row must have.

    Returns:
        The rows that fit, in their order, and the others.
    """
    n_rows = len(columns[event_column])
    arrays: list[pa.Array] = []
    misfits: dict[int, str] = {}
    for column in table.columns:
        if column.name in constants:
            arrays.append(_constant(column, constants[column.name], n_rows))
            continue
        is_required = not column.nullable or column.name == event_column
        array, bad = _array(column, columns[column.name], is_required=is_required)
        arrays.append(array)
        for number, reason in bad:
            misfits.setdefault(number, reason)
    if misfits:
        mask = _all_but(misfits, n_rows)
        arrays = [array.filter(mask) for array in arrays]
    data = pa.Table.from_arrays(arrays, schema=arrow_schema(table))
    return data, [Misfit(number, misfits[number]) for number in sorted(misfits)]


def by_date(data: pa.Table, event_column: str) -> Iterator[tuple[date, pa.Table]]:
    """Yield rows by the UTC date of their event, dates ascending, rows in their order."""
    if not data.num_rows:
        return
    days = data[event_column].cast(pa.int64()).to_numpy() // _DAY_US
    different = np.unique(days)
    for day in different:
        event_date = _EPOCH + timedelta(days=int(day))
        yield event_date, data if len(different) == 1 else data.filter(pa.array(days == day))


def edited(data: pa.Table, edits: Edits) -> pa.Table:
    """Return rows without the dropped ones and with the changes to the others.

    A table that has none of the columns to change only loses rows.
    """
    kept = data.filter(pa.array(~np.isin(_offsets(data), np.fromiter(edits.dropped, np.int64))))
    place = {int(offset): number for number, offset in enumerate(_offsets(kept))}
    hit = {place[offset]: change for offset, change in edits.changes.items() if offset in place}
    for index, field in enumerate(kept.schema):
        changes = {n: change[field.name] for n, change in hit.items() if field.name in change}
        if changes:
            values = kept.column(index).to_pylist()
            for number, value in changes.items():
                values[number] = value
            kept = kept.set_column(index, field, pa.array(values, type=field.type))
    return kept


def utc_date(moment: datetime) -> date:
    """Return the UTC date of an instant."""
    return moment.astimezone(UTC).date()


def _offsets(data: pa.Table) -> Any:
    """Return the ordinals of the rows' records."""
    return data["source_offset"].to_numpy()


def _constant(column: Column, value: Any, n_rows: int) -> pa.Array:
    """Return a column of one value."""
    return pa.repeat(pa.scalar(value, type=arrow_field(column).type), n_rows)


def _array(
    column: Column, values: Sequence[Any], *, is_required: bool
) -> tuple[pa.Array, list[Misfit]]:
    """Convert a column; only when that fails, find out which rows are to blame."""
    kind = arrow_field(column).type
    if not is_required and is_all_none(values):
        return pa.nulls(len(values), kind), []
    try:
        array = pa.array(values, type=kind)
        bad: list[Misfit] = []
    except _ARROW_ERRORS:
        bad = [
            Misfit(n, f"bad_value:{column.name}") for n, v in enumerate(values) if _is_bad(v, kind)
        ]
        blank = {misfit.number for misfit in bad}
        array = pa.array([None if n in blank else v for n, v in enumerate(values)], type=kind)
    if is_required and array.null_count > len(bad):
        missing = [n for n, value in enumerate(values) if value is None]
        bad.extend(Misfit(n, f"missing_value:{column.name}") for n in missing)
    return array, bad


def is_all_none(values: Sequence[Any]) -> bool:
    """Return whether nothing is known of a column."""
    return (not values or values[0] is None) and values.count(None) == len(values)


def _is_bad(value: Any, kind: pa.DataType) -> bool:
    """Return whether a value cannot be converted."""
    try:
        pa.array([value], type=kind)
    except _ARROW_ERRORS:
        return True
    return False


def _all_but(misfits: Mapping[int, str], n_rows: int) -> pa.Array:
    """Return a mask without some rows."""
    mask = np.ones(n_rows, dtype=bool)
    mask[list(misfits)] = False
    return pa.array(mask)
