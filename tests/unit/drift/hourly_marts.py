"""The marts that hourly questions read, with the columns that a policy asks for."""

from include.freezeline.drift.anomaly_policy import HourlyPolicy


def hourly_tables(policy: HourlyPolicy) -> str:
    """Return the statements that create the marts, each ended by a semicolon."""
    names = {"n_calls", "call_count"}
    for question in policy.questions:
        if question.source == "calls":
            names |= {question.column, question.count, *question.quantiles}
            names |= {question.uncounted} if question.uncounted else set()
    columns = ", ".join(f"{name} double" for name in sorted(names))
    return f"""
create table marts.agg_calls_hourly (
    dimension varchar, dimension_value varchar, environment varchar, feature varchar,
    period_started_at timestamptz, {columns}
);
create table marts.fct_tool_calls (
    feature varchar, environment varchar, role varchar, is_error boolean,
    called_at timestamptz, is_canary boolean
);
"""
