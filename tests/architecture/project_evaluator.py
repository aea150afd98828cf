"""The rules of the dbt package dbt-project-evaluator, over dbt's manifest.

The package itself comes from dbt's hub and cannot be had offline; its rules are published, and each
is a function here under the package's own name. What each rule means and how to put a finding
right: https://dbt-labs.github.io/dbt-project-evaluator/latest/rules/
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The package's own defaults, and the variables it would be given for this project.
FANOUT_THRESHOLD = 3
TOO_MANY_JOINS_THRESHOLD = 7
CHAINED_VIEWS_THRESHOLD = 5
PREFIXES = {
    "staging": ("stg_",),
    "intermediate": ("int_",),
    "marts": ("fct_", "dim_", "agg_", "rpt_"),
}
PHYSICAL = {"table", "incremental", "by_day"}
HARD_CODED = re.compile(
    r"""(?ix) (?<!distinct\s) \b(?:from|join)\s+
    (?: \{\{\s*var\s*\([^)]*\)\s*\}\}                       # a variable as a table
      | [`"\[']?\w+[`"\]']? (?:\.[`"\[']?\w+[`"\]']?){1,2} (?=\s|$)   # schema.table, db.schema.table
      | [`"\[']\w+[`"\]'] (?=\s|$)                         # a quoted table
    )"""
)

Node = Mapping[str, Any]
Found = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that a rule does not like.

    Attributes:
        rule: Name of the package's table of findings.
        subject: The model, ``source.table`` or exposure.
        detail: What about it.
    """

    rule: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Project:
    """A manifest, with what the rules ask of it."""

    manifest: Node
    models: Mapping[str, Node] = field(init=False)
    sources: Mapping[str, Node] = field(init=False)
    exposures: Mapping[str, Node] = field(init=False)
    tests: tuple[Node, ...] = field(init=False)
    children: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        """Index the manifest."""
        nodes: Mapping[str, Node] = self.manifest["nodes"]
        models = {key: node for key, node in nodes.items() if node["resource_type"] == "model"}
        children = defaultdict[str, set[str]](set)
        for key, node in {**models, **self.manifest["exposures"]}.items():
            for parent in node["depends_on"]["nodes"]:
                children[parent].add(key)
        set_ = object.__setattr__
        set_(self, "models", models)
        set_(self, "sources", self.manifest["sources"])
        set_(self, "exposures", self.manifest["exposures"])
        set_(self, "tests", tuple(n for n in nodes.values() if n["resource_type"] == "test"))
        set_(self, "children", {key: frozenset(found) for key, found in children.items()})

    def parents(self, node: Node, kind: str = "") -> list[str]:
        """Return what a node reads, once each; of one kind, or all."""
        return sorted({key for key in node["depends_on"]["nodes"] if key.startswith(kind)})

    def model_children(self, key: str) -> frozenset[str]:
        """Return the models that read a node."""
        return self.children.get(key, frozenset()) & set(self.models)

    def name(self, key: str) -> str:
        """Return how a person calls a node."""
        if key in self.sources:
            return f"{self.sources[key]['source_name']}.{self.sources[key]['name']}"
        node: Node = self.models.get(key) or self.exposures[key]
        return str(node["name"])

    def tests_of(self, key: str) -> list[Node]:
        """Return the generic tests attached to a model."""
        return [test for test in self.tests if test.get("attached_node") == key]


def layer(node: Node) -> str:
    """Return a model's type, by its folder: staging, intermediate or marts."""
    return Path(node["original_file_path"]).parts[1]


def reads_from_layers(project: Project, of: set[str], layers: set[str]) -> Found:
    """Yield models of some layers that read models of others."""
    for node in project.models.values():
        for parent in project.parents(node, "model."):
            if layer(node) in of and layer(project.models[parent]) in layers:
                yield node["name"], f"reads {project.name(parent)}"


def staging_dependent_on_staging(project: Project) -> Found:
    """Staging reads sources only."""
    yield from reads_from_layers(project, {"staging"}, {"staging"})


def staging_dependent_on_marts_or_intermediate(project: Project) -> Found:
    """Staging never reads what is built from it."""
    yield from reads_from_layers(project, {"staging"}, {"marts", "intermediate"})


def marts_or_intermediate_dependent_on_source(project: Project) -> Found:
    """Only staging reads sources."""
    for node in project.models.values():
        for source in project.parents(node, "source."):
            if layer(node) != "staging":
                yield node["name"], f"reads source {project.name(source)}"


def direct_join_to_source(project: Project) -> Found:
    """Nobody reads models and sources together."""
    for node in project.models.values():
        sources, models = project.parents(node, "source."), project.parents(node, "model.")
        if sources and models:
            yield node["name"], f"reads source {project.name(sources[0])} beside models"


def multiple_sources_joined(project: Project) -> Found:
    """A model reads one source."""
    for node in project.models.values():
        sources = project.parents(node, "source.")
        if len(sources) > 1:
            yield node["name"], f"reads {', '.join(map(project.name, sources))}"


def source_fanout(project: Project) -> Found:
    """A source has one staging model."""
    for key in project.sources:
        found = sorted(map(project.name, project.model_children(key)))
        if len(found) > 1:
            yield project.name(key), f"read by {', '.join(found)}"


def unused_sources(project: Project) -> Found:
    """A source is read by somebody."""
    for key in project.sources:
        if not project.children.get(key):
            yield project.name(key), "read by nobody"


def duplicate_sources(project: Project) -> Found:
    """A table is one source."""
    known: dict[str, str] = {}
    for key, node in project.sources.items():
        # An external source is where its files lie; its name in the database says nothing.
        place = (node.get("meta") or {}).get("external_location", "{schema}.{identifier}")
        place = place.replace("{name}", node["name"]).format(**node)
        first = known.setdefault(place, key)
        if first != key:
            yield project.name(key), f"the same table as {project.name(first)}"


def root_models(project: Project) -> Found:
    """A model reads something."""
    for node in project.models.values():
        if not node["depends_on"]["nodes"]:
            yield node["name"], "reads nothing"


def hard_coded_references(project: Project) -> Found:
    """A model names tables through ref and source."""
    for node in project.models.values():
        code = re.sub(r"--.*|\{#.*?#\}", "", node["raw_code"])
        for match in HARD_CODED.finditer(code):
            yield node["name"], match.group(0).strip()


def model_fanout(project: Project) -> Found:
    """Few end points hang on one model."""
    for key, node in project.models.items():
        leaves = [c for c in project.model_children(key) if not project.model_children(c)]
        if len(leaves) >= FANOUT_THRESHOLD:
            yield node["name"], f"{len(leaves)} models end here"


def too_many_joins(project: Project) -> Found:
    """A model reads few others."""
    for node in project.models.values():
        n_parents = len(project.parents(node))
        if n_parents >= TOO_MANY_JOINS_THRESHOLD:
            yield node["name"], f"reads {n_parents} models"


def rejoining_of_upstream_concepts(project: Project) -> Found:
    """A model that only one other reads, which reads its parent too, could be part of that one."""
    for parent in [*project.models, *project.sources]:
        for between in project.model_children(parent):
            grandchildren = project.model_children(between)
            for child in grandchildren & project.model_children(parent):
                if len(grandchildren) == 1:
                    yield (
                        project.name(between),
                        f"{project.name(child)} reads it and its parent {project.name(parent)}",
                    )


def chained_views_dependencies(project: Project) -> Found:
    """No long chain of models is computed anew at every reading."""

    def depth(key: str) -> int:
        node = project.models.get(key)
        if node is None or node["config"]["materialized"] in PHYSICAL:
            return 0
        return 1 + max(map(depth, project.parents(node)), default=0)

    for node in project.models.values():
        longest = max(map(depth, project.parents(node)), default=0)
        if longest > CHAINED_VIEWS_THRESHOLD:
            yield node["name"], f"behind {longest} views"


def exposure_parents_materializations(project: Project) -> Found:
    """What is exposed is stored."""
    for exposure in project.exposures.values():
        for parent in project.parents(exposure):
            kind = "source"
            if parent in project.models:
                kind = project.models[parent]["config"]["materialized"]
            if kind not in PHYSICAL:
                yield project.name(parent), f"{kind}, read by {exposure['name']}"


def exposures_dependent_on_private_models(project: Project) -> Found:
    """What is exposed is public."""
    for exposure in project.exposures.values():
        for parent in project.parents(exposure, "model."):
            access = project.models[parent]["access"]
            if access != "public":
                yield project.name(parent), f"{access}, read by {exposure['name']}"


def public(project: Project) -> list[Node]:
    """Return the models that anybody may read."""
    return [node for node in project.models.values() if node["access"] == "public"]


def public_models_without_contract(project: Project) -> Found:
    """A public model keeps its columns and types."""
    for node in public(project):
        if not node["config"]["contract"]["enforced"]:
            yield node["name"], "no enforced contract"


def undocumented_public_models(project: Project) -> Found:
    """A public model and each of its columns are described."""
    for node in public(project):
        bare = [c["name"] for c in node["columns"].values() if not c["description"].strip()]
        if bare or not node["columns"] or not node["description"].strip():
            yield node["name"], f"not described: {', '.join(bare) or 'the model or its columns'}"


def undocumented_models(project: Project) -> Found:
    """A model is described."""
    for node in project.models.values():
        if not node["description"].strip():
            yield node["name"], "no description"


def documentation_coverage(project: Project) -> Found:
    """All models are described."""
    n_bare = len(list(undocumented_models(project)))
    if n_bare:
        yield "project", f"{n_bare} of {len(project.models)} models are not described"


def undocumented_source_tables(project: Project) -> Found:
    """A source's table is described."""
    for key, node in project.sources.items():
        if not node["description"].strip():
            yield project.name(key), "no description"


def undocumented_sources(project: Project) -> Found:
    """A source is described."""
    for name in sorted({n["source_name"] for n in bare_sources(project)}):
        yield name, "no description"


def bare_sources(project: Project) -> list[Node]:
    """Return the tables whose source is not described."""
    return [node for node in project.sources.values() if not node["source_description"].strip()]


def missing_primary_key_tests(project: Project) -> Found:
    """A model's key is tested to be known and its own."""
    for key, node in project.models.items():
        kinds = defaultdict[str, set[str]](set)
        together: list[list[str]] = []
        for test in project.tests_of(key):
            kind, arguments = test["test_metadata"]["name"], test["test_metadata"]["kwargs"]
            kinds[test.get("column_name") or ""].add(kind)
            if kind == "unique_combination":
                together.append(arguments["columns"])
            if kind == "not_null_columns":
                for column in arguments["columns"]:
                    kinds[column].add("not_null")
        known = {column for column, found in kinds.items() if "not_null" in found}
        has_key = "primary_key" in kinds[""] or any(
            {"unique", "not_null"} <= found for found in kinds.values()
        )
        if not has_key and not any(known & set(columns) for columns in together):
            yield node["name"], "no test on its key"


def test_coverage(project: Project) -> Found:
    """All models are tested."""
    tested = {parent for test in project.tests for parent in test["depends_on"]["nodes"]}
    for key, node in project.models.items():
        if key not in tested:
            yield node["name"], "no test at all"


def sources_without_freshness(project: Project) -> Found:
    """A source says how old it may be."""
    for key, node in project.sources.items():
        limits = node.get("freshness") or {}
        has_limit = any(
            (limits.get(kind) or {}).get("count") for kind in ("warn_after", "error_after")
        )
        if not has_limit:
            yield project.name(key), "no freshness"


def model_naming_conventions(project: Project) -> Found:
    """A model's prefix says its layer."""
    for node in project.models.values():
        wanted = PREFIXES.get(layer(node), ())
        if not node["name"].startswith(wanted):
            yield node["name"], f"starts with none of {', '.join(wanted)}"


def model_directories(project: Project) -> Found:
    """A staging model lies in its source's folder, others in their layer's."""
    for node in project.models.values():
        folders = Path(node["original_file_path"]).parts[1:-1]
        for source in project.parents(node, "source."):
            wanted = project.sources[source]["source_name"]
            if layer(node) == "staging" and wanted not in folders:
                yield node["name"], f"not in staging/{wanted}"
        nearest = [folder for folder in folders if folder in PREFIXES][-1:]
        if not nearest or not node["name"].startswith(PREFIXES[nearest[0]]):
            yield node["name"], f"nearest layer is {''.join(nearest) or 'none'}"


def source_directories(project: Project) -> Found:
    """A source is declared in its own folder."""
    for key, node in project.sources.items():
        if node["source_name"] not in Path(node["original_file_path"]).parts[:-1]:
            yield project.name(key), f"declared in {node['original_file_path']}"


def test_directories(project: Project) -> Found:
    """A model's tests are declared beside it."""
    for key, node in project.models.items():
        beside = Path(node["original_file_path"]).parent
        for test in project.tests_of(key):
            if Path(test["original_file_path"]).parent != beside:
                yield node["name"], f"{test['name']} is in {test['original_file_path']}"


_CHECKS: tuple[Callable[[Project], Found], ...] = (
    # modelling
    direct_join_to_source, duplicate_sources, hard_coded_references,
    marts_or_intermediate_dependent_on_source, model_fanout, multiple_sources_joined,
    rejoining_of_upstream_concepts, root_models, source_fanout,
    staging_dependent_on_marts_or_intermediate, staging_dependent_on_staging, too_many_joins,
    unused_sources,
    # testing
    missing_primary_key_tests, sources_without_freshness, test_coverage,
    # documentation
    documentation_coverage, undocumented_models, undocumented_source_tables, undocumented_sources,
    # structure
    model_directories, model_naming_conventions, source_directories, test_directories,
    # performance
    chained_views_dependencies, exposure_parents_materializations,
    # governance
    exposures_dependent_on_private_models, public_models_without_contract,
    undocumented_public_models,
)  # fmt: skip
RULES: Mapping[str, Callable[[Project], Found]] = {f"fct_{c.__name__}": c for c in _CHECKS}


def evaluate(manifest: Node) -> list[Finding]:
    """Return what the rules do not like about a project, sorted."""
    project = Project(manifest)
    return sorted(
        {Finding(rule, *found) for rule, check in RULES.items() for found in check(project)}
    )
