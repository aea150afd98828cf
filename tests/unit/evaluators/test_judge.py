"""The judge: what it is asked, what counts as a reply, and the order of two answers."""

from collections.abc import Sequence

import pytest

from include.freezeline.evaluators.interface import Item, evaluate
from include.freezeline.evaluators.judge import (
    Judge,
    Preference,
    Reply,
    compare,
    pair_prompt,
    parse_better,
    parse_grade,
    score_prompt,
)

CRITERION = "The answer is right."


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ('{"score": 4}', 4),
        (' {"score": 1}\n', 1),
        ('```json\n{"score": 5}\n```', 5),
        ('{"score": 6}', None),
        ('{"score": 0}', None),
        ('{"score": "4"}', None),
        ('{"score": true}', None),
        ('{"score": 4, "reason": "good"}', None),
        ("4", None),
        ("The score is 4.", None),
        ('{"score": 4} {"score": 1}', None),
        ('{"score": 1, "score": 5}', None),
        ('```json\n{"score": 1, "score": 5}\n```', None),
        ('```python\n{"score": 5}\n```', None),
        ('```json\n{"score": 5}', None),
        ("```" + " " * 100_000 + "x", None),
        ("```" + "\n" * 100_000 + "x```", None),
        ("[" * 100_000, None),
        ("", None),
        (None, None),
    ],
)
def test_grade_is_read_strictly(text: str | None, grade: int | None) -> None:
    assert parse_grade(text) == grade


def test_better_is_read_strictly() -> None:
    assert [parse_better(f'{{"better": "{word}"}}') for word in ("first", "second", "tie", "A")] == [
        "first", "second", "tie", None,
    ]  # fmt: skip


def test_judge_scores_replies_and_keeps_none_of_their_words() -> None:
    def ask(prompts: Sequence[str]) -> list[Reply]:
        return [Reply('{"score": 3}', "", 0.002), Reply("secret words"), Reply(None, "HTTP 500")]

    judge = Judge(ask, "m", CRITERION)
    scores = evaluate(judge, [Item(key, "answer", "prompt") for key in "abc"])
    assert [score.value for score in scores] == [0.5, None, None]
    assert [score.reason for score in scores] == [
        "the judge gave 3 of 5",
        "the judge's reply is not the JSON it was asked for",
        "HTTP 500",
    ]
    assert judge.costs_usd == {"a": 0.002}


def test_prompt_fences_texts_by_a_mark_they_cannot_hold() -> None:
    item = Item("a", "An answer with ===== in it. {braces} {mark}", "A question", ("a chunk",))
    prompt = score_prompt(item, CRITERION)
    mark = prompt.split("marks ")[1].split(" ")[0]
    assert prompt.count(mark) == 7
    assert mark not in (item.answer or "")
    assert "An answer with ===== in it. {braces} {mark}" in prompt
    assert score_prompt(Item("b", "other", "A question"), CRITERION).count(mark) == 0


def test_better_that_is_said_twice_is_no_verdict() -> None:
    assert parse_better('{"better": "first", "better": "second"}') is None


def test_version_changes_with_model_and_criterion() -> None:
    versions = {Judge(lambda _: [], m, c).version for m in "xy" for c in ("one", "two")}
    assert len(versions) == 4
    assert Judge(lambda _: [], "m", "one").has_model


def _first_wins(prompts: Sequence[str]) -> list[Reply]:
    return [Reply('{"better": "first"}') for _ in prompts]


def _longer_wins(prompts: Sequence[str]) -> list[Reply]:
    is_first = [p.index("a long answer") < p.index("short.") for p in prompts]
    return [Reply(f'{{"better": "{"first" if first else "second"}"}}') for first in is_first]


def test_order_swap_unmasks_a_judge_that_likes_the_first_place() -> None:
    pairs = [("q", "a long answer", "short.")]
    assert compare(_first_wins, pairs, CRITERION) == [Preference("a", "b")]
    assert Preference("a", "b").preferred == "tie"
    assert compare(_longer_wins, pairs, CRITERION)[0].preferred == "a"
    assert compare(_longer_wins, [("q", "short.", "a long answer")], CRITERION)[0].preferred == "b"
    assert Preference(None, "a").preferred is None


def test_order_is_all_that_differs_between_the_two_prompts() -> None:
    one, other = (pair_prompt("q", a, b, CRITERION) for a, b in (("x1", "x2"), ("x2", "x1")))
    assert one != other
    assert sorted(one) == sorted(other)


@pytest.mark.parametrize(
    ("reply", "grade"),
    [
        ('{"score": 4.0}', 4), ('{"score": 4.5}', None), ('{"score": 6.0}', None),
        ('<think>It is {"score": 1}.</think>\n{"score": 4}', 4),
        ('<think>a</think>{"score": 1}</think>{"score": 4}', None),
        ('Sure. <think>a</think>{"score": 4}', None), ('<think>{"score": 4}', None),
        ('{"score": NaN}', None), ('{"score": Infinity}', None),
    ],
)  # fmt: skip
def test_grade_may_be_a_float_and_follow_thoughts(reply: str, grade: int | None) -> None:
    assert parse_grade(reply) == grade
