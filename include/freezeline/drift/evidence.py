"""SQL that shows the rows behind a verdict, ready to paste into the warehouse."""

from datetime import datetime

from include.freezeline.drift.segments import ANSWERING_MODEL, Segment
from include.freezeline.drift.windows import Window


def texts_query(
    segment: Segment, window: Window, reference: Window | None, *, is_canary: bool
) -> str:
    """Return the query of the answers that a drift question compared samples of."""
    spans = [("current", window)] + ([("reference", reference)] if reference else [])
    cases = " ".join(f"when {_inside(span)} then {quote(name)}" for name, span in spans)
    either = " or ".join(f"({_inside(span)})" for _, span in spans)
    canary = "is not null" if is_canary else "is null"
    return (
        f"select case {cases} end as period, call_key, called_at, prompt_version, canary_id, "
        "output_text_redacted from marts.fct_call_texts "
        f"where {_subject(segment)} and canary_id {canary} and ({either}) "
        "order by called_at, call_key"
    )


def series_query(segment: Segment, window: Window, column: str) -> str:
    """Return the query of the daily level that an anomaly question judged."""
    value = f"{column}::double"
    return (
        f"select call_date, count({column}) as call_count, avg({value}) as value_mean, "
        f"median({value}) as value_median, quantile_cont({value}, 0.95) as value_p95 "
        f"from marts.fct_llm_calls where {_subject(segment)} and not is_canary "
        f"and {_inside(window)} group by call_date order by call_date"
    )


def causes_query(segment: Segment, before: Window, window: Window) -> str:
    """Return the query of the calls in which the cause of a verdict was looked for."""
    return (
        f"select case when {_inside(window)} then 'current' else 'before' end as period, "
        "call_key, called_at, prompt_version, prompt_hash, request_model, response_model, provider, "
        "system_fingerprint, ttft_ms, tpot_ms, is_retrieval_empty, tenant_key, tenant_tier, route, "
        f"locale, input_text_chars, input_tokens from marts.fct_llm_calls where {_subject(segment)} "
        f"and not is_canary and (({_inside(before)}) or ({_inside(window)})) "
        "order by called_at, call_key"
    )


def hourly_query(segment: Segment, window: Window, source: str, columns: tuple[str, ...]) -> str:
    """Return the query of the hours that a question about an hourly series judged."""
    if source == "tools":
        return (
            "select date_trunc('hour', called_at) as period_started_at, count(*) as call_count, "
            "count(*) filter (where is_error) as error_count from marts.fct_tool_calls "
            f"where {_subject(segment)} and role = 'executed' and not is_canary "
            f"and {_inside(window)} group by all order by all"
        )
    names = ("feature", segment.feature)
    if segment.model is not None:
        names = ("model", segment.model)
    tenant_key = segment.value("tenant_key")
    if tenant_key is not None:
        names = ("tenant", tenant_key)
    inside = _inside(window).replace("called_at", "period_started_at")
    return (
        f"select period_started_at, n_calls, {', '.join(columns)} from marts.agg_calls_hourly "
        f"where dimension = {quote(names[0])} and coalesce(dimension_value, '') = {quote(names[1])} "
        f"and feature = {quote(segment.feature)} and environment = {quote(segment.environment)} "
        f"and {inside} order by period_started_at"
    )


def fingerprints_query(segment: Segment, window: Window, as_of: datetime) -> str:
    """Return the query of the daily fingerprints in which a change point was looked for."""
    names = (("provider", "provider"), ("model", ANSWERING_MODEL))
    rest = " and ".join(
        f"coalesce({column}, '') = {quote(segment.value(name) or '')}" for column, name in names
    )
    return (
        "select fingerprint_date, n_texts, means, standard_errors, reason "
        f"from judgement.style_fingerprints where feature = {quote(segment.feature)} "
        f"and environment = {quote(segment.environment)} and {rest} "
        f"and fingerprint_date >= date {quote(window.started_at.date().isoformat())} "
        f"and fingerprint_date < date {quote(window.ended_at.date().isoformat())} "
        f"and as_of <= {_instant(as_of)} qualify row_number() over (partition by fingerprint_key "
        "order by as_of desc, revision desc) = 1 order by fingerprint_date"
    )


def dimension_sql(name: str, prefix: str = "") -> str:
    """Return a further dimension of calls as SQL; a missing value is the empty text.

    Args:
        name: The dimension.
        prefix: What stands before a column's name, such as ``c.``.
    """
    columns = ("response_model", "request_model") if name == ANSWERING_MODEL else (name,)
    listed = ", ".join(f"{prefix}{column}" for column in columns)
    return f"coalesce({listed}, '')"


def quote(value: str) -> str:
    """Return a SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def _subject(segment: Segment) -> str:
    """Return the condition that selects a segment."""
    parts = [
        f"feature = {quote(segment.feature)}",
        f"environment = {quote(segment.environment)}",
    ]
    if segment.model is not None:
        parts.append(f"coalesce(request_model, '') = {quote(segment.model)}")
    rest = " and ".join(f"{dimension_sql(name)} = {quote(value)}" for name, value in segment.rest)
    if rest:
        parts.append(f"call_key in (select call_key from marts.fct_llm_calls where {rest})")
    return " and ".join(parts)


def _inside(window: Window) -> str:
    """Return the condition that selects a window."""
    return f"called_at >= {_instant(window.started_at)} and called_at < {_instant(window.ended_at)}"


def _instant(moment: datetime) -> str:
    """Return a timestamp literal."""
    return f"timestamptz {quote(moment.isoformat())}"
