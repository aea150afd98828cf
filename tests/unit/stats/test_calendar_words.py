"""Dates in answers and prompts tell the day, and not the model."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.stats.calendar_words import without_dates
from include.freezeline.stats.divergence import divergence_test
from include.freezeline.stats.paired import paired_combination_test
from include.freezeline.stats.replicated import Triples, replicated_combination_test
from tests.conformance.drift import compare
from tests.unit.stats.texts import make_window

N = 80
MARCH, JUNE = dt.date(2026, 3, 2), dt.date(2026, 6, 24)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Today is Tuesday, March 3, 2026.", "Today is 0."),
        ("Today is Wednesday, June 24th, 2026 at 10:15 pm", "Today is 0"),
        ("Sent 3 Mar 2026 and the 4th of June", "Sent 0 and the 0"),
        ("Date: 2026-03-01T10:00:00Z.", "Date: 0."),
        ("[Tue 03 Mar 2026 14:05] hello", "[0] hello"),
        ("By 3/14/2026 or 14.03.2026", "By 0 or 0"),
        ("Heute ist Dienstag, der 3. März 2026.", "Heute ist 0."),
        ("Nous sommes le mardi 3 mars 2026", "Nous sommes le 0"),
        ("Hoy es martes, 3 de marzo de 2026", "Hoy es 0"),
        ("2026年3月1日です", "0です"),
        ("We close on Sundays; open Monday", "We close on Sundays; open 0"),
        ("My knowledge ends in September 2021.", "My knowledge ends in 0."),
        ("Im Juni wieder, von 10:30 an", "Im 0 wieder, von 0 an"),
    ],
)
def test_dates_become_one_sign(text: str, expected: str) -> None:
    assert without_dates([text]) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "You may wait; it may be Mars.",
        "Pay $2000, 2,000 or 1.2026 for 2020%",
        "Section 3.2.1 of 10, version v1.2.3",
        "Le luni e mai",
        "Items 1, 2, 3 of 17077",
    ],
)
def test_what_is_no_date_stays(text: str) -> None:
    assert without_dates([text]) == [text]


@given(st.dates(dt.date(1950, 1, 1), dt.date(2090, 1, 1)), st.dates(dt.date(1950, 1, 1), dt.date(2090, 1, 1)))  # fmt: skip
@pytest.mark.parametrize("form", ["%A, %B %d, %Y", "%d %b %Y", "%Y-%m-%d", "%B %Y", "%d/%m/%Y"])
def test_any_two_dates_of_one_form_are_equal(form: str, one: dt.date, other: dt.date) -> None:
    told = [f"It is {day.strftime(form)} here" for day in (one, other)]
    first, second = without_dates(told)
    assert first == second


@given(st.text(alphabet="01239 .,:/-aMrch\u5e74\n", max_size=80))
def test_any_text_has_an_answer_without_more_words(text: str) -> None:
    (plain,) = without_dates([text])
    assert len(plain) <= len(text)


def _dated(texts: list[str], first: dt.date, rng: np.random.Generator, share: float) -> list[str]:
    """Return answers of which a share says when something arrives."""
    days = [first + dt.timedelta(days=int(k)) for k in rng.integers(0, 3, len(texts))]
    is_dated = rng.random(len(texts)) < share
    return [
        f"{text} It arrives on {day:%A, %B} {day.day}." if dated else text
        for text, day, dated in zip(texts, days, is_dated, strict=True)
    ]


def _window(first: dt.date, seed: int) -> tuple[list[str], list[str]]:
    """Return prompts that begin with the date, and answers."""
    rng = np.random.default_rng(seed)
    prompts, answers = make_window(N, rng)
    stamped = [f"Today is {first:%A, %B} {first.day}, {first.year}.\n{text}" for text in prompts]
    return stamped, _dated(answers, first, rng, 0.5)


def test_quiet_windows_of_other_months_are_compared_and_reject_as_often_as_the_level_says() -> None:
    """Before, such prompts were "different things", and such answers a changed model each time."""
    p_values, divergences = [], []
    for seed in range(12):
        (asked, first), (asked_now, second) = _window(MARCH, seed), _window(JUNE, seed + 100)
        found = compare(first, second, asked + asked_now, seed=seed)
        assert found.p_value is not None, found.reason
        p_values.append(found.p_value)
        told = divergence_test([*first, *second], np.arange(2 * N) >= N, seed=seed)
        divergences.append(told.p_value)
    assert sum(p <= 0.05 for p in p_values) <= 2
    assert sum(p is not None and p <= 0.05 for p in divergences) <= 2


def test_dates_in_answers_to_the_same_prompts_are_no_change() -> None:
    rng = np.random.default_rng(5)
    answers = [make_window(N, rng)[1] for _ in range(3)]
    before, between = (_dated(texts, MARCH, rng, 1.0) for texts in answers[:2])
    after = _dated(answers[2], JUNE, rng, 1.0)
    pairs = paired_combination_test(before, after, seed=1)
    triples = replicated_combination_test(Triples(before, between, after), seed=1)
    assert pairs.p_value is not None
    assert pairs.p_value > 0.05
    assert triples.p_value is not None
    assert triples.p_value > 0.05


def test_answers_that_differ_in_dates_alone_are_alike() -> None:
    first, second = (
        [f"It arrives on {day + dt.timedelta(days=i % 3):%d %B}." for i in range(60)]
        for day in (MARCH, JUNE)
    )
    assert compare(first, second).p_value == 1.0
