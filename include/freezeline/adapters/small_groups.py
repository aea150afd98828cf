"""Which aggregate rows of a warehouse file are about a subject and too few others."""

from collections.abc import Mapping, Sequence

from include.freezeline.adapters.erasure_session import ErasureSession
from include.freezeline.erasure.policy import Aggregates
from include.freezeline.erasure.subject import own_column

CALLS = "marts.fct_llm_calls"
_JUDGEMENT = "judgement."
_SUBJECT = ("feature", "environment")
_COUNTS = ("n_current", "event_count")
# When an aggregate's row begins, by column; one that is called differently by its table's name.
_TIMES = {
    "hour_started_at": ("called_at", "date_trunc('hour', c.called_at)"),
    "usage_date": ("called_at", "cast(c.called_at as date)"),
    "arrival_date": ("arrived_at", "cast(c.arrived_at as date)"),
    "fingerprint_date": ("called_at", "cast(c.called_at as date)"),
}
_PERIOD = "period_started_at"
# Days of them, which dimensions add up, are as telling as they are.
_GROUPED = ("agg_", "rpt_", "int_daily__")
# How many a row is about, the best answer first; other counts are of parts of these.
_SIZES = (
    "n_calls", "n_requests", "n_runs", "n_turns", "n_sessions", "n_streams", "n_feedbacks",
    "n_slow_requests", "call_count", "n_answers",
)  # fmt: skip
# The model that answered, by the names that a call has for it.
_MODELS = ("response_model", "request_model")
# What stands in aggregates of cost where a call names no provider.
_UNKNOWN = "unknown"


class SmallGroups:
    """The groups of calls that a subject is in, in one attached file."""

    def __init__(
        self,
        session: ErasureSession,
        alias: str,
        columns: Mapping[str, Sequence[str]],
        aggregates: Aggregates,
    ) -> None:
        """Find the subject's calls.

        Args:
            session: What is known of the subject.
            alias: What the session calls the file.
            columns: Columns of its tables.
            aggregates: Which rows may stay.
        """
        self._session, self._alias = session, alias
        self._columns, self._min_persons = columns, aggregates.min_persons
        calls = columns.get(CALLS, ())
        wanted = dict.fromkeys((*_SUBJECT, *aggregates.dimensions))
        self._dimensions = [name for name in wanted if name in calls]
        self._own = own_column(session.kind)
        self._times = [name for name in ("called_at", "arrived_at") if name in calls]
        self._calls = f"calls_of_{alias}" if calls else None
        if self._calls is not None:
            self._note_calls(f"{alias}.{CALLS}", self._calls)
            theirs = session.execute(f"select count(*) from {self._calls} where is_theirs")
            self._calls = self._calls if theirs[0][0] else None

    def _note_calls(self, relation: str, name: str) -> None:
        """Keep what groups and persons are made of, with whose call each is.

        The subject is one person, also where a call of theirs names nobody; a probe is none.
        """
        theirs = self._session.condition(self._session.shape(relation)) or "false"
        probe = "when is_canary then null " if "is_canary" in self._columns[CALLS] else ""
        person = f"case when {theirs} then '' {probe}else coalesce({self._own}, call_key) end"
        self._session.execute(
            f"create or replace temp table {name} as select "
            f"{', '.join([*self._dimensions, *self._times])}, "
            f"{person} as person, {theirs} as is_theirs from {relation}"
        )

    def condition(self, table: str) -> str | None:
        """Return the condition of the rows of ``t`` to drop; None when the table has none."""
        if self._calls is None:
            return None
        if "fingerprint_date" in self._columns[table]:
            return self._small(table, self._keys(table) | self._model_key())
        if table.startswith(_JUDGEMENT):
            return self._judgements(table)
        if not table.split(".")[1].startswith(_GROUPED):
            return None
        if "dimension" in self._columns[table]:
            return self._by_dimension(table)
        small = self._small(table, self._keys(table))
        if small is not None and self._own in self._columns[table]:
            # A row that names somebody is theirs or is not, however few calls it is about.
            return f"(t.{self._own} is null and {small})"
        return small

    def _judgements(self, table: str) -> str | None:
        """Judgements about a feature that the subject used, with too few events."""
        columns = set(self._columns[table])
        count = next((name for name in _COUNTS if name in columns), None)
        if count is None or not {"as_of", *_SUBJECT} <= columns:
            return None
        return (
            f"({count} < {self._min_persons} and exists (select 1 from {self._calls} as c where "
            "c.is_theirs and c.feature = t.feature and c.environment = t.environment "
            "and c.called_at < t.as_of))"
        )

    def _keys(self, table: str) -> dict[str, str]:
        """Return what an aggregate is grouped by: its column, and the same of a call."""
        columns = self._columns[table]
        keys = {name: f"c.{name}" for name in self._dimensions if name in columns}
        keys |= {name: made for name, (time, made) in _TIMES.items()
                 if name in columns and time in self._times}  # fmt: skip
        if _PERIOD in columns:
            step = "hour" if table.endswith("_hourly") else "day"
            keys[_PERIOD] = f"date_trunc('{step}', c.called_at)"
        return keys

    def _model_key(self) -> dict[str, str]:
        """Return the model of a fingerprint, where groups may be cut by models."""
        if not set(_MODELS) <= set(self._dimensions):
            return {}
        return {"model": f"coalesce({', '.join(f'c.{name}' for name in _MODELS)})"}

    def _by_dimension(self, table: str) -> str | None:
        """Rows of an aggregate that cuts the calls by one dimension at a time."""
        parts = []
        keys = self._keys(table)
        cuts = ", ".join(f"count({name}) > 0" for name in keys)
        for dimension, *are_cut in self._session.execute(
            f"select dimension, {cuts} from {self._alias}.{table} group by all"
        ):
            names = (dimension, f"{dimension}_key", f"request_{dimension}")
            value = next((name for name in names if name in self._dimensions), None)
            # a column that is empty in all rows of a dimension does not cut them
            own = {name: keys[name] for name, is_cut in zip(keys, are_cut, strict=True) if is_cut}
            own |= {"dimension_value": f"c.{value}"} if value else {}
            quoted = str(dimension).replace("'", "''")
            parts.append(f"(t.dimension = '{quoted}' and {self._small(table, own)})")
        return " or ".join(parts) or None

    def _small(self, table: str, keys: Mapping[str, str]) -> str | None:
        """Rows whose group has too few persons, or, where groups are finer, too few calls."""
        if not keys:
            return None
        made = ", ".join(f"{call} as k{number}" for number, call in enumerate(keys.values()))
        same = " and ".join(
            f"s.k{number} is not distinct from {_known(column)}"
            for number, column in enumerate(keys)
        )
        few = f"s.n_persons < {self._min_persons}"
        count = _count_of(self._columns[table])
        if count is not None:
            few = f"({few} or t.{count} < {self._min_persons})"
        return (
            f"exists (select 1 from (select {made}, count(distinct c.person) as n_persons "
            f"from {self._calls} as c group by all having bool_or(c.is_theirs)) as s "
            f"where {same} and {few})"
        )


def _known(column: str) -> str:
    """Return a column of ``t`` as calls have it, which name no provider where it is unknown."""
    return f"nullif(t.{column}, '{_UNKNOWN}')" if column == "provider" else f"t.{column}"


def _count_of(columns: Sequence[str]) -> str | None:
    """Return the column that says how many calls, or requests or the like, a row is about."""
    return next((name for name in _SIZES if name in columns), None)
