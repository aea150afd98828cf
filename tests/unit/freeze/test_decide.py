"""Deciding whole intervals on a small warehouse."""

import json
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.errors import ConfigError, DocumentError
from include.freezeline.freeze.signing import verify_document
from include.freezeline.jobs import publish as publishing
from include.freezeline.jobs.decide import decide
from include.freezeline.jobs.decide_events import load_events
from include.freezeline.jobs.explain import explain_freeze
from include.freezeline.jobs.report import ReportFiles
from include.freezeline.settings import Settings
from include.freezeline.slo.catalogue import load_slos
from tests.unit.freeze.document_schema import check_document
from tests.unit.freeze.flagd_schema import FLAGD_SCHEMA
from tests.unit.freeze.worlds import (
    HISTORY_END,
    INCIDENT,
    NIGHT_END,
    START,
    make_calls,
    write_calls,
)

FLAGS = "select * from judgement.freeze_flags where as_of = ? order by feature, environment"


def _rows(settings: Settings, sql: str, *parameters: object) -> list[dict[str, Any]]:
    """Query the warehouse."""
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        return warehouse.rows(sql, list(parameters))


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return settings of a decided world with the incident: history, then a night."""
    settings = Settings(home=tmp_path_factory.mktemp("frozen"))
    calls = make_calls(20_000, with_incident=True)
    write_calls(settings.warehouse_path, calls, HISTORY_END)
    decide(settings, START, HISTORY_END)
    write_calls(settings.warehouse_path, calls, NIGHT_END)
    decide(settings, HISTORY_END, NIGHT_END)
    return settings


def test_decide_freezes_only_the_hit_feature_when_a_prompt_goes_wrong(frozen: Settings) -> None:
    flags = {(r["feature"], r["environment"]): r for r in _rows(frozen, FLAGS, NIGHT_END)}
    assert {key: row["state"] for key, row in flags.items()} == {
        ("code-helper", "production"): "OPEN",
        ("code-helper", "staging"): "OPEN",
        ("risk-summariser", "production"): "OPEN",
        ("support-assistant", "production"): "FROZEN",
    }
    flag = flags["support-assistant", "production"]
    assert INCIDENT < flag["since_at"] <= HISTORY_END
    assert flag["earliest_thaw_at"] > NIGHT_END
    assert flag["valid_until_at"] == NIGHT_END + timedelta(hours=30)
    assert flag["data_through_at"] < NIGHT_END


def test_decide_gives_insufficient_evidence_when_traffic_is_low(frozen: Settings) -> None:
    rows = _rows(
        frozen,
        "select verdict, event_count from judgement.slo_windows "
        "where environment = 'staging' and as_of = ?",
        NIGHT_END,
    )
    assert rows
    assert {row["verdict"] for row in rows} == {"insufficient_evidence"}


def test_decide_writes_nothing_when_the_night_is_run_again(frozen: Settings) -> None:
    before = _rows(frozen, FLAGS, NIGHT_END)
    assert decide(frozen, HISTORY_END, NIGHT_END).n_rows_written == 0
    assert _rows(frozen, FLAGS, NIGHT_END) == before


def test_stored_verdicts_are_reproduced_when_a_past_night_is_decided_later(
    frozen: Settings,
) -> None:
    """The mart now knows later outcomes; a past night must still see only its own."""
    summary = decide(frozen, HISTORY_END - timedelta(days=10), HISTORY_END)
    assert summary.n_evaluations > 50
    revised = _rows(frozen, "select count(*) as n from judgement.slo_windows where revision > 1")
    assert revised[0]["n"] == 0


def test_attribution_names_the_prompt_version_when_it_spent_the_budget(frozen: Settings) -> None:
    rows = _rows(
        frozen,
        "select dimension, dimension_value, excess_bad_count from judgement.slo_attributions "
        "where slo_name = 'support-escalation' and as_of = ? order by excess_bad_count desc",
        NIGHT_END,
    )
    assert (rows[0]["dimension"], rows[0]["dimension_value"]) == ("prompt_version", "v8")
    per_dimension = {row["dimension"] for row in rows}
    assert per_dimension == {"prompt_version", "request_model", "tenant_key", "route", "call_date"}


def test_attribution_says_what_each_day_and_each_change_did(frozen: Settings) -> None:
    rows = _rows(
        frozen,
        "select a.*, w.consumed_lower_ratio, w.bad_lower_ratio from judgement.slo_attributions a "
        "join judgement.slo_windows w using (slo_name, feature, environment, as_of) "
        "where a.slo_name = 'support-escalation' and a.as_of = ?",
        NIGHT_END,
    )
    days = [row for row in rows if row["dimension"] == "call_date"]
    assert len(days) == 28
    spent = sum(row["budget_share_ratio"] for row in days)
    assert spent == pytest.approx(days[0]["consumed_lower_ratio"])
    assert all(row["rate_effect_ratio"] is None for row in days)
    versions = {r["dimension_value"]: r for r in rows if r["dimension"] == "prompt_version"}
    effects = [row[f"{name}_effect_ratio"] for row in versions.values() for name in ("rate", "mix")]
    v7 = versions["v7"]
    change = v7["bad_lower_ratio"] - v7["previous_bad_ratio"]  # before, v7 was everything
    assert sum(effects) == pytest.approx(change)
    assert versions["v8"]["rate_effect_ratio"] > 0.02
    assert versions["v8"]["previous_event_count"] == 0


def test_decide_counts_a_sampled_row_as_the_calls_it_stands_for(settings: Settings) -> None:
    calls = make_calls(500, with_incident=False)
    sizes = {}
    for weight in (None, 1.0, 3.0):
        sampled = calls if weight is None else calls.assign(sample_weight=weight)
        write_calls(settings.warehouse_path, sampled, NIGHT_END)
        with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
            known = load_events(warehouse, load_slos(config_dir(settings)), NIGHT_END)
        found = known.by_subject.values()
        sizes[weight] = [(len(i.events), i.events.size) for items in found for i in items]
    assert sizes[None] == sizes[1.0]
    assert sizes[3.0] == [(rows, 3 * rows) for rows, _ in sizes[None]]


def test_evidence_query_lists_the_bad_events_when_run(frozen: Settings) -> None:
    rows = _rows(
        frozen,
        "select evidence_query, bad_count from judgement.slo_windows where as_of = ? "
        "and slo_name <> 'availability'",  # counts slices, and lists calls
        NIGHT_END,
    )
    assert sum(row["bad_count"] for row in rows) > 0
    for row in rows:
        assert len(_rows(frozen, row["evidence_query"])) == row["bad_count"]


def test_decide_judges_slos_of_other_marts_and_their_own_clocks(settings: Settings) -> None:
    """Scores of a sample, days that settled later, and reports of the editor."""
    write_calls(settings.warehouse_path, make_calls(2_000, with_incident=False), NIGHT_END)
    subject = "'code-helper' as feature, 'production' as environment"
    day = "timestamptz '2026-10-13' - to_days(cast(i as int))"
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.execute(
            f"insert into marts.fct_call_scores by name select {subject}, 'refusal' as evaluator, "
            f"false as is_canary, i % 4 = 0 as is_bad, {day} as called_at, "
            f"{day} + interval 1 day as as_of, 50.0 as sample_weight from range(27) r(i)"
        )
        warehouse.execute(
            f"insert into marts.agg_outcome_cost_daily by name select {subject}, 95 as n_counted_requests, 90.0 as "
            "good_request_count, if(i < 20, 0.4, 0.1) as baseline_deviation_ratio, 900.0 as "
            f"baseline_good_request_count, 3.0 as cost_usd, {day} as day_started_at, "
            f"{day} + interval 4 day as arrived_at from range(28) r(i)"
        )
        warehouse.execute(
            f"insert into marts.fct_client_outcomes by name select {subject}, if(i % 5 = 0, "
            f"'compile_failed', 'ok') as client_outcome, timestamptz '2026-10-13 12:00:00' - "
            "to_minutes(cast(i * 30 as int)) as observed_at, timestamptz '2026-10-13 23:00:00' as "
            "recorded_at from range(1000) r(i)"
        )
        warehouse.execute(
            "insert into marts.fct_landed_objects by name select 'client_outcomes' as source_name, "
            "'landed' as status, timestamptz '2026-10-13 23:00:00' as arrived_at"
        )
    decide(settings, HISTORY_END, NIGHT_END)
    rows = {
        row["slo_name"]: row
        for row in _rows(
            settings,
            "select * from judgement.slo_windows where feature = 'code-helper' "
            "and environment = 'production' and as_of = ?",
            NIGHT_END,
        )
    }
    assert rows["refusal-rate"]["event_count"] == 26 * 50  # the last scores count from tomorrow on
    assert rows["refusal-rate"]["verdict"] in ("breach", "warning", "insufficient_evidence")
    assert rows["cost-per-outcome"]["event_count"] == 24  # the last four days are not settled
    assert rows["cost-per-outcome"]["verdict"] == "breach"
    assert rows["compile-failure"]["verdict"] == "breach"
    assert 300 < rows["availability"]["event_count"] < 28 * 24 * 4  # of 2,688, those with calls
    flag = _rows(settings, FLAGS, NIGHT_END)[0]
    assert (flag["feature"], flag["state"], flag["slo_name"]) == (
        "code-helper",
        "FROZEN",
        "compile-failure",
    )


def test_decide_knows_a_feature_by_its_first_call_whichever_mart_is_late(
    settings: Settings,
) -> None:
    calls = make_calls(2_000, with_incident=False)
    write_calls(settings.warehouse_path, calls, NIGHT_END)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        # Sorts before the calls, and comes to a day's rows when it is settled.
        warehouse.execute(
            "insert into marts.agg_outcome_cost_daily "
            "select feature, environment, 10, 10, 0, 0, 1, day, day + interval 5 days from ("
            "select distinct feature, environment, date_trunc('day', called_at) as day "
            "from marts.fct_llm_calls)"
        )
    decide(settings, START, NIGHT_END)
    first = _rows(settings, FLAGS, START + timedelta(days=1))
    assert "support-assistant" in {row["feature"] for row in first}
    newest = {(r["feature"], r["environment"]): r for r in _rows(settings, FLAGS, NIGHT_END)}
    ends = calls.groupby(["feature", "environment"])["called_at"].max()
    for subject, row in newest.items():
        assert abs(row["data_through_at"] - ends[subject]) < timedelta(minutes=6)


def test_transitions_replay_to_the_flag_when_read_in_order(frozen: Settings) -> None:
    moves = _rows(
        frozen,
        "select from_state, to_state from judgement.freeze_transitions "
        "where feature = 'support-assistant' order by transitioned_at",
    )
    assert moves
    assert moves[0]["from_state"] == "OPEN"
    assert all(a["to_state"] == b["from_state"] for a, b in pairwise(moves))
    assert moves[-1]["to_state"] == "FROZEN"


def test_decide_opens_everything_when_nothing_happened(settings: Settings) -> None:
    write_calls(settings.warehouse_path, make_calls(20_000, with_incident=False), NIGHT_END)
    summary = decide(settings, HISTORY_END - timedelta(days=3), NIGHT_END)
    assert summary.states == {"OPEN": 4}
    assert summary.n_breaches == 0
    # the marts of the others are empty here
    assert summary.slos_without_events == (
        "compile-failure",
        "cost-per-outcome",
        "format-compliance",
        "hallucination-rate",
        "refusal-rate",
        "retrieval-relevance",
        "toxicity-rate",
    )


@pytest.mark.parametrize("status_after", [None, "quarantined"])
def test_decide_holds_the_freeze_when_outcomes_stop(
    settings: Settings, status_after: str | None
) -> None:
    """Four silent nights: without outcomes every call would age into a good one."""
    stopped_at = HISTORY_END - timedelta(days=4)
    calls = make_calls(20_000, with_incident=True)
    for outcome, recorded in (("is_escalated", "escalation"), ("is_overridden", "override")):
        calls.loc[calls[f"{recorded}_recorded_at"] >= stopped_at, outcome] = False
    write_calls(
        settings.warehouse_path,
        calls,
        HISTORY_END,
        outcomes_until=stopped_at,
        status_after=status_after,
    )
    decide(settings, START, HISTORY_END)
    rows = _rows(
        settings,
        "select as_of, slo_name, verdict, state_hint, reason from judgement.slo_windows "
        "where slo_name in ('support-escalation', 'risk-override') and as_of >= ? "
        "order by as_of, slo_name",
        stopped_at + timedelta(days=2),
    )
    assert len(rows) == 6
    assert {row["verdict"] for row in rows} == {"insufficient_evidence"}
    assert {row["state_hint"] for row in rows} == {""}
    assert "no overrides file has landed since 2026-10-08 23:59Z" in rows[0]["reason"]
    assert "calls without one are not good" in rows[0]["reason"]
    flags = _rows(
        settings,
        "select state, since_at from judgement.freeze_flags "
        "where feature = 'support-assistant' and as_of >= ? order by as_of",
        stopped_at,
    )
    assert [row["state"] for row in flags] == ["FROZEN"] * 5
    assert {row["since_at"] < stopped_at for row in flags} == {True}


def test_decide_holds_the_freeze_when_its_events_are_gone(settings: Settings) -> None:
    """Purged spans, or a condition that fits no row any more, are no data: nothing thaws."""
    calls = make_calls(20_000, with_incident=True)
    write_calls(settings.warehouse_path, calls, HISTORY_END)
    decide(settings, START, HISTORY_END)
    others = calls[calls["feature"] != "support-assistant"]
    later = HISTORY_END + timedelta(days=6)
    write_calls(settings.warehouse_path, others, later)
    decide(settings, HISTORY_END, later)
    flags = _rows(
        settings,
        "select state from judgement.freeze_flags "
        "where feature = 'support-assistant' and as_of > ? order by as_of",
        HISTORY_END,
    )
    assert [row["state"] for row in flags] == ["FROZEN"] * 6


def test_decide_adds_the_column_when_the_warehouse_is_of_an_older_release(
    settings: Settings,
) -> None:
    write_calls(settings.warehouse_path, make_calls(2_000, with_incident=False), HISTORY_END)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        warehouse.execute("alter table judgement.slo_windows drop column consumed_nowcast_ratio")
    assert decide(settings, HISTORY_END - timedelta(days=1), HISTORY_END).n_rows_written > 0
    rows = _rows(settings, "select consumed_nowcast_ratio as share from judgement.slo_windows")
    assert any(row["share"] is not None for row in rows)


def test_decide_knows_no_outcome_when_the_ledger_is_missing(settings: Settings) -> None:
    write_calls(settings.warehouse_path, make_calls(20_000, with_incident=False), HISTORY_END)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.execute("drop table marts.fct_landed_objects")
    decide(settings, HISTORY_END - timedelta(days=1), HISTORY_END)
    rows = _rows(settings, "select slo_name, verdict, reason from judgement.slo_windows")
    held = {row["slo_name"] for row in rows if "is known to have landed" in row["reason"]}
    assert held == {"support-escalation", "risk-override"}
    assert "ok" not in {row["verdict"] for row in rows if row["slo_name"] in held}
    assert "ok" in {row["verdict"] for row in rows if row["slo_name"] not in held}


def test_decide_names_the_file_when_a_condition_does_not_fit(
    settings: Settings, tmp_path: Path
) -> None:
    write_calls(settings.warehouse_path, make_calls(100, with_incident=False), NIGHT_END)
    shipped = Path("include/config/slos/support-escalation.yml").read_text(encoding="utf-8")
    folder = tmp_path / "config" / "slos"
    folder.mkdir(parents=True)
    broken = shipped.replace("where: is_escalated", "where: is_escalted")
    (folder / "support-escalation.yml").write_text(broken, encoding="utf-8")
    custom = settings.model_copy(update={"config_dir": tmp_path / "config"})
    with pytest.raises(ConfigError, match=r"slos/support-escalation\.yml.*is_escalted"):
        decide(custom, HISTORY_END, NIGHT_END)


def test_publish_writes_what_the_gate_accepts_when_night_is_decided(
    frozen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ReportFiles("<html></html>", "# report", "{}")
    monkeypatch.setattr(publishing, "render_report", lambda *_args, **_options: files)
    summary = publishing.publish(frozen, NIGHT_END)
    folder = frozen.home / "published"
    document = verify_document(
        (folder / "freeze.json").read_bytes(), [(folder / "freeze.pub.pem").read_bytes()]
    )
    entry = {item["feature"]: item for item in document["features"]}["support-assistant"]
    assert entry["state"] == "FROZEN"
    assert entry["contributors"][0]["value"] == "v8"
    assert {item["consequence"] for item in entry["contributors"]} == {"freeze"}
    broken = {item["slo_id"]: item for item in entry["slos"] if item["verdict"] == "breach"}
    assert {item["slo_id"] for item in entry["contributors"]} <= set(broken)
    spent = broken["support-escalation"]
    assert spent["consumed_pct_lower"] < spent["consumed_pct_nowcast"] < spent["consumed_pct_upper"]
    opened = [item for item in document["features"] if item["state"] == "OPEN"]
    assert len(opened) == 3
    assert [item["contributors"] for item in opened] == [[], [], []]
    assert document["valid_until"] == "2026-10-15T06:00:00Z"
    assert (
        "llm-freeze.support-assistant"
        in json.loads((folder / "flags.flagd.json").read_text(encoding="utf-8"))["flags"]
    )
    for name in ("2026-10-14", "latest"):
        found = sorted(path.name for path in (folder / "reports" / name).iterdir())
        assert found == ["freeze_report.html", "freeze_report.json", "freeze_report.md"]
    key = frozen.home / "keys" / "freeze_signing.pem"
    assert key.stat().st_mode & 0o077 == 0
    first = (folder / "freeze.json").read_bytes()
    assert publishing.publish(frozen, NIGHT_END).sequence == summary.sequence
    assert (folder / "freeze.json").read_bytes() == first
    explained = explain_freeze(frozen, "support-assistant", "production", NIGHT_END)
    assert explained["state"] == "FROZEN"
    assert explained["transitions"]


def test_publish_writes_the_same_objects_here_when_it_publishes_elsewhere(
    frozen: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(publishing, "_write_report", lambda *_, **__: None)
    elsewhere = frozen.model_copy(update={"publish_uri": (tmp_path / "bucket").as_uri()})
    summary = publishing.publish(elsewhere, NIGHT_END)
    here = frozen.home / "published"
    assert summary.document_uri == (tmp_path / "bucket" / "freeze.json").as_uri()
    assert summary.local_document_uri == (here / "freeze.json").as_uri()
    for name in ("freeze.json", "freeze.pub.pem", "flags.flagd.json"):
        assert (here / name).read_bytes() == (tmp_path / "bucket" / name).read_bytes()
    assert not list(here.rglob("*.partial")) + list(tmp_path.rglob("*tmp"))


def test_published_document_keeps_to_its_schema_which_names_all_of_it(
    frozen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "_write_report", lambda *_, **__: None)
    publishing.publish(frozen, NIGHT_END)
    document = json.loads((frozen.home / "published" / "freeze.json").read_bytes())
    check_document(document)
    flags = json.loads((frozen.home / "published" / "flags.flagd.json").read_bytes())
    assert len(flags["flags"]) == len(document["features"]) == 4
    jsonschema.Draft7Validator(FLAGD_SCHEMA).validate(flags)


def test_publish_refuses_when_the_night_was_not_decided(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
    with pytest.raises(DocumentError, match="no freeze flags"):
        publishing.publish(settings, NIGHT_END)


def test_signing_key_is_refused_when_the_configured_file_is_missing(settings: Settings) -> None:
    custom = settings.model_copy(update={"signing_key_path": settings.home / "nowhere.pem"})
    with pytest.raises(DocumentError, match="FREEZELINE_SIGNING_KEY_PATH"):
        publishing.load_signing_key(custom)
