"""Write docs/warehouse.md: every table people may read, from the contracts and dbt's manifest."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from include.freezeline.adapters.dbt import load_manifest, project_dir
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.judgement import JUDGEMENT_TABLES
from include.freezeline.jobs.build import lake_tables
from include.freezeline.settings import Settings

_HEADER = """# The warehouse

Generated from the contracts and the dbt project by `make docs`; a test fails when it is out of
date. Do not edit it.

Every night publishes the DuckDB file as a read-only snapshot. Read the schema `marts`; `staging`
and `intermediate` are steps on the way and may change. All times are UTC. A null is an unknown,
never a zero. `as_of` is the exclusive end of what a night knew.
"""
_MARTS_INTRO = "What to read. Every table has an enforced contract: these columns, these types."
_JUDGEMENT_INTRO = (
    "What the judging and deciding stages write, append-only: a row that changes is written again "
    "with the next revision. The marts `fct_verdicts`, `fct_slo_windows`, "
    "`fct_freeze_transitions` and the `rpt_` views show it as now known or as first reported."
)
_LAKE_INTRO = (
    "Redacted Parquet files under `<home>/lake/<table>/`, partitioned by event date where a row "
    "has one."
)


def main() -> None:
    """Write the document of this checkout."""
    with TemporaryDirectory() as home:
        text = render_warehouse_doc(Settings(home=Path(home)))
    (project_dir().parent / "docs" / "warehouse.md").write_text(text, encoding="utf-8")


def render_warehouse_doc(settings: Settings) -> str:
    """Return the document as Markdown; same project, same text."""
    lines = [
        _HEADER,
        *_section("marts", _MARTS_INTRO, _mart_lines(load_manifest(settings))),
        *_section("judgement", _JUDGEMENT_INTRO, _contract_lines(JUDGEMENT_TABLES)),
        *_section("lake", _LAKE_INTRO, _contract_lines(lake_tables(settings))),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str, intro: str, lines: Iterator[str]) -> Iterator[str]:
    """Yield a chapter."""
    yield f"## {title}\n"
    yield f"{intro}\n"
    yield from lines


def _mart_lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the chapter of every mart, sorted by name."""
    marts = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "marts"
    ]
    for node in sorted(marts, key=lambda mart: str(mart["name"])):
        rows = [
            (column["name"], column["data_type"], column["description"])
            for column in node["columns"].values()
        ]
        yield from _table_lines(node["name"], node["description"], rows)


def _contract_lines(tables: Sequence[Table]) -> Iterator[str]:
    """Yield the chapter of every contract table."""
    for table in tables:
        rows = [(column.name, column.type, column.description) for column in table.columns]
        grain = table.grain[0].upper() + table.grain[1:]
        yield from _table_lines(table.name, f"{grain}.", rows)


def _table_lines(
    name: str, description: str, rows: Sequence[tuple[str, str, str]]
) -> Iterator[str]:
    """Yield one table's heading, description and columns."""
    yield f"### {name}\n"
    yield f"{description.strip().rstrip('.')}.\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column, kind, meaning in rows:
        yield f"| `{column}` | {kind} | {_cell(meaning)} |"
    yield ""


def _cell(text: str) -> str:
    """Make a text fit into one cell."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
