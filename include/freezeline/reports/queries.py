"""What reports and the page read: rows of the judgement schema and of the marts, as now known.

Every function takes a :class:`Reader`, so nothing here knows which engine answers, and an
``as_of``, so a report of an old night says what that night knew. *As now known* is the newest
revision of a row; *as first reported* is revision 1.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

Row = dict[str, Any]

_NEWEST = "qualify row_number() over (partition by {key} order by {order} desc) = 1"


class Reader(Protocol):
    """Anything that runs SQL and returns rows with UTC datetimes and None for null."""

    def rows(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] | None = None, /
    ) -> list[Row]:
        """Run a query and return all of its rows."""
        ...


def has_table(reader: Reader, schema: str, table: str) -> bool:
    """Whether a relation exists, so that a missing one is reported as unknown, not as empty."""
    sql = "select 1 from information_schema.tables where table_schema = ? and table_name = ?"
    return bool(reader.rows(sql, [schema, table]))


def latest_as_of(reader: Reader) -> datetime | None:
    """Return the newest night that was decided or judged; None when there is none."""
    parts = [
        f"select max(as_of) as as_of from judgement.{table}"
        for table in ("freeze_flags", "slo_windows", "verdicts")
        if has_table(reader, "judgement", table)
    ]
    if not parts:
        return None
    found = reader.rows(f"select max(as_of) as as_of from ({' union all '.join(parts)})")
    newest: datetime | None = found[0]["as_of"]
    return newest


def current_flags(reader: Reader, as_of: datetime) -> list[Row]:
    """Return the last flag of each feature and environment, frozen ones first.

    A feature that a later night no longer evaluated keeps its last flag: its age shows.
    """
    newest = _NEWEST.format(key="feature, environment", order="as_of desc, revision")
    return reader.rows(
        f"""
        select * from (
            select * from judgement.freeze_flags where as_of <= ? {newest}
        )
        order by is_frozen desc, state = 'WARNING' desc, feature, environment
        """,
        [as_of],
    )


def slo_windows(reader: Reader, as_of: datetime) -> list[Row]:
    """Return the last window of each SLO and subject, the worst first."""
    newest = _NEWEST.format(key="slo_name, feature, environment", order="as_of desc, revision")
    return reader.rows(
        f"""
        select * from (
            select * from judgement.slo_windows where as_of <= ? {newest}
        )
        order by
            case verdict when 'breach' then 0 when 'warning' then 1 when 'ok' then 2 else 3 end,
            consumed_lower_ratio desc nulls last,
            slo_name, feature, environment
        """,
        [as_of],
    )


def burn_down(reader: Reader, window: Row) -> list[Row]:
    """Return one row per night inside the window: what was spent and how many events.

    Args:
        reader: Where to read.
        window: A row of :func:`slo_windows`.
    """
    return reader.rows(
        f"""
        select as_of, consumed_lower_ratio, consumed_upper_ratio, 1 - consumed_lower_ratio
            as remaining_ratio, event_count, bad_count, pending_count,
            event_24h_count, bad_24h_count, bad_24h_ratio, verdict
        from judgement.slo_windows
        where slo_name = ? and feature = ? and environment = ?
            and as_of > ? and as_of <= ?
        {_NEWEST.format(key="as_of", order="revision")}
        order by as_of
        """,
        [*_subject(window), window["window_started_at"], window["as_of"]],
    )


def attributions(reader: Reader, window: Row) -> list[Row]:
    """Return who spent the budget of a window, the largest excess first.

    Args:
        reader: Where to read.
        window: A row of :func:`slo_windows`.
    """
    newest = _NEWEST.format(key="dimension, dimension_value", order="revision")
    return reader.rows(
        f"""
        select * from (
            select * from judgement.slo_attributions
            where slo_name = ? and feature = ? and environment = ? and as_of = ? {newest}
        )
        where event_count > 0
        order by dimension, excess_bad_count desc, dimension_value
        """,
        [*_subject(window), window["as_of"]],
    )


def night_verdicts(reader: Reader, as_of: datetime) -> list[Row]:
    """Return the verdicts of the last judged night, the most serious first; SLOs are apart.

    ``cause`` is the most likely cause in words; None where no verdict was raised, and in
    snapshots of releases that looked for none.
    """
    newest = _NEWEST.format(key="verdict_key", order="revision")
    causes = "select null::varchar as verdict_key, null::varchar as cause"
    if has_table(reader, "judgement", "root_causes"):
        causes = f"select verdict_key, reason as cause from judgement.root_causes {newest}"
    return reader.rows(
        f"""
        select v.*, c.cause from (
            select * from judgement.verdicts
            where family <> 'slo'
                and as_of = (select max(as_of) from judgement.verdicts where as_of <= ?)
            {newest}
        ) as v left join ({causes}) as c on v.verdict_key = c.verdict_key
            and v.verdict in ('breach', 'warning')
        order by
            case v.verdict when 'breach' then 0 when 'warning' then 1
                when 'insufficient_evidence' then 2 else 3 end,
            family, question, feature, environment, model nulls first,
            prompt_version nulls first, tenant_key nulls first
        """,
        [as_of],
    )


def transitions(reader: Reader, as_of: datetime, days: int = 28) -> list[Row]:
    """Return the changes of freeze state of the last days, the newest first."""
    newest = _NEWEST.format(key="transition_key", order="revision")
    return reader.rows(
        f"""
        select * from (
            select * from judgement.freeze_transitions
            where transitioned_at <= ? and transitioned_at > ? {newest}
        )
        order by transitioned_at desc, feature, environment
        """,
        [as_of, as_of - timedelta(days=days)],
    )


def restatements(reader: Reader, as_of: datetime, days: int = 28) -> list[Row]:
    """Return the nights whose SLO verdict, or freeze state, changed after its first report."""
    since = as_of - timedelta(days=days)
    windows = _changed("slo_windows", "slo_window_key", "verdict", "slo_name")
    flags = _changed("freeze_flags", "flag_key", "state", "'freeze state'")
    order = "order by as_of desc, subject, feature, environment"
    return reader.rows(
        f"select * from ({windows} union all {flags}) {order}", [since, as_of, since, as_of]
    )


def failed_checks(reader: Reader, as_of: datetime) -> list[Row]:
    """Return the expectations that did not hold in the last checked night, critical ones first."""
    newest = _NEWEST.format(key="check_key", order="revision")
    return reader.rows(
        f"""
        select * from (
            select * from judgement.check_results
            where as_of = (select max(as_of) from judgement.check_results where as_of <= ?)
            {newest}
        )
        where not is_success
        order by severity, suite_name, expectation
        """,
        [as_of],
    )


def checks_run(reader: Reader, as_of: datetime) -> int:
    """Return how many expectations the last checked night evaluated; 0 is "nothing checked"."""
    found = reader.rows(
        "select count(distinct check_key) as n from judgement.check_results where as_of = "
        "(select max(as_of) from judgement.check_results where as_of <= ?)",
        [as_of],
    )
    return int(found[0]["n"])


def landed_by_source(reader: Reader, as_of: datetime) -> list[Row] | None:
    """Return what the last night landed, per source; None when the mart does not exist."""
    if not has_table(reader, "marts", "fct_landed_objects"):
        return None
    return reader.rows(
        """
        select source_name, max(night_as_of) as night_as_of, count(*) as object_count,
            count(*) filter (where status = 'quarantined') as quarantined_object_count,
            count(*) filter (where status = 'empty') as empty_object_count,
            sum(record_count)::bigint as record_count,
            sum(landed_count)::bigint as landed_count,
            sum(duplicate_count)::bigint as duplicate_count,
            sum(quarantined_count)::bigint as quarantined_count,
            sum(late_count)::bigint as late_count,
            sum(redaction_count)::bigint as redaction_count
        from marts.fct_landed_objects
        where night_as_of =
            (select max(night_as_of) from marts.fct_landed_objects where night_as_of <= ?)
        group by source_name
        order by source_name
        """,
        [as_of],
    )


def quarantine_reasons(reader: Reader, night_as_of: datetime) -> list[Row]:
    """Return why records of a night were put aside, the most frequent reason first."""
    if not has_table(reader, "marts", "fct_quarantined_records"):
        return []
    return reader.rows(
        """
        select reason, count(*) as record_count, count(distinct source_object) as object_count
        from marts.fct_quarantined_records
        where night_as_of = ?
        group by reason
        order by record_count desc, reason
        """,
        [night_as_of],
    )


def _subject(window: Row) -> list[object]:
    """Return what identifies an SLO's subject."""
    return [window["slo_name"], window["feature"], window["environment"]]


def _changed(table: str, key: str, said: str, subject: str) -> str:
    """Return SQL for rows whose first and newest revisions say different things."""
    return f"""
        select any_value({subject}) as subject, any_value(feature) as feature,
            any_value(environment) as environment, any_value(as_of) as as_of,
            arg_min({said}, revision) as first_reported, arg_max({said}, revision) as now_known,
            max(revision) as revision
        from judgement.{table}
        where as_of > ? and as_of <= ?
        group by {key}
        having arg_min({said}, revision) <> arg_max({said}, revision)
    """


def end_of_day(date_text: str) -> datetime:
    """Return the end of an ISO date in UTC."""
    return datetime.fromisoformat(date_text).replace(tzinfo=UTC) + timedelta(days=1)
