"""Follows outcomes that name a run or a conversation, and not only a request.

Such an outcome may move: a late call of a conversation is now what was said last before it, a run
turns out to have a request that has an outcome of its own, a corrected record names something
else. So whatever hangs together through such outcomes, by traces, requests and the conversations
that they name, is touched as a whole and read as a whole. Where no outcome names more than a
request, there is nothing to follow and one look at the links says so.
"""

from include.freezeline.adapters.slice_records import Role
from include.freezeline.adapters.warehouse import Warehouse

_ROLES = f"role in ({Role.TRACE.value}, {Role.OUTCOME.value})"
# Runs and conversations that an outcome names; other conversations lead nowhere.
_NAMED_SQL = f"""
create or replace temp table subjects as
select distinct node from (
    select unnest([trace_hash, name_hash]) as node from all_links
    where role = {Role.OUTCOME.value} and (trace_hash is not null or name_hash is not null)
) where node is not null
"""
_LINKS_SQL = f"""
create or replace temp table subject_links as
select distinct day, role, trace_hash, request_hash,
    case when name_hash in (select node from subjects) then name_hash end as name_hash
from all_links
where {_ROLES} and (
    trace_hash in (select node from subjects)
    or request_hash in (select node from subjects)
    or name_hash in (select node from subjects)
)
"""
_GROW_SQL = """
insert into {nodes}
select distinct node from (
    select unnest([{ids}]) as node from {links}
    where {roles} and (
        trace_hash in (select node from {nodes})
        or request_hash in (select node from {nodes})
        or name_hash in (select node from {nodes})
    )
) where node is not null and node not in (select node from {nodes})
"""
_SEEDS_SQL = """
create or replace temp table {nodes} as
select distinct node from (
    select unnest([trace_hash, request_hash, name_hash]) as node from {links} where {where}
) where node in (select node from subjects)
"""


class SliceSubjects:
    """What hangs together through outcomes; looks at the view ``all_links``."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Gather the links of everything that such outcomes lead to."""
        self._warehouse = warehouse
        warehouse.execute(_NAMED_SQL)
        self._grow("subjects", "all_links", "trace_hash, request_hash")
        warehouse.execute(_LINKS_SQL)

    def touch(self) -> None:
        """Add the days of all that hangs together with something new to ``touched_days``."""
        self._reach("changed_subjects", "build.new_links", _ROLES)
        self._warehouse.execute(
            "insert into touched_days select day from subject_links where "
            f"{_is_reached('changed_subjects')} except select day from touched_days"
        )

    def read(self) -> None:
        """Add what the touched days hang together with to what is read for them."""
        where = f"{_ROLES} and day in (select day from touched_days)"
        self._reach("read_subjects", "subject_links", where)
        for name in ("trace", "request"):
            self._warehouse.execute(
                f"insert into read_{name}s select {name}_hash from subject_links "
                f"where {_is_reached('read_subjects')} and {name}_hash is not null "
                f"except select {name}_hash from read_{name}s"
            )

    def _reach(self, nodes: str, links: str, where: str) -> None:
        """Fill a table with all that the subjects of some links lead to."""
        self._warehouse.execute(_SEEDS_SQL.format(nodes=nodes, links=links, where=where))
        self._grow(nodes, "subject_links", "trace_hash, request_hash, name_hash")

    def _grow(self, nodes: str, links: str, ids: str) -> None:
        """Follow links until nothing new comes."""
        before, after = 0, self._count(nodes)
        while after > before:
            self._warehouse.execute(
                _GROW_SQL.format(nodes=nodes, links=links, ids=ids, roles=_ROLES)
            )
            before, after = after, self._count(nodes)

    def _count(self, nodes: str) -> int:
        """Count the nodes of a table."""
        return int(self._warehouse.rows(f"select count(*) as n from {nodes}")[0]["n"])


def _is_reached(nodes: str) -> str:
    """Return the condition of links that have a node of a table."""
    return " or ".join(
        f"{name} in (select node from {nodes})"
        for name in ("trace_hash", "request_hash", "name_hash")
    ).join(("(", ")"))
