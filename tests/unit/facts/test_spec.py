"""The packaged facts, and what a fact file may say."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.columns import Privacy
from include.freezeline.errors import ConfigError
from include.freezeline.facts.spec import FactSpec, fact_table, load_fact_specs

_CONFIG_DIR = Path(str(files("include").joinpath("config")))
_GOOD = """
name: refunds
description: One row per refund.
prefix: facts/refunds/
maturity_h: 24
columns:
  - {name: request_id, type: string, role: key, description: Request.}
  - {name: refunded_at, type: timestamp, role: event_time, description: When.}
  - {name: recorded_at, type: timestamp, role: arrival_time, description: Known when.}
"""


def _specs(tmp_path: Path, text: str, name: str = "refunds") -> tuple[FactSpec, ...]:
    folder = tmp_path / "facts"
    folder.mkdir()
    (folder / f"{name}.yml").write_text(text)
    return load_fact_specs(tmp_path)


def test_packaged_facts_have_tables_with_keys_clocks_and_sources() -> None:
    specs = load_fact_specs(_CONFIG_DIR)
    assert [spec.name for spec in specs] == [
        "client_outcomes",
        "conversions",
        "escalations",
        "experiment_buckets",
        "invoice_lines",
        "overrides",
        "subscription_tiers",
    ]
    for spec in specs:
        table = fact_table(spec)
        assert table.name == f"fact_{spec.name}"
        names = arrow_schema(table).names
        assert {"recorded_at", "source_object", "arrived_at", spec.event_time_column} <= set(names)


def test_ids_of_people_become_pseudonym_columns() -> None:
    tables = {spec.name: fact_table(spec) for spec in load_fact_specs(_CONFIG_DIR)}
    assert tables["subscription_tiers"].column("tenant_key").privacy is Privacy.PSEUDONYM
    assert tables["experiment_buckets"].column("user_key").privacy is Privacy.PSEUDONYM
    assert tables["escalations"].column("reason_code").privacy is Privacy.TEXT


def test_new_fact_is_one_file(tmp_path: Path) -> None:
    (spec,) = _specs(tmp_path, _GOOD)
    assert fact_table(spec).key == ("request_id", "refunded_at", "recorded_at")


def test_no_facts_when_the_folder_is_missing(tmp_path: Path) -> None:
    assert load_fact_specs(tmp_path) == ()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("maturity_h: 24", "maturity_h: -1", "maturity_h"),
        ("maturity_h: 24", "maturity: 24", "unknown key|required but missing"),
        ("role: event_time", "role: value", "one event_time"),
        ("role: key", "role: kee", r"columns\.0\.role"),
        ("type: string", "type: text", r"columns\.0\.type"),
        ("name: recorded_at", "name: refunded_at", "unique"),
        ("name: request_id", "name: source_object", "our own"),
        ("type: string", "type: string, pseudonym: tenant", "output tenant_key"),
        ("prefix: facts/refunds/", "prefix: facts/refunds", "prefix"),
        ("name: refunds", "name: refund", "rename the file"),
    ],
)
def test_config_error_names_file_and_field_when_a_fact_is_wrong(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    assert before in _GOOD
    with pytest.raises(ConfigError, match=message) as caught:
        _specs(tmp_path, _GOOD.replace(before, after, 1))
    assert "refunds.yml" in str(caught.value)


_SUBJECTS = _GOOD.replace("role: key", "role: subject") + (
    "  - {name: chat, output: session_key, type: string, role: subject, pseudonym: session, "
    "description: Conversation.}\n"
)


def test_subjects_are_nullable_and_packaged_ones_are_lent_to_an_own_fact(tmp_path: Path) -> None:
    (spec,) = _specs(tmp_path, _SUBJECTS)
    table = fact_table(spec)
    assert [table.column(name).nullable for name in ("request_id", "session_key")] == [True, True]
    assert table.column("session_key").privacy is Privacy.PSEUDONYM
    assert spec.subject_ids == ("request_id", "conversation_id")
    assert spec.delivered_by == ("request_id",)
    (packaged,) = [s for s in load_fact_specs(_CONFIG_DIR) if s.name == "escalations"]
    assert packaged.subject_ids == ("request_id", "run_id", "conversation_id")
    lent = [c.output_name for c in spec.with_subjects_of(packaged).columns]
    assert lent == ["request_id", "refunded_at", "recorded_at", "session_key", "trace_id"]


def test_own_fact_of_requests_alone_keeps_its_key(tmp_path: Path) -> None:
    (spec,) = _specs(tmp_path, _GOOD)
    (packaged,) = [s for s in load_fact_specs(_CONFIG_DIR) if s.name == "escalations"]
    lent = fact_table(spec.with_subjects_of(packaged))
    assert not lent.column("request_id").nullable
    assert {"session_key", "trace_id"} <= set(lent.column_names)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("role: subject, pseudonym: session", "role: subject", "pseudonym session"),
        ("output: session_key, ", "", "output session_key"),
        ("output: session_key", "output: user_key", "session_key"),
        ("name: request_id, type: string", "name: request_id, type: int64", "a subject is a str"),
        ("role: subject", "role: subject, is_required: true", "role: key where every row has it"),
        ("name: request_id", "name: order_id", "a subject is a string"),
        ("maturity_h: 24", "delivered_by: [run_id]\nmaturity_h: 24", "got run_id"),
        ("maturity_h: 24", "delivered_by: []\nmaturity_h: 24", "delivered_by"),
        ("maturity_h: 24", "delivered_by: [chat]\nmaturity_h: 24", r"delivered_by\.0"),
        (
            "maturity_h: 24",
            "delivered_by: [request_id, request_id]\nmaturity_h: 24",
            "different ids",
        ),
        (
            "  - {name: request_id, type: string, role: subject, description: Request.}\n",
            "",
            r"got request_id \(write some of conversation_id\)",
        ),
    ],
)
def test_config_error_says_what_a_subject_may_be(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    assert before in _SUBJECTS
    with pytest.raises(ConfigError, match=message):
        _specs(tmp_path, _SUBJECTS.replace(before, after, 1))


def test_schema_file_equals_the_model() -> None:
    path = _CONFIG_DIR / "schema" / "fact.schema.json"
    wanted = json.dumps(FactSpec.model_json_schema(), indent=2, sort_keys=True) + "\n"
    assert path.read_text() == wanted, f"write this to {path.name}:\n{wanted}"
