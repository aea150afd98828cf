"""Follows what arrived to the days that it touches, and those to the days that must be read.

Works on two tables of one shape: ``build.links``, what the warehouse was built from, and
``build.new_links``, what came since. Every statement reads the links once, which are 28 bytes for a call;
no statement reads a table of the warehouse or the lake by its whole history.
"""

from collections.abc import Sequence
from datetime import date

from include.freezeline.adapters.slice_records import TRACE_TABLES, Role
from include.freezeline.adapters.slice_subjects import SliceSubjects
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.contracts.lake import EVALUATIONS, MESSAGE_CONTENTS

_TRACE, _EVALUATION, _UPLOAD, _OUTCOME = (
    Role.TRACE.value, Role.EVALUATION.value, Role.UPLOAD.value, Role.OUTCOME.value,
)  # fmt: skip
# Whose rows may differ: traces with new rows, and of calls that a judgement or a content names;
# requests of those, of new facts, and of the traces as they were.
_TOUCHED_SQL = f"""
create or replace temp table changed_traces as
select trace_hash from build.new_links where trace_hash is not null
union
select trace_hash from all_links
where role = {_TRACE} and trace_hash is not null and name_hash in (
    select name_hash from build.new_links where role in ({_EVALUATION}, {_UPLOAD})
);
create or replace temp table changed_requests as
select request_hash from build.new_links
where role in ({_TRACE}, {_OUTCOME}) and request_hash is not null
union
select request_hash from all_links
where role = {_TRACE} and request_hash is not null
    and trace_hash in (select trace_hash from changed_traces);
create or replace temp table touched_days as
select day from build.new_links where role in ({_TRACE}, {_EVALUATION}, {_UPLOAD}, {_OUTCOME})
union
select day from all_links
where role in ({_TRACE}, {_EVALUATION}, {_UPLOAD})
    and trace_hash in (select trace_hash from changed_traces)
union
select day from all_links
where role in ({_TRACE}, {_OUTCOME})
    and request_hash in (select request_hash from changed_requests)
union
select day from all_links
where role = {_EVALUATION}
    and name_hash in (select name_hash from build.new_links where role = {_TRACE});
"""
# What the rows of those days are made of: their traces and requests, the other traces of those
# requests, the calls of the responses that are judged, and the contents that they refer to.
_LOADED_SQL = f"""
create or replace temp table read_requests as
with traces as (
    select distinct trace_hash from all_links where day in (select day from touched_days)
)
select request_hash from all_links
where role in ({_TRACE}, {_OUTCOME}) and request_hash is not null
    and (day in (select day from touched_days) or trace_hash in (select trace_hash from traces))
group by request_hash;
create or replace temp table near_traces as
select trace_hash from all_links
where trace_hash is not null and day in (select day from touched_days)
union
select trace_hash from all_links
where role = {_TRACE} and trace_hash is not null
    and request_hash in (select request_hash from read_requests);
create or replace temp table read_names as
select distinct name_hash from all_links
where name_hash is not null and (
    trace_hash in (select trace_hash from near_traces)
    or (role = {_EVALUATION} and day in (select day from touched_days))
);
create or replace temp table judged_names as
select distinct name_hash from all_links
where role = {_EVALUATION} and name_hash in (select name_hash from read_names);
create or replace temp table read_traces as
select trace_hash from near_traces
union
select trace_hash from all_links
where role = {_TRACE} and trace_hash is not null
    and name_hash in (select name_hash from judged_names);
"""
_ROLE_DAYS_SQL = f"""
select distinct role, day from all_links
where (role in ({_TRACE}, {_EVALUATION}, {_UPLOAD})
        and trace_hash in (select trace_hash from read_traces))
    or (role = {_EVALUATION} and name_hash in (select name_hash from judged_names))
    or (role = {_UPLOAD} and name_hash in (select name_hash from read_names))
    or (role = {_OUTCOME} and request_hash in (select request_hash from read_requests))
    or (role = {_OUTCOME} and (trace_hash in (select node from read_subjects)
        or name_hash in (select node from read_subjects)))
"""
# A cumulative point adds its difference to the one before it, on whatever day that was; a point of
# midnight speaks of the day before. Days of touched calls are compared with their counters.
_COUNTER_SQL = f"""
with points as (
    select distinct request_hash as series, day from all_links where role = {Role.COUNTER.value}
), places as (
    select *, lag(day) over following as previous_day, lead(day) over following as next_day
    from points window following as (partition by series order by day)
), changed as (
    select distinct request_hash as series, day from build.new_links where role = {Role.COUNTER.value}
), touched as (
    select day from changed
    union
    select places.next_day from places inner join changed using (series, day)
    where places.next_day is not null
), measured as (
    select day from touched
    union
    select cast(day - interval 1 day as date) from touched
), compared as (
    select day from measured
    union
    select day from touched_days
), needed as (
    select day from compared
    union
    select cast(day + interval 1 day as date) from compared
)
select 'counter' as kind, day from touched
union all
select 'usage' as kind, day from measured
union all
select 'loaded' as kind, day from needed
union all
select 'loaded' as kind, previous_day from places
where day in (select day from needed) and previous_day is not null
"""
_INVOICE_SQL = f"""
with changed as (
    select distinct request_hash from build.new_links where role = {Role.INVOICE_LINE.value}
), touched as (
    select distinct day from all_links
    where role = {Role.INVOICE_LINE.value}
        and request_hash in (select request_hash from changed)
), lines as (
    select distinct request_hash from all_links
    where role = {Role.INVOICE_LINE.value} and day in (select day from touched)
)
select 'invoice' as kind, day from touched
union all
select distinct 'loaded' as kind, day from all_links
where role = {Role.INVOICE_LINE.value} and request_hash in (select request_hash from lines)
"""

Days = set[date]


class SliceDays:
    """The days of one night, from links."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Look at ``build.links`` and ``build.new_links`` together."""
        self._warehouse = warehouse
        warehouse.execute(
            "create or replace temp view all_links as select * from build.links "
            "union all by name select * from build.new_links"
        )
        self._subjects = SliceSubjects(warehouse)

    def touched(self, further: Sequence[date]) -> Days:
        """Return the days of calls whose rows may differ, with further ones the caller knows."""
        self._warehouse.execute(_TOUCHED_SQL)
        self._subjects.touch()
        self._warehouse.execute(
            "insert into touched_days select unnest($days) except select day from touched_days",
            {"days": list(further)},
        )
        return self._days("select day from touched_days")

    def loaded(self, outcome_tables: Sequence[str]) -> dict[str, Days]:
        """Return the days to read for the touched ones, by table."""
        self._warehouse.execute(_LOADED_SQL)
        self._subjects.read()
        by_role: dict[int, Days] = {role.value: set() for role in Role}
        for row in self._warehouse.rows(_ROLE_DAYS_SQL):
            by_role[row["role"]].add(row["day"])
        touched = self._days("select day from touched_days")
        calls = touched | by_role[_TRACE]
        return {
            **dict.fromkeys(TRACE_TABLES, calls),
            MESSAGE_CONTENTS.name: calls | by_role[_UPLOAD],
            EVALUATIONS.name: touched | by_role[_EVALUATION],
            **dict.fromkeys(outcome_tables, touched | by_role[_OUTCOME]),
        }

    def counters(self) -> dict[str, Days]:
        """Return the days of counters: ``counter``, ``usage``, and ``loaded`` of their table."""
        return self._kinds(_COUNTER_SQL, ("counter", "usage", "loaded"))

    def invoices(self) -> dict[str, Days]:
        """Return the days of invoice lines: ``invoice``, and ``loaded`` of their table."""
        return self._kinds(_INVOICE_SQL, ("invoice", "loaded"))

    def _kinds(self, sql: str, kinds: Sequence[str]) -> dict[str, Days]:
        """Return days by kind."""
        found: dict[str, Days] = {kind: set() for kind in kinds}
        for row in self._warehouse.rows(sql):
            found[row["kind"]].add(row["day"])
        return found

    def _days(self, sql: str) -> Days:
        """Return the days of a query."""
        return {row["day"] for row in self._warehouse.rows(sql)}
