"""What fingerprints read: which days have answers, a sample of a day's, and the stored rows."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.drift.fingerprints import AnswersOfDay, Writer, writer_of
from include.freezeline.drift.windows import Window

# Nothing is read but keys and hashes, and nothing sorted: one pass over the days tells which of
# them changed. A key that is not sampled counts too, since a late call may be.
_DAYS_SQL = """
select t.feature, t.environment, c.provider,
    coalesce(c.response_model, c.request_model) as model, t.call_date as fingerprint_date,
    list(distinct c.request_model order by c.request_model)
        filter (where c.request_model is not null) as request_models,
    count(*) as n_answers,
    cast(bit_xor(md5_number(t.call_key || t.output_text_hash)) as varchar) as answers_hash
from marts.fct_call_texts as t
inner join marts.fct_llm_calls as c on t.call_key = c.call_key
where t.call_date >= $first_date and t.call_date < $end_date
    and c.call_date >= $first_date and c.call_date < $end_date
    and t.canary_id is null and t.output_text_hash is not null
group by all
order by all
"""

# The first of each writer by a hash of the key, which is the same whoever asks.
_TEXTS_SQL = """
with chosen as (
    select t.call_key, t.feature, t.environment, c.provider,
        coalesce(c.response_model, c.request_model) as model
    from marts.fct_call_texts as t
    inner join marts.fct_llm_calls as c on t.call_key = c.call_key
    where t.call_date = $fingerprint_date and c.call_date = $fingerprint_date
        and t.canary_id is null and t.output_text_hash is not null
    qualify row_number() over (
        partition by t.feature, t.environment, c.provider,
            coalesce(c.response_model, c.request_model)
        order by md5(t.call_key)
    ) <= $max_texts
)
select chosen.*, t.output_text_redacted
from chosen
inner join marts.fct_call_texts as t on chosen.call_key = t.call_key
where t.call_date = $fingerprint_date
order by md5(chosen.call_key)
"""

# A night that is run again does not see what later nights wrote.
_STORED_SQL = """
select * from judgement.style_fingerprints
where as_of <= $as_of and fingerprint_date >= $first_date and fingerprint_date < $end_date
qualify row_number() over (partition by fingerprint_key order by as_of desc, revision desc) = 1
order by fingerprint_key
"""


def load_answer_days(warehouse: Warehouse, window: Window) -> list[AnswersOfDay]:
    """Read which writers answered on which days of a window, probes left out."""
    return [
        AnswersOfDay(
            writer=writer_of(row),
            day=row["fingerprint_date"],
            request_models=tuple(row["request_models"] or ()),
            n_answers=row["n_answers"],
            answers_hash=row["answers_hash"],
        )
        for row in warehouse.rows(_DAYS_SQL, _dates(window))
    ]


def load_texts(warehouse: Warehouse, day: date, max_texts: int) -> dict[Writer, list[str]]:
    """Read a deterministic sample of a day's answers by writer."""
    found: dict[Writer, list[str]] = defaultdict(list)
    given = {"fingerprint_date": day, "max_texts": max_texts}
    for row in warehouse.rows(_TEXTS_SQL, given):
        found[writer_of(row)].append(row["output_text_redacted"])
    return found


def load_fingerprints(
    warehouse: Warehouse, window: Window, as_of: datetime
) -> dict[str, dict[str, Any]]:
    """Read the stored rows of a window as a night knows them, by key."""
    rows = warehouse.rows(_STORED_SQL, {**_dates(window), "as_of": as_of})
    return {row["fingerprint_key"]: row for row in rows}


def _dates(window: Window) -> dict[str, date]:
    """Return the first day of a window and the day after its last."""
    return {"first_date": window.started_at.date(), "end_date": window.ended_at.date()}
