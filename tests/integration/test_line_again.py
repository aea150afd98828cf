"""Running the demo again over what it made changes nothing."""

import hashlib
import json

import pytest

from tests.integration.line import SMALL, LineRun, run_line

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

TABLES_SQL = """
select table_schema || '.' || table_name as name from information_schema.tables
where table_schema in ('marts', 'judgement') and table_catalog = current_database()
order by name
"""


def table_hashes(run: LineRun) -> dict[str, tuple[int, str]]:
    """Return the number of rows of every mart and judgement table, and a hash of them."""
    hashes = {}
    for table in (row["name"] for row in run.rows(TABLES_SQL)):
        rows = sorted(
            json.dumps(row, default=str, sort_keys=True) for row in run.rows(f"from {table}")
        )
        hashes[table] = len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return hashes


def test_running_the_demo_again_changes_nothing(small_night: LineRun) -> None:
    before = table_hashes(small_night)
    n_rows = {table: n for table, (n, _) in before.items()}
    verdicts = small_night.rows("select distinct verdict from judgement.verdicts")
    assert {row["verdict"] for row in verdicts} >= {"ok", "breach", "insufficient_evidence"}
    assert any(row["state"] == "FROZEN" for row in small_night.outcome["flags"])
    for table in ("marts.fct_llm_calls", "judgement.verdicts", "judgement.freeze_flags"):
        assert n_rows[table], f"{table} is empty"
    again = run_line(small_night.home, *SMALL)
    after = table_hashes(again)
    assert {t: n for t, (n, _) in after.items()} == n_rows
    assert [t for t in before if after[t] != before[t]] == []
    assert again.outcome == small_night.outcome
