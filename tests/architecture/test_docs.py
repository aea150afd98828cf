"""The docs say what the code says; every failure message is the fix."""

import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.freezeline import errors
from include.freezeline.alerts.policy import load_alert_policy
from include.freezeline.cli.main import command
from include.freezeline.contracts.judgement import JUDGEMENT_TABLES
from include.freezeline.contracts.lake import LAKE_TABLES
from include.freezeline.cost.overrides import load_price_overrides
from include.freezeline.cost.policy import load_cost_policy
from include.freezeline.drift.anomaly_policy import load_anomaly_policy
from include.freezeline.drift.policy import load_drift_policy
from include.freezeline.erasure.policy import load_erasure_policy
from include.freezeline.errors import ConfigError
from include.freezeline.evaluations.policy import load_evaluation_policy
from include.freezeline.evaluators.policy import load_evaluator_policy
from include.freezeline.facts.spec import load_fact_specs
from include.freezeline.freeze.overrides import load_override_rules
from include.freezeline.labelling.policy import load_labelling_policy
from include.freezeline.landing.sources import load_sources
from include.freezeline.readers.registry import DIALECTS
from include.freezeline.readers.rules import load_landing_rules
from include.freezeline.redaction.rules import load_redaction_config
from include.freezeline.retention.policy import load_retention_policy
from include.freezeline.sealing.policy import load_break_glass_policy
from include.freezeline.settings import Settings
from include.freezeline.slo.catalogue import load_slos
from include.freezeline.slo.policy import load_freeze_rules

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CONFIG = ROOT / "include" / "config"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
CONFIGURATION = (DOCS / "configuration.md").read_text(encoding="utf-8")
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")
SETTING = re.compile(r"FREEZELINE_[A-Z0-9_]*[A-Z0-9]")
SETTING_ROW = re.compile(r"^\| `(FREEZELINE_[A-Z0-9_]+)` \| (.+) \| (.+) \|$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)\s]+)\)")

Mistake = tuple[str, str, str, Callable[[Path], Any]]
PRICE = (
    "overrides: [{provider: p, model: m, valid_from_date: 2026-09-01, input_usd_per_mtok: '-3', "
    "output_usd_per_mtok: '1', reason: r}]"
)
# File, what is right, what somebody writes instead, who reads it: the table of mistakes.
MISTAKES: tuple[Mistake, ...] = (
    ("sources.yml", "expected: true", "expcted: true", load_sources),
    ("landing.yml", "  route:", "  rout:", load_landing_rules),
    ("facts/escalations.yml", "role: event_time", "role: evt", load_fact_specs),
    ("redaction/default.yml", "module: private_key", "modul: private_key", load_redaction_config),
    ("price_overrides.yml", "overrides: []", PRICE, load_price_overrides),
    ("cost.yml", 'max_gap_ratio: "0.02"', 'max_gap_ratio: "2%"', load_cost_policy),
    ("evaluations.yml", "kind: toxicity", "kind: toxic", load_evaluation_policy),
    ("evaluators.yml", "threshold: 0.589", "threshold: 0.9", load_evaluator_policy),
    ("drift.yml", "  semantic_shift:", "  semantics_shift:", load_drift_policy),
    ("anomalies.yml", "kind: creep", "kind: crep", load_anomaly_policy),
    ("slos/support-escalation.yml", "target: 0.95", "target: 0.9", load_slos),
    ("slos/support-escalation.yml", "metadata:", "metadata: [", load_slos),
    ("alerts.yml", "least_tier: P1", "least_tier: high", load_alert_policy),
    ("retention.yml", "then: delete", "then: drop", load_retention_policy),
    ("erasure.yml", "min_persons: 5", "min_persons: 1", load_erasure_policy),
    ("break_glass.yml", "lifetime_days: 7", "lifetime_days: 60", load_break_glass_policy),
    ("freeze.yml", 'warn_clear: "0.65"', 'warn_clear: "0.75"', load_freeze_rules),
    ("overrides.yml", "max_hours: 72", "max_hours: 168", load_override_rules),
    ("labelling.yml", "[feature, request_model]", "[feature, user_key]", load_labelling_policy),
)


def read(page: Path) -> str:
    """Return a page's text."""
    return page.read_text(encoding="utf-8")


def named(page: Path) -> str:
    """Return a page's name for messages."""
    return str(page.relative_to(ROOT))


def prose(text: str) -> str:
    """Return Markdown without its fenced blocks, where '#' and brackets mean something else."""
    return re.sub(r"^( *)```.*?^\1```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", prose(read(page)), flags=re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def missing_from(text: str, names: Iterable[str]) -> list[str]:
    """Return the names that a text does not hold; no names at all is a broken test."""
    wanted = sorted(names)
    assert wanted
    return [name for name in wanted if name not in text]


def test_settings_table_is_the_settings() -> None:
    fields = {f"FREEZELINE_{name}".upper(): field for name, field in Settings.model_fields.items()}
    rows = {name: default for name, _, default in SETTING_ROW.findall(CONFIGURATION)}
    assert len(rows) >= 10
    assert set(rows) == set(fields), (
        f"docs/configuration.md: add {sorted(set(fields) - set(rows))} to the settings table, "
        f"remove {sorted(set(rows) - set(fields))}"
    )
    for name, field in fields.items():
        shown = "unset" if field.default is None else f"`{field.default}`"
        assert rows[name].startswith(shown), f"docs/configuration.md: {name}: default is {shown}"


def test_every_setting_named_in_the_docs_exists() -> None:
    known = {f"FREEZELINE_{name}".upper() for name in Settings.model_fields}
    found = [(page, name) for page in PAGES for name in SETTING.findall(read(page))]
    assert len(found) > len(known)
    wrong = sorted({f"{named(page)}: {name}" for page, name in found if name not in known})
    assert not wrong, f"no such settings: {wrong}"


def test_every_nested_config_file_and_schema_is_named() -> None:
    files = [path for path in CONFIG.rglob("*.yml") if path.parent != CONFIG]
    names = [str(path.relative_to(CONFIG)) for path in files]
    names += [path.name for path in (CONFIG / "schema").glob("*.json")]
    assert len(names) >= 15
    missing = missing_from(CONFIGURATION, names)
    assert not missing, f"docs/configuration.md: name {missing}"


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake[0]} {mistake[2][:20]}")
def test_message_of_a_mistake_is_the_documented_one(
    mistake: Mistake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, right, wrong, load = mistake
    monkeypatch.chdir(tmp_path)  # so that messages begin with config/, as the table writes them
    folder = Path("config")
    shutil.copytree(CONFIG, folder)
    text = read(folder / name)
    assert right in text
    (folder / name).write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert f"`{caught.value}`" in CONFIGURATION, (
        f"docs/configuration.md: write the message as it is: {caught.value}"
    )


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_relative_links_lead_to_existing_files_and_headings(page: Path) -> None:
    for link in LINK.findall(prose(read(page))):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{named(page)}: {link} leads nowhere"
        if anchor:
            assert anchor in anchors(target), f"{named(page)}: {link}: no such heading"


def test_pages_have_links_to_check() -> None:
    links = [link for page in PAGES for link in LINK.findall(prose(read(page)))]
    assert len(PAGES) >= 15
    assert len(links) >= 40


def test_runbooks_of_the_slos_lead_to_headings() -> None:
    checked = 0
    for slo in load_slos(CONFIG):
        path, _, anchor = slo.runbook.partition("#")
        if not path.startswith("docs/"):
            continue
        checked += 1
        assert (ROOT / path).exists(), f"slos/{slo.name}.yml: {slo.runbook} leads nowhere"
        assert not anchor or anchor in anchors(ROOT / path), (
            f"slos/{slo.name}.yml: {slo.runbook}: no such heading"
        )
    assert checked


def test_runbooks_of_the_alerts_lead_to_headings() -> None:
    policy = load_alert_policy(CONFIG)
    rules = [*policy.signals, *policy.scores, policy.freeze, policy.composite]
    for runbook in {rule.runbook for rule in rules}:
        path, _, anchor = runbook.partition("#")
        assert (ROOT / path).exists(), f"alerts.yml: {runbook} leads nowhere"
        assert not anchor or anchor in anchors(ROOT / path), f"alerts.yml: {runbook}: no heading"


def test_every_dag_is_in_the_table_of_the_readme() -> None:
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", read(ROOT / "README.md"), flags=re.MULTILINE))
    dags = {path.stem for path in (ROOT / "dags").glob("*.py")}
    assert dags
    assert dags <= rows, f"README.md: add {sorted(dags - rows)} to the table of DAGs"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(prose(read(page))))
        waiting += [(page.parent / link).resolve() for link in links if link]
    lonely = [
        named(page)
        for page in PAGES
        if page not in reached and page.parent != DOCS / "decisions"  # linked as a folder
    ]
    assert not lonely, f"link {lonely} from README.md or a page it links to"


def test_every_error_named_in_the_docs_exists() -> None:
    texts = "\n".join(read(page) for page in PAGES)
    found = set(re.findall(r"`([A-Z][A-Za-z]+Error)`", texts))
    assert len(found) >= 5
    unknown = sorted(name for name in found if not hasattr(errors, name))
    assert not unknown, f"include/freezeline/errors.py has no {unknown}"


def test_every_command_in_the_docs_exists() -> None:
    known = set(command.list_commands(None))  # type: ignore[arg-type]
    found = [
        (page, word)
        for page in PAGES
        for word in re.findall(r"-m include\.freezeline ([a-z][a-z-]*)", read(page))
    ]
    assert len(found) >= 10
    wrong = sorted({f"{named(page)}: {word}" for page, word in found if word not in known})
    assert not wrong, f"no such commands: {wrong}"


def test_architecture_names_every_package_and_table() -> None:
    package = ROOT / "include" / "freezeline"
    packages = [path.parent.name for path in package.glob("*/__init__.py")]
    missing = missing_from(ARCHITECTURE, packages)
    missing += missing_from(ARCHITECTURE, (table.name for table in JUDGEMENT_TABLES))
    missing += missing_from(ARCHITECTURE, (table.name for table in LAKE_TABLES))
    assert not missing, f"docs/architecture.md: say what {missing} hold"


def test_every_dialect_is_in_the_how_to() -> None:
    page = DOCS / "how-to" / "add-a-source.md"
    missing = missing_from(read(page), (f"`{dialect.name}`" for dialect in DIALECTS))
    assert not missing, f"{named(page)}: add {missing} to the table of dialects"


def test_yaml_examples_in_the_docs_are_yaml() -> None:
    checked = 0
    for page in PAGES:
        for block in re.findall(r"^```yaml\n(.*?)^```", read(page), flags=re.MULTILINE | re.DOTALL):
            checked += 1
            assert yaml.safe_load(block) is not None, f"{named(page)}: {block}"
    assert checked >= 8
