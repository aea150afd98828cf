"""Look for the cause of every warning and breach of a night in the calls before and after."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.drift.anomaly_policy import AnomalyPolicy
from include.freezeline.drift.cause_evidence import RootCause
from include.freezeline.drift.cause_rows import (
    cause_seed,
    compared_windows,
    needs_cause,
    probes_of,
    root_cause_row,
)
from include.freezeline.drift.causes import find_cause
from include.freezeline.drift.findings import Finding, Judged
from include.freezeline.drift.policy import CausePolicy
from include.freezeline.drift.signs import CauseRows
from include.freezeline.drift.style_changes import QUESTION as STYLE_CHANGE
from include.freezeline.drift.windows import Window
from include.freezeline.jobs.segment_sql import segment_condition

# The first document of the trace's first retrieval, without the number of its chunk.
_CALLS_SQL = """
with chosen as (
    select *
    from marts.fct_llm_calls as c
    where {subject} and not is_canary
        and called_at >= $started_at and called_at < $ended_at
    order by md5(call_key)
    limit $max_rows
),
retrievals as (
    select trace_id, max(best_document_score) as best_document_score
    from marts.fct_retrievals
    where trace_id in (select trace_id from chosen)
    group by trace_id
),
documents as (
    select trace_id, min(regexp_replace(document_id, '[#:/][^#:/]*$', '')) as document_source
    from marts.fct_retrieved_documents
    where document_rank = 0 and trace_id in (select trace_id from chosen)
    group by trace_id
)
select c.called_at, coalesce(c.prompt_version, '') as prompt_version, c.prompt_hash, c.request_model,
    c.response_model, c.provider, c.system_fingerprint, c.ttft_ms, c.tpot_ms,
    case c.is_retrieval_empty when true then 'empty' when false then 'found' end
        as is_retrieval_empty,
    c.retrieved_document_count, r.best_document_score, d.document_source, c.tenant_key,
    c.tenant_tier, c.route, c.locale, c.input_text_chars, c.input_tokens,
    t.input_text_redacted as prompt {symptom}
from chosen as c
left join retrievals as r on c.trace_id = r.trace_id
left join documents as d on c.trace_id = d.trace_id
left join marts.fct_call_texts as t on c.call_key = t.call_key
order by c.call_key
"""
# The column of a call behind a level of marts.agg_calls_hourly.
_HOURLY = {
    "input_sum_tokens": "c.input_tokens",
    "input_p50_tokens": "c.input_tokens",
    "output_sum_tokens": "c.output_tokens",
    "total_sum_tokens": "c.total_tokens",
    "cost_usd": "c.cost_usd",
    "ttft_p50_ms": "c.ttft_ms",
    "tpot_p50_ms": "c.tpot_ms",
    "chunk_gap_p99_p50_ms": "c.chunk_gap_p99_ms",
    "duration_p50_ms": "c.duration_ms",
    "empty_retrieval_ratio": "c.is_retrieval_empty",
}


def load_causes(
    warehouse: Warehouse,
    judged: Sequence[Judged],
    policy: CausePolicy,
    anomalies: AnomalyPolicy,
    as_of: datetime,
) -> Iterator[dict[str, Any]]:
    """Yield a row of ``judgement.root_causes`` per warning or breach.

    Args:
        warehouse: Where the calls are.
        judged: All verdicts of the night.
        policy: What counts as a change.
        anomalies: Which column an anomaly question looks at.
        as_of: Exclusive end of what is known.
    """
    asked = symptoms(anomalies)
    for each in judged:
        if needs_cause(each):
            found = _explain(warehouse, each.finding, judged, asked, policy, as_of)
            yield root_cause_row(each, found, as_of)


def symptoms(anomalies: AnomalyPolicy) -> dict[str, str | None]:
    """Return, by question that is judged over all prompt versions together, its column of a call.

    Drift compares inside versions, and daily levels are divided by the usual value of theirs;
    fingerprints, daily ratios and hourly series are not. None where no single call has the number.
    """
    daily = {q.name: f"c.{q.column}" for q in anomalies.questions if q.kind == "ratio"}
    hourly = {
        q.name: _of_call(q.column) if q.source == "calls" else None
        for q in anomalies.hourly.questions
    }
    return {STYLE_CHANGE: None, **daily, **hourly}


def _of_call(column: str) -> str | None:
    """Return what a call has of an hourly column, as SQL."""
    for prefix, name in (("error_", "error_class"), ("finish_", "finish_reason")):
        if column.startswith(prefix) and column.endswith("_count"):
            value = column.removeprefix(prefix).removesuffix("_count")
            return f"coalesce(c.{name} = '{value}', false)"
    return _HOURLY.get(column)


def _explain(
    warehouse: Warehouse,
    finding: Finding,
    judged: Sequence[Judged],
    asked: Mapping[str, str | None],
    policy: CausePolicy,
    as_of: datetime,
) -> RootCause:
    """Find the cause of one verdict."""
    symptom = asked.get(finding.question)
    before, window = compared_windows(finding)
    earlier, later = (
        _calls(warehouse, finding, span, symptom, policy.max_rows) for span in (before, window)
    )
    names = [*(earlier or later)[0]] if earlier or later else ["prompt_version"]
    rows = CauseRows(
        is_current=np.arange(len(earlier) + len(later)) >= len(earlier),
        columns={name: [row[name] for row in earlier + later] for name in names},
    )
    return find_cause(
        rows,
        policy,
        seed=cause_seed(finding, as_of),
        is_given_version=finding.question not in asked,
        probes=probes_of(finding, judged),
    )


def _calls(
    warehouse: Warehouse, finding: Finding, span: Window, symptom: str | None, max_rows: int
) -> list[dict[str, Any]]:
    """Read a deterministic sample of a segment's calls in a span of time."""
    subject, values = segment_condition(finding.segment, are_texts_joined=False)
    column = f", cast({symptom} as double) as symptom" if symptom else ""
    return warehouse.rows(
        _CALLS_SQL.format(subject=subject, symptom=column),
        {
            **values,
            "started_at": span.started_at,
            "ended_at": span.ended_at,
            "max_rows": max_rows,
        },
    )
