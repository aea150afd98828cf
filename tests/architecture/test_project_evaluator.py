"""The rules of dbt-project-evaluator hold, but for exceptions with a reason."""

from collections.abc import Callable
from copy import deepcopy
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.project_evaluator import RULES, Finding, Project, evaluate

EXCEPTIONS = Path(__file__).with_name("project_evaluator_exceptions.yml")
Manifest = dict[str, Any]
CALLS, SPANS = "model.freezeline.fct_llm_calls", "model.freezeline.stg_otel__spans"
COSTS = "model.freezeline.fct_call_costs"
SOURCE, OTHER = "source.freezeline.lake.spans", "source.freezeline.lake.ledger"


@pytest.fixture(scope="module")
def exceptions() -> list[dict[str, str]]:
    """Rows of the exceptions."""
    rows: list[dict[str, str]] = yaml.safe_load(EXCEPTIONS.read_text(encoding="utf-8"))
    return rows


@pytest.fixture(scope="module")
def findings(manifest: Manifest) -> list[Finding]:
    """What the rules find in this project."""
    return evaluate(manifest)


def excuses(row: dict[str, str], finding: Finding) -> bool:
    """Whether a row of the exceptions is about a finding."""
    return row["rule"] == finding.rule and fnmatchcase(finding.subject, row["subject"])


def test_every_finding_is_mended_or_excused_with_a_reason(
    findings: list[Finding], exceptions: list[dict[str, str]]
) -> None:
    open_ = [f for f in findings if not any(excuses(row, f) for row in exceptions)]
    assert not open_, "mend these, or add a row with a reason to project_evaluator_exceptions.yml"


def test_every_exception_is_still_needed(
    findings: list[Finding], exceptions: list[dict[str, str]]
) -> None:
    idle = [row for row in exceptions if not any(excuses(row, f) for f in findings)]
    assert not idle, f"{EXCEPTIONS.name}: nothing needs these any more, remove them"


def test_exceptions_name_rule_subject_and_a_reason(exceptions: list[dict[str, str]]) -> None:
    for row in exceptions:
        assert set(row) == {"rule", "subject", "reason"}, row
        assert row["rule"] in RULES, f"{row['rule']}: no such rule; one of {sorted(RULES)}"
        assert len(row["reason"]) > 40, f"{row['subject']}: say why in a sentence"
        assert row["reason"].endswith("."), f"{row['subject']}: say why in a sentence"
        assert row["subject"].strip("*"), f"{row['rule']}: excuse subjects, not the whole rule"
    pairs = [(row["rule"], row["subject"]) for row in exceptions]
    assert len(pairs) == len(set(pairs)), "two rows about one subject"


def read_by(manifest: Manifest, child: str, *parents: str) -> None:
    """Make a model read others, and nothing else."""
    manifest["nodes"][child]["depends_on"]["nodes"] = list(parents)


def add(manifest: Manifest, name: str, *parents: str, **changes: Any) -> None:
    """Add a mart that reads others."""
    node = {**deepcopy(manifest["nodes"][COSTS]), "name": name, **changes}
    manifest["nodes"][f"model.freezeline.{name}"] = node
    read_by(manifest, f"model.freezeline.{name}", *parents)


def chain(manifest: Manifest) -> None:
    """Add six views on one another and what reads the last."""
    for number in range(7):
        before = [f"model.freezeline.fct_view_{number - 1}"] if number else []
        add(manifest, f"fct_view_{number}", *before)
        manifest["nodes"][f"model.freezeline.fct_view_{number}"]["config"]["materialized"] = "view"


def untest(manifest: Manifest, *kinds: str) -> None:
    """Take the tests of these kinds from the calls; all when none are named."""
    manifest["nodes"] = {
        key: node
        for key, node in manifest["nodes"].items()
        if CALLS not in node.get("depends_on", {}).get("nodes", ())
        or node["resource_type"] != "test"
        or (kinds and node.get("test_metadata", {}).get("name") not in kinds)
    }


def put(manifest: Manifest, kind: str, key: str, path: str, value: object) -> None:
    """Change one value of a node, by its dotted path."""
    *way, last = path.split(".")
    place = manifest[kind][key]
    for name in way:
        place = place[name]
    place[last] = value


def move_tests(manifest: Manifest) -> None:
    """Declare the tests of the calls elsewhere."""
    for node in manifest["nodes"].values():
        if node.get("attached_node") == CALLS:
            node["original_file_path"] = "models/marts/elsewhere/_tests.yml"


# What is done to the project, and about whom the rule must then speak.
PLANTED: dict[str, tuple[Callable[[Manifest], object], str]] = {
    "fct_direct_join_to_source": (lambda m: read_by(m, CALLS, SOURCE, SPANS), "fct_llm_calls"),
    "fct_duplicate_sources": (
        lambda m: m["sources"].update({"source.freezeline.lake.twin": m["sources"][SOURCE]}),
        "lake.spans",
    ),
    "fct_hard_coded_references": (
        lambda m: put(m, "nodes", CALLS, "raw_code", "select * from marts.fct_requests"),
        "fct_llm_calls",
    ),
    "fct_marts_or_intermediate_dependent_on_source": (
        lambda m: read_by(m, CALLS, SOURCE), "fct_llm_calls",
    ),
    "fct_model_fanout": (
        lambda m: [add(m, f"fct_leaf_{number}", COSTS) for number in range(3)], "fct_call_costs",
    ),
    "fct_multiple_sources_joined": (lambda m: read_by(m, SPANS, SOURCE, OTHER), "stg_otel__spans"),
    "fct_rejoining_of_upstream_concepts": (
        lambda m: (add(m, "fct_between", COSTS),
                   add(m, "fct_child", COSTS, "model.freezeline.fct_between")),
        "fct_between",
    ),
    "fct_root_models": (lambda m: read_by(m, CALLS), "fct_llm_calls"),
    "fct_source_fanout": (lambda m: add(m, "fct_second", OTHER), "lake.ledger"),
    "fct_staging_dependent_on_marts_or_intermediate": (
        lambda m: read_by(m, SPANS, CALLS), "stg_otel__spans",
    ),
    "fct_staging_dependent_on_staging": (
        lambda m: read_by(m, SPANS, "model.freezeline.stg_otel__evaluations"), "stg_otel__spans",
    ),
    "fct_too_many_joins": (
        lambda m: read_by(m, COSTS, *sorted(k for k in m["nodes"] if ".int_" in k)[:7]),
        "fct_call_costs",
    ),
    "fct_unused_sources": (
        lambda m: read_by(m, "model.freezeline.stg_landing__objects", SOURCE), "lake.ledger",
    ),
    "fct_missing_primary_key_tests": (lambda m: untest(m, "not_null_columns", "primary_key"), "fct_llm_calls"),
    "fct_sources_without_freshness": (
        lambda m: put(m, "sources", SOURCE, "source_name", "clicks"), "clicks.spans",
    ),
    "fct_test_coverage": (untest, "fct_llm_calls"),
    "fct_documentation_coverage": (
        lambda m: put(m, "nodes", CALLS, "description", ""), "project",
    ),
    "fct_undocumented_models": (
        lambda m: put(m, "nodes", CALLS, "description", " "), "fct_llm_calls",
    ),
    "fct_undocumented_source_tables": (
        lambda m: put(m, "sources", SOURCE, "description", ""), "lake.spans",
    ),
    "fct_undocumented_sources": (
        lambda m: put(m, "sources", SOURCE, "source_description", ""), "lake",
    ),
    "fct_model_directories": (
        lambda m: put(m, "nodes", CALLS, "original_file_path", "models/marts/staging/c.sql"),
        "fct_llm_calls",
    ),
    "fct_model_naming_conventions": (
        lambda m: put(m, "nodes", CALLS, "name", "calls"), "calls",
    ),
    "fct_source_directories": (
        lambda m: put(m, "sources", SOURCE, "source_name", "clicks"), "clicks.spans",
    ),
    "fct_test_directories": (move_tests, "fct_llm_calls"),
    "fct_chained_views_dependencies": (chain, "fct_view_6"),
    "fct_exposure_parents_materializations": (
        lambda m: put(m, "nodes", CALLS, "config.materialized", "view"), "fct_llm_calls",
    ),
    "fct_exposures_dependent_on_private_models": (
        lambda m: put(m, "nodes", CALLS, "access", "protected"), "fct_llm_calls",
    ),
    "fct_public_models_without_contract": (
        lambda m: put(m, "nodes", CALLS, "config.contract", {"enforced": None}), "fct_llm_calls",
    ),
    "fct_undocumented_public_models": (
        lambda m: put(m, "nodes", CALLS, "columns.call_key.description", ""), "fct_llm_calls",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_sees_what_is_planted(
    manifest: Manifest, exceptions: list[dict[str, str]], rule: str
) -> None:
    plant, subject = PLANTED[rule]
    planted = deepcopy(manifest)
    plant(planted)
    found = [f for f in evaluate(planted) if (f.rule, f.subject) == (rule, subject)]
    assert found, f"{rule} does not see {subject}"
    assert not any(excuses(row, found[0]) for row in exceptions)


@pytest.mark.parametrize(
    ("sql", "is_hard_coded"),
    [
        ("select * from {{ ref('a') }} as a left join {{ ref('b') }} as b on true", False),
        ("select * from raw.orders", True),
        ("select * from db.raw.orders\nwhere true", True),
        ('select * from "orders"', True),
        ("select * from a join raw.orders on true", True),
        ("select * from {{ var('orders') }}", True),
        ("select * from calls where a is distinct from b.c", False),
        ("select extract(day from a) from calls", False),
        ("-- from raw.orders\nselect * from calls", False),
    ],
)
def test_hard_coded_references_are_told_from_others(
    manifest: Manifest, sql: str, is_hard_coded: bool
) -> None:
    planted = {**manifest, "nodes": {CALLS: {**manifest["nodes"][CALLS], "raw_code": sql}}}
    found = list(RULES["fct_hard_coded_references"](Project(planted)))
    assert bool(found) is is_hard_coded
