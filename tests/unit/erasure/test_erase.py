"""Planning and applying on a lake of a few rows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from include.freezeline.adapters.database_rewrite import TableChange, attach, rewrite_attached
from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.tombstone_files import load_tombstones
from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.cli.main import command
from include.freezeline.config import config_dir
from include.freezeline.contracts.lake import EVALUATIONS, SPANS
from include.freezeline.erasure.receipt import Finding, Receipt, add_up
from include.freezeline.erasure.subject import Subject, SubjectKind
from include.freezeline.errors import ErasureError
from include.freezeline.jobs import erase_stores
from include.freezeline.jobs.build import build, lake_tables
from include.freezeline.jobs.erase import apply_erasure, plan_erasure, verify_erasures
from include.freezeline.settings import Settings
from tests.dbt.tiny_lake import TinyLake, at, call, span

BEFORE = datetime(2026, 10, 14, tzinfo=UTC)
USER, OTHER = "u_" + "1" * 32, "u_" + "2" * 32
TENANT, SESSION = "t_" + "3" * 32, "s_" + "4" * 32
SHARED = "s_" + "5" * 32


@pytest.fixture
def company(settings: Settings) -> Settings:
    """Traces 1 and 3 are the user's, 2 somebody else's; 1 has a span that names the other."""
    lake = TinyLake(settings)
    ids = {"tenant_key": TENANT, "user_key": USER}
    lake.spans(
        "a",
        [
            span(101, 1, "workflow", session_key=SESSION, **ids),
            call(1, request_id="r1", input_text_redacted="one"),
            span(102, 1, "tool", user_key=OTHER, tenant_key=TENANT),
            span(103, 2, "workflow", user_key=OTHER, session_key=SHARED),
            call(2, request_id="r2"),
            span(104, 3, "workflow", session_key=SHARED, environment="staging", **ids),
            call(4, session_key=SESSION),
            call(5, session_key=SHARED),
        ],
    )
    judged = {"evaluation_name": "e", "carrier": "span_event", "evaluated_at": at(13)}
    lake.evaluations(
        "a",
        [
            {**judged, "trace_id": f"{1:032x}", "span_id": f"{1:016x}"},
            {**judged, "trace_id": f"{1:032x}", "span_id": f"{102:016x}"},
            {**judged, "session_key": SESSION},
            {**judged, "session_key": SHARED},
        ],
    )
    escalation = {"escalated_at": at(13), "recorded_at": at(14)}
    lake.facts("escalations", "e", [{**escalation, "request_id": r} for r in ("r1", "r2")])
    return settings


def erase(settings: Settings, kind: SubjectKind = "user", key: str = USER) -> Receipt:
    subject = Subject(kind, key)
    return apply_erasure(settings, subject, plan_erasure(settings, subject, BEFORE).plan_id)


OUTCOMES = {"by_request": {"request_id": "r1"}, "by_run": {"trace_id": f"{3:032x}"},
            "by_conversation": {"session_key": SESSION}, "shared": {"session_key": SHARED},
            "of_another": {"trace_id": f"{2:032x}"}}  # fmt: skip


def with_outcomes(settings: Settings) -> Settings:
    """The same company with outcomes that name whatever they may; the codes say which."""
    rows = [{"request_id": None, "overridden_at": at(13), "recorded_at": at(14),
             "override_type": code, **ids} for code, ids in OUTCOMES.items()]  # fmt: skip
    TinyLake(settings).facts("overrides", "o", rows)
    return settings


def outcomes_left(settings: Settings) -> set[str]:
    table = next(t for t in lake_tables(settings) if t.name == "fact_overrides")
    return {str(row["override_type"]) for row in Lake(settings.lake_dir).read_rows(table)}


@pytest.mark.parametrize(
    ("kind", "key", "left"),
    [
        ("user", USER, {"shared", "of_another"}),
        ("session", SESSION, {"by_run", "shared", "of_another"}),
        ("session", SHARED, {"by_request", "by_conversation"}),
        # trace 1 and the conversation are the tenant's, and so is trace 3 of the shared one
        ("tenant", TENANT, {"of_another"}),
    ],
)
def test_outcomes_go_by_whatever_they_name(
    company: Settings, kind: SubjectKind, key: str, left: set[str]
) -> None:
    erase(with_outcomes(company), kind, key)
    assert outcomes_left(company) == left
    assert verify_erasures(company, BEFORE).n_came_back == 0


@pytest.mark.integration
@pytest.mark.slow
def test_outcomes_in_the_marts_go_by_whatever_they_name(company: Settings) -> None:
    build(with_outcomes(company), BEFORE)
    sql = "select outcome_code from marts.fct_business_outcomes where outcome_code is not null"
    with open_warehouse(company.warehouse_path, read_only=True) as warehouse:
        there = {row["outcome_code"] for row in warehouse.rows(sql)}
    # The other's run is also what the shared conversation had come to.
    assert there == {"by_request", "by_run", "by_conversation", "of_another"}
    erase(company)
    with open_warehouse(company.warehouse_path, read_only=True) as warehouse:
        left = {row["outcome_code"] for row in warehouse.rows(sql)}
    assert left == {"of_another"}


def spans_left(settings: Settings) -> set[int]:
    return {int(row["span_id"], 16) for row in Lake(settings.lake_dir).read_rows(SPANS)}


def hold(settings: Settings, tmp_path: Path, holds: str) -> Settings:
    """The same company with legal holds."""
    import shutil

    folder = tmp_path / "config"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(config_dir(settings.model_copy(update={"config_dir": None})), folder)
    text = (folder / "retention.yml").read_text()
    (folder / "retention.yml").write_text(text.replace("legal_holds: []", f"legal_holds: {holds}"))
    return settings.model_copy(update={"config_dir": folder})


def test_a_user_takes_traces_and_sessions_and_leaves_what_names_others(company: Settings) -> None:
    receipt = erase(company)
    assert spans_left(company) == {102, 103, 2, 5}
    evaluations = Lake(company.lake_dir).read_rows(EVALUATIONS)
    assert [(row["span_id"], row["session_key"]) for row in evaluations] == [
        (f"{102:016x}", None),
        (None, SHARED),
    ]
    counts = {finding.store: (finding.n_deleted, finding.n_left) for finding in receipt.stores}
    assert counts == {
        "lake/spans": (4, 0),
        "lake/evaluations": (2, 0),
        "lake/fact_escalations": (1, 0),
        "lake/spans (shared sessions)": (0, 1),
    }


def test_a_session_takes_its_own(company: Settings) -> None:
    erase(company, "session", SESSION)
    assert spans_left(company) == {103, 2, 104, 5}


def test_a_tenant_takes_everybody_of_theirs(company: Settings) -> None:
    erase(company, "tenant", TENANT)
    assert spans_left(company) == {103, 2, 4, 5}


def test_what_is_published_here_is_searched_when_it_is_published_elsewhere(
    company: Settings, tmp_path: Path
) -> None:
    elsewhere = company.model_copy(update={"publish_uri": (tmp_path / "bucket").as_uri()})
    texts = [tmp_path / "bucket" / "report.json", company.home / "published" / "report.json"]
    for text in texts:
        text.parent.mkdir(parents=True)
        text.write_text(f'{{"who": "{USER}"}}', encoding="utf-8")
    erase(elsewhere)
    assert [text.read_text(encoding="utf-8") for text in texts] == ['{"who": "erased"}'] * 2


def test_later_events_stay(company: Settings) -> None:
    subject = Subject("user", USER)
    plan = plan_erasure(company, subject, at(0))
    assert plan.findings == ()
    apply_erasure(company, subject, plan.plan_id)
    assert len(spans_left(company)) == 8
    assert load_tombstones(company) is not None


def test_a_legal_hold_wins_until_it_is_lifted(company: Settings, tmp_path: Path) -> None:
    held = hold(
        company,
        tmp_path,
        "[{name: c, environment: staging, from_date: 2026-10-12, to_date: 2026-10-12, reason: r}]",
    )
    receipt = erase(held)
    assert spans_left(held) == {102, 103, 2, 5, 104}
    (spans,) = [finding for finding in receipt.stores if finding.store == "lake/spans"]
    assert (spans.n_deleted, spans.n_left) == (3, 1)
    assert "legal hold" in spans.reason
    assert verify_erasures(held, BEFORE).n_left >= 1
    assert 104 in spans_left(held)
    # Of an unknown environment, and so held as well: an evaluation and an escalation.
    assert verify_erasures(company, BEFORE).n_came_back == 3
    assert 104 not in spans_left(company)


def test_a_crash_in_the_middle_is_finished_by_applying_again(
    company: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = Subject("user", USER)
    plan = plan_erasure(company, subject, BEFORE)
    real = erase_stores.ErasureStores.erase

    def stop_early(self: Any, quotes: Any) -> Any:
        yield next(real(self, quotes))
        raise OSError

    monkeypatch.setattr(erase_stores.ErasureStores, "erase", stop_early)
    with pytest.raises(OSError, match=r"^$"):
        apply_erasure(company, subject, plan.plan_id)
    monkeypatch.undo()
    receipt = apply_erasure(company, subject, plan.plan_id)
    assert sum(finding.n_deleted for finding in receipt.stores) == 7
    again = apply_erasure(company, subject, plan.plan_id)
    assert again.stores == receipt.stores


def test_a_plan_is_refused_for_another_subject_and_after_a_new_hold(
    company: Settings, tmp_path: Path
) -> None:
    subject = Subject("user", USER)
    with pytest.raises(ErasureError, match="no such plan"):
        apply_erasure(company, subject, "0123456789abcdef")
    plan = plan_erasure(company, subject, BEFORE)
    assert plan_erasure(company, subject, BEFORE) == plan
    with pytest.raises(ErasureError, match="made for another subject"):
        apply_erasure(company, Subject("user", OTHER), plan.plan_id)
    held = hold(
        company, tmp_path, "[{name: c, from_date: 2026-01-01, to_date: 2026-12-31, reason: r}]"
    )
    with pytest.raises(ErasureError, match="legal holds changed since"):
        apply_erasure(held, subject, plan.plan_id)
    path = company.home / "erasure" / "plans" / f"{plan.plan_id}.json"
    path.write_text(path.read_text().replace('"n_found": 4', '"n_found": 5'))
    with pytest.raises(ErasureError, match="content was changed"):
        apply_erasure(company, subject, plan.plan_id)
    assert len(spans_left(company)) == 8


def test_apply_fails_when_rows_are_still_there(
    company: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erase_stores.ErasureStores, "erase", lambda *_: iter(()))
    with pytest.raises(ErasureError, match=r"7 rows are still there, first in lake/"):
        erase(company)


def test_nothing_is_looked_for_before_anybody_was_erased(settings: Settings) -> None:
    bare = settings.model_copy(update={"pseudonym_key": None})
    assert verify_erasures(bare, BEFORE).n_erasures == 0
    assert load_tombstones(bare) is None


def test_command_plans_then_applies_and_never_repeats_the_id(
    company: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in company.as_environment().items():
        monkeypatch.setenv(name, value)
    run = CliRunner()
    planned = run.invoke(
        command, ["erase", "--subject", "-", "--before", "2026-10-14"], input=f"{USER}\n"
    )
    assert planned.exit_code == 0, planned.output
    assert "lake/spans: 4 would go" in planned.output
    assert len(spans_left(company)) == 8
    plan_id = planned.output.rsplit(maxsplit=1)[-1]
    done = run.invoke(command, ["erase", "--subject", USER, "--apply", plan_id])
    assert done.exit_code == 0, done.output
    assert "lake/spans: 4 went" in done.output
    assert "left: the bucket that is landed from" in done.output
    both = run.invoke(
        command, ["erase", "--subject", USER, "--apply", plan_id, "--before", "2026-10-14"]
    )
    assert both.exit_code == 2
    nobody = run.invoke(command, ["erase", "--subject", "user:jane-4711", "--before", "2026-10-14"])
    assert "nothing was found" in nobody.output
    assert "jane" not in nobody.output
    texts = b"".join(p.read_bytes() for p in (company.home / "erasure").rglob("*") if p.is_file())
    assert b"jane" not in texts
    assert USER.encode() not in texts


def test_findings_of_several_attempts_add_up() -> None:
    parts = [Finding("a", 3, 1, "held", 3), Finding("a", 2, 0, "", 2), Finding("b", 1, 0, "", 1)]
    assert add_up(parts) == (Finding("a", 5, 0, "", 5), Finding("b", 1, 0, "", 1))


def test_a_database_that_cannot_be_rewritten_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute("create table t as select 1 as a")
    before = path.read_bytes()
    with duckdb.connect() as connection:
        attach(connection, path, "old")
        with pytest.raises(duckdb.BinderException):
            rewrite_attached(connection, path, "old", {"main.t": TableChange(drop="no_column = 1")})
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.duckdb"]


def test_a_rewritten_database_holds_nothing_of_what_was_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute("create table t as select i, 'planted ' || i as b from range(9) r(i)")
        made.execute("create view v as select count(*) as n from t")
    with duckdb.connect() as connection:
        attach(connection, path, "old")
        rewrite_attached(connection, path, "old", {"main.t": TableChange(drop="i = 4")})
    data = path.read_bytes()
    assert b"planted 4" not in data
    assert b"planted 5" in data
    with duckdb.connect(str(path), read_only=True) as opened:
        assert opened.execute("from v").fetchall() == [(8,)]


def test_a_day_of_time_is_enough_to_tell_old_from_new(company: Settings) -> None:
    erase(company)
    lake = TinyLake(company)
    new = BEFORE + timedelta(hours=1)
    lake.spans("new", [call(9, user_key=USER, started_at=new, session_key=SESSION)])
    lake.spans("newer", [call(10, session_key=SESSION, started_at=new)])
    assert verify_erasures(company, BEFORE).n_came_back == 0
    lake.spans("old", [call(11, user_key=USER)])
    assert verify_erasures(company, BEFORE).n_came_back == 1
    assert spans_left(company) == {102, 103, 2, 5, 9, 10}
