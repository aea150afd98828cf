"""Which actions are recommended, and on what."""

import json
from typing import Any

import pytest

from include.freezeline.alerts.actions import p_worse, propose
from include.freezeline.alerts.signals import Signal
from tests.unit.alerts.builders import POLICY, policy, signal, window

RULES = POLICY.actions


def part(value: str, n_bad: int, n_all: int, dimension: str = "prompt_version") -> dict[str, Any]:
    return {
        "slo_name": "ttft-p99", "feature": "support-assistant", "environment": "production",
        "dimension": dimension, "dimension_value": value, "bad_count": n_bad,
        "event_count": n_all, "bad_ratio": n_bad / n_all, "excess_bad_count": n_bad - 0.01 * n_all,
    }  # fmt: skip


def actions(attributions: Any = (), *, signals: Any = (), verdicts: Any = (), causes: Any = (),
            lost: Any = (), verdict: str = "breach", rules: Any = RULES) -> list[Any]:  # fmt: skip
    windows = [window(verdict=verdict)]
    return propose(list(signals), windows, attributions, verdicts, causes, lost, rules)


@pytest.mark.parametrize(
    ("dimension", "action"),
    [
        ("prompt_version", "roll_back_prompt"),
        ("request_model", "route_away_from_model"),
        ("route", "check_route"),
        ("tenant_key", "contain_tenant"),
    ],
)
def test_worst_value_of_each_dimension_is_a_suspect(dimension: str, action: str) -> None:
    parts = [part("new", 60, 500, dimension), part("old", 4, 500, dimension)]
    (found,) = actions(parts)
    assert (found.action, found.target, found.dimension) == (action, "new", dimension)
    assert found.alternative == (None if dimension == "tenant_key" else "old")
    assert found.confidence > 0.999
    assert found.evidence["other_bad_count"] == 4
    assert f"where {dimension} = 'new'" in found.evidence_query


@pytest.mark.parametrize(
    "parts",
    [
        [part("new", 60, 500)],  # nothing to compare with
        [part("new", 10, 20), part("old", 4, 500)],  # too few calls
        [part("new", 16, 500), part("old", 15, 500)],  # not surely worse
        [part("(none)", 60, 500), part("old", 4, 500)],
        [part("new", 4, 500), part("old", 4, 500)],  # nobody overspends
    ],
)
def test_nothing_is_recommended_without_evidence(parts: Any) -> None:
    assert actions(parts) == []


def test_sampled_calls_prove_what_was_seen_of_them() -> None:
    """Each row stands for 50 calls: the same counts are 50 of them, or 2,000."""
    parts = [part("new", 150, 500), part("old", 50, 2000)]
    assert len(actions(parts)) == 1
    few = window(verdict="breach", independence=1 / 50)
    assert propose([], [few], parts, [], [], [], RULES) == []
    enough = [part("new", 50 * 150, 50 * 500), part("old", 50 * 50, 50 * 2000)]
    (found,) = propose([], [few], enough, [], [], [], RULES)
    assert found.confidence == pytest.approx(actions(parts)[0].confidence)


def test_worst_of_many_values_needs_more_evidence() -> None:
    """Of twenty tenants alike, one is ahead by chance."""
    few = [part("a", 16, 500, "tenant_key"), part("b", 6, 500, "tenant_key")]
    assert [each.target for each in actions(few)] == ["a"]
    others = [part(f"t{n}", 6, 500, "tenant_key") for n in range(19)]
    assert RULES.confidence < p_worse(14, 500, 6 * 19, 500 * 19) < 1 - 0.05 / 20
    assert actions([part("a", 14, 500, "tenant_key"), *others]) == []
    assert len(actions([part("a", 15, 500, "tenant_key"), *others])) == 1


def test_slo_that_is_fine_recommends_nothing() -> None:
    assert actions([part("new", 60, 500), part("old", 4, 500)], verdict="ok") == []


def test_small_part_of_the_excess_is_not_acted_on() -> None:
    parts = [part(f"v{n}", 60, 500) for n in range(5)] + [part("old", 0, 5000)]
    assert actions(parts) == []
    assert len(actions(parts, rules=policy(
        actions={**RULES.model_dump(), "min_excess_share": 0.1}).actions)) == 1  # fmt: skip


def test_value_with_a_quote_stays_a_value() -> None:
    (found,) = actions([part("a' or 1=1 --", 60, 500), part("old", 4, 500)])
    assert found.evidence_query.endswith("= 'a'' or 1=1 --'")


def active(name: str, **changes: Any) -> Signal:
    return signal(name=name, state="SLOW", strength=1.0, **changes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ttft-p99", ["scale_serving"]),
        ("ttft_p95_ms", ["scale_serving"]),
        ("tpot-p99", []),
        ("retrieval_empty_ratio", ["tighten_retrieval"]),
        ("groundedness", ["tighten_retrieval"]),
        ("cost_per_call_usd", []),
    ],
)
def test_ttft_and_retrieval_suggest_something_on_their_own(name: str, expected: list[str]) -> None:
    found = actions(signals=[active(name)], verdict="ok")
    assert [each.action for each in found] == expected
    assert all(each.confidence is None and "rule of thumb" in each.meaning for each in found)


def cause(name: str, moved: Any = None) -> dict[str, Any]:
    sign = {"prompt": "prompt version", "model": "model asked for"}.get(name, "other")
    evidence = [{"name": sign, "is_changed": True, "moved": moved}]
    return {"verdict_key": "k", "cause": name, "reason": f"most likely the {name}",
            "evidence": json.dumps(evidence), "evidence_query": "select 1"}  # fmt: skip


def breach(**changes: Any) -> dict[str, Any]:
    return {"verdict_key": "k", "verdict": "breach", "question": "semantic_shift", "value": 0.7,
            "feature": "support-assistant", "environment": "production", "model": None,
            "prompt_version": None, "q_value": 0.001, **changes}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "moved", "expected"),
    [
        ("prompt", {"v9": {"reference_ratio": 0.0, "current_ratio": 0.6},
                    "v8": {"reference_ratio": 1.0, "current_ratio": 0.4}}, ("roll_back_prompt", "v9")),
        ("prompt", None, None),
        ("model", {"m2": {"reference_ratio": 0.1, "current_ratio": 0.9}}, ("route_away_from_model", "m2")),
        ("model", {"arn:a…b": {"reference_ratio": 0.1, "current_ratio": 0.9, "full_name": "arn:a:m:b"}},
                  ("route_away_from_model", "arn:a:m:b")),
        ("retrieval", None, ("tighten_retrieval", "support-assistant")),
        ("input", None, ("retrain", "support-assistant")),
        ("unknown", None, None),
    ],
)  # fmt: skip
def test_root_cause_of_a_breach_suggests_an_action(name: str, moved: Any, expected: Any) -> None:
    found = actions(verdicts=[breach()], causes=[cause(name, moved)], verdict="ok")
    assert [(each.action, each.target) for each in found] == ([expected] if expected else [])
    assert all("suspect" in each.reason for each in found)


@pytest.mark.parametrize("changes", [{"verdict": "warning"}, {"q_value": 0.2}, {"q_value": None}])
def test_verdict_that_is_not_clear_suggests_nothing(changes: Any) -> None:
    assert actions(verdicts=[breach(**changes)], causes=[cause("input")], verdict="ok") == []


def test_lost_cache_hits_suggest_to_restore_the_cache() -> None:
    row = {"feature": "f", "environment": "production", "request_model": "m", "n_calls": 100,
           "cache_hit_ratio": 0.1, "baseline_cache_hit_ratio": 0.6}  # fmt: skip
    (found,) = actions(lost=[row], verdict="ok")
    assert (found.action, found.target) == ("restore_cache", "m")
    assert "10% in the last 7 days, 60% before" in found.reason


def test_same_action_for_two_reasons_is_one() -> None:
    parts = [part("m2", 60, 500, "request_model"), part("m1", 4, 500, "request_model")]
    (found,) = actions(parts, verdicts=[breach(model="m2")], causes=[cause("model")])
    assert found.triggers == ("semantic_shift", "ttft-p99")
    assert found.confidence == pytest.approx(1.0)


def test_probability_of_being_worse_is_calibrated_at_the_edges() -> None:
    assert p_worse(5, 100, 5, 100) == pytest.approx(0.5, abs=1e-3)
    assert p_worse(50, 100, 1, 100) > 0.9999
    assert p_worse(1, 100, 50, 100) < 0.0001
    assert p_worse(0, 30, 0, 30) == pytest.approx(0.5, abs=0.01)
