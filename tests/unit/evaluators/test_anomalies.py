"""Answers unlike their class: planted ones are found, ordinary ones are not, small classes wait."""

import numpy as np
import pytest

from include.freezeline.evaluators.anomalies import Answer, InputClass, find_anomalies
from include.freezeline.evaluators.shape import SHAPES, STRUCTURE_NAMES, structure_matrix
from tests.unit.evaluators.planted import planted
from tests.unit.stats.texts import make_window

LEVEL = 0.1


def _class(name: str, seed: int, n_reference: int = 300, n_judged: int = 40) -> InputClass:
    rng = np.random.default_rng(seed)
    prompts, answers = make_window(n_reference + n_judged, rng)
    rows = [
        Answer(f"{name}-{i}", p, a) for i, (p, a) in enumerate(zip(prompts, answers, strict=True))
    ]
    return InputClass(name, tuple(rows[:n_reference]), tuple(rows[n_reference:]))


def _with(each: InputClass, *texts: str) -> InputClass:
    more = [Answer(f"planted-{i}", each.judged[i].prompt, text) for i, text in enumerate(texts)]
    return InputClass(each.name, each.reference, (*each.judged, *more))


def test_one_planted_answer_of_every_kind_is_found() -> None:
    for kind, texts in planted().items():
        night = [_with(_class("a", 1), texts[0]), _class("b", 2)]
        found = find_anomalies(night, min_reference=160, level=LEVEL, seed=3)
        anomalies = [each for each in found if each.is_anomaly]
        assert [each.call_key for each in anomalies] == ["planted-0"], kind
        assert anomalies[0].features, kind
        assert anomalies[0].q_value is not None
        assert anomalies[0].q_value <= LEVEL


def test_quiet_nights_have_few_findings() -> None:
    n_found = n_judged = 0
    for seed in range(30):
        found = find_anomalies([_class("a", seed)], min_reference=160, level=LEVEL, seed=seed)
        n_judged += len(found)
        n_found += sum(bool(each.is_anomaly) for each in found)
    # On a night with nothing to find a finding is false: at most a night in ten has any.
    assert n_judged == 1200
    assert n_found <= 6


def test_small_class_is_insufficient_evidence_and_no_finding() -> None:
    found = find_anomalies(
        [_with(_class("a", 1, n_reference=159), "<html></html>")],
        min_reference=160, level=LEVEL, seed=1,
    )  # fmt: skip
    assert {each.is_anomaly for each in found} == {None}
    assert all(each.p_value is None for each in found)
    assert all(each.reason.startswith("insufficient_evidence: 159") for each in found)
    assert find_anomalies([], min_reference=160, level=LEVEL, seed=1) == []


def test_fewer_than_can_show_anything_are_too_few_whatever_the_policy_says() -> None:
    night = [_with(_class("a", 1, n_reference=120), "<html></html>")]
    found = find_anomalies(night, min_reference=40, level=LEVEL, seed=1)
    assert all("120 earlier answers of its class, 160 needed" in each.reason for each in found)


def _labels(name: str, n: int, seed: int, words: tuple[str, ...], rare: float) -> list[Answer]:
    rng = np.random.default_rng(seed)
    return [
        Answer(
            f"{name}-{i}",
            f"Is item {rng.integers(1000)} spam?",
            "unsure" if rng.random() < rare else words[rng.integers(len(words))],
        )
        for i in range(n)
    ]


@pytest.mark.parametrize("words", [("Yes.",), ('{"label": "spam"}',), ("spam", "ham", "other")])
def test_planted_answer_is_found_where_ordinary_ones_are_all_alike(words: tuple[str, ...]) -> None:
    rows = _labels("a", 360, 1, words, rare=0.0)
    each = InputClass("a", tuple(rows[:300]), tuple(rows[300:]))
    for kind, texts in planted().items():
        night = [_with(each, texts[0]), _class("b", 2)]
        found = find_anomalies(night, min_reference=160, level=LEVEL, seed=3)
        assert [row.call_key for row in found if row.is_anomaly] == ["planted-0"], kind


def test_rare_labels_of_a_narrow_class_are_seldom_called_odd() -> None:
    n_nights_with_any = 0
    for seed in range(40):
        rows = _labels("a", 360, seed, ("spam", "ham", "other"), rare=0.005)
        night = [InputClass("a", tuple(rows[:300]), tuple(rows[300:])), _class("b", 2)]
        found = find_anomalies(night, min_reference=160, level=LEVEL, seed=seed)
        n_nights_with_any += any(row.is_anomaly for row in found)
    # At level 0.1 a night in ten may have one: 9 of 40 is its upper 99% bound.
    assert n_nights_with_any <= 9


def test_findings_do_not_depend_on_the_order_of_earlier_answers() -> None:
    each = _with(_class("a", 1), planted()["markup"][0])
    turned = InputClass(each.name, each.reference[::-1], each.judged)
    one, other = (
        find_anomalies([order], min_reference=160, level=LEVEL, seed=3) for order in (each, turned)
    )
    assert one == other


def test_class_that_changed_as_a_whole_says_so() -> None:
    each = _class("a", 4)
    html = [f"<p>{row.answer}</p><br/><table><tr></tr></table>" for row in each.judged[:20]]
    found = find_anomalies([_with(each, *html)], min_reference=160, level=LEVEL, seed=1)
    reasons = [each.reason for each in found if each.is_anomaly]
    assert len(reasons) >= 20
    assert all("the class may have changed" in reason for reason in reasons)


def test_findings_do_not_depend_on_the_order_of_classes() -> None:
    night = [_with(_class("a", 1), planted()["markup"][0]), _class("b", 2)]
    one, other = (
        {each.call_key: each.q_value for each in
         find_anomalies(order, min_reference=160, level=LEVEL, seed=3)}
        for order in (night, night[::-1])
    )  # fmt: skip
    assert one == other


def test_shapes_tell_structures_from_prose() -> None:
    kinds = {kind: texts[0] for kind, texts in planted().items()}
    prose = "Open the settings page, choose Security and follow the link in the e-mail."
    rows = dict(zip([*kinds, "prose"], structure_matrix([*kinds.values(), prose]), strict=True))
    for kind, feature in (
        ("JSON instead of prose", "is_json"),
        ("markup", "markup"),
        ("base64 blob", "encoded"),
        ("another language", "foreign_words"),
        ("leaked system prompt", "instruction_voice"),
        ("injected instruction", "shouting"),
    ):
        column = STRUCTURE_NAMES.index(feature)
        assert rows[kind][column] > 0.02, kind
        assert rows["prose"][column] < rows[kind][column] / 2, kind


def test_shapes_of_strange_texts_are_numbers() -> None:
    rows = structure_matrix(["", " ", "\x00\u200b", "{" * 5000, "\U0001f600" * 50, "a" * 10_000])
    assert rows.shape == (6, len(STRUCTURE_NAMES))
    assert np.isfinite(rows).all()
    assert len(SHAPES) >= 10
