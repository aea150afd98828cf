"""Write docs/warehouse.md and docs/lake.md: every table, from the contracts and dbt's manifest."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from include.freezeline.adapters.dbt import load_manifest, project_dir
from include.freezeline.contracts.columns import Column, Privacy, Table
from include.freezeline.contracts.judgement import JUDGEMENT_TABLES
from include.freezeline.jobs.build import lake_tables
from include.freezeline.settings import Settings

_WAREHOUSE_HEADER = """# The warehouse

Generated from the contracts and the dbt project by `make docs`; a test fails when it is out of
date. Do not edit it.

Every night publishes the DuckDB file as a read-only snapshot. Read the schema `marts`; `staging`
and `intermediate` are steps on the way and may change. All times are UTC. A null is an unknown,
never a zero. `as_of` is the exclusive end of what a night knew. What landing wrote before the
build, the lake's Parquet files, is in [lake.md](lake.md). How to open it with your own tools:
[connect](how-to/connect.md).

Calls may be sampled: a row then stands for `sample_weight` calls. In aggregates `n_` columns count
the rows that arrived, and every other number weighs each row by the calls it stands for.
"""
_LAKE_HEADER = """# The lake

Generated from the contracts in `include/freezeline/contracts` by `make docs`; a test fails when it
is out of date. Do not edit it.

Redacted Parquet files (zstd): `<home>/lake/<table>/dt=YYYY-MM-DD/<object_hash>.parquet` for rows
with an event date, `<home>/lake/<table>/<object_hash>.parquet` for the books. `dt` is the UTC date
of the row's event and is not a column of the file; `object_hash` is the first 32 hex digits of the
SHA-256 of the object's key, so landing an object again replaces its own files and nothing else.
A file that ends in `.partial` is being written: skip it. `schema_only.parquet` has no rows and
gives a table its columns before anything has landed.

A null is an unknown, never a zero. Rows are as delivered: a span that came twice is there twice,
and the models of `dbt_project/models/staging` keep the richest copy known by `as_of`.

| type | Parquet | DuckDB | pandas | Spark |
|---|---|---|---|---|
| string | UTF-8 string | varchar | str | string |
| json | UTF-8 string that holds valid JSON | varchar | str | string |
| int8, int32, int64 | INT(8), INT(32), INT(64) | tinyint, integer, bigint | int, float64 when null occurs | byte, int, long |
| float64 | DOUBLE | double | float64 | double |
| bool | BOOLEAN | boolean | bool, object when null occurs | boolean |
| timestamp | TIMESTAMP(MICROS), UTC | timestamp with time zone | datetime64[us, UTC] | timestamp |
| decimal(18,12) | DECIMAL(18, 12) | decimal(18,12) | decimal.Decimal | decimal(18,12) |
| list<...> | LIST | varchar[], bigint[], double[] | numpy.ndarray | array |

Privacy says what landing did to a column before it was written: *text* went through the
redactor, *pseudonym* is a keyed hash of what names a person or a customer, the others are
technical values that pass unchanged.

```sql
-- DuckDB; the same folder opens in pandas, pyarrow and Spark
select * from read_parquet('.freezeline/lake/spans/**/*.parquet', hive_partitioning = false,
                           union_by_name = true);
```
"""
_QUESTIONS_INTRO = """What people ask most often, answered every night. Windows end at `as_of`; "before" is a window of
the same rows that ends where the asked one starts. `answer` is `yes`, `no` or `answered`, and
`insufficient_evidence` where a group has fewer rows than `min_evidence_count` of
`dbt_project/dbt_project.yml`. A share of fewer rows is null, and its `n_` column says how many
there are; of two compared shares each needs rows of its own. A share that rose counts only when
it rose by `min_rise_score` standard errors.

```sql
select * from marts.rpt_product_manager__regressed_locales where answer = 'yes';
```"""
_MARTS_INTRO = "What to read. Every table has an enforced contract: these columns, these types."
_JUDGEMENT_INTRO = (
    "What the judging and deciding stages write, append-only: a row that changes is written again "
    "with the next revision. The marts `fct_verdicts`, `fct_slo_windows`, "
    "`fct_freeze_transitions` and the `rpt_` views show it as now known or as first reported."
)
_READERS_INTRO = (
    "Who reads what: dbt's exposures, which a test compares with the queries in the code. Ask the "
    "owner before a table of theirs changes."
)
_PRIVACY = {Privacy.NONE: "", Privacy.TEXT: "text", Privacy.PSEUDONYM: "pseudonym"}
_PLAIN_HEADINGS = ("column", "type", "meaning")
_LAKE_HEADINGS = ("column", "type", "null", "privacy", "meaning")


def main() -> None:
    """Write the documents of this checkout."""
    docs = project_dir().parent / "docs"
    with TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        (docs / "warehouse.md").write_text(render_warehouse_doc(settings), encoding="utf-8")
        (docs / "lake.md").write_text(render_lake_doc(settings), encoding="utf-8")


def render_warehouse_doc(settings: Settings) -> str:
    """Return the warehouse's document as Markdown; same project, same text."""
    manifest = load_manifest(settings)
    lines = [
        _WAREHOUSE_HEADER,
        *_section("questions", _QUESTIONS_INTRO, _question_lines(manifest)),
        *_section("marts", _MARTS_INTRO, _mart_lines(manifest)),
        *_section("judgement", _JUDGEMENT_INTRO, _judgement_lines()),
        *_section("readers", _READERS_INTRO, _reader_lines(manifest)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def render_lake_doc(settings: Settings) -> str:
    """Return the lake's document as Markdown; same contracts, same text."""
    lines = [_LAKE_HEADER]
    for table in lake_tables(settings):
        key = ", ".join(f"`{name}`" for name in table.key)
        about = f"{_grain(table)}. Identified by {key}."
        lines += _table_lines(
            f"## {table.name}", about, _LAKE_HEADINGS, map(_lake_cells, table.columns)
        )
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
        rows = (
            (f"`{column['name']}`", column["data_type"], column["description"])
            for column in node["columns"].values()
        )
        about = f"{_question(node)}{node['description'].strip().rstrip('.')}."
        yield from _table_lines(f"### {node['name']}", about, _PLAIN_HEADINGS, rows)


def _question(node: Mapping[str, Any]) -> str:
    """Return the question a report answers, as a line before its grain; nothing on other marts."""
    title = node["config"]["meta"].get("title")
    return f"**{title}**\n\n" if title else ""


def _question_lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table of questions, sorted by who asks them."""
    rows = sorted(
        (node["name"].removeprefix("rpt_").split("__")[0].replace("_", " "), title, node["name"])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and (title := node["config"]["meta"].get("title"))
    )
    yield "| who asks | question | table |"
    yield "|---|---|---|"
    for reader, title, name in rows:
        yield f"| {reader} | {title} | [`{name}`](#{name}) |"
    yield ""


def _judgement_lines() -> Iterator[str]:
    """Yield the chapter of every judgement table."""
    for table in JUDGEMENT_TABLES:
        rows = ((f"`{c.name}`", c.type, c.description) for c in table.columns)
        yield from _table_lines(f"### {table.name}", f"{_grain(table)}.", _PLAIN_HEADINGS, rows)


def _reader_lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table of exposures, in the order of their names."""
    named = {**manifest["nodes"], **manifest["sources"]}
    yield "| reader | what it is | owner | reads |"
    yield "|---|---|---|---|"
    for exposure in sorted(manifest["exposures"].values(), key=lambda node: str(node["name"])):
        read = sorted({str(named[key]["name"]) for key in exposure["depends_on"]["nodes"]})
        label = f"[{exposure['label']}]({exposure['url'].removeprefix('docs/')})"
        what = _cell(exposure["description"])
        tables = ", ".join(f"[`{name}`](#{name})" for name in read)
        yield f"| {label} | {what} | {exposure['owner']['name']} | {tables} |"
    yield ""


def _grain(table: Table) -> str:
    """Return what a row is, as the start of a sentence."""
    return table.grain[0].upper() + table.grain[1:]


def _lake_cells(column: Column) -> Sequence[str]:
    """Return a lake column's line of the table."""
    null = "yes" if column.nullable else "no"
    return f"`{column.name}`", column.type, null, _PRIVACY[column.privacy], column.description


def _table_lines(
    heading: str, about: str, headings: Sequence[str], rows: Iterator[Sequence[str]]
) -> Iterator[str]:
    """Yield one table's heading, description and columns."""
    yield f"{heading}\n"
    yield f"{about}\n"
    yield f"| {' | '.join(headings)} |"
    yield "|---" * len(headings) + "|"
    for cells in rows:
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield ""


def _cell(text: str) -> str:
    """Make a text fit into one cell."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
