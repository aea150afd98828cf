"""The incidents' table, their switches and that they change nothing else."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from include.freezeline.demo.incidents import (
    ALL_INCIDENTS,
    INCIDENTS,
    Columns,
    Incident,
    incident_table,
    resolve_incidents,
)
from include.freezeline.demo.traffic import draw_day
from include.freezeline.demo.world import DATES, FEATURES, FeatureSpec
from include.freezeline.errors import ConfigError

_ALLOWED = {
    "prompt_escalation": {"escalation_ratio", "is_escalated"},
    "empty_retrievals": {"empty_ratio", "n_documents"},
    "silent_model_swap": {"style"},
    "tpot_stutter": {"tpot_ms"},
    "token_creep": {"input_tokens"},
}


def _feature(incident: Incident) -> FeatureSpec:
    return next(feature for feature in FEATURES if feature.name == incident.feature)


def _day(feature: FeatureSpec, day: date, active: frozenset[str]) -> Columns:
    return draw_day(feature, day, seed=7, scale=1.0, active=active)


def _changed(quiet: Columns, loud: Columns) -> set[str]:
    assert quiet.keys() == loud.keys()
    return {name for name in quiet if not np.array_equal(quiet[name], loud[name])}


def test_demo_page_holds_the_table_of_the_code() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "demo.md"
    assert incident_table() in page.read_text(encoding="utf-8"), (
        "docs/demo.md: replace its table of incidents by what "
        "include.freezeline.demo.incidents.incident_table() returns"
    )


def test_table_names_every_incident_once() -> None:
    assert len(INCIDENTS) == len(ALL_INCIDENTS) == len(_ALLOWED) == 5
    assert all(incident_table().count(f"`{name}`") == 1 for name in ALL_INCIDENTS)


def test_only_the_escalation_freezes_and_risk_summariser_is_quiet() -> None:
    assert {i.feature for i in INCIDENTS if i.is_freezing} == {"support-assistant"}
    assert "risk-summariser" not in {incident.feature for incident in INCIDENTS}


def test_resolve_gives_all_none_or_the_named() -> None:
    assert resolve_incidents(wanted=True) == ALL_INCIDENTS
    assert resolve_incidents(wanted=False) == frozenset()
    assert resolve_incidents(frozenset({"token_creep"})) == {"token_creep"}


def test_resolve_names_the_known_when_a_name_is_wrong() -> None:
    with pytest.raises(ConfigError, match=r"no incident named 'tpot'.*tpot_stutter"):
        resolve_incidents(frozenset({"tpot"}))


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)
def test_incident_changes_only_its_values_on_its_days(incident: Incident) -> None:
    feature, only = _feature(incident), frozenset({incident.name})
    before = incident.start_date - timedelta(days=1)
    later = incident.start_date + timedelta(days=2)
    assert _changed(_day(feature, before, frozenset()), _day(feature, before, only)) == set()
    quiet, loud = _day(feature, later, frozenset()), _day(feature, later, only)
    assert _changed(quiet, loud) == _ALLOWED[incident.name]


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)
def test_incident_hits_its_model_and_version_only(incident: Incident) -> None:
    feature = _feature(incident)
    quiet = _day(feature, DATES[-1], frozenset())
    loud = _day(feature, DATES[-1], frozenset({incident.name}))
    for name in _ALLOWED[incident.name]:
        is_changed = quiet[name] != loud[name]
        assert is_changed.sum() > 0
        if incident.model is not None:
            assert set(quiet["request_model"][is_changed]) == {incident.model}
        if incident.name == "prompt_escalation":
            assert set(quiet["prompt_version"][is_changed]) == {"v8"}
        if incident.name in ("prompt_escalation", "token_creep"):
            assert set(quiet["canary_id"][is_changed]) == {""}


def test_other_features_stay_as_they_are() -> None:
    checked = 0
    for feature in FEATURES:
        foreign = frozenset(i.name for i in INCIDENTS if i.feature != feature.name)
        quiet, loud = (_day(feature, DATES[-1], active) for active in (frozenset(), foreign))
        assert _changed(quiet, loud) == set()
        checked += len(quiet["started_ns"])
    assert checked > 500
