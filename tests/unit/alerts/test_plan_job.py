"""Planning alerts and actions of whole nights on a small warehouse with an incident."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.alerts.policy import load_alert_policy
from include.freezeline.cli.alerts import command as alerts_command
from include.freezeline.cli.freeze import command as freeze_command
from include.freezeline.config import config_dir
from include.freezeline.errors import AlertError
from include.freezeline.jobs import publish as publishing
from include.freezeline.jobs.alert import make_plan, plan_alerts
from include.freezeline.jobs.alert_send import load_due
from include.freezeline.jobs.decide import decide
from include.freezeline.jobs.explain import explain_freeze
from include.freezeline.jobs.report import ReportFiles, load_report
from include.freezeline.reports import freeze_report
from include.freezeline.settings import Settings
from tests.unit.freeze.worlds import HISTORY_END, NIGHT_END, START, make_calls, write_calls

SOON = timedelta(minutes=30)


def rows(settings: Settings, sql: str, *parameters: object) -> list[dict[str, Any]]:
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        return warehouse.rows(sql, list(parameters))


def decided(settings: Settings, end: datetime, *, with_incident: bool = True) -> None:
    """Decide a world from its start."""
    calls = make_calls(20_000, with_incident=with_incident)
    write_calls(settings.warehouse_path, calls, end)
    decide(settings, START, end)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A world of silent history and one live night."""
    settings = Settings(home=tmp_path_factory.mktemp("told"))
    calls = make_calls(20_000, with_incident=True)
    write_calls(settings.warehouse_path, calls, HISTORY_END)
    decide(settings, START, HISTORY_END)
    plan_alerts(settings, HISTORY_END, HISTORY_END + timedelta(days=60))
    write_calls(settings.warehouse_path, calls, NIGHT_END)
    decide(settings, HISTORY_END, NIGHT_END)
    plan_alerts(settings, NIGHT_END, NIGHT_END + SOON)
    return settings


def test_history_is_silent_and_the_live_night_tells_the_same_incident(told: Settings) -> None:
    found = rows(
        told,
        "select * from judgement.alert_events where feature = 'support-assistant' "
        "order by transitioned_at, signal",
    )
    release = [row for row in found if row["signal"] == "release"]
    assert [(row["transition"], row["is_silent"]) for row in release] == [
        ("OPENED", True), ("OPENED", False),
    ]  # fmt: skip
    assert len({row["dedup_key"] for row in release}) == 1
    assert release[-1]["tier"] == "P2"
    assert "FROZEN since" in release[-1]["summary"]
    details = json.loads(release[-1]["details"])
    assert details["contributors"][0]["dimension_value"] == "v8"
    assert all(row["runbook"] and row["owner"] for row in found)


def test_outcome_alert_is_judged_on_calls_whose_outcome_is_final(told: Settings) -> None:
    (row,) = rows(
        told,
        "select burn_windows from judgement.slo_windows "
        "where slo_name = 'support-escalation' and as_of = ?",
        NIGHT_END,
    )
    found = json.loads(row["burn_windows"])
    assert datetime.fromisoformat(found["ended_at"]) == NIGHT_END - timedelta(hours=72)
    assert found["hours"]["24"]["bad_count"] > 0
    (alert,) = rows(
        told,
        "select * from judgement.alert_events where signal = 'support-escalation' "
        "and as_of = ? and not is_silent",
        NIGHT_END,
    )
    assert alert["family"] == "outcome"
    assert alert["owner"] == "support-product"


def test_quiet_features_have_no_alert(told: Settings) -> None:
    found = rows(told, "select distinct feature from judgement.alert_events")
    assert found == [{"feature": "support-assistant"}]


def test_night_that_is_planned_again_writes_nothing(told: Settings) -> None:
    assert plan_alerts(told, NIGHT_END, NIGHT_END + SOON).n_rows_written == 0
    assert plan_alerts(told, NIGHT_END, NIGHT_END + timedelta(days=9)).n_rows_written == 0
    again = plan_alerts(told, HISTORY_END, NIGHT_END + SOON)
    assert (again.is_silent, again.n_rows_written) == (True, 0)


def test_plan_without_writing_changes_nothing(told: Settings) -> None:
    before = rows(told, "select count(*) as n from judgement.alert_events")
    plan = make_plan(told, NIGHT_END, NIGHT_END + SOON, is_written=False)
    assert plan.events == ()
    assert plan.actions
    assert rows(told, "select count(*) as n from judgement.alert_events") == before


def test_prompt_version_is_recommended_to_be_rolled_back(told: Settings) -> None:
    found = rows(told, "select * from judgement.recommended_actions where as_of = ?", NIGHT_END)
    (roll_back,) = [row for row in found if row["action"] == "roll_back_prompt"]
    assert (roll_back["target"], roll_back["alternative"]) == ("v8", "v7")
    assert roll_back["confidence_ratio"] > 0.99
    assert "suspect" in roll_back["reason"]
    assert "cause" not in roll_back["reason"]
    assert "probability" in roll_back["confidence_meaning"]
    calls = "select count(*) as n, count(distinct tenant_key) as t from marts.fct_llm_calls where "
    window = f"called_at >= '{NIGHT_END - timedelta(days=28)}' and feature = 'support-assistant'"
    (v8,) = rows(told, f"{calls} {window} and prompt_version = 'v8'")
    (every,) = rows(told, f"{calls} {window}")
    assert roll_back["affected_call_count"] == v8["n"]
    assert roll_back["affected_tenant_count"] == v8["t"]
    assert roll_back["affected_traffic_ratio"] == pytest.approx(v8["n"] / every["n"])
    assert json.loads(roll_back["affected_features"]) == {"support-assistant": v8["n"]}
    evidence = json.loads(roll_back["evidence"])
    assert len(rows(told, roll_back["evidence_query"])) == evidence["bad_count"]
    assert {row["feature"] for row in found} == {"support-assistant"}


def test_version_without_calls_today_is_not_recommended_away(settings: Settings) -> None:
    calls = make_calls(20_000, with_incident=True)
    gone = (calls["prompt_version"] == "v8") & (calls["called_at"] >= NIGHT_END - timedelta(days=1))
    calls.loc[gone, "prompt_version"] = "v7"
    write_calls(settings.warehouse_path, calls, NIGHT_END)
    decide(settings, NIGHT_END - timedelta(days=1), NIGHT_END)
    plan = make_plan(settings, NIGHT_END, NIGHT_END + SOON, is_written=True)
    assert "roll_back_prompt" not in {row["action"] for row in plan.actions}


def test_quiet_world_tells_nothing(settings: Settings) -> None:
    decided(settings, NIGHT_END, with_incident=False)
    plan = make_plan(settings, NIGHT_END, NIGHT_END + SOON, is_written=True)
    assert (plan.events, plan.actions, plan.is_silent) == ((), (), False)


def test_night_that_was_not_decided_cannot_be_planned(settings: Settings) -> None:
    with pytest.raises(AlertError, match="run the decide step"):
        plan_alerts(settings, NIGHT_END, NIGHT_END)


def test_preview_changes_nothing_in_a_warehouse_of_an_older_release(settings: Settings) -> None:
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        warehouse.execute("drop table judgement.alert_events")
        warehouse.execute("drop table judgement.alert_deliveries")
    with pytest.raises(AlertError, match="no table of alerts yet"):
        make_plan(settings, NIGHT_END, NIGHT_END + SOON, is_written=False)
    policy = load_alert_policy(config_dir(settings))
    assert load_due(settings, policy, NIGHT_END, NIGHT_END + SOON) == []


def test_actions_are_published_beside_the_freeze_document(
    told: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ReportFiles("<html></html>", "# report", "{}")
    monkeypatch.setattr(publishing, "render_report", lambda *_args, **_options: files)
    publishing.publish(told, NIGHT_END)
    document = json.loads((told.home / "published" / "recommended_actions.json").read_text())
    assert document["as_of"] == "2026-10-14T00:00:00Z"
    assert "not causes" in document["note"]
    (roll_back,) = [a for a in document["actions"] if a["action"] == "roll_back_prompt"]
    assert roll_back["blast_radius"]["features"].keys() == {"support-assistant"}
    assert roll_back["triggers"] == ["support-escalation"]
    explained = explain_freeze(told, "support-assistant", "production", NIGHT_END)
    assert roll_back in explained["recommended_actions"]
    words = ["explain", "--feature", "support-assistant"]
    shown = CliRunner().invoke(freeze_command, words, env=told.as_environment()).output
    assert "roll_back_prompt v8 to v7 (confidence" in shown
    assert "what may help (suspects, not causes):" in shown


def test_command_shows_the_plan(told: Settings) -> None:
    words = ["plan", "--at", (NIGHT_END + SOON).isoformat(), "--format", "json"]
    shown = CliRunner().invoke(alerts_command, words, env=told.as_environment())
    plan = json.loads(shown.output)
    assert (plan["n_rows_written"], plan["is_silent"], plan["events"]) == (0, False, [])
    assert {row["action"] for row in plan["actions"]} >= {"roll_back_prompt"}
    words = ["plan", "--as-of", "yesterday"]
    shown = CliRunner().invoke(alerts_command, words, env=told.as_environment())
    assert "is not a time with an offset" in shown.output


def test_report_says_what_may_help_under_what_happens_next(
    told: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The small warehouse knows of no quarantine.
    monkeypatch.setattr(freeze_report, "load_completeness", lambda *_args: None)
    report = load_report(told, NIGHT_END, source="warehouse")
    (support,) = [item for item in report.features if item.feature == "support-assistant"]
    (line,) = [line for line in support.what_next if "roll back prompt v8 to v7" in line]
    assert line.startswith("May help, a suspect and not a cause:")
    assert "tenants). prompt version v8 is suspect" in line
