"""Sealing while landing, reading against an audit row, and the end of it all."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.freezeline.adapters.audit_log import audit_log
from include.freezeline.adapters.key_files import KeyFiles, key_files
from include.freezeline.adapters.lake import Lake
from include.freezeline.contracts.lake import SPANS
from include.freezeline.contracts.lake_sealed import SEALED
from include.freezeline.errors import BreakGlassError, ConfigError, EmptyNightError
from include.freezeline.jobs.break_glass import list_keys, read_originals, rewrap_keys
from include.freezeline.jobs.expire_originals import expire_originals
from include.freezeline.jobs.land import land
from include.freezeline.sealing.cipher import DayCipher, MasterKey
from include.freezeline.sealing.policy import load_break_glass_policy
from include.freezeline.sealing.sealer import identity_of
from include.freezeline.settings import Settings
from tests.unit.landing.bucket import content
from tests.unit.sealing.company import (
    AS_OF,
    ASKED,
    DENIED,
    HEALTH,
    MASTER,
    NEW_MASTER,
    PLAIN,
    RAW,
    landed,
    request,
    sealed_rows,
    sealing,
    write_company,
)

AFTER = AS_OF + timedelta(days=8)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The company, landed once."""
    folder = tmp_path_factory.mktemp("sealing")
    given = {"home": folder / "home", "source_uri": (folder / "bucket").as_uri()}
    return landed(Settings.model_validate({**given, "pseudonym_key": "test-key"}), folder)


@pytest.fixture
def company(origin: Settings, tmp_path: Path) -> Settings:
    """A copy of it."""
    shutil.copytree(origin.home, tmp_path / "home")
    shutil.copytree(str(origin.config_dir), tmp_path / "config")
    places = {"home": tmp_path / "home", "config_dir": tmp_path / "config"}
    return origin.model_copy(update=places)


def hold(settings: Settings, *holds: dict[str, Any]) -> None:
    """Put legal holds into the retention policy."""
    path = Path(str(settings.config_dir)) / "retention.yml"
    document = yaml.safe_load(path.read_text()) | {"legal_holds": list(holds)}
    path.write_text(yaml.safe_dump(document))


CASE = {"name": "case-1", "from_date": "2026-10-13", "to_date": "2026-10-13", "reason": "dispute"}


def test_off_by_default_and_then_nothing_is_sealed(settings: Settings) -> None:
    write_company(settings)
    land(settings, AS_OF)
    assert not (settings.lake_dir / SEALED.name).exists()
    assert not key_files(settings).root.exists()


def test_only_what_the_policy_and_consent_allow_is_sealed(company: Settings) -> None:
    rows = sealed_rows(company)
    assert {row["trace_id"] for row in rows} == {ASKED.trace_id}
    assert {row["source_table"] for row in rows} == {"spans", "evaluations"}
    assert {row["key_name"] for row in rows} == {"2026-10-13"}
    landed_traces = {row["trace_id"] for row in Lake(company.lake_dir).read_rows(SPANS)}
    assert {PLAIN.trace_id, DENIED.trace_id, HEALTH.trace_id} <= landed_traces


def test_everything_in_scope_is_sealed_when_asked_for(settings: Settings, tmp_path: Path) -> None:
    company = landed(settings, tmp_path, only_where_replaced=False, scope={})
    traces = {row["trace_id"] for row in sealed_rows(company)}
    assert traces == {ASKED.trace_id, PLAIN.trace_id, HEALTH.trace_id}


def test_no_byte_below_home_holds_an_original(company: Settings) -> None:
    assert sealed_rows(company)
    for path in company.home.rglob("*"):
        if path.is_file():
            assert RAW.encode() not in path.read_bytes(), path
    assert RAW not in str(sealed_rows(company))


def test_landing_again_gives_the_same_bytes(company: Settings) -> None:
    before = content(company)
    assert any(name.startswith("sealed/") for name in before)
    shutil.rmtree(company.lake_dir)
    land(company, AS_OF, is_full=True)
    assert content(company) == before


def test_read_writes_the_audit_row_and_gives_the_text(company: Settings) -> None:
    result = read_originals(company, request())
    texts = [o.texts.get("input_text") for o in result.originals if o.source_table == "spans"]
    assert ASKED.text in texts
    (event,) = audit_log(company).events()
    assert (event["person"], event["ticket"], event["read_trace_id"]) == (
        "ana@example.org", "INC-17", ASKED.trace_id,
    )  # fmt: skip
    assert event["text_count"] == sum(len(original.texts) for original in result.originals) > 0
    assert RAW not in audit_log(company).path.read_text()
    assert RAW not in repr(result)


def test_a_read_of_nothing_leaves_a_row_too(company: Settings) -> None:
    assert read_originals(company, request(DENIED.trace_id)).originals == ()
    assert [event["text_count"] for event in audit_log(company).events()] == [0]


def test_nothing_is_read_when_the_audit_row_cannot_be_written(company: Settings) -> None:
    audit_log(company).path.parent.parent.mkdir(exist_ok=True)
    audit_log(company).path.parent.write_text("not a folder")
    with pytest.raises(BreakGlassError, match="no original is read without a row"):
        read_originals(company, request())


def test_nothing_is_read_when_the_log_was_changed(company: Settings) -> None:
    for _ in range(2):
        read_originals(company, request())
    path = audit_log(company).path
    path.write_text(path.read_text().replace("ana@example.org", "bob@example.org", 1))
    with pytest.raises(BreakGlassError, match="row 1 does not follow"):
        read_originals(company, request())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reason": ""}, "--reason: 0 characters"),
        ({"reason": "testing testing testing"}, "--reason: 0 telling words"),
        ({"reason": "xxxxxxxxxxxxxxxxxxxxxxxxxxxx"}, "--reason: 0 telling words"),
        ({"reason": f"why does {RAW} get this answer"}, "--reason: holds EMAIL"),
        ({"reason": "a reason that\nbreaks its only line"}, "on one line"),
        ({"ticket": "none"}, "--ticket: got 'none'"),
        ({"person": "me"}, "--person: got 'me'"),
        ({"person": "ana@example.org\x1b[2J"}, "--person"),
    ],
)
def test_requests_that_say_nothing_are_refused_without_a_row(
    company: Settings, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(BreakGlassError) as caught:
        read_originals(company, request(**changes))
    assert message in str(caught.value)
    assert RAW not in str(caught.value)
    assert audit_log(company).events() == []


def test_after_expiry_nothing_that_is_left_opens_a_copy(company: Settings, tmp_path: Path) -> None:
    """Somebody copied the sealed files in time; the keys, the master key and the files are left."""
    rows = sealed_rows(company)
    summary = expire_originals(company, AFTER)
    assert (summary.n_destroyed, summary.n_rows) == (1, len(rows))
    assert sealed_rows(company) == []
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    candidates = [MASTER.encode(), *(left[i : i + 64] for i in range(0, len(left) - 64, 997))]
    key = key_files(company).find("2026-10-13")
    assert key is not None
    assert key.wrapped_key is None
    for row in rows:
        for candidate in candidates:
            with pytest.raises(BreakGlassError):
                DayCipher(candidate.ljust(64)[:64]).open(row["ciphertext"], identity_of(row))
    with pytest.raises(BreakGlassError, match="destroyed as of 2026-10-22"):
        key_files(company).open("2026-10-13", MasterKey(MASTER))


def test_expiry_is_proven_once_and_by_a_run_after_one_that_was_cut_off(company: Settings) -> None:
    (key,) = key_files(company).all()
    key_files(company).destroy(key, AFTER, "7 days are over", text_count=5, row_count=2)
    assert audit_log(company).events() == []
    for _ in range(2):
        expire_originals(company, AFTER)
    (proof,) = audit_log(company).events()
    assert (proof["event_kind"], proof["key_name"], proof["key_id"], proof["row_count"]) == (
        "key_destroyed", "2026-10-13", key.key_id, 2,
    )  # fmt: skip


def test_a_destroyed_key_does_not_come_back_by_landing_again(company: Settings) -> None:
    expire_originals(company, AFTER)
    shutil.rmtree(company.lake_dir)
    land(company, AS_OF, is_full=True)  # a backfill says that it is still that night
    assert sealed_rows(company) == []
    assert [state.key.is_destroyed for state in list_keys(company)] == [True]


def test_days_that_are_over_are_not_sealed_at_all(settings: Settings, tmp_path: Path) -> None:
    company = sealing(settings, tmp_path)
    write_company(company)
    with pytest.raises(EmptyNightError):  # nothing came that night; the old objects have landed
        land(company, AFTER, is_full=True)
    assert Lake(company.lake_dir).read_rows(SPANS)
    assert sealed_rows(company) == []


@pytest.mark.parametrize(("days", "is_open"), [(7, True), (8, False)])
def test_time_ends_reading_even_when_nobody_expired_the_key(
    company: Settings, days: int, is_open: bool
) -> None:
    at = AS_OF - timedelta(days=1) + timedelta(days=days, hours=23)
    result = read_originals(company, request(at=at))
    assert bool(result.originals) is is_open
    assert bool(result.n_expired) is not is_open
    assert expire_originals(company, at).n_destroyed == (not is_open)


def test_expiry_works_without_master_key_and_with_the_feature_off(company: Settings) -> None:
    path = Path(str(company.config_dir)) / "break_glass.yml"
    path.write_text(path.read_text().replace("enabled: true", "enabled: false"))
    assert expire_originals(company.model_copy(update={"break_glass_key": None}), AFTER).n_rows


def test_a_legal_hold_keeps_its_rows_until_it_is_lifted(company: Settings) -> None:
    rows = sealed_rows(company)
    hold(company, CASE)
    assert expire_originals(company, AFTER).n_held == len(rows)
    held = read_originals(company, request(at=AFTER))
    assert ASKED.text in [original.texts.get("input_text") for original in held.originals]
    assert expire_originals(company, AFTER).n_destroyed == 0
    with pytest.raises(BreakGlassError):  # the day's own key is gone
        key_files(company).open("2026-10-13", MasterKey(MASTER))
    shutil.rmtree(company.lake_dir)
    land(company, AS_OF, is_full=True)
    assert read_originals(company, request(at=AFTER)).originals == held.originals
    hold(company)
    assert expire_originals(company, AFTER).n_rows == len(rows)
    assert read_originals(company, request(at=AFTER)).originals == ()
    assert not list((company.home / "cold").rglob("*.parquet"))


def test_a_hold_without_master_key_does_not_keep_other_days(company: Settings) -> None:
    hold(company, CASE)
    other = AS_OF.date()  # comes after the held day
    key_files(company).open_or_make(other.isoformat(), other, MasterKey(MASTER))
    with pytest.raises(ConfigError, match="FREEZELINE_BREAK_GLASS_KEY"):
        expire_originals(company.model_copy(update={"break_glass_key": None}), AFTER)
    states = {key.key_name: key.is_destroyed for key in key_files(company).all()}
    assert states == {other.isoformat(): True, "2026-10-13": False}
    assert len(audit_log(company).events()) == 1


def test_a_hold_of_another_environment_keeps_nothing(company: Settings) -> None:
    hold(company, {**CASE, "environment": "staging"})
    summary = expire_originals(company, AFTER)
    assert (summary.n_held, summary.n_destroyed) == (0, 1)


def test_rotation_wraps_keys_and_the_old_master_key_opens_nothing(
    company: Settings, tmp_path: Path
) -> None:
    new = tmp_path / "new.key"
    new.write_text(NEW_MASTER + "\n")
    for n_done in (1, 0):
        assert rewrap_keys(company, new, request().by) == n_done
    with pytest.raises(BreakGlassError, match="cannot be unwrapped"):
        read_originals(company, request())
    rotated = company.model_copy(update={"break_glass_key": None, "break_glass_key_path": new})
    assert read_originals(rotated, request()).originals
    assert [e["event_kind"] for e in audit_log(company).events()] == [
        "keys_rewrapped", "keys_rewrapped", "read", "read",
    ]  # fmt: skip


def test_a_row_moved_to_another_record_is_refused(company: Settings) -> None:
    lake = Lake(company.lake_dir)
    (file,) = lake.files(SEALED.name)
    rows = sealed_rows(company)
    lake.write_rows(SEALED, [row | {"source_offset": 99} for row in rows], file.path)
    with pytest.raises(BreakGlassError, match="cannot be opened"):
        read_originals(company, request())


def test_landing_without_a_master_key_lands_nothing(settings: Settings, tmp_path: Path) -> None:
    company = sealing(settings, tmp_path).model_copy(update={"break_glass_key": None})
    write_company(company)
    with pytest.raises(ConfigError, match="FREEZELINE_BREAK_GLASS_KEY"):
        land(company, AS_OF)
    assert Lake(company.lake_dir).read_rows(SPANS) == []


@pytest.mark.parametrize("place", ["lake/keys", "snapshots", "published/keys"])
def test_keys_may_not_lie_where_copies_are_made(settings: Settings, place: str) -> None:
    wrong = settings.model_copy(update={"break_glass_key_dir": settings.home / place})
    with pytest.raises(ConfigError, match="FREEZELINE_BREAK_GLASS_KEY_DIR"):
        key_files(wrong)


def test_two_workers_make_one_key(tmp_path: Path) -> None:
    master = MasterKey(MASTER)
    first = KeyFiles(tmp_path).open_or_make("2026-10-13", AS_OF.date(), master)
    assert KeyFiles(tmp_path).open_or_make("2026-10-13", AS_OF.date(), master) == first
    KeyFiles(tmp_path)._make("2026-10-13", AS_OF.date(), master)
    assert KeyFiles(tmp_path).open("2026-10-13", master) == first
    assert [path.name for path in tmp_path.iterdir()] == ["2026-10-13.json"]


@hypothesis_settings(max_examples=25, deadline=None)
@given(ages=st.lists(st.integers(0, 40), unique=True, max_size=8), days=st.integers(1, 30))
def test_exactly_the_keys_of_days_that_are_over_are_destroyed(
    tmp_path_factory: pytest.TempPathFactory, ages: list[int], days: int
) -> None:
    folder = tmp_path_factory.mktemp("keys")
    home = Settings.model_validate({"home": folder / "home", "break_glass_key": MASTER})
    settings = sealing(home, folder, lifetime_days=days)
    for age in ages:
        day = (AS_OF - timedelta(days=age)).date()
        key_files(settings).open_or_make(day.isoformat(), day, MasterKey(MASTER))
    summary = expire_originals(settings, AS_OF)
    gone = {key.key_date for key in key_files(settings).all() if key.is_destroyed}
    assert gone == {(AS_OF - timedelta(days=age)).date() for age in ages if age > days}
    assert (summary.n_destroyed, summary.n_open) == (len(gone), len(ages) - len(gone))
    assert len(audit_log(settings).events()) == len(gone)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lifetime_days": 31}, "lifetime_days: must be at most 30, got 31 (write 30 or less)"),
        ({"scope": {"environment": []}}, "scope.environment: unknown key"),
        ({"enabled": None}, "enabled: must be true or false, got nothing"),
    ],
)
def test_policy_says_what_is_wrong(
    settings: Settings, tmp_path: Path, wrong: dict[str, Any], message: str
) -> None:
    changed = sealing(settings, tmp_path, **wrong)
    with pytest.raises(ConfigError) as caught:
        load_break_glass_policy(Path(str(changed.config_dir)))
    assert message in str(caught.value)


def test_log_rows_are_numbered_and_chained(company: Settings) -> None:
    for _ in range(3):
        read_originals(company, request())
    lines = audit_log(company).path.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["event_index"] for event in events] == [1, 2, 3]
    assert events[1]["previous_hash"] == events[0]["event_hash"]
    audit_log(company).path.write_text("\n".join([lines[0], lines[2]]) + "\n")
    with pytest.raises(BreakGlassError, match="row 2 does not follow"):
        audit_log(company).events()
