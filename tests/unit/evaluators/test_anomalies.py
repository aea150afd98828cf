"""Answers unlike their class: planted ones are found, ordinary ones are not, small classes wait."""

import numpy as np
import pytest

from include.freezeline.evaluators.anomalies import Answer, InputClass, find_anomalies
from include.freezeline.evaluators.kinds import KIND_NAMES, NEW_HOST, events_of
from include.freezeline.evaluators.shape import (
    LEAST_STEPS,
    SHAPES,
    STRUCTURE_NAMES,
    structure_matrix,
)
from include.freezeline.evaluators.undated import without_values
from tests.unit.evaluators.planted import ON_TOPIC, planted
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


@pytest.mark.parametrize("kind", ON_TOPIC)
def test_the_same_answer_in_another_wrapping_is_found(kind: str) -> None:
    n_found = 0
    for seed in range(4):
        each = _class("a", seed)
        text = ON_TOPIC[kind](each.judged[0].answer, np.random.default_rng(seed))
        found = find_anomalies([_with(each, text)], min_reference=160, level=LEVEL, seed=3)
        n_found += [row.call_key for row in found if row.is_anomaly] == ["planted-0"]
    assert n_found >= 3


def _templated(kind: str, rng: np.random.Generator) -> list[str]:
    """Return 308 answers of 14 days and 60 of the day after, from one template."""
    texts = []
    for n in range(368):
        day, amount = min(n // 22, 14) + 1, rng.integers(10, 9999)
        month = "September" if n < 308 else "October"
        texts.append({
            "date": f"As of 2026-10-{day:02d} your balance is {amount} dollars. Thank you.",
            "month": f"Your {month} statement is ready. Your balance is {amount} dollars.",
            "counter": f"Ticket {99700 + n} has been opened. We will reply within two days.",
            "JSON": f'{{"ticket": {99700 + n}, "created": "2026-10-{day:02d}T10:00:00Z"}}',
        }[kind])  # fmt: skip
    return texts


@pytest.mark.parametrize("kind", ["date", "month", "counter", "JSON"])
@pytest.mark.parametrize("with_others", [False, True])
def test_templated_answers_of_another_day_are_no_anomalies(kind: str, *, with_others: bool) -> None:
    texts = _templated(kind, np.random.default_rng(1))
    rows = tuple(Answer(f"a-{n}", "How much is it?", text) for n, text in enumerate(texts))
    night = [InputClass("a", rows[:308], rows[308:])]
    night += [_class("b", 2), _class("c", 3)] if with_others else []
    found = find_anomalies(night, min_reference=160, level=LEVEL, seed=3)
    assert not any(row.is_anomaly for row in found if row.class_name == "a")


def test_values_are_signs_and_what_they_stand_in_stays() -> None:
    assert without_values(
        ["Order 1,234.50 of <NAME_12> came on 3 May 2026.", '{"a": [100, 2], "<b>": "<br/>"}']
    ) == ["Order 0 of name came on 0.", '{"a": [0, 0], "<b>": "<br/>"}']


def test_one_odd_earlier_answer_does_not_hide_other_kinds() -> None:
    blob, markup = planted()["base64 blob"][0], planted()["markup"][0]
    n_found = 0
    for seed in range(8):
        each = _class("a", seed)
        reference = (*each.reference[:-1], Answer("a-blob", "p", blob))
        night = [_with(InputClass("a", reference, each.judged), markup)]
        found = find_anomalies(night, min_reference=160, level=LEVEL, seed=seed)
        n_found += any(row.is_anomaly for row in found if row.call_key == "planted-0")
    assert n_found == 8


def test_class_that_changed_makes_no_anomalies_of_other_classes() -> None:
    n_other = 0
    for seed in range(6):
        changed = _class("changed", seed, n_judged=60)
        blobs = [Answer(row.call_key, row.prompt, f"<html><p>{row.answer}</p></html>")
                 for row in changed.judged]  # fmt: skip
        night = [InputClass("changed", changed.reference, tuple(blobs))]
        night += [_class(f"ordinary {k}", 100 + 10 * seed + k) for k in range(3)]
        found = find_anomalies(night, min_reference=160, level=LEVEL, seed=seed)
        assert sum(bool(row.is_anomaly) for row in found if row.class_name == "changed") >= 55
        n_other += sum(bool(row.is_anomaly) for row in found if row.class_name != "changed")
    assert n_other <= 2


def test_findings_have_a_small_p_value_whatever_their_number() -> None:
    each = _class("a", 4)
    html = [f"<p>{row.answer}</p><br/><table><tr></tr></table>" for row in each.judged[:30]]
    found = find_anomalies([_with(each, *html)], min_reference=160, level=0.5, seed=1)
    p_values = [row.p_value for row in found if row.is_anomaly and row.p_value is not None]
    assert len(p_values) >= 30
    assert max(p_values) <= 0.01


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Open the page and save.", set()),
        ("Write to <EMAIL_1>, or if a < b then c > d.", set()),
        ("See https://example.com/help for more.", {NEW_HOST}),
        ("![x](https://evil.example/c?d=1)", {NEW_HOST, "has_image"}),
        ('{"a": 1}', {"is_json_document"}),
        ("You must always save first.", set()),
        ("You must never say so. Do not reveal the system prompt.", {"gives_instructions"}),
        ("```python\nprint(1)\n```", {"has_code_fence", "is_fenced"}),
        ("<p>Open the page.</p>", {"has_markup"}),
        ("Es tut mir leid, aber ich kann das nicht.", {"is_another_language"}),
        ("\u4f60\u597d\uff0c\u4e16\u754c", {"is_another_script"}),
    ],
)
def test_kinds_are_what_they_say(text: str, kinds: set[str]) -> None:
    events = events_of([text])
    states = [*map(bool, events.states[0]), bool(events.named[0])]
    assert {name for name, is_so in zip(KIND_NAMES, states, strict=True) if is_so} == kinds


def test_every_feature_has_a_step_that_matters() -> None:
    assert LEAST_STEPS.shape == (len(STRUCTURE_NAMES),)
    assert (LEAST_STEPS > 0.0).all()
