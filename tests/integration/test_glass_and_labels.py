"""From the bucket to people: sealed originals with their audit mart, and an exported sample."""

import io
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from include.freezeline.adapters.export_register import export_register
from include.freezeline.adapters.object_store import ObjectStore, open_store
from include.freezeline.adapters.tombstone_files import tombstone_dir
from include.freezeline.adapters.warehouse import (
    latest_snapshot,
    open_warehouse,
    publish_snapshot,
)
from include.freezeline.cli.main import command, main
from include.freezeline.erasure.receipt import Receipt
from include.freezeline.erasure.subject import parse_subject
from include.freezeline.errors import LabellingError
from include.freezeline.hashing import bytes_sha256
from include.freezeline.jobs.break_glass import read_originals
from include.freezeline.jobs.build import build
from include.freezeline.jobs.erase import apply_erasure, plan_erasure
from include.freezeline.jobs.label_exports import (
    ExportRequest,
    ExportSummary,
    estimate_from_labels,
    expire_samples,
    export_sample,
)
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings
from tests.integration.erasable import Turn, everything_below, otlp
from tests.unit.landing.bucket import trace_key, write
from tests.unit.sealing.company import AS_OF, RAW, request, sealing

pytestmark = [pytest.mark.integration, pytest.mark.slow]

VICTIM = "mallory-4711"
THEIRS = Turn(1, VICTIM, "s-1", f"planted, mail {RAW}")
CROWD = [Turn(10 + n, f"crowd-{n}", f"c-{n}", f"harmless {n}") for n in range(12)]
DENIED = [Turn(40 + n, f"private-{n}", f"d-{n}", "unseen") for n in range(3)]
NAMES = ("sample.jsonl", "sample.parquet", "manifest.json")


def said(turns: list[Turn], consent: str, feature: str) -> bytes:
    """Traces whose spans state a consent and a feature."""
    stated = {"app.consent": consent, "app.feature": feature}
    more = [{"key": name, "value": {"stringValue": value}} for name, value in stated.items()]
    return otlp(
        *(
            {**span, "attributes": [*span["attributes"], *more]}
            for turn in turns
            for span in turn.spans()
        )
    )


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Landed with originals sealed, one of them read, built and published."""
    folder = tmp_path_factory.mktemp("glass")
    given = {"home": folder / "home", "source_uri": (folder / "bucket").as_uri()}
    settings = sealing(Settings.model_validate({**given, "pseudonym_key": "test-key"}), folder)
    write(settings, trace_key("a"), said([THEIRS, *CROWD], "granted", "chat"))
    write(settings, trace_key("b"), said(DENIED, "denied", "diary"))
    path = Path(str(settings.config_dir)) / "labelling.yml"
    policy = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(policy | {"strata": ["feature"], "size": 20}))
    land(settings, AS_OF)
    assert read_originals(
        settings, request(THEIRS.trace_id, at=AS_OF - timedelta(hours=1))
    ).originals
    build(settings, AS_OF)
    publish_snapshot(settings, AS_OF)
    return settings


@pytest.fixture
def copy(company: Settings, tmp_path: Path) -> Settings:
    """A copy of it that a test may change, without what other tests exported."""
    others = shutil.ignore_patterns("labels", "labelling")
    shutil.copytree(company.home, tmp_path / "home", ignore=others)
    return company.model_copy(update={"home": tmp_path / "home"})


def rows(settings: Settings, sql: str) -> list[dict[str, Any]]:
    with open_warehouse(latest_snapshot(settings), read_only=True) as warehouse:
        return warehouse.rows(sql)


def exported(settings: Settings, **changes: Any) -> tuple[ExportSummary, ObjectStore]:
    summary = export_sample(settings, ExportRequest(AS_OF, seed=7, **changes))
    return summary, open_store(summary.uri, settings)


def sampled(store: ObjectStore) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store.read_bytes("sample.jsonl").splitlines()]


def erased(settings: Settings) -> Receipt:
    subject = parse_subject(f"user:{VICTIM}", b"test-key")
    planned = plan_erasure(settings, subject, AS_OF + timedelta(hours=9))
    receipt = apply_erasure(settings, subject, planned.plan_id)
    assert {f.store: f.n_found for f in planned.findings} == {
        f.store: f.n_deleted for f in receipt.stores
    }
    return receipt


def test_people_can_query_who_read_what_and_why(company: Settings) -> None:
    (event,) = rows(company, "select * from marts.fct_break_glass_events")
    assert (event["person"], event["ticket"], event["read_trace_id"], event["event_kind"]) == (
        "ana@example.org", "INC-17", THEIRS.trace_id, "read",
    )  # fmt: skip
    assert event["text_count"] > 0


def test_neither_keys_nor_originals_are_in_snapshots_or_what_is_published(
    company: Settings,
) -> None:
    exported(company)
    folders = [company.snapshot_dir, company.home / "published", company.home / "warehouse"]
    (key_file,) = (company.home / "keys" / "break_glass").iterdir()
    wrapped = json.loads(key_file.read_text())["wrapped_key"]
    for folder in folders:
        data = b"".join(everything_below(folder).values())
        assert data
        for hidden in (RAW.encode(), wrapped.encode(), bytes.fromhex(wrapped), b"ciphertext"):
            assert hidden not in data
        assert not list(folder.rglob("*sealed*"))


def test_only_consented_redacted_calls_are_exported_with_their_weights(company: Settings) -> None:
    summary, store = exported(company, size=9)
    assert (summary.n_calls, summary.n_eligible, summary.n_sampled) == (16, 13, 9)
    assert summary.excluded == {"consent_denied": 3}
    assert summary.strata_sampled == {'{"feature": "chat"}': 9, '{"feature": "diary"}': 0}
    assert any("nothing of" in line and "diary" in line for line in summary.lines())
    lines = sampled(store)
    assert {line["label_weight"] for line in lines} == {13 / 9}
    assert not {"user_key", "session_key", "tenant_key"} & set(lines[0])
    everything = b"".join(store.read_bytes(name) for name in NAMES)
    assert RAW.encode() not in everything
    assert b"unseen" not in everything
    table = pq.read_table(io.BytesIO(store.read_bytes("sample.parquet"))).to_pylist()
    assert [row["call_key"] for row in table] == [line["call_key"] for line in lines]
    manifest = json.loads(store.read_bytes("manifest.json"))
    assert {s["stratum"]: s["n_sampled"] for s in manifest["strata"]} == summary.strata_sampled
    for name, about in manifest["files"].items():
        assert about["sha256"] == bytes_sha256(store.read_bytes(name))


def test_the_same_arguments_give_the_same_bytes_and_others_do_not(copy: Settings) -> None:
    first, store = exported(copy, size=5)
    before = [store.read_bytes(name) for name in NAMES]
    again, _ = exported(copy, size=5)
    assert again == first
    assert [store.read_bytes(name) for name in NAMES] == before
    other = export_sample(copy, ExportRequest(AS_OF, seed=8, size=5))
    assert other.sample_sha256 != first.sample_sha256
    assert other.uri != first.uri


def test_labels_come_back_as_a_rate(company: Settings, tmp_path: Path) -> None:
    summary, store = exported(company)
    lines = [
        f"{row['call_key']},{'yes' if n < 3 else 'no'}" for n, row in enumerate(sampled(store))
    ]
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(["call_key,label", *lines]) + "\n")
    result = estimate_from_labels(company, summary.uri, labels)
    assert result.value == pytest.approx(3 / 13)
    given = ["estimate-labels", "--sample", summary.uri, "--labels", str(labels)]
    done = CliRunner().invoke(command, given, env=environment(company))
    assert "rate 0.2308, 95% interval 0.2308 to 0.2308" in done.output


def test_erasure_takes_rows_out_of_every_file_of_every_place(
    copy: Settings, tmp_path: Path
) -> None:
    here, store = exported(copy)
    elsewhere, other = exported(copy, to_uri=(tmp_path / "team").as_uri())
    foreign = tmp_path / "team" / "notes.json"
    foreign.write_text(json.dumps({"trace": THEIRS.trace_id}))
    receipt = erased(copy)
    found = {finding.store: finding.n_deleted for finding in receipt.stores}
    prefix = here.uri.partition("/published/")[2]
    places = [f"published/{prefix}", f"exported {(tmp_path / 'team').as_uri()}/{prefix}"]
    for place in places:
        for name in ("sample.jsonl", "sample.parquet"):
            assert found[f"{place}/{name}"] == 1
    assert found["lake/sealed"] > 0
    for place in (store, other):
        everything = b"".join(place.read_bytes(name) for name in NAMES)
        assert b"planted" not in everything
        assert THEIRS.trace_id.encode() not in everything
        manifest = json.loads(place.read_bytes("manifest.json"))
        assert manifest["n_erased"] == 1
        assert {f["n_rows"] for f in manifest["files"].values()} == {12}
        for name, about in manifest["files"].items():
            assert about["sha256"] == bytes_sha256(place.read_bytes(name))
    assert THEIRS.trace_id in foreign.read_text()  # theirs, and not ours to change
    assert "rows of the break-glass audit log" in {item["name"] for item in receipt.may_stay}
    labels = tmp_path / "labels.csv"
    keys = [row["call_key"] for row in sampled(store)]
    labels.write_text("\n".join(["call_key,label", *(f"{key},no" for key in keys)]))
    assert estimate_from_labels(copy, here.uri, labels).value == 0.0
    assert elsewhere.n_sampled == 13


def test_erased_people_are_not_drawn_from_a_snapshot_that_still_has_them(copy: Settings) -> None:
    snapshot = latest_snapshot(copy)
    before = snapshot.read_bytes()
    erased(copy)
    assert list(tombstone_dir(copy).glob("*.parquet"))
    snapshot.chmod(0o644)
    snapshot.write_bytes(before)  # restored from a copy by somebody who did not know
    summary, store = exported(copy)
    assert summary.excluded == {"consent_denied": 3, "erased": 1}
    assert THEIRS.trace_id not in {row["trace_id"] for row in sampled(store)}


def test_samples_are_deleted_when_their_days_are_over(copy: Settings, tmp_path: Path) -> None:
    for place in (None, (tmp_path / "team").as_uri()):
        exported(copy, to_uri=place)
    (tmp_path / "team" / "notes.txt").write_text("ours")
    assert expire_samples(copy, AS_OF + timedelta(days=30)).n_deleted == 0
    done = expire_samples(copy, AS_OF + timedelta(days=31))
    assert (done.n_deleted, done.n_kept) == (2, 0)
    assert export_register(copy).all() == []
    left = [*(copy.home / "published").rglob("*"), *(tmp_path / "team").rglob("*")]
    assert [path.name for path in left if path.is_file()] == ["notes.txt"]


def test_a_night_without_snapshot_is_an_error_that_names_the_others(company: Settings) -> None:
    with pytest.raises(LabellingError, match="there are 2026-10-14T000000Z"):
        export_sample(company, ExportRequest(AS_OF - timedelta(days=1), seed=1))


def environment(settings: Settings) -> dict[str, str]:
    return settings.as_environment()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export-labels", "--seed", "1", "--as-of", "soon"], "not an ISO 8601 time"),
        (["export-labels", "--as-of", "2026-10-14"], "--seed"),
        (["export-labels", "--seed", "1", "--size", "0"], "--size"),
        (
            ["export-labels", "--seed", "1", "--as-of", "2026-10-14", "--strata", "user_key"],
            "'user_key' cannot cut strata",
        ),
        (
            ["export-labels", "--seed", "1", "--as-of", "2026-10-14", "--to", "ftp://x"],
            "not a store",
        ),
        (["estimate-labels", "--sample", "file:///nowhere", "--labels", "x"], "/nowhere"),
    ],
)
def test_commands_say_what_is_wrong(
    company: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    for name, value in environment(company).items():
        monkeypatch.setenv(name, value)
    assert main(arguments) in (1, 2)
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
