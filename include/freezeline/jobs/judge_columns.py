"""Do the columns that the questions of ``anomalies.yml`` name exist, and hold what is asked of them?

The policy's model cannot know: which columns a mart has is the warehouse's business. Asked before
anything is judged, so that a misspelt name costs a message and not half a night.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.drift.anomaly_policy import AnomalyPolicy, HourlyQuestion
from include.freezeline.errors import ConfigError

_COLUMNS_SQL = """
select column_name, data_type = 'BOOLEAN' as is_flag,
    regexp_matches(data_type, 'INT|DOUBLE|FLOAT|REAL|DECIMAL') as is_number
from information_schema.columns
where table_schema = 'marts' and table_name = $name
"""
Asked = tuple[str, str, str, str]
"""Path of a field, the column it names, its mart, and what the column must be: flag or number."""


def check_columns(warehouse: Warehouse, policy: AnomalyPolicy) -> None:
    """Raise when a question names a column that its mart lacks or that is of another kind.

    A mart that was never built is not looked at: reading it says so.

    Args:
        warehouse: Where the marts are.
        policy: The questions.

    Raises:
        ConfigError: The first such column, with the name that comes nearest.
    """
    asked = list(asked_columns(policy))
    marts = {mart for _, _, mart, _ in asked}
    known = {mart: _columns_of(warehouse, mart) for mart in marts}
    for path, column, mart, kind in asked:
        columns = known[mart]
        if columns and columns.get(column) != kind:
            raise ConfigError(_message(path, column, mart, kind, columns))


def asked_columns(policy: AnomalyPolicy) -> Iterator[Asked]:
    """Yield every column that a question names."""
    for number, question in enumerate(policy.questions):
        kind = "flag" if question.kind == "ratio" else "number"
        yield f"questions.{number}.column", question.column, "fct_llm_calls", kind
    for number, hourly in enumerate(policy.hourly.questions):
        if hourly.source == "calls":
            for field, column in _hourly_columns(hourly):
                yield f"hourly.questions.{number}.{field}", column, "agg_calls_hourly", "number"


def _hourly_columns(question: HourlyQuestion) -> Iterator[tuple[str, str]]:
    """Yield the fields of an hourly question that name a column."""
    yield "column", question.column
    yield "count", question.count
    if question.uncounted is not None:
        yield "uncounted", question.uncounted
    for number, column in enumerate(question.quantiles):
        yield f"quantiles.{number}", column


def _columns_of(warehouse: Warehouse, mart: str) -> dict[str, str]:
    """Return what each column of a mart is: flag, number or text; empty when it was never built."""
    rows = warehouse.rows(_COLUMNS_SQL, {"name": mart})
    return {
        row["column_name"]: "flag" if row["is_flag"] else "number" if row["is_number"] else "text"
        for row in rows
    }


def _message(path: str, column: str, mart: str, kind: str, columns: dict[str, str]) -> str:
    """Say where, what was expected and what to write."""
    noun = "a yes/no column" if kind == "flag" else "a column of numbers"
    got = f"{column}, which is a {columns[column]}" if column in columns else column
    fitting = [name for name, each in columns.items() if each == kind and name != column]
    near = get_close_matches(column, fitting, n=1)
    remedy = f"write {near[0]}" if near else "docs/warehouse.md lists them"
    return f"anomalies.yml: {path}: must be {noun} of marts.{mart}, got {got} ({remedy})"
