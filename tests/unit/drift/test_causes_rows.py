"""Which probes speak for a verdict, and how the row shows what they compared."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from include.freezeline.drift.cause_rows import probes_of, root_cause_row
from include.freezeline.drift.causes import find_cause
from include.freezeline.drift.findings import Finding, Judged
from include.freezeline.drift.night import judge_drift
from include.freezeline.drift.signs import CauseRows
from include.freezeline.drift.windows import Window
from tests.unit.drift.worlds import AS_OF, FIRST_DAY, POLICY, fake_embed, segment_texts

_DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def night() -> list[Judged]:
    """Verdicts of a night on which another model has answered for a while."""
    return judge_drift([segment_texts(frozenset(range(6)))], POLICY, AS_OF, fake_embed)


def _finding(night: list[Judged], question: str) -> Finding:
    return next(j.finding for j in night if j.finding.question == question)


def _of_yesterday(night: list[Judged]) -> Finding:
    """Return a finding that compares the last day with the two days before it."""
    return replace(
        _finding(night, "semantic_shift_paired"),
        family="anomaly",
        question="input_tokens_shift",
        window=Window(AS_OF - _DAY, AS_OF),
        reference=Window(AS_OF - 3 * _DAY, AS_OF - _DAY),
    )


def test_probes_count_for_a_verdict_on_the_same_windows(night: list[Judged]) -> None:
    probes = probes_of(_finding(night, "semantic_shift"), night)
    assert len(probes) == 2
    assert all(probe.is_large and probe.is_same_comparison for probe in probes)
    assert all(probe.windows["probes"] == probe.windows["verdict"] for probe in probes)


def test_a_model_that_changed_long_ago_is_no_cause_of_what_changed_yesterday(
    night: list[Judged],
) -> None:
    finding = _of_yesterday(night)
    probes = probes_of(finding, night)
    rows = CauseRows(np.arange(80) >= 40, {"prompt_version": ["v1"] * 80})
    found = find_cause(rows, POLICY.causes, seed=1, is_given_version=True, probes=probes)
    assert found.cause == "unknown"
    assert "changed but not counted: model (probe answers: " in found.reason
    judged = Judged(finding, "breach", 0.001, "")
    evidence = json.loads(root_cause_row(judged, found, AS_OF)["evidence"])
    probe = next(item for item in evidence if item["name"] == "probe answers")
    assert (probe["is_changed"], probe["is_counted"]) == (True, False)
    assert probe["note"] == "the probes compare other windows of time"
    reference = [FIRST_DAY.isoformat(), (FIRST_DAY + 14 * _DAY).isoformat()]
    assert probe["windows"]["probes"]["before"] == reference
    assert probe["windows"]["verdict"]["current"] == [
        (AS_OF - _DAY).isoformat(),
        AS_OF.isoformat(),
    ]
    assert all(item["windows"] is None for item in evidence if "probe" not in item["name"])


def test_a_creep_has_no_reference_that_probes_could_share(night: list[Judged]) -> None:
    creep = replace(_finding(night, "semantic_shift"), reference=None)
    assert not any(probe.is_same_comparison for probe in probes_of(creep, night))
