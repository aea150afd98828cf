"""The dbt project itself: unit tests, agreement with the contracts, generated docs."""

from datetime import UTC, datetime

import pytest
import yaml

from include.freezeline.adapters.dbt import project_dir, run_dbt_build
from include.freezeline.contracts.columns import Privacy
from include.freezeline.contracts.lake import SPANS
from include.freezeline.jobs.build import build, dbt_variables, lake_tables
from include.freezeline.jobs.document import render_lake_doc, render_warehouse_doc
from include.freezeline.settings import Settings

PROJECT = project_dir()
AS_OF = datetime(2026, 10, 13, tzinfo=UTC)


@pytest.mark.integration
@pytest.mark.slow
def test_unit_tests_of_the_models_pass(settings: Settings) -> None:
    build(settings, AS_OF)
    summary = run_dbt_build(settings, dbt_variables(settings, AS_OF), has_unit_tests=True)
    declared = {
        test["name"]
        for path in PROJECT.glob("models/**/_*__unit_tests.yml")
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["unit_tests"]
    }
    assert len(declared) >= 10
    assert declared <= set(summary.seconds_by_node), "a unit test did not run"


def test_outcomes_settle_when_the_slower_of_the_bad_ones_is_mature(settings: Settings) -> None:
    assert dbt_variables(settings, AS_OF)["outcome_maturity_h"] == "72"


def test_outcomes_are_delivered_by_request_unless_a_fact_says_otherwise(settings: Settings) -> None:
    facts = ("client_outcomes", "conversions", "escalations", "overrides")
    delivered = dbt_variables(settings, AS_OF)["outcomes_delivered_by"]
    assert delivered == {name: ["request_id"] for name in facts}


def test_generated_warehouse_page_is_up_to_date(settings: Settings) -> None:
    page = PROJECT.parent / "docs" / "warehouse.md"
    assert page.read_text(encoding="utf-8") == render_warehouse_doc(settings), (
        "docs/warehouse.md is out of date: run `make docs`"
    )


def test_generated_lake_page_is_up_to_date_and_names_every_column(settings: Settings) -> None:
    text = (PROJECT.parent / "docs" / "lake.md").read_text(encoding="utf-8")
    assert text == render_lake_doc(settings), "docs/lake.md is out of date: run `make docs`"
    for table in lake_tables(settings):
        _, _, chapter = text.partition(f"\n## {table.name}\n")
        chapter = chapter.split("\n## ", 1)[0]
        missing = [name for name in table.column_names if f"| `{name}` |" not in chapter]
        assert not missing, f"docs/lake.md: {table.name} lacks {missing}"


def test_span_columns_are_those_of_the_contract() -> None:
    text = (PROJECT / "macros" / "lake" / "span_columns.sql").read_text(encoding="utf-8")
    plain, rest = text.split("macro span_text_columns", 1)
    texts, _ = rest.split("macro span_select_list", 1)
    is_text = {c.name: c.privacy is Privacy.TEXT and c.name != "span_name" for c in SPANS.columns}
    fix = "make macros/lake/span_columns.sql list the columns of contracts/lake_spans.py"
    assert quoted(plain) == [name for name in is_text if not is_text[name]], fix
    assert quoted(texts) == [name for name in is_text if is_text[name]], fix


def test_every_lake_source_is_a_table_that_build_prepares(settings: Settings) -> None:
    path = PROJECT / "models" / "staging" / "_lake__sources.yml"
    (source,) = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    declared = {table["name"] for table in source["tables"]}
    assert declared
    unknown = declared - {table.name for table in lake_tables(settings)}
    assert not unknown, (
        f"{path.name}: {unknown} are no tables of contracts/lake*.py or config/facts"
    )


def test_every_dispatched_macro_has_both_engines() -> None:
    checked = 0
    for path in sorted((PROJECT / "macros" / "compat").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        for dispatched in text.split("adapter.dispatch('")[1:]:
            name = dispatched.split("'", 1)[0]
            checked += 1
            for engine in ("duckdb", "spark"):
                assert f"macro {engine}__{name}(" in text, f"{path.name}: add {engine}__{name}"
    assert checked >= 5


def quoted(text: str) -> list[str]:
    """Return the quoted names of a macro."""
    return text.split("'")[1::2]
