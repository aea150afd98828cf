"""Overrides: two people, a reason, an end; the gate's answer changes and the state does not."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.adapters.override_log import override_log
from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.cli.main import command
from include.freezeline.config import config_dir
from include.freezeline.errors import OverrideError
from include.freezeline.freeze.gate import answer_gate, find_override
from include.freezeline.freeze.overrides import (
    OverrideRequest,
    OverrideRules,
    live_overrides,
    load_override_rules,
    plan_grant,
    plan_revocation,
    published_overrides,
)
from include.freezeline.jobs.decide import decide
from include.freezeline.jobs.publish import publish
from include.freezeline.settings import Settings
from tests.unit.freeze.documents import NOW, make_document
from tests.unit.freeze.worlds import HISTORY_END, NIGHT_END, START, make_calls, write_calls

RULES = OverrideRules(max_hours=72, per_quarter=3, person_pattern=r"[^@\s]+@[^@\s]+")
REASON = "The fix for the refund loop needs this prompt"
ASKED: dict[str, Any] = {
    "features": ("hot",),
    "environment": "production",
    "change_ref": None,
    "reason": REASON,
    "requested_by": "pat@example.com",
    "approved_by": "sam@example.com",
    "hours": 8.0,
    "at": NOW,
    "login_name": "ci",
}


def ask(**changes: Any) -> OverrideRequest:
    """Return a request that is granted unless changed."""
    return OverrideRequest(**(ASKED | changes))


def entry_with(**changes: Any) -> dict[str, Any]:
    """Return a frozen feature's entry with one override."""
    row = plan_grant(ask(), RULES, [])
    return {
        "state": "FROZEN",
        "overrides": [{**published_overrides([row], "hot", "production")[0], **changes}],
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"approved_by": " PAT@example.com "}, "a second person must approve"),
        ({"approved_by": "sam"}, "--approved-by: got 'sam', expected what matches"),
        ({"requested_by": ""}, "--requested-by: got ''"),
        ({"reason": "urgent"}, "--reason: 6 characters, expected one line of 20 to 500"),
        ({"reason": "urgent urgent urgent urgent"}, "--reason: 1 different words"),
        ({"reason": f"{REASON}\nand more"}, "--reason: "),
        ({"hours": 72.5}, "--hours: got 72.5, expected more than 0 and at most 72"),
        ({"hours": 0.0}, "--hours: got 0"),
        ({"hours": float("nan")}, "--hours: got nan"),
        ({"change_ref": ""}, "--change-ref: expected one line"),
    ],
)
def test_override_is_refused_when_something_is_missing(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(OverrideError) as caught:
        plan_grant(ask(**changes), RULES, [])
    assert message in str(caught.value)


def test_override_is_refused_when_the_approver_is_not_named() -> None:
    rules = RULES.model_copy(update={"approvers": ("Kim@example.com",)})
    with pytest.raises(OverrideError, match="may not approve"):
        plan_grant(ask(), rules, [])
    assert plan_grant(ask(approved_by="kim@example.com"), rules, [])


def test_override_is_refused_when_the_quarter_is_used_up() -> None:
    known = [plan_grant(ask(at=NOW - timedelta(hours=n)), RULES, []) for n in range(3)]
    with pytest.raises(OverrideError, match="3 overrides this quarter, at most 3"):
        plan_grant(ask(), RULES, known)
    assert plan_grant(ask(features=("other",)), RULES, known)
    assert plan_grant(ask(at=NOW + timedelta(days=92)), RULES, known)


@given(
    hours=st.floats(0.001, 72),
    after_s=st.floats(-1e6, 1e6),
    change=st.sampled_from([None, "a", "b"]),
)
def test_override_holds_exactly_from_its_grant_to_its_end(
    hours: float, after_s: float, change: str | None
) -> None:
    row = plan_grant(ask(hours=hours, change_ref="a"), RULES, [])
    now = NOW + timedelta(seconds=after_s)
    entry = {"overrides": published_overrides([row], "hot", "production")}
    end = datetime.fromisoformat(row["expires_at"])
    expected = NOW <= now < end and change == "a"
    assert (find_override(entry, now, change) is not None) == expected


def test_gate_allows_a_frozen_feature_only_by_its_override() -> None:
    rows = [plan_grant(ask(), RULES, [])]
    document = make_document()
    for entry in document["features"]:
        entry["overrides"] = published_overrides(rows, entry["feature"], entry["environment"])
    answer = answer_gate(document, "hot", "production", "feature", NOW)
    assert (answer.exit_code, answer.reason) == (0, "override")
    assert answer.override["requested_by"] == "pat@example.com"
    assert answer.entry["state"] == "FROZEN"
    assert answer_gate(document, "mending", "production", "feature", NOW).exit_code == 3
    assert answer_gate(document, "calm", "production", "feature", NOW).reason == "open"
    late = NOW + timedelta(hours=8)
    assert answer_gate(document, "hot", "production", "feature", late).exit_code == 3
    stale = answer_gate(document, "hot", "production", "feature", NOW + timedelta(days=3))
    assert stale.exit_code == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"approved_by": None},
        {"approved_by": " "},
        {"approved_by": "Pat@Example.com"},
        {"requested_by": 5},
        {"expires_at": "2026-10-20T01:00:00Z"},
        {"expires_at": "tomorrow"},
        {"expires_at": "2026-10-14T09:00:00"},
        {"created_at": None},
        {"change_ref": 7},
    ],
)
def test_gate_ignores_overrides_that_break_the_rules(changes: dict[str, Any]) -> None:
    assert find_override(entry_with(), NOW) is not None
    assert find_override(entry_with(**changes), NOW) is None
    for odd in ({}, {"overrides": None}, {"overrides": {}}, {"overrides": ["x", 1]}):
        assert find_override(odd, NOW) is None


def test_revoked_override_is_over_at_once() -> None:
    granted = plan_grant(ask(), RULES, [])
    again = ("The change was withdrawn by its team", NOW, "ci", RULES)
    revoked = plan_revocation(granted["override_id"], "kim@example.com", *again, [granted])
    assert live_overrides([granted], NOW) == [granted]
    assert live_overrides([granted, revoked], NOW) == []
    with pytest.raises(OverrideError, match="not in force"):
        plan_revocation(granted["override_id"], "kim@example.com", *again, [granted, revoked])


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return a home whose published night froze the support assistant."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, pseudonym_key="test-key", publish_uri=(home / "out").as_uri())
    write_calls(settings.warehouse_path, make_calls(20_000, with_incident=True), HISTORY_END)
    decide(settings, START, HISTORY_END)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.execute("drop table marts.fct_landed_objects")  # too small for the report
    publish(settings, HISTORY_END)
    return settings


@pytest.fixture
def run(published: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run the command on the published home."""
    monkeypatch.setenv("FREEZELINE_HOME", str(published.home))
    monkeypatch.setenv("FREEZELINE_PSEUDONYM_KEY", "test-key")
    monkeypatch.setenv("FREEZELINE_PUBLISH_URI", published.published_uri)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(command, arguments)

    yield call
    override_log(published).path.unlink(missing_ok=True)


AT = f"{HISTORY_END + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
LATER = f"{HISTORY_END + timedelta(hours=11):%Y-%m-%dT%H:%M:%SZ}"
GRANT = (
    "freeze", "override", "grant", "--feature", "support-assistant", "--hours", "8", "--reason", REASON,
    "--requested-by", "pat@example.com", "--approved-by", "sam@example.com", "--at", AT,
)  # fmt: skip
CHECK = ("gate", "check", "--feature", "support-assistant", "--format", "json", "--at")


def test_override_is_published_shown_and_revoked(run: Any, published: Settings) -> None:
    assert run(*CHECK, AT).exit_code == 3
    granted = run(*GRANT, "--format", "json")
    assert granted.exit_code == 0, granted.output
    row = json.loads(granted.stdout)
    # the log says when it was typed, whatever --at says
    assert datetime.fromisoformat(row["entered_at"]) > datetime.fromisoformat(row["created_at"])
    answer = run(*CHECK, AT)
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["override"]["override_id"] == row["override_id"]
    assert "approved by sam@example.com" in answer.stderr
    assert run(*CHECK, LATER).exit_code == 3
    folder = Path(published.published_uri.removeprefix("file://"))
    shown = [folder / "reports/latest/freeze_report.html", folder / "flags.flagd.json"]
    assert all("sam@example.com" in path.read_text() for path in shown)
    explained = run("freeze", "explain", "--feature", "support-assistant", "--at", AT)
    assert row["override_id"] in explained.stdout
    assert "in force" in run("freeze", "override", "list", "--at", AT).stdout
    before = json.loads((folder / "freeze.json").read_text())["sequence"]
    revoke = ("freeze", "override", "revoke", row["override_id"], "--person", "kim@example.com")
    assert run(*revoke, "--reason", "The change was withdrawn", "--at", AT).exit_code == 0
    assert run(*CHECK, AT).exit_code == 3
    assert json.loads((folder / "freeze.json").read_text())["sequence"] == before + 1


def test_revocation_that_was_not_published_is_published_when_revoked_again(
    run: Any, published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = json.loads(run(*GRANT, "--format", "json").stdout)
    revoke = ("freeze", "override", "revoke", row["override_id"], "--person", "kim@example.com",
              "--reason", "The change was withdrawn", "--at", AT)  # fmt: skip

    def fail(*_: object) -> None:
        message = "the bucket is full"
        raise OSError(message)

    with monkeypatch.context() as broken:
        broken.setattr("include.freezeline.jobs.publish.write_document", fail)
        failed = run(*revoke)
    assert failed.exit_code != 0
    assert "revoked in the log, but not published: the bucket is full" in str(failed.exception)
    assert run(*CHECK, AT).exit_code == 0
    assert run(*revoke).exit_code == 0
    assert run(*CHECK, AT).exit_code == 3
    assert len(override_log(published).rows()) == 2


def test_next_night_copies_the_log_for_sql(run: Any, published: Settings) -> None:
    assert run(*GRANT).exit_code == 0
    decide(published, HISTORY_END, NIGHT_END)
    with open_warehouse(published.warehouse_path, read_only=True) as warehouse:
        rows = warehouse.rows("select * from judgement.freeze_overrides")
    assert [(row["feature"], row["event_kind"]) for row in rows] == [
        ("support-assistant", "granted")
    ]
    assert rows[0]["expires_at"] - rows[0]["created_at"] == timedelta(hours=8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--feature", "code-helper"), "code-helper (production) is OPEN: there is nothing to"),
        (("--feature", "nobody"), "nobody (production): no such feature (known: code-helper"),
        (("--reason", "Ring jane.doe@example.org about the refund"), "--reason: holds"),
        (("--hours", "100"), "--hours: got 100"),
    ],
)
def test_grant_says_why_it_refuses(run: Any, arguments: tuple[str, ...], message: str) -> None:
    result = run(*GRANT, *arguments)
    assert result.exit_code != 0
    assert message in str(result.exception)
    assert run("freeze", "override", "list").stdout == "no override was ever granted\n"


def test_changed_log_grants_and_publishes_nothing(run: Any, published: Settings) -> None:
    assert run(*GRANT).exit_code == 0
    path = override_log(published).path
    path.write_text(path.read_text().replace("2026-10-13T10", "2026-10-15T10"))
    with pytest.raises(OverrideError, match="row 1 does not follow"):
        publish(published, HISTORY_END)
    assert run(*GRANT).exit_code != 0


def test_packaged_rules_are_the_documented_ones(settings: Settings) -> None:
    rules = load_override_rules(config_dir(settings))
    assert (rules.max_hours, rules.per_quarter, rules.min_reason_chars) == (72, 3, 20)
