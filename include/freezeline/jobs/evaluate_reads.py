"""What evaluating reads: a sample of answers per segment, and what is known beside each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.contracts.lake_details import RETRIEVAL_DOCUMENTS
from include.freezeline.evaluators.policy import LabelKind, Sampling
from include.freezeline.evaluators.trust import Labelled

_MAX_CHUNKS = 20
_ONE_DAY = timedelta(days=1)

# The first rows of a segment by a hash of the key: the same ones whoever asks, and most of them
# those that the drift questions embed.
_ANSWERS_SQL = """
with answers as (
    select call_key, feature, environment, request_model,
        coalesce(prompt_version, '') as prompt_version, canary_id is not null as is_canary,
        called_at, input_text_redacted, output_text_redacted
    from marts.fct_call_texts
    where called_at >= $started_at and called_at < $ended_at and output_text_redacted is not null
), placed as (
    select *,
        row_number() over (
            partition by feature, environment, request_model, prompt_version, is_canary
            order by md5(call_key)
        ) as place,
        count(*) over (
            partition by feature, environment, request_model, prompt_version, is_canary
        ) as n_segment
    from answers
)
select * from placed where place <= $max_answers
order by feature, environment, request_model, prompt_version, is_canary, place
"""

_REPLICAS_SQL = """
select s.call_key, r.output_text_redacted
from marts.fct_call_texts as s
inner join marts.fct_call_texts as r
    on s.feature = r.feature and s.environment = r.environment
        and s.request_model is not distinct from r.request_model
        and s.prompt_version is not distinct from r.prompt_version
        and s.input_text_redacted = r.input_text_redacted and s.call_key <> r.call_key
where s.call_key in $call_keys and s.called_at >= $since_at
    and r.called_at >= $since_at and r.called_at < $as_of and r.output_text_redacted is not null
qualify row_number() over (partition by s.call_key order by md5(r.call_key)) <= $max_replicas
order by s.call_key, md5(r.call_key)
"""

# A call has read what was retrieved in its trace before it started.
_CHUNKS_SQL = """
with documents as (
    select trace_id, retrieved_at, min(document_rank) as document_rank, content_redacted
    from read_parquet($files, union_by_name = true, hive_partitioning = false)
    where content_redacted is not null and arrived_at < $as_of and coalesce(is_packed, true)
    group by all
)
select c.call_key, d.content_redacted
from marts.fct_llm_calls as c
inner join documents as d on c.trace_id = d.trace_id and d.retrieved_at <= c.called_at
where c.call_key in $call_keys
qualify row_number() over (
    partition by c.call_key order by d.retrieved_at, d.document_rank, d.content_redacted
) <= $max_chunks
order by c.call_key, d.retrieved_at, d.document_rank, d.content_redacted
"""

_KIND_SQL = """
select call_key, max(is_bad) as is_bad
from marts.fct_evaluations
where annotator_kind = 'human' and evaluation_kind = $kind and is_bad is not null
    and call_key is not null and evaluated_at >= $since_at and evaluated_at < $as_of
group by call_key
having min(is_bad) = max(is_bad)
order by md5(call_key) limit $max_labelled
"""
_FEEDBACK_SQL = """
select call_key, not max(is_positive) as is_bad
from marts.fct_feedback
where is_positive is not null and call_key is not null and $kind = 'feedback'
    and evaluated_at >= $since_at and evaluated_at < $as_of
group by call_key
having min(is_positive) = max(is_positive)
order by md5(call_key) limit $max_labelled
"""
_TEXTS_SQL = """
select call_key, feature, environment, request_model, coalesce(prompt_version, '') as prompt_version,
    canary_id is not null as is_canary, called_at, input_text_redacted, output_text_redacted
from marts.fct_call_texts
where call_key in $call_keys and output_text_redacted is not null
order by call_key
"""
_TABLES_SQL = "select table_name from information_schema.tables where table_schema = 'marts'"


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """Answers that ought to look alike.

    Attributes:
        feature: Feature.
        environment: Deployment environment.
        model: Model asked for; empty when unknown.
        prompt_version: Prompt version; empty when unknown.
        is_canary: Whether the prompts are probes.
    """

    feature: str
    environment: str
    model: str
    prompt_version: str
    is_canary: bool

    @property
    def name(self) -> str:
        """The segment as text, unique in a night."""
        probes = "probes" if self.is_canary else "answers"
        parts = (self.feature, self.environment, self.model, self.prompt_version, probes)
        return " / ".join(parts)


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A kept answer.

    Attributes:
        call_key: Key of the call.
        segment: Its segment.
        called_at: When.
        prompt: Redacted input; None when it was not kept.
        answer: Redacted output.
        weight: Kept answers of its segment in the window that the row stands for.
    """

    call_key: str
    segment: Segment
    called_at: datetime
    prompt: str | None
    answer: str
    weight: float = 1.0


def load_sample(warehouse: Warehouse, sampling: Sampling, as_of: datetime) -> list[AnswerRow]:
    """Read the answers to evaluate, the same share of every segment where they are too many."""
    started_at = as_of - sampling.window_days * _ONE_DAY
    by_segment = _load(warehouse, started_at, as_of, sampling.max_per_segment)
    most = max(1, sampling.max_answers // max(1, len(by_segment)))
    return [row for rows in by_segment.values() for row in _first(rows, most)]


def load_window(
    warehouse: Warehouse, sampling: Sampling, as_of: datetime
) -> tuple[dict[Segment, list[AnswerRow]], dict[Segment, list[AnswerRow]]]:
    """Read earlier answers of every segment, and those of the window as far as structure is judged."""
    ended_at = as_of - sampling.window_days * _ONE_DAY
    started_at = ended_at - sampling.reference_days * _ONE_DAY
    earlier = _load(warehouse, started_at, ended_at, sampling.max_reference)
    return earlier, _load(warehouse, ended_at, as_of, sampling.max_structure)


def load_replicas(
    warehouse: Warehouse, sampling: Sampling, call_keys: Sequence[str], as_of: datetime
) -> dict[str, tuple[str, ...]]:
    """Read other answers to the same prompts."""
    days = sampling.window_days + sampling.reference_days
    rows = warehouse.rows(
        _REPLICAS_SQL,
        {
            "call_keys": list(call_keys),
            "since_at": as_of - days * _ONE_DAY,
            "as_of": as_of,
            "max_replicas": sampling.max_replicas,
        },
    )
    return _grouped(rows, "output_text_redacted")


def load_chunks(
    warehouse: Warehouse, lake: Lake, answers: Sequence[AnswerRow], as_of: datetime
) -> dict[str, tuple[str, ...]]:
    """Read the retrieved texts of calls from the lake, where alone they are."""
    days = {row.called_at.date() - back for row in answers for back in (timedelta(), _ONE_DAY)}
    files = [
        str(file.path) for file in lake.files(RETRIEVAL_DOCUMENTS.name) if file.event_date in days
    ]
    if not files:
        return {}
    rows = warehouse.rows(
        _CHUNKS_SQL,
        {
            "files": files,
            "call_keys": [row.call_key for row in answers],
            "as_of": as_of,
            "max_chunks": _MAX_CHUNKS,
        },
    )
    return _grouped(rows, "content_redacted")


def load_labelled(
    warehouse: Warehouse, sampling: Sampling, kind: LabelKind, as_of: datetime
) -> tuple[list[AnswerRow], list[Labelled]]:
    """Read answers that people evaluated and agreed on, with what they said."""
    sql, mart = (
        (_FEEDBACK_SQL, "fct_feedback") if kind == "feedback" else (_KIND_SQL, "fct_evaluations")
    )
    tables = {row["table_name"] for row in warehouse.rows(_TABLES_SQL)}
    if mart not in tables or not sampling.max_labelled:
        return [], []
    given = {
        "kind": kind,
        "since_at": as_of - sampling.label_days * _ONE_DAY,
        "as_of": as_of,
        "max_labelled": sampling.max_labelled,
    }
    said = {row["call_key"]: row["is_bad"] for row in warehouse.rows(sql, given)}
    if not said:
        return [], []
    found = [_answer(row) for row in warehouse.rows(_TEXTS_SQL, {"call_keys": list(said)})]
    return found, [
        Labelled(row.call_key, said[row.call_key], len(row.answer), row.segment.model)
        for row in found
    ]


def _first(rows: Sequence[AnswerRow], most: int) -> list[AnswerRow]:
    """Return the first rows of a segment, which then stand for all that it had."""
    kept = rows[:most]
    return [replace(row, weight=row.weight * len(rows) / len(kept)) for row in kept]


def _load(
    warehouse: Warehouse, started_at: datetime, ended_at: datetime, most: int
) -> dict[Segment, list[AnswerRow]]:
    """Read answers of a window by segment, in sampling order."""
    given = {"started_at": started_at, "ended_at": ended_at, "max_answers": most}
    found: dict[Segment, list[AnswerRow]] = defaultdict(list)
    n_kept: dict[Segment, int] = {}
    for values in warehouse.rows(_ANSWERS_SQL, given):
        row = _answer(values)
        found[row.segment].append(row)
        n_kept[row.segment] = values["n_segment"]
    return {
        segment: [replace(row, weight=n_kept[segment] / len(rows)) for row in rows]
        for segment, rows in found.items()
    }


def _answer(row: Mapping[str, Any]) -> AnswerRow:
    """Turn a query row into an answer."""
    return AnswerRow(
        call_key=row["call_key"],
        segment=Segment(
            row["feature"],
            row["environment"],
            row["request_model"] or "",
            row["prompt_version"],
            row["is_canary"],
        ),
        called_at=row["called_at"].astimezone(UTC),
        prompt=row["input_text_redacted"],
        answer=row["output_text_redacted"],
    )


def _grouped(rows: Sequence[Mapping[str, Any]], column: str) -> dict[str, tuple[str, ...]]:
    """Return the texts of each call."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row["call_key"]].append(row[column])
    return {key: tuple(texts) for key, texts in found.items()}
