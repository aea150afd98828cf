"""From real traces to a release freeze: every planted incident is found, nothing quiet is flagged."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.freezeline.config import config_dir
from include.freezeline.demo.incidents import INCIDENTS, Incident
from include.freezeline.demo.personal import plant
from include.freezeline.settings import Settings
from include.freezeline.slo.catalogue import load_slos
from tests.integration.line import LAST_AS_OF, LineRun, freezeline
from tests.integration.readable import SHAPES, find_values, texts_of_bucket, texts_of_home

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CHANGE_POINTS_SQL = """
select * from judgement.verdicts where question = 'fingerprint_change_point'
"""
FLAGS_SQL = f"""
select feature, environment, state, is_frozen, reason, earliest_thaw_at
from judgement.freeze_flags where as_of = timestamptz '{LAST_AS_OF}'
qualify row_number() over (partition by flag_key order by revision desc) = 1
"""
FINDINGS_SQL = f"""
select family, question, feature, environment, model, verdict, reason from (
    select * from judgement.verdicts where as_of = timestamptz '{LAST_AS_OF}'
    qualify row_number() over (partition by verdict_key order by revision desc) = 1
)
union all
select 'slo', slo_name, feature, environment, null, verdict, reason from (
    select * from judgement.slo_windows where as_of = timestamptz '{LAST_AS_OF}'
    qualify row_number() over (partition by slo_window_key order by revision desc) = 1
)
"""


def breaches(run: LineRun) -> list[dict[str, Any]]:
    """Everything that the last night flagged."""
    return [row for row in run.rows(FINDINGS_SQL) if row["verdict"] == "breach"]


def expected_breaches(incident: Incident) -> set[tuple[str, str, str, str, str | None]]:
    """Family, question, feature, environment and model of everything an incident sets off.

    An SLO is about a feature as a whole, so its findings name no model.
    """
    slos = {slo.name for slo in load_slos(config_dir(Settings()))}
    families = dict.fromkeys(slos, "slo") | {"output_divergence": "divergence"}
    return {
        (
            families.get(question, incident.family),
            question,
            incident.feature,
            "production",
            None if question in slos else incident.model,
        )
        for question in (*incident.questions, *incident.echoes)
    }


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)
def test_planted_incident_is_found(night: LineRun, incident: Incident) -> None:
    found = [
        row
        for row in breaches(night)
        if row["question"] in incident.questions
        and row["feature"] == incident.feature
        and (incident.model is None or row["model"] in {incident.model, None})
    ]
    assert found, f"{incident.name} was not found; breaches: {breaches(night)}"


def test_nothing_quiet_is_flagged(night: LineRun) -> None:
    expected = set().union(*(expected_breaches(incident) for incident in INCIDENTS))
    assert len(expected) >= len(INCIDENTS)
    keys = ("family", "question", "feature", "environment", "model")
    assert {tuple(row[key] for key in keys) for row in breaches(night)} == expected


def test_quiet_feature_has_not_even_a_warning(night: LineRun) -> None:
    verdicts = [
        row["verdict"] for row in night.rows(FINDINGS_SQL) if row["feature"] == "risk-summariser"
    ]
    assert verdicts.count("ok") >= 10
    assert set(verdicts) <= {"ok", "insufficient_evidence"}


def test_day_of_the_model_swap_is_named(night: LineRun) -> None:
    swap = next(each for each in INCIDENTS if each.name == "silent_model_swap")
    (warned,) = [
        row
        for row in night.rows(f"{CHANGE_POINTS_SQL} and as_of = timestamptz '{LAST_AS_OF}'")
        if row["verdict"] == "warning"
    ]
    assert warned["feature"] == swap.feature
    assert warned["model"].startswith(str(swap.model))
    assert json.loads(warned["details"])["changed_date"] == swap.start_date.isoformat()
    assert str(swap.start_date) in warned["reason"]


def test_without_incidents_no_day_is_named(quiet_night: LineRun) -> None:
    quiet = [row["verdict"] for row in quiet_night.rows(CHANGE_POINTS_SQL)]
    assert quiet.count("ok") >= 7
    assert set(quiet) == {"ok", "insufficient_evidence"}


def test_exactly_the_escalating_feature_is_frozen(night: LineRun) -> None:
    flags = {(row["feature"], row["environment"]): row for row in night.rows(FLAGS_SQL)}
    production = {feature for feature, environment in flags if environment == "production"}
    assert production == {"support-assistant", "risk-summariser", "code-helper"}
    frozen = {key for key, row in flags.items() if row["is_frozen"]}
    assert frozen == {("support-assistant", "production")}
    assert flags["risk-summariser", "production"]["state"] == "OPEN"
    assert flags["code-helper", "production"]["state"] == "OPEN"
    assert flags["support-assistant", "production"]["earliest_thaw_at"] is not None


def test_freeze_is_attributed_to_the_prompt_version(night: LineRun) -> None:
    worst = night.rows(
        "select dimension_value from judgement.slo_attributions "
        f"where slo_name = 'support-escalation' and as_of = timestamptz '{LAST_AS_OF}' "
        "and dimension = 'prompt_version' order by excess_bad_count desc limit 1"
    )
    assert worst == [{"dimension_value": "v8"}]


def test_without_incidents_nothing_is_flagged_or_frozen(quiet_night: LineRun) -> None:
    assert breaches(quiet_night) == []
    flags = quiet_night.rows(FLAGS_SQL)
    assert {row["feature"] for row in flags} >= {
        "support-assistant",
        "risk-summariser",
        "code-helper",
    }
    assert {row["state"] for row in flags} == {"OPEN"}


def test_every_delivered_record_is_accounted_for(night: LineRun) -> None:
    totals = night.rows(
        "select count(*) as objects, sum(record_count) as records, sum(landed_count) as landed, "
        "sum(duplicate_count) as duplicates, sum(quarantined_count) as quarantined "
        "from marts.fct_landed_objects"
    )[0]
    assert totals["records"] > 100_000
    assert totals["quarantined"] > 0, "the demo bucket plants corrupt records"
    assert totals["records"] == totals["landed"] + totals["duplicates"] + totals["quarantined"]
    calls = night.rows(
        "select count(*) as n, count(distinct call_key) as d from marts.fct_llm_calls"
    )
    assert calls[0]["n"] == calls[0]["d"]
    assert 50_000 <= calls[0]["n"] <= 70_000


def test_published_gate_freezes_one_feature_and_passes_another(night: LineRun) -> None:
    at = ("--at", f"{LAST_AS_OF}T01:00:00Z")
    gate = {
        feature: freezeline(night.home, "gate", "check", "--feature", feature, *at).returncode
        for feature in ("support-assistant", "risk-summariser", "no-such-feature")
    }
    stale = freezeline(night.home, "gate", "check", "--feature", "risk-summariser", "--at",
                       "2026-10-20T00:00:00Z").returncode  # fmt: skip
    assert gate == {"support-assistant": 3, "risk-summariser": 0, "no-such-feature": 5}
    assert stale == 4


def test_published_report_says_first_what_is_frozen(night: LineRun) -> None:
    folder = Path(night.outcome["published_uri"].removeprefix("file://")) / "reports" / "latest"
    markdown = (folder / "freeze_report.md").read_text(encoding="utf-8")
    sentences = [line for line in markdown.splitlines() if line and not line.startswith("#")]
    assert "support-assistant" in sentences[0]
    assert "FROZEN" in sentences[0]
    report = json.loads((folder / "freeze_report.json").read_text(encoding="utf-8"))
    assert report
    html = (folder / "freeze_report.html").read_text(encoding="utf-8")
    assert "<svg" in html
    assert "http://" not in html.replace("http://www.w3.org", ""), (
        "the report must be self-contained"
    )


def test_no_planted_value_is_readable_anywhere_under_home(night: LineRun) -> None:
    planted: dict[str, set[str]] = {kind: set() for kind in SHAPES}
    for text in texts_of_bucket(night.home / "demo-bucket"):
        for kind, values in find_values(text).items():
            planted[kind] |= values
    assert all(planted.values()), "the demo plants every kind, and the search sees it"
    assert sum(map(len, planted.values())) > 100

    searched, leaks = [], []
    for where, text in texts_of_home(night.home, without="demo-bucket"):
        searched.append(where)
        # Any value of such a shape, whole or within another, and not only the planted ones.
        leaks += [f"{where}: {kind}" for kind, values in find_values(text).items() if values]
        if where.endswith('"marts"."fct_call_texts".input_text_redacted'):
            assert "<EMAIL_1>" in text, "landing leaves a placeholder where a value was"
    parts = (
        "lake/spans ",
        "warehouse/",
        "snapshots/",
        "published/",
        "airflow-demo/",
        "cache/",
        "dbt/",
    )
    for part in parts:
        assert any(where.startswith(part) for where in searched), f"{part} was not searched"
    assert sum("input_text_redacted" in where for where in searched) >= 3
    # Never the values: a failing test must not print what it protects.
    assert leaks == []


@pytest.mark.parametrize("is_code", [True, False])
def test_search_knows_every_value_that_the_demo_plants(is_code: bool) -> None:
    kinds: set[str] = set()
    for seed in range(300):
        found = {k for k, v in find_values(plant("?", seed, is_code=is_code)).items() if v}
        assert found, f"seed {seed} plants a value of another shape"
        kinds |= found
    assert len(kinds) >= 3


def test_search_sees_into_every_form_of_file(tmp_path: Path) -> None:
    secret = "anna.archer@example.com"
    home = tmp_path / "home"
    for folder in ("lake/spans/dt=2026-09-01", "warehouse", "airflow", "published"):
        (home / folder).mkdir(parents=True)
    table = pa.table({"text": [f"write to {secret}"], "tags": [[secret]]})
    pq.write_table(table, home / "lake" / "spans" / "dt=2026-09-01" / "a.parquet")
    with duckdb.connect(str(home / "warehouse" / "w.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.t as select '{secret}' as text")
    database = sqlite3.connect(home / "airflow" / "airflow.db")
    database.execute("create table log (line text)")
    database.execute("insert into log values (?)", [secret])
    database.commit()
    database.close()
    (home / "published" / "report.html").write_text(secret, encoding="utf-8")
    found = {
        where
        for where, text in texts_of_home(home, without="bucket")
        if find_values(text)["e-mail"]
    }
    assert {
        "airflow/airflow.db (rows)",
        "published/report.html",
        'warehouse/w.duckdb "marts"."t".text',
    } <= found
    assert {where.rsplit(".", 1)[-1] for where in found if where.startswith("lake/spans ")} == {
        "text",
        "tags",
    }
