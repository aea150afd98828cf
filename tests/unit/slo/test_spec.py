"""SLO files: the shipped ones are right, and wrong ones say what to do."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from include.freezeline.cli.main import command
from include.freezeline.config import config_dir
from include.freezeline.errors import ConfigError
from include.freezeline.settings import Settings
from include.freezeline.slo.catalogue import load_slo, load_slos, slo_json_schema

CONFIG = config_dir(Settings())
SHIPPED = sorted((CONFIG / "slos").glob("*.yml"))
SUPPORT = CONFIG / "slos" / "support-escalation.yml"
NOTES = "freezeline.dev/"
Change = Callable[[dict[str, Any]], object]


def _document() -> dict[str, Any]:
    """Return a valid document to break."""
    text = (CONFIG / "slos" / "support-escalation.yml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def _write(folder: Path, document: dict[str, Any], name: str = "support-escalation") -> Path:
    """Write a document as an SLO file."""
    path = folder / "slos" / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def _note(name: str, value: object) -> Change:
    """Return a change of an annotation; None removes it."""

    def change(document: dict[str, Any]) -> None:
        notes = document["metadata"]["annotations"]
        notes.pop(NOTES + name, None)
        if value is not None:
            notes[NOTES + name] = value

    return change


def _bad_source(document: dict[str, Any]) -> dict[str, Any]:
    """Return the source of the bad metric."""
    ratio = document["spec"]["indicator"]["spec"]["ratioMetric"]
    source: dict[str, Any] = ratio["bad"]["metricSource"]["spec"]
    return source


def _alert(threshold: float) -> dict[str, Any]:
    """Return an inline alert policy."""
    condition = {"kind": "burnrate", "op": "gt", "threshold": threshold, "lookbackWindow": "1h"}
    return {
        "kind": "AlertPolicy",
        "metadata": {"name": "page"},
        "spec": {
            "conditions": [
                {
                    "kind": "AlertCondition",
                    "metadata": {"name": "fast"},
                    "spec": {"severity": "page", "condition": condition},
                }
            ],
            "notificationTargets": [{"targetRef": "on-call"}],
        },
    }


_CALENDAR = {"startTime": "2026-01-01 00:00:00", "timeZone": "Europe/Berlin"}


def _window(**values: Any) -> Change:
    """Change the compliance window."""
    return lambda d: d["spec"]["timeWindow"][0].update(values)


def _sliced(**values: Any) -> Change:
    """Ask for slices."""

    def change(document: dict[str, Any]) -> None:
        document["spec"]["budgetingMethod"] = "Timeslices"
        document["spec"]["objectives"][0].update(values)

    return change


_VALUE = {
    "metricSource": {
        "type": "warehouse",
        "spec": {
            "relation": "marts.fct_llm_calls",
            "value": "duration_ms",
            "where": "not is_canary",
            "eventTime": "called_at",
        },
    }
}


def _threshold(**values: Any) -> Change:
    """Ask for a threshold instead of a ratio."""

    def change(document: dict[str, Any]) -> None:
        for name in ("maturity-lag", "fact", "fact-silence"):
            document["metadata"]["annotations"].pop(f"freezeline.dev/{name}")
        document["spec"]["indicator"]["spec"] = {"thresholdMetric": _VALUE}
        document["spec"]["objectives"][0].update(values)

    return change


def _both(document: dict[str, Any]) -> None:
    """Ask for both kinds of indicator."""
    document["spec"]["indicator"]["spec"]["thresholdMetric"] = _VALUE


BROKEN: list[tuple[str, Change, str]] = [
    ("limit_above_one", _note("limit", "5"), "limit: .*between 0 and 1"),
    ("limit_missing", _note("limit", None), "limit: required but missing"),
    ("owner_missing", _note("owner", None), "owner: required but missing"),
    ("runbook_missing", _note("runbook", None), "runbook: required but missing"),
    ("consequence_unknown", _note("consequence", "stop"), "consequence: .*'freeze' or 'warn'"),
    ("lag_malformed", _note("maturity-lag", "3 days"), "maturity-lag: .*whole number"),
    ("lag_without_fact", _note("fact", None), "fact: needed with maturity-lag"),
    ("fact_malformed", _note("fact", "a fact"), "fact: "),
    ("silence_malformed", _note("fact-silence", "2 days"), "fact-silence: .*whole number"),
    ("silence_too_long", _note("fact-silence", "96h"), "fact-silence: .*maturity-lag 72h, got 96h"),
    ("note_misspelt", _note("owners", "x"), "owners: unknown key"),
    ("target_disagrees", _note("limit", "0.04"), r"target: must be 1 - .* = 0\.96, got 0\.95"),
    (
        "minutes_meant_as_months",
        lambda d: d["spec"]["timeWindow"][0].update(duration="1m"),
        "m means minutes; write '28d'",
    ),
    ("too_short", _window(duration="12h"), "duration: must be at least 24h, got '12h'"),
    ("calendar_missing", _window(isRolling=False), "calendar: required when isRolling is false"),
    ("calendar_rolls", _window(calendar=_CALENDAR), "calendar: a rolling window has none"),
    ("calendar_of_weeks", _window(isRolling=False, calendar=_CALENDAR), "lasts 1d or 1M"),
    (
        "zone_unknown",
        _window(duration="1M", isRolling=False, calendar=_CALENDAR | {"timeZone": "Mars/Base"}),
        "timeZone: must be an IANA time zone",
    ),
    (
        "month_from_the_second",
        _window(
            duration="1M",
            isRolling=False,
            calendar=_CALENDAR | {"startTime": "2026-01-02 00:00:00"},
        ),
        "months begin on the first",
    ),
    (
        "start_at_noon",
        _window(
            duration="1d",
            isRolling=False,
            calendar=_CALENDAR | {"startTime": "2026-01-01 12:00:00"},
        ),
        "startTime: must be a midnight",
    ),
    (
        "slices_without_window",
        _sliced(timeSliceTarget=0.9),
        "timeSliceWindow: required with budgetingMethod Timeslices",
    ),
    (
        "slices_of_a_week",
        _sliced(timeSliceTarget=0.9, timeSliceWindow="1w"),
        "timeSliceWindow: must be at most 24h",
    ),
    (
        "slices_of_events",
        lambda d: d["spec"]["objectives"][0].update(timeSliceTarget=0.9),
        "timeSliceTarget: has no meaning with budgetingMethod Occurrences",
    ),
    (
        "slices_of_a_month",
        lambda d: (
            _sliced(timeSliceTarget=0.9, timeSliceWindow="1h")(d),
            _window(duration="1M", isRolling=False, calendar=_CALENDAR)(d),
        ),
        "Timeslices needs a rolling window",
    ),
    (
        "threshold_of_ratio",
        lambda d: d["spec"]["objectives"][0].update(op="lt"),
        "op: has no meaning with ratioMetric",
    ),
    ("threshold_without_value", _threshold(op="lt"), "value: required with thresholdMetric"),
    ("two_indicators", _both, "give one of ratioMetric and thresholdMetric"),
    ("unknown_key", lambda d: d["spec"].update(colour="red"), "spec.colour: unknown key"),
    ("two_statements", lambda d: _bad_source(d).update(where="true; drop table x"), "without ';'"),
    ("foreign_schema", lambda d: _bad_source(d).update(relation="secrets.x"), "relation: "),
    (
        "two_relations",
        lambda d: _bad_source(d).update(relation="marts.fct_evaluations"),
        "bad must read the relation of total",
    ),
    ("lag_without_column", lambda d: _bad_source(d).pop("knownAt"), "needs knownAt"),
    (
        "unreachable_alert",
        lambda d: d["spec"].update(alertPolicies=[_alert(21.0)]),
        "can never be reached .*at most 20",
    ),
    (
        "other_method",
        lambda d: d["spec"].update(budgetingMethod="RatioTimeslices"),
        "'Occurrences' or 'Timeslices'",
    ),
    ("other_name", lambda d: d["metadata"].update(name="other"), "must equal the file name"),
]


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_shipped_slo_fits_the_editor_schema_when_loaded(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), slo_json_schema())
    assert load_slo(path).name == path.stem


def test_shipped_slos_load_together_when_none_overlap() -> None:
    slos = load_slos(CONFIG)
    assert len(slos) == len(SHIPPED) >= 4
    assert {"freeze", "warn"} == {slo.consequence for slo in slos}


def test_committed_schema_equals_the_model_when_generated_again() -> None:
    committed = json.loads((CONFIG / "schema" / "slo.schema.json").read_text(encoding="utf-8"))
    assert committed == slo_json_schema(), "run: freezeline slo schema > slo.schema.json"


@pytest.mark.parametrize(
    ("change", "message"), [item[1:] for item in BROKEN], ids=[item[0] for item in BROKEN]
)
def test_file_is_refused_with_remedy_when_broken(
    change: Change, message: str, tmp_path: Path
) -> None:
    document = copy.deepcopy(_document())
    change(document)
    path = _write(tmp_path, document)
    with pytest.raises(ConfigError, match=message) as caught:
        load_slo(path)
    assert str(caught.value).startswith(str(path))


def test_reachable_alert_is_accepted_when_threshold_is_at_the_maximum(tmp_path: Path) -> None:
    document = _document()
    document["spec"]["alertPolicies"] = [_alert(20.0)]
    assert load_slo(_write(tmp_path, document)).name == "support-escalation"


def test_slos_are_refused_when_they_count_the_same_events(tmp_path: Path) -> None:
    document = _document()
    _write(tmp_path, document)
    document["metadata"]["name"] = "twin"
    document["metadata"]["annotations"][NOTES + "features"] = "*"
    _write(tmp_path, document, "twin")
    with pytest.raises(ConfigError, match=r"counts the same events as support-escalation\.yml"):
        load_slos(tmp_path)


def test_slo_is_refused_when_nobody_declares_its_fact(tmp_path: Path) -> None:
    document = _document()
    document["metadata"]["annotations"][NOTES + "fact"] = "escalation"
    _write(tmp_path, document)
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "escalations.yml").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"no such fact 'escalation' \(one of escalations"):
        load_slos(tmp_path)


def test_configuration_is_refused_when_it_has_no_slo(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no SLO files"):
        load_slos(tmp_path)


def test_file_is_refused_when_it_is_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigError, match="one OpenSLO document"):
        load_slo(path)


@pytest.mark.parametrize(("op", "sign"), [("lt", "<"), ("lte", "<="), ("gt", ">"), ("gte", ">=")])
def test_threshold_is_compiled_to_the_condition_of_a_bad_value(
    tmp_path: Path, op: str, sign: str
) -> None:
    document = yaml.safe_load(SUPPORT.read_text(encoding="utf-8"))
    _threshold(op=op, value=1.2e3)(document)
    path = tmp_path / SUPPORT.name
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    slo = load_slo(path)
    assert slo.is_bad_sql == f"not ((duration_ms) {sign} 1200.0)"
    assert slo.is_event_sql == "(not is_canary) and (duration_ms) is not null"
    assert slo.event_at_column == "called_at"


def test_validate_answers_programs_too(tmp_path: Path) -> None:
    good = CliRunner().invoke(command, ["slo", "validate", str(SUPPORT), "--format", "json"])
    assert json.loads(good.stdout) == {"is_valid": True, "slos": ["support-escalation"]}
    path = tmp_path / "x.yml"
    path.write_text("kind: SLO")
    bad = CliRunner().invoke(command, ["slo", "validate", str(path), "--format", "json"])
    found = json.loads(bad.stdout)
    assert (bad.exit_code, found["is_valid"]) == (1, False)
    assert found["problem"].startswith(f"{path}: apiVersion: required")
