"""The rules of the dbt project, read from its manifest; every failure message is the fix."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.dbt import load_manifest
from include.freezeline.settings import Settings

MAX_MODEL_LINES = 100
MODEL_NAMES = {
    "staging": re.compile(r"stg_(?P<folder>[a-z]+)__[a-z_]+"),
    "intermediate": re.compile(r"int_(?P<folder>[a-z]+)__[a-z_]+"),
    "marts": re.compile(r"(fct|dim|agg)_[a-z_]+|rpt_[a-z_]+?__[a-z_]+"),
}
MAY_READ = {
    "staging": {"source"},
    "intermediate": {"staging", "intermediate"},
    "marts": {"staging", "intermediate", "marts"},
}
# A numeric column ends in its unit or says what it counts; the suffixes are docs/naming.md's.
UNITS = ("_ms", "_s", "_h", "_usd", "_usd_per_token", "_per_usd", "_tokens", "_bytes", "_chars", "_words",
         "_ratio", "_count", "_score")  # fmt: skip
# Numbers without a unit; each says why.
UNITLESS = {
    "sample_weight": "how many calls a row stands for",
    "revision": "ordinal of a restatement",
    "seed": "seed of a random generator",
    "temperature": "a model's parameter, named as providers name it",
    "top_p": "a model's parameter, named as providers name it",
    "retrieval_top_k": "a retriever's parameter, named as conventions name it",
    "http_status_code": "a code, not a quantity",
    "document_rank": "ordinal of a document in its result",
    "call_index": "ordinal of a tool call in its span",
    "step_index": "ordinal of a step in its run",
    "identity_index": "ordinal of an identity under its name",
    "event_index": "ordinal of an event in its log",
    "point_sum": "its unit is in the column unit",
    "point_min": "its unit is in the column unit",
    "point_max": "its unit is in the column unit",
    "increase_sum": "its unit is in the column unit",
    "source_offset": "ordinal of a record in its object; -1 for the whole object",
    "value": "its unit is in the column unit",
    "value_lower": "its unit is in the column unit",
    "value_upper": "its unit is in the column unit",
    "threshold": "its unit is in the column unit",
    "p_value": "a probability, named as statistics names it",
    "q_value": "a probability, named as statistics names it",
    "p_breach": "a probability, named as statistics names it",
    "burn_rate_24h": "multiple of the sustainable rate, which has no unit",
}
NUMERIC = ("bigint", "int", "tinyint", "double", "decimal")
FORBIDDEN = re.compile(r"_ts$|_pct$|_time$|_datetime$|^(cost|latency|duration)$")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The parsed project."""
    return load_manifest(Settings(home=tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every model by its unique id; an empty answer is a broken test."""
    found = {k: n for k, n in manifest["nodes"].items() if n["resource_type"] == "model"}
    assert len(found) >= 30, "the manifest has lost models"
    return found


def layer_of(node: dict[str, Any]) -> str:
    """First folder below models/."""
    return Path(node["original_file_path"]).parts[1]


def parents_of(manifest: dict[str, Any], node: dict[str, Any]) -> Iterator[str]:
    """Layers of what a model reads."""
    for parent in node["depends_on"]["nodes"]:
        is_source = parent in manifest["sources"]
        yield "source" if is_source else layer_of(manifest["nodes"][parent])


def generic_tests(manifest: dict[str, Any], unique_id: str) -> Iterator[dict[str, Any]]:
    """Generic tests attached to a model."""
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node.get("attached_node") == unique_id:
            yield node


def test_model_names_follow_their_folder(models: dict[str, dict[str, Any]]) -> None:
    for node in models.values():
        layer, path = layer_of(node), node["original_file_path"]
        match = MODEL_NAMES[layer].fullmatch(node["name"])
        assert match, f"{path}: rename it to {MODEL_NAMES[layer].pattern}"
        assert node["schema"] == layer, f"{path}: its schema must be {layer}"
        folder = match.groupdict().get("folder")
        assert folder in (None, Path(path).parts[2]), f"{path}: move it to {layer}/{folder}"


def test_models_read_only_the_layers_below(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    for node in models.values():
        layer = layer_of(node)
        read = set(parents_of(manifest, node))
        assert read, f"{node['original_file_path']}: reads nothing"
        assert read <= MAY_READ[layer], (
            f"{node['original_file_path']}: a {layer} model may read {sorted(MAY_READ[layer])}, "
            f"not {sorted(read - MAY_READ[layer])}"
        )


def test_reports_alone_are_read_by_nobody(models: dict[str, dict[str, Any]]) -> None:
    reports = {key for key, node in models.items() if node["name"].startswith("rpt_")}
    assert reports
    for node in models.values():
        read = reports & set(node["depends_on"]["nodes"])
        assert not read, f"{node['original_file_path']}: read the mart behind {sorted(read)}"


def test_descriptions_start_with_the_grain(models: dict[str, dict[str, Any]]) -> None:
    for node in models.values():
        assert node["description"].startswith("One row per "), (
            f"{node['name']}: start its description with its grain: 'One row per ...'"
        )


def test_models_say_in_a_test_what_makes_a_row_unique(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    for key, node in models.items():
        is_view_of_others = node["config"]["materialized"] == "ephemeral"
        if is_view_of_others or node["original_file_path"].startswith("models/staging/judgement"):
            continue
        kinds = {test["test_metadata"]["name"] for test in generic_tests(manifest, key)}
        assert kinds & {"unique", "unique_combination", "primary_key"}, (
            f"{node['name']}: add a primary_key test on the columns of its key"
        )
        assert kinds & {"not_null", "primary_key"}, f"{node['name']}: add not_null to its key"


def test_marts_have_enforced_contracts(models: dict[str, dict[str, Any]]) -> None:
    for node in models.values():
        if layer_of(node) == "marts":
            assert node["config"]["contract"]["enforced"], f"{node['name']}: enforce its contract"


def test_every_column_is_described(models: dict[str, dict[str, Any]]) -> None:
    for node in models.values():
        assert node["columns"], f"{node['name']}: list its columns in the YAML beside it"
        for column in node["columns"].values():
            description = column["description"]
            assert description.rstrip().endswith("."), (
                f"{node['name']}.{column['name']}: describe it in a sentence"
            )


def test_equal_names_have_equal_types(models: dict[str, dict[str, Any]]) -> None:
    known: dict[str, tuple[str, str]] = {}
    for node in models.values():
        if layer_of(node) != "marts":
            continue
        for column in node["columns"].values():
            kind, first = known.setdefault(column["name"], (column["data_type"], node["name"]))
            assert column["data_type"] == kind, (
                f"{node['name']}.{column['name']}: {column['data_type']}, but {kind} in {first}; "
                "rename it or give it the same type"
            )


def test_column_names_follow_the_grammar(models: dict[str, dict[str, Any]]) -> None:
    checked = 0
    for node in models.values():
        for column in node["columns"].values():
            name, where = column["name"], f"{node['name']}.{column['name']}"
            assert not FORBIDDEN.search(name), f"{where}: use a suffix of docs/naming.md"
            checked += check_typed_name(where, name, column.get("data_type"))
    assert checked > 100


def check_typed_name(where: str, name: str, data_type: str | None) -> int:
    """Compare a typed column's name with its type; returns 1 when there was one to compare."""
    if data_type is None:
        return 0
    if data_type == "boolean":
        assert name.startswith(("is_", "has_")), f"{where}: start it with is_ or has_"
    elif data_type in ("timestamptz", "timestamp"):
        assert name.endswith(("_at", "as_of")), f"{where}: end it with _at"
    elif data_type == "date":
        assert name.endswith("_date"), f"{where}: end it with _date"
    elif data_type.startswith(NUMERIC):
        is_named = name.endswith(UNITS) or name.startswith("n_") or name in UNITLESS
        assert is_named, f"{where}: end it with its unit, one of {', '.join(UNITS)}"
    return 1


def test_unitless_list_holds_nothing_unused(models: dict[str, dict[str, Any]]) -> None:
    used = {column for node in models.values() for column in node["columns"]}
    assert set(UNITLESS) <= used, f"remove {sorted(set(UNITLESS) - used)} from UNITLESS"


def test_ratios_are_range_tested(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    checked = 0
    for key, node in models.items():
        if layer_of(node) != "marts":
            continue
        tested = set(range_tested_columns(manifest, key))
        for column in node["columns"]:
            if column.endswith("_ratio"):
                checked += 1
                assert column in tested, f"{node['name']}.{column}: add it to ratios_in_range"
    assert checked


def range_tested_columns(manifest: dict[str, Any], unique_id: str) -> Iterator[str]:
    """Columns of a model whose range is tested, one by one or together."""
    for test in generic_tests(manifest, unique_id):
        name, arguments = test["test_metadata"]["name"], test["test_metadata"]["kwargs"]
        if name == "in_range":
            yield test["column_name"]
        elif name == "ratios_in_range":
            yield from arguments["columns"]


def test_reports_ask_a_question_and_are_tested_by_hand(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    titles = set()
    for node in models.values():
        if not node["name"].startswith("rpt_"):
            continue
        title = node["config"]["meta"].get("title", "")
        assert re.fullmatch(r"[A-Z].*\?", title), (
            f"{node['name']}: add the question it answers as config.meta.title"
        )
        titles.add(title)
        is_canned = "/questions/" in node["original_file_path"]
        assert node["name"] in tested or not is_canned, (
            f"{node['name']}: add a unit test on rows worked out by hand"
        )
    assert len(titles) >= 12


def test_singular_tests_are_sentences(manifest: dict[str, Any]) -> None:
    singular = [
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and "test_metadata" not in node
    ]
    assert singular
    for name in singular:
        assert re.fullmatch(r"assert(_[a-z0-9]+){3,}", name), f"{name}: name it assert_<sentence>"


def test_models_are_short(models: dict[str, dict[str, Any]]) -> None:
    for node in models.values():
        lines = node["raw_code"].splitlines()
        assert len(lines) <= MAX_MODEL_LINES, (
            f"{node['original_file_path']}: {len(lines)} lines; split it at a CTE"
        )


def test_python_models_and_packages_are_absent(models: dict[str, dict[str, Any]]) -> None:
    for node in models.values():
        assert node["language"] == "sql", f"{node['original_file_path']}: write it in SQL"
    root = Path(__file__).resolve().parents[2] / "dbt_project"
    assert (root / "dbt_project.yml").exists()
    for name in ("packages.yml", "dependencies.yml", "__init__.py"):
        assert not (root / name).exists(), f"delete dbt_project/{name}"
