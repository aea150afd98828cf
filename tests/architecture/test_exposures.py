"""The exposures name who reads the warehouse: they agree with the queries in the code."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"\b(marts|judgement)\.([a-z_0-9]+)")
# Modules that name a table and read nothing for anybody; each says why.
UNEXPOSED = {
    "include/freezeline/adapters/database_tiers.py": "retention: takes rows out of every table",
    "include/freezeline/adapters/small_groups.py": "erasure: which aggregates are too small to stay",
    "include/freezeline/adapters/slice_planner.py": "finds the days that a night builds again",
    "include/freezeline/cli/break_glass.py": "an error message says where redacted texts are",
    "include/freezeline/cli/demo_run.py": "the demo's own summary",
    "include/freezeline/jobs/build.py": "counts what it has just built, for its own summary",
    "include/freezeline/jobs/document.py": "an example in the generated page",
    "include/freezeline/jobs/run_demo.py": "the demo's own summary",
}


@pytest.fixture(scope="module")
def exposures(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Exposures by name."""
    found = {node["name"]: node for node in manifest["exposures"].values()}
    assert len(found) >= 5
    return found


@pytest.fixture(scope="module")
def tables(manifest: dict[str, Any]) -> dict[str, str]:
    """Unique ids of marts and judgement tables, by the name that SQL gives them."""
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    return {
        f"{node['schema']}.{node['name']}": node["unique_id"]
        for node in nodes
        if node["resource_type"] in ("model", "source") and node["schema"] in ("marts", "judgement")
    }


def texts_of(path: Path) -> Iterator[str]:
    """Yield the texts of a module's code, docstrings left out; a YAML file's text."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield text
        return
    tree = ast.parse(text)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in docstrings:
            yield node.value


def tables_in(files: Iterable[Path], tables: dict[str, str]) -> set[str]:
    """Return the tables that the queries of some modules name.

    Where a query puts the name in (``judgement.{table}``), every table whose bare name stands
    in one of the modules as a text of its own counts.
    """
    texts = [text for file in files for text in texts_of(file)]
    named = {f"{schema}.{name}" for text in texts for schema, name in NAMED.findall(text)}
    for schema in ("marts", "judgement"):
        if any(re.search(rf"\b{schema}\.(\{{|$)", text) for text in texts):
            named |= {f"{schema}.{text}" for text in texts if f"{schema}.{text}" in tables}
    unknown = named - set(tables)
    assert not unknown, f"{unknown}: no such mart or source of dbt, though a query names it"
    return named


def files_of(exposure: dict[str, Any]) -> list[Path]:
    """Return the files that hold an exposure's queries."""
    found = []
    for name in exposure["config"]["meta"].get("modules", ()):
        place = ROOT / name
        assert place.exists(), f"{exposure['name']}: {name} does not exist"
        found += sorted(place.rglob("*.yml")) if place.is_dir() else [place]
    return found


def test_exposures_depend_on_what_their_queries_read(
    exposures: dict[str, dict[str, Any]], tables: dict[str, str]
) -> None:
    checked = 0
    for name, exposure in exposures.items():
        files = files_of(exposure)
        if not files:
            continue
        checked += 1
        read = {tables[table] for table in tables_in(files, tables)}
        declared = set(exposure["depends_on"]["nodes"])
        assert declared == read, (
            f"{name}: add {sorted(read - declared)} to its depends_on, "
            f"remove {sorted(declared - read)}"
        )
    assert checked >= 4


def test_every_module_that_reads_the_warehouse_is_exposed(
    exposures: dict[str, dict[str, Any]], tables: dict[str, str]
) -> None:
    exposed = {file for exposure in exposures.values() for file in files_of(exposure)}
    known = exposed | {ROOT / name for name in UNEXPOSED}
    places = (ROOT / "include" / "freezeline", ROOT / "plugins", ROOT / "dags")
    reading = {
        path for place in places for path in place.rglob("*.py") if tables_in([path], tables)
    }
    lost = sorted(str(path.relative_to(ROOT)) for path in reading - known)
    assert not lost, f"name {lost} in config.meta.modules of an exposure in _exposures.yml"
    idle = [name for name in UNEXPOSED if ROOT / name not in reading]
    assert not idle, f"{idle} name no table any more: remove them from UNEXPOSED"


def test_the_questions_are_exposed_all_of_them(
    manifest: dict[str, Any], exposures: dict[str, dict[str, Any]]
) -> None:
    questions = {key for key in manifest["nodes"] if key.startswith("model.freezeline.rpt_")}
    assert set(exposures["canned_questions"]["depends_on"]["nodes"]) == questions


def test_exposures_say_who_owns_them_and_where_to_read_on(
    exposures: dict[str, dict[str, Any]],
) -> None:
    for name, exposure in exposures.items():
        assert exposure["owner"]["name"], f"{name}: name its owner"
        assert exposure["maturity"] in ("high", "medium", "low"), f"{name}: say its maturity"
        assert exposure["description"].endswith("."), f"{name}: describe it in a sentence"
        path, _, anchor = exposure["url"].partition("#")
        assert (ROOT / path).is_file(), f"{name}: {path} does not exist"
        headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {heading.lower().replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, f"{name}: {exposure['url']}: no such heading"
