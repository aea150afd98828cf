"""How far evaluators can be trusted: what is asked first, and what is counted."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.config import config_dir
from include.freezeline.evaluators.interface import Item
from include.freezeline.evaluators.judge import Judge, Reply
from include.freezeline.evaluators.policy import EvaluatorPolicy, load_evaluator_policy
from include.freezeline.evaluators.refusal import Refusal
from include.freezeline.evaluators.registry import Models, version_of
from include.freezeline.evaluators.relevance import Relevance
from include.freezeline.evaluators.rows import Scorer
from include.freezeline.evaluators.trust import weighted_counts
from include.freezeline.jobs.evaluate_night import Night, items_of
from include.freezeline.jobs.evaluate_reads import load_sample
from include.freezeline.jobs.evaluate_trust import Known, ask_known, different_pairs, trust_rows
from include.freezeline.settings import Settings
from tests.unit.drift.worlds import fake_embed
from tests.unit.evaluators.worlds import AS_OF, add_call, label

REFUSAL = "I'm sorry, but I cannot help with that request."
ANSWER = "Open the page and choose your card."


class Asked:
    """A judge that counts what it is asked."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def __call__(self, prompts: Sequence[str]) -> list[Reply]:
        """Find every answer good, and no answer better than another."""
        self.prompts += prompts
        return [
            Reply('{"better": "tie"}' if "Second answer" in prompt else '{"score": 5}')
            for prompt in prompts
        ]


def _night(warehouse: Warehouse, policy: EvaluatorPolicy, models: Models, lake: Path) -> Night:
    return Night(warehouse, Lake(lake), policy, AS_OF, [], models, {})


def _policy(settings: Settings, **judge: int) -> EvaluatorPolicy:
    policy = load_evaluator_policy(config_dir(settings))
    setting = policy.evaluators.judge.model_copy(update={"labels": "refusal"})
    evaluators = policy.evaluators.model_copy(update={"judge": setting})
    asked = policy.judge.model_copy(update=judge)
    return policy.model_copy(update={"judge": asked, "evaluators": evaluators})


def test_judge_is_measured_within_its_share_of_calls(
    warehouse: Warehouse, settings: Settings
) -> None:
    for number in range(40):
        add_call(warehouse, f"call-{number}", f"prompt {number % 4}", f"{ANSWER} {number}")
        label(warehouse, f"call-{number}", "refusal", is_bad=False)
    ask = Asked()
    policy = _policy(settings, max_calls=30, max_pairs=5)
    night = _night(warehouse, policy, Models(fake_embed, ask=ask), settings.lake_dir)
    sample = load_sample(warehouse, policy.sampling, AS_OF)
    known = ask_known(night, Judge(ask, "m", "good"), items_of(night, sample))
    assert len(known.labelled) == len(known.scores) == 10
    assert len(known.preferences) == 5
    assert len(ask.prompts) == 10 + 2 * 5


def test_two_answers_are_compared_once_and_never_with_themselves() -> None:
    items = [
        Item("a", "one", "p", replicas=("two",)),
        Item("b", "two", "p", replicas=("one",)),
        Item("c", "same", "q", replicas=("same",)),
        Item("d", "same", "q", replicas=("same", "other")),
        Item("e", "alone", "r"),
    ]
    assert different_pairs(items, 9) == [("p", "one", "two"), ("q", "same", "other")]
    assert different_pairs(items, 1) == [("p", "one", "two")]


def test_nights_share_counts_segments_by_their_size_and_leaves_probes_out(
    warehouse: Warehouse, settings: Settings
) -> None:
    for number in range(400):
        add_call(warehouse, f"good-{number}", "p", ANSWER, feature="large")
    for number in range(12):
        add_call(warehouse, f"bad-{number}", "p", REFUSAL, feature="small")
        add_call(warehouse, f"probe-{number}", "p", REFUSAL, canary_id="c", feature="large")
    for number in range(20):
        label(warehouse, f"good-{number}", "refusal", is_bad=False)
        label(warehouse, f"bad-{number}", "refusal", is_bad=True)
    policy = load_evaluator_policy(config_dir(settings))
    night = _night(warehouse, policy, Models(fake_embed), settings.lake_dir)
    sample = load_sample(warehouse, policy.sampling, AS_OF)
    evaluator, items = Refusal(), items_of(night, sample)
    known = ask_known(night, evaluator, items)
    scores = {each.call_key: each for each in evaluator.score(items)}
    scorer = Scorer("refusal", "1", 0.589, is_high_bad=True)
    rows = trust_rows(night, evaluator, scorer, known, sample, scores)
    (corrected,) = [row for row in rows if row["question"] == "corrected_bad_ratio"]
    assert corrected["value"] == pytest.approx(12 / 412, abs=0.03)
    assert corrected["value_upper"] < 0.5


def test_weighted_counts_have_the_size_that_they_are_worth() -> None:
    even = weighted_counts([(True, 2.0), (False, 2.0), (False, 2.0), (False, 2.0)])
    assert (even.bad_ratio, even.n_effective) == (0.25, 4.0)
    uneven = weighted_counts([(True, 30.0), (False, 1.0), (False, 1.0), (False, 1.0)])
    assert uneven.bad_ratio == pytest.approx(30 / 33)
    assert 1.0 < uneven.n_effective < 1.3
    assert weighted_counts([]).n_effective == 0.0


def test_no_labels_are_no_rows(warehouse: Warehouse, settings: Settings) -> None:
    policy = load_evaluator_policy(config_dir(settings))
    night = _night(warehouse, policy, Models(fake_embed), settings.lake_dir)
    assert ask_known(night, Relevance(fake_embed), []) == Known()
    scorer = Scorer("refusal", "1", 0.589, is_high_bad=True)
    assert trust_rows(night, Refusal(), scorer, Known(), [], {}) == []


def test_version_names_the_model_that_scores() -> None:
    models = Models(fake_embed, names={"relevance": "mini"})
    assert version_of(models, Relevance(fake_embed)).endswith("+mini")
    assert version_of(models, Refusal()) == Refusal.version
