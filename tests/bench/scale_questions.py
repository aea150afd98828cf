"""Ask a warehouse file what people ask, each question twice, in a process of its own.

``python -m tests.bench.scale_questions FILE --as-of TIME --out JSON`` opens the file read only, as
people open a snapshot, and writes seconds of the first and the second asking by question.
"""

import argparse
import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse

QUESTIONS = {
    "p95 by feature and hour, 7 days, from calls": """
        select feature, date_trunc('hour', called_at) as hour, quantile_cont(duration_ms, 0.95)
        from marts.fct_llm_calls where called_at >= $week group by all order by all""",
    "p95 by feature and hour, 7 days, from agg_calls_hourly": """
        select feature, period_started_at, duration_p95_ms from marts.agg_calls_hourly
        where dimension = 'feature' and period_started_at >= $week order by all""",
    "p95 by feature and day, all time, from calls": """
        select feature, call_date, quantile_cont(duration_ms, 0.95)
        from marts.fct_llm_calls group by all order by all""",
    "cost by tenant and day, 30 days, from call costs": """
        select tenant_key, call_date, sum(cost_usd) from marts.fct_call_costs
        where called_at >= $month group by all order by all""",
    "cost by tenant and day, all time, from agg_user_cost_daily": """
        select tenant_key, call_date, sum(cost_usd) from marts.agg_user_cost_daily
        group by all order by all""",
    "one trace by its id": """
        select * from marts.fct_llm_calls where trace_id = $trace order by called_at""",
    "one trace by its id and day": """
        select * from marts.fct_llm_calls where trace_id = $trace
        and called_at >= $day and called_at < $next order by called_at""",
}
_TRACE_SQL = "select trace_id, called_at from marts.fct_llm_calls where called_at >= $week limit 1"


def ask_all(warehouse: Warehouse, as_of: datetime) -> dict[str, list[float]]:
    """Return the seconds of both askings by question."""
    week, month = as_of - timedelta(days=7), as_of - timedelta(days=30)
    (found,) = warehouse.rows(_TRACE_SQL, {"week": week})
    day = found["called_at"].replace(hour=0, minute=0, second=0, microsecond=0)
    values = {
        "week": week,
        "month": month,
        "trace": found["trace_id"],
        "day": day,
        "next": day + timedelta(days=1),
    }
    return {
        name: [_ask(warehouse, sql, values) for _ in range(2)] for name, sql in QUESTIONS.items()
    }


def _ask(warehouse: Warehouse, sql: str, values: dict[str, Any]) -> float:
    """Ask once; an empty answer would time nothing."""
    used = {name: value for name, value in values.items() if f"${name}" in sql}
    began = time.perf_counter()
    rows = warehouse.query(sql, used)
    took_s = time.perf_counter() - began
    assert len(rows), sql
    return took_s


def main(arguments: list[str]) -> int:
    """Ask, and write the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--as-of", type=datetime.fromisoformat, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    with open_warehouse(given.file, read_only=True) as warehouse:
        seconds = ask_all(warehouse, given.as_of)
    given.out.write_text(json.dumps(seconds), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
