"""The rules of the dbt project, read from its manifest; every failure message is the fix."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from include.freezeline.adapters.slice_records import BOOK_TABLES, TELEMETRY
from include.freezeline.slices.plan import AXES
from tests.architecture.names import UNITLESS, column_fault, model_fault, sentence_fault

MAX_MODEL_LINES = 100
MAY_READ = {
    "staging": {"source"},
    "intermediate": {"staging", "intermediate"},
    "marts": {"staging", "intermediate", "marts"},
}

LOGIC = re.compile(r"\b(join|case|union|group by|qualify|over|coalesce|distinct)\b")


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
        fault = model_fault(layer, Path(path).parts[2], node["name"])
        assert not fault, f"{path}: {fault}"
        assert node["schema"] == layer, f"{path}: its schema must be {layer}"
        assert node["alias"] == node["name"], f"{path}: name it {node['alias']}, without an alias"


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
        assert kinds & {"not_null", "not_null_columns", "primary_key"}, (
            f"{node['name']}: add not_null to its key"
        )


def test_columns_that_are_never_null_are_asked_in_one_query(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    # A test costs dbt some 20 ms a night, however small the query.
    checked = 0
    for key, node in models.items():
        kinds = [test["test_metadata"]["name"] for test in generic_tests(manifest, key)]
        checked += kinds.count("not_null_columns")
        assert kinds.count("not_null") <= 1, f"{node['name']}: use not_null_columns"
    assert checked > 20


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
    typed = 0
    for node in models.values():
        for column in node["columns"].values():
            fault = column_fault(column["name"], column.get("data_type"))
            assert not fault, f"{node['name']}.{column['name']}: {fault}"
            typed += column.get("data_type") is not None
    assert typed > 100


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
                assert column in tested, f"{node['name']}.{column}: add it to an in_range test"
    assert checked


def range_tested_columns(manifest: dict[str, Any], unique_id: str) -> Iterator[str]:
    """Columns of a model whose range is tested, one by one or together."""
    for test in generic_tests(manifest, unique_id):
        name, arguments = test["test_metadata"]["name"], test["test_metadata"]["kwargs"]
        if name == "in_range":
            yield from arguments.get("columns") or [test["column_name"]]


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


def test_marts_and_steps_with_logic_have_unit_tests(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    checked = 0
    for node in models.values():
        if layer_of(node) == "staging" or not LOGIC.search(node["raw_code"]):
            continue
        checked += 1
        assert node["name"] in tested, (
            f"{node['original_file_path']}: it joins, chooses or counts; add a unit test on rows "
            "worked out by hand"
        )
    assert checked > 50


def test_unit_tests_are_sentences(manifest: dict[str, Any]) -> None:
    assert manifest["unit_tests"]
    for test in manifest["unit_tests"].values():
        fault = sentence_fault(test["name"])
        assert not fault, f"{test['original_file_path']}: {test['name']}: {fault}"


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


# Lake tables of which a night reads the days it needs; the others it reads whole.
CUT_TABLES = {*BOOK_TABLES, *(source.table for source in TELEMETRY)}


def is_slice(manifest: dict[str, Any], unique_id: str) -> bool:
    """Whether a night leaves only what it read in a model, and not all of its days."""
    if unique_id in manifest["sources"]:
        source = manifest["sources"][unique_id]
        return source["name"] in CUT_TABLES or source["name"].startswith("fact_")
    node = manifest["nodes"][unique_id]
    if node["config"]["materialized"] == "by_day":
        return False
    return any(is_slice(manifest, parent) for parent in node["depends_on"]["nodes"])


def test_what_is_not_kept_by_day_reads_no_slice_of_a_night(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    marts = [
        n
        for n in models.values()
        if layer_of(n) == "marts" and n["config"]["materialized"] != "by_day"
    ]
    assert len(marts) > 10
    for node in marts:
        cut = [p.split(".")[-1] for p in node["depends_on"]["nodes"] if is_slice(manifest, p)]
        assert not cut, (
            f"{node['name']}: a night leaves only its own days in {cut}; materialize the mart "
            "by_day, or read days that are kept (docs/how-to/build-nights.md)"
        )


def test_models_kept_by_day_name_their_day_and_axes_that_exist(
    models: dict[str, dict[str, Any]],
) -> None:
    kept = [n for n in models.values() if n["config"]["materialized"] == "by_day"]
    assert len(kept) > 25
    for node in kept:
        meta = node["config"]["meta"]
        assert meta.get("day"), f"{node['name']}: meta must name the day of a row"
        assert set(meta.get("axes", ["event"])) <= set(AXES), f"{node['name']}: axes are {AXES}"
