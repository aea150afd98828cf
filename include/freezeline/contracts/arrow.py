"""Arrow schemas of the contract tables."""

import pyarrow as pa

from include.freezeline.contracts.columns import Column, ColumnType, Table

_ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "string": pa.string(),
    "int8": pa.int8(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "json": pa.string(),
    "binary": pa.binary(),
    "list<string>": pa.list_(pa.string()),
    "list<int64>": pa.list_(pa.int64()),
    "list<float64>": pa.list_(pa.float64()),
    "decimal(18,12)": pa.decimal128(18, 12),
    "decimal(38,12)": pa.decimal128(38, 12),
}


def arrow_field(column: Column) -> pa.Field:
    """Return the Arrow field of a column."""
    return pa.field(column.name, _ARROW_TYPES[column.type], nullable=column.nullable)


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a table, columns in storage order."""
    return pa.schema([arrow_field(column) for column in table.columns])
