"""Evaluating a night on a small warehouse made by hand."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.config import config_dir
from include.freezeline.evaluators.policy import load_evaluator_policy
from include.freezeline.jobs.evaluate import EvaluateSummary, evaluate_answers
from include.freezeline.jobs.evaluate_reads import (
    load_chunks,
    load_labelled,
    load_replicas,
    load_sample,
)
from include.freezeline.settings import Settings
from tests.unit.drift.worlds import fake_embed
from tests.unit.evaluators.planted import planted
from tests.unit.evaluators.worlds import (
    AS_OF,
    add_call,
    add_days,
    label,
    write_documents,
)

REFUSAL = "I'm sorry, but I cannot help with that request."


def run(warehouse: Warehouse, settings: Settings) -> EvaluateSummary:
    return evaluate_answers(warehouse, settings, AS_OF, fake_embed, lambda _line: None)


def scores(warehouse: Warehouse, evaluator: str) -> dict[str, dict[str, Any]]:
    sql = "select * from judgement.call_scores where evaluator = ?"
    return {row["call_key"]: row for row in warehouse.rows(sql, [evaluator])}


def test_night_scores_every_answer_with_every_evaluator(
    warehouse: Warehouse, settings: Settings
) -> None:
    add_days(warehouse)
    add_call(warehouse, "refused", "How do I pay?", REFUSAL)
    add_call(warehouse, "html", "How do I pay?", planted()["markup"][0])
    summary = run(warehouse, settings)
    # 12 of the segment's 32 answers are scored; all of them are held against their class.
    assert summary.n_answers == 12
    assert len(scores(warehouse, "refusal")) == 12
    structure = scores(warehouse, "structure")
    assert len(structure) == 32
    # A refusal is unlike a class that never refuses.
    assert {key for key, row in structure.items() if row["is_bad"]} == {"html", "refused"}
    assert "markup" in json.loads(structure["html"]["details"])["features"]
    assert {row["sample_weight"] for row in structure.values()} == {1.0}
    assert {row["sample_weight"] for row in scores(warehouse, "tone").values()} == {32 / 12}
    composite = scores(warehouse, "composite")
    assert all(row["is_bad"] is None for row in composite.values())
    grounded = scores(warehouse, "groundedness").values()
    assert {row["reason"] for row in grounded} == {"no retrieved text is known"}
    assert all(row["is_bad"] is None for row in grounded)
    assert summary.n_anomalies == 2
    assert summary.describe().startswith("12 answers evaluated")


def test_refused_answer_is_bad_and_an_ordinary_one_is_not(
    warehouse: Warehouse, settings: Settings
) -> None:
    add_call(warehouse, "refused", "How do I pay?", REFUSAL)
    add_call(warehouse, "answered", "How do I pay?", "Open the page and choose your card.")
    run(warehouse, settings)
    found = scores(warehouse, "refusal")
    assert found["refused"]["is_bad"] is True
    assert found["answered"]["is_bad"] is False
    assert found["refused"]["threshold_score"] == 0.589
    # Two answers to one prompt that have nothing in common.
    likeness = [row["evaluation_score"] for row in scores(warehouse, "self_consistency").values()]
    assert likeness == [likeness[0]] * 2
    assert likeness[0] < 0.5
    reasons = {row["reason"] for row in scores(warehouse, "structure").values()}
    assert all(reason.startswith("insufficient_evidence") for reason in reasons)


def test_night_run_again_writes_nothing_new(warehouse: Warehouse, settings: Settings) -> None:
    add_days(warehouse, n_earlier=120, n_last=10)
    first, again = run(warehouse, settings), run(warehouse, settings)
    assert first.n_written > 10
    assert again.n_written == 0
    assert again.n_bad == first.n_bad


def test_no_answers_are_no_rows(warehouse: Warehouse, settings: Settings) -> None:
    add_call(warehouse, "silent", "How do I pay?", None)
    assert run(warehouse, settings) == EvaluateSummary(0, 0, 0, 0, 0.0)


def test_rows_quote_no_text(warehouse: Warehouse, settings: Settings) -> None:
    words = "zebra giraffe hippopotamus 4711 Timbuktu"
    for number in range(3):
        add_call(warehouse, f"call-{number}", f"Where is {words}?", f"There is {words}. {number}")
    run(warehouse, settings)
    text = str(warehouse.rows("select * from judgement.call_scores"))
    assert "call-1" in text
    assert not [word for word in words.split() if word in text]


def test_sample_is_shared_among_segments_and_stands_for_them(
    warehouse: Warehouse, settings: Settings
) -> None:
    for feature, n_calls in (("a", 40), ("b", 5)):
        for number in range(n_calls):
            add_call(warehouse, f"{feature}-{number}", "p", "An answer.", feature=feature)
    sampling = load_evaluator_policy(config_dir(settings)).sampling
    few = sampling.model_copy(update={"max_answers": 8, "max_per_segment": 20})
    sample = load_sample(warehouse, few, AS_OF)
    assert [row.segment.feature for row in sample] == ["a"] * 4 + ["b"] * 4
    assert [row.weight for row in sample] == [10.0] * 4 + [1.25] * 4
    assert sample == load_sample(warehouse, few, AS_OF)


def test_chunks_are_what_the_call_had_before_it(warehouse: Warehouse, settings: Settings) -> None:
    called_at = AS_OF - timedelta(hours=6)
    add_call(warehouse, "a", "p", "The first of two parcels.", called_at=called_at)
    add_call(warehouse, "b", "p", "An answer.", called_at=called_at)
    before = called_at - timedelta(seconds=1)
    write_documents(
        settings.lake_dir,
        [
            ("a", 1, "second", before, None),
            ("a", 0, "first", before, True),
            ("a", 0, "first", before, True),
            ("a", 2, "dropped", before, False),
            ("a", 3, None, before, True),
            ("a", 0, "later", called_at + timedelta(seconds=1), True),
            ("c", 0, "of another", before, True),
        ],
    )
    sampling = load_evaluator_policy(config_dir(settings)).sampling
    sample = load_sample(warehouse, sampling, AS_OF)
    assert load_chunks(warehouse, Lake(settings.lake_dir), sample, AS_OF) == {
        "a": ("first", "second")
    }
    run(warehouse, settings)
    assert scores(warehouse, "groundedness")["a"]["evaluation_score"] is not None


def test_replicas_are_other_answers_to_the_same_prompt(
    warehouse: Warehouse, settings: Settings
) -> None:
    for key, prompt, feature in (
        ("a", "p", "x"),
        ("b", "p", "x"),
        ("c", "q", "x"),
        ("d", "p", "y"),
    ):
        add_call(warehouse, key, prompt, f"answer {key}", feature=feature)
    old = AS_OF - timedelta(days=40)
    add_call(warehouse, "e", "p", "answer e", feature="x", called_at=old)
    sampling = load_evaluator_policy(config_dir(settings)).sampling
    found = load_replicas(warehouse, sampling, list("abcd"), AS_OF)
    assert found == {"a": ("answer b",), "b": ("answer a",)}


def test_agreement_is_measured_where_people_evaluated(
    warehouse: Warehouse, settings: Settings
) -> None:
    for number in range(40):
        is_bad = number % 2 == 0
        # Two people see it otherwise than the evaluator.
        answer = REFUSAL if is_bad != (number in (7, 8)) else "Open the page and choose a card."
        add_call(warehouse, f"call-{number}", f"prompt {number}", answer)
        label(warehouse, f"call-{number}", "refusal", is_bad=is_bad)
    label(warehouse, "call-1", "toxicity", is_bad=True)
    run(warehouse, settings)
    rows = warehouse.rows("select * from judgement.evaluator_agreements")
    found = {(row["evaluator"], row["question"]): row for row in rows}
    area = found["refusal", "roc_auc"]
    assert area["value"] == pytest.approx(0.95)
    assert area["value_lower"] < 0.95 < area["value_upper"]
    assert found["refusal", "sensitivity"]["value"] == pytest.approx(0.95)
    assert found["refusal", "specificity"]["value"] == pytest.approx(0.95)
    corrected = found["refusal", "corrected_bad_ratio"]
    assert corrected["value_lower"] < 0.5 < corrected["value_upper"]
    few = found["toxicity", "roc_auc"]
    assert few["value"] is None
    assert few["reason"] == "1 yes and 0 no labels, at least 10 needed"
    assert ("groundedness", "roc_auc") not in found


def test_people_who_disagree_give_no_label(warehouse: Warehouse, settings: Settings) -> None:
    for key in "ab":
        add_call(warehouse, key, "p", REFUSAL)
        label(warehouse, key, "refusal", is_bad=True)
    label(warehouse, "b", "refusal", is_bad=False)
    sampling = load_evaluator_policy(config_dir(settings)).sampling
    rows, labelled = load_labelled(warehouse, sampling, "refusal", AS_OF)
    assert [row.call_key for row in rows] == [each.call_key for each in labelled] == ["a"]
    assert load_labelled(warehouse, sampling, "feedback", AS_OF) == ([], [])


def test_format_of_the_policy_is_asked_of_its_feature(
    warehouse: Warehouse, settings: Settings, tmp_path: Path
) -> None:
    add_call(warehouse, "good", "p", '{"order": 7}', feature="extractor")
    add_call(warehouse, "bad", "p", "Your order is 7.", feature="extractor")
    add_call(warehouse, "other", "p", "Your order is 7.")
    for path in config_dir(settings).glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            text.replace("formats: {}", "formats: {extractor: {type: object, required: [order]}}"),
            encoding="utf-8",
        )
    run(warehouse, settings.model_copy(update={"config_dir": tmp_path}))
    found = {key: row["is_bad"] for key, row in scores(warehouse, "format").items()}
    assert found == {"good": False, "bad": True, "other": None}
