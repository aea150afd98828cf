"""The report's model: sentences, ranking, burn-down and what is unknown."""

import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.contracts import judgement
from include.freezeline.freeze.machine import FreezePolicy
from include.freezeline.jobs.report import explained_policy
from include.freezeline.reports.freeze_report import build_report
from include.freezeline.reports.model import FeatureReport, FreezeReport, Policy
from include.freezeline.reports.render_json import render_json
from tests.unit.reports.sample_night import (
    FROZEN_FEATURE,
    flag,
    memory_warehouse,
    slo_window,
    verdict,
    write_flags,
    write_landed,
    write_night,
)

_AS_OF = datetime(2026, 10, 14, tzinfo=UTC)


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with memory_warehouse() as opened:
        yield opened


@pytest.fixture(scope="module")
def report() -> FreezeReport:
    with memory_warehouse() as opened:
        write_night(opened, _AS_OF)
        return build_report(opened, _AS_OF)


def _feature(report: FreezeReport, feature: str, environment: str = "production") -> FeatureReport:
    found = [
        item
        for item in report.features
        if (item.feature, item.environment) == (feature, environment)
    ]
    assert len(found) == 1
    return found[0]


def test_headline_is_the_verdict_when_a_feature_is_frozen(report: FreezeReport) -> None:
    assert report.headline == (
        "Releases for support-assistant (production) are FROZEN since Mon 2026-10-12 00:00Z: "
        "128% of the 28-day error budget of support-escalation is spent (305 bad of 238 allowed), "
        "100% of the overspend by prompt version v8. Earliest thaw Wed 2026-11-04 00:00Z if "
        "nothing new goes wrong."
    )
    assert report.is_any_frozen


def test_features_are_held_first_when_some_are_open(report: FreezeReport) -> None:
    assert [item.feature for item in report.features] == [
        FROZEN_FEATURE,
        "code-helper",
        "code-helper",
        "risk-summariser",
    ]


def test_contributors_add_up_to_the_overspend_when_cut_any_way(report: FreezeReport) -> None:
    slo = _feature(report, FROZEN_FEATURE).slos[0]
    dimensions = {item.dimension for item in slo.contributors}
    assert dimensions == {"prompt_version", "request_model", "tenant_key"}
    overspend = float(slo.bad_count - slo.allowed_bad_count)
    for dimension in dimensions:
        cut = [item for item in slo.contributors if item.dimension == dimension]
        assert sum(item.excess_bad_count for item in cut) == pytest.approx(overspend)
        assert sum(item.budget_share_ratio or 0 for item in cut) == pytest.approx(
            slo.consumed_lower_ratio
        )


def test_small_values_are_gathered_when_they_say_nothing_alone(report: FreezeReport) -> None:
    slo = _feature(report, FROZEN_FEATURE).slos[0]
    tenants = [item.value for item in slo.contributors if item.dimension == "tenant_key"]
    assert tenants == ["t_91bc", "t_4f2a", "(other: 2 values)"]


def test_main_contributor_is_the_new_prompt_when_it_holds_the_excess(report: FreezeReport) -> None:
    main = _feature(report, FROZEN_FEATURE).slos[0].main_contributor
    assert main is not None
    assert (main.dimension, main.value) == ("prompt_version", "v8")


def test_burn_down_ends_at_what_is_left_when_days_are_known(report: FreezeReport) -> None:
    slo = _feature(report, FROZEN_FEATURE).slos[0]
    points = slo.burn_down.points
    assert slo.burn_down.basis == "event_day"
    assert len(points) == 28
    assert points[-1].remaining_ratio == pytest.approx(slo.remaining_ratio)
    assert slo.remaining_ratio is not None
    assert slo.remaining_ratio < 0
    assert points[-1].even_spend_ratio == pytest.approx(0.0)
    assert points[0].at == slo.window_started_at + timedelta(days=1)


def test_burn_down_is_nightly_when_days_are_not_known(report: FreezeReport) -> None:
    burn = _feature(report, "risk-summariser").slos[0].burn_down
    assert burn.basis == "nightly"
    assert len(burn.points) == 28
    assert all(point.even_spend_ratio is None for point in burn.points)


def test_findings_are_listed_unless_ok_when_a_night_was_judged(report: FreezeReport) -> None:
    loud = _feature(report, "code-helper").findings
    assert [item.question for item in loud.raised] == ["semantic_shift_paired", "tpot_p95_ms"]
    thin = _feature(report, "code-helper", "staging").findings
    assert [item.n_current for item in thin.insufficient] == [3]
    quiet = _feature(report, "risk-summariser").findings
    assert (quiet.ok_count, quiet.raised, quiet.insufficient) == (2, (), ())


def test_limit_stays_exact_when_it_is_a_decimal(report: FreezeReport) -> None:
    slo = _feature(report, "code-helper").slos[0]
    assert slo.limit == Decimal("0.005")
    assert slo.allowed_bad_count == Decimal("48.000")


def test_checks_and_night_are_reported_when_they_ran(report: FreezeReport) -> None:
    assert report.checks_run_count == 2
    assert [check.severity for check in report.failed_checks] == ["warning"]
    assert report.night is not None
    assert report.night.is_current
    assert [source.source_name for source in report.night.sources] == ["escalations", "otlp"]
    assert [(item.reason, item.record_count) for item in report.night.quarantine] == [
        ("invalid_id", 4)
    ]


def test_headline_claims_nothing_when_nothing_was_decided(warehouse: Warehouse) -> None:
    report = build_report(warehouse, _AS_OF)
    assert "no feature has been evaluated" in report.headline
    assert "No release is frozen" not in report.headline
    assert report.night is None
    assert report.checks_run_count == 0


def test_feature_without_flag_is_not_open_when_it_only_has_verdicts(warehouse: Warehouse) -> None:
    rows = [verdict(_AS_OF, "newcomer", "input_tokens_creep")]
    assert warehouse.append_revisions(judgement.VERDICTS, rows) == 1
    report = build_report(warehouse, _AS_OF)
    item = _feature(report, "newcomer")
    assert item.flag is None
    assert "no release decision" in item.sentence


def test_headline_names_the_closest_when_nothing_is_frozen(warehouse: Warehouse) -> None:
    windows = [
        slo_window(
            _AS_OF, feature, "errors", limit="0.01", events=1000, bad=bad, verdict="ok",
            objective="less than 1% of calls fail",
        )
        for feature, bad in (("calm", 1), ("close", 7))
    ]  # fmt: skip
    warehouse.append_revisions(judgement.SLO_WINDOWS, windows)
    flags = [flag(_AS_OF, name, "OPEN", slo_name="errors") for name in ("calm", "close")]
    warehouse.append_revisions(judgement.FREEZE_FLAGS, flags)
    assert build_report(warehouse, _AS_OF).headline == (
        "No release is frozen. Closest to its limit: close (production), 70% of the 28-day error "
        "budget of errors is spent."
    )


def test_sentence_says_why_when_the_trip_wire_froze_with_budget_left(warehouse: Warehouse) -> None:
    window = slo_window(
        _AS_OF, "fast", "errors", limit="0.01", events=1000, bad=6, verdict="breach",
        objective="less than 1% of calls fail",
    )  # fmt: skip
    warehouse.append_revisions(judgement.SLO_WINDOWS, [window])
    reason = "trip wire: the last days are above the limit (evidence score 900, alarm at 365)"
    warehouse.append_revisions(
        judgement.FREEZE_FLAGS, [flag(_AS_OF, "fast", "FROZEN", slo_name="errors", reason=reason)]
    )
    headline = build_report(warehouse, _AS_OF).headline
    assert "60% of the 28-day error budget" in headline
    assert reason in headline
    assert "No thaw is in sight" in headline


def test_sentence_does_not_divide_when_the_limit_is_zero(warehouse: Warehouse) -> None:
    window = slo_window(
        _AS_OF, "strict", "leaks", limit="0", events=1000, bad=2, verdict="breach",
        objective="no secret leaks", day=(0, 0),
    )  # fmt: skip
    warehouse.append_revisions(judgement.SLO_WINDOWS, [window])
    warehouse.append_revisions(
        judgement.FREEZE_FLAGS, [flag(_AS_OF, "strict", "FROZEN", slo_name="leaks")]
    )
    report = build_report(warehouse, _AS_OF)
    assert "allows no bad event and 2 bad events happened" in report.headline
    assert _feature(report, "strict").slos[0].remaining_ratio is None


def test_later_nights_are_ignored_when_an_old_night_is_reported(warehouse: Warehouse) -> None:
    write_flags(warehouse, _AS_OF)
    earlier = _AS_OF - timedelta(days=1)
    warehouse.append_revisions(judgement.FREEZE_FLAGS, [flag(earlier, FROZEN_FEATURE, "WARNING")])
    report = build_report(warehouse, earlier)
    assert [item.flag.state for item in report.features if item.flag] == ["WARNING"]


def test_flag_is_expired_when_a_later_night_did_not_decide(warehouse: Warehouse) -> None:
    warehouse.append_revisions(judgement.FREEZE_FLAGS, [flag(_AS_OF, "calm", "OPEN")])
    report = build_report(warehouse, _AS_OF + timedelta(days=3))
    assert report.features[0].flag is not None
    assert report.features[0].flag.is_stale
    assert "expired" in report.headline


def test_restatement_is_listed_when_a_state_changed_afterwards(warehouse: Warehouse) -> None:
    warehouse.append_revisions(judgement.FREEZE_FLAGS, [flag(_AS_OF, "late", "OPEN")])
    warehouse.append_revisions(judgement.FREEZE_FLAGS, [flag(_AS_OF, "late", "FROZEN")])
    report = build_report(warehouse, _AS_OF)
    assert [(item.first_reported, item.now_known) for item in report.restatements] == [
        ("OPEN", "FROZEN")
    ]
    assert report.is_any_frozen


def test_night_is_not_current_when_nothing_landed_for_it(warehouse: Warehouse) -> None:
    write_landed(warehouse, _AS_OF)
    night = build_report(warehouse, _AS_OF + timedelta(days=1)).night
    assert night is not None
    assert not night.is_current
    assert "last night that landed anything" in night.sentence


def test_rule_names_every_condition_when_a_feature_is_frozen(report: FreezeReport) -> None:
    rule = _feature(report, FROZEN_FEATURE).what_next[1]
    assert rule == (
        "The freeze ends after 3 nightly evaluations in a row at which at most 90% of the error "
        "budget of support-escalation is spent, counting the nowcast of pending outcomes (97.5% "
        "bound), the trip wire is quiet (evidence score below 365, also on matured outcomes "
        "alone), there was traffic in the last 24 h, escalations files landed in the last 48 "
        "h and at least 72 h have passed since the freeze began; missing data never ends it."
    )


def test_open_says_what_was_not_judged_when_a_feed_is_silent(warehouse: Warehouse) -> None:
    good = {"limit": "0.01", "events": 1000, "bad": 1, "objective": "sample"}
    windows = [
        slo_window(_AS_OF, "quiet", "errors", verdict="ok", **good),
        slo_window(_AS_OF, "quiet", "outcomes", verdict="insufficient_evidence", **good),
    ]
    warehouse.append_revisions(judgement.SLO_WINDOWS, windows)
    warehouse.append_revisions(judgement.FREEZE_FLAGS, [flag(_AS_OF, "quiet", "OPEN")])
    sentence = _feature(build_report(warehouse, _AS_OF), "quiet").sentence
    assert sentence.endswith("Not judged for lack of evidence: outcomes.")


def test_policy_of_the_report_is_the_policy_of_the_machine() -> None:
    assert explained_policy(FreezePolicy()) == Policy()


def test_json_has_every_field_when_a_report_is_written(report: FreezeReport) -> None:
    written = json.loads(render_json(report))
    assert set(written) == {field.name for field in fields(report)}
    assert written["as_of"] == "2026-10-14T00:00:00Z"
    slo = written["features"][0]["slos"][0]
    assert slo["limit"] == "0.05"
    assert slo["consumed_lower_ratio"] == 305 / 238
