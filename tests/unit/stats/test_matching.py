"""Answers to prompts that both windows have, and rows in an order that tells nothing."""

import numpy as np
import pytest

from include.freezeline.stats.matching import match_prompts, pairs_in_order
from include.freezeline.stats.members import ks_member
from include.freezeline.stats.permutation import label_matrix
from include.freezeline.stats.style import words_of
from tests.conformance.drift import compare, score
from tests.unit.stats.texts import answer_text, make_prompts, prompt_text

ALL = np.zeros(6, dtype=np.int64)
IS_CURRENT = np.array([False, False, False, True, True, True])


def test_prompts_of_both_windows_are_groups_of_their_own() -> None:
    found = match_prompts(["a", "b", "c", "a", "b", "d"], IS_CURRENT, ALL)
    groups = found.strata.tolist()
    assert groups[0] == groups[3] != groups[1] == groups[4]
    assert groups[2] == groups[5], "the rest is compared as before"
    assert found.twins.tolist()[2] == found.twins.tolist()[5] == -1
    assert found.are_twins.sum() == 8


@pytest.mark.parametrize("other", ["Who is  it? (request 27)", "WHO IS IT (Request 3)"])
def test_prompts_that_differ_in_counters_and_case_are_one(other: str) -> None:
    prompts = ["Who is it? (request 1)", "b", "c", other, "d", "e"]
    groups = match_prompts(prompts, IS_CURRENT, ALL).strata.tolist()
    assert groups[0] == groups[3]
    assert len({groups[i] for i in (1, 2, 4, 5)}) == 1


def test_prompts_are_matched_inside_given_groups_only() -> None:
    strata = np.array([0, 0, 0, 1, 0, 1])
    groups = match_prompts(["a", "b", "c", "a", "b", "d"], IS_CURRENT, strata).strata.tolist()
    assert groups[0] != groups[3]
    assert groups[1] == groups[4]


@pytest.mark.parametrize(("n_prompts", "n_times"), [(60, 1), (20, 3)])
def test_quiet_windows_of_the_same_prompts_reject_as_often_as_the_level_says(
    n_prompts: int, n_times: int
) -> None:
    """Each prompt as often in either window is a balanced design; 20 to 50% rejected before."""
    p_values, areas = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        topics = make_prompts(n_prompts, rng, (0.4, 0.3, 0.3)) * n_times
        prompts = [prompt_text(k, np.random.default_rng([seed, i % n_prompts])) for i, k in enumerate(topics)]  # fmt: skip
        first, second = ([answer_text(topic, rng) for topic in topics] for _ in "ab")
        found = compare(first, second, prompts * 2, seed=seed)
        assert found.p_value is not None
        assert found.value is not None
        p_values.append(found.p_value)
        areas.append(found.value)
    assert sum(p <= 0.05 for p in p_values) <= 4
    assert 0.45 < np.median(areas) < 0.55, "the answer to one's own prompt tells nothing"


def test_other_model_is_seen_in_windows_of_the_same_prompts() -> None:
    rng = np.random.default_rng(1)
    topics = make_prompts(60, rng, (0.4, 0.3, 0.3))
    prompts = [prompt_text(topic, rng) for topic in topics]
    first = [answer_text(topic, rng) for topic in topics]
    second = [answer_text(t, rng, is_other_model=i % 2 == 0) for i, t in enumerate(topics)]
    assert score(first, second, prompts, prompts) <= 0.01


def test_quiet_halves_of_templated_prompts_reject_as_often_as_the_level_says() -> None:
    """Equal habits given nearly equal prompts differ in the last digits by where a row stands."""
    n_rejected = 0
    for seed in range(24):
        rng = np.random.default_rng(seed)
        answers = [str(x) for x in rng.choice(["billing", "refund", "delivery", "other"], 120)]
        prompts = [f"Classify ticket {i}" for i in rng.permutation(99999)[:120]]
        p_value = score(answers[:60], answers[60:], prompts[:60], prompts[60:], seed=seed)
        n_rejected += p_value <= 0.05
    assert n_rejected <= 4


def test_habits_that_tie_but_for_the_last_digits_say_nothing() -> None:
    is_current = np.arange(100) >= 50
    style = np.where(np.arange(100) % 2, 0.25, -0.1).astype(np.float32)[:, None]
    style = np.where(is_current[:, None], style * np.float32(1.0 + 3e-7), style)
    statistic = ks_member(style)(label_matrix(is_current, 99, np.random.default_rng(0)))
    assert statistic[0] == pytest.approx(0.0, abs=1e-6)


def test_verdict_depends_on_what_rows_say_and_not_on_their_order() -> None:
    rng = np.random.default_rng(3)
    topics = make_prompts(80, rng, (0.4, 0.3, 0.3))
    prompts = [f"{prompt_text(topic, rng)} {i}" for i, topic in enumerate(topics)]
    answers = [answer_text(t, rng, is_other_model=i % 7 == 0) for i, t in enumerate(topics)]
    mixed = rng.permutation(40)
    shuffled = [answers[i] for i in mixed] + [answers[40 + i] for i in mixed[::-1]]
    asked = [prompts[i] for i in mixed] + [prompts[40 + i] for i in mixed[::-1]]
    first = compare(answers[:40], answers[40:], prompts)
    again = compare(shuffled[:40], shuffled[40:], asked)
    assert (first.p_value, first.value) == (again.p_value, again.value)


def test_pairs_are_read_in_an_order_that_does_not_know_which_is_which() -> None:
    first, second = ["a", "b", "c", "d"], ["p", "q", "r", "s"]
    order = pairs_in_order((first, second), 0).tolist()
    assert order == pairs_in_order((second, first), 0).tolist()
    assert sorted(order) == [0, 1, 2, 3]
    many = [f"text {i}" for i in range(1500)]
    assert len(pairs_in_order((many, many), 0)) == 1000


def test_words_of_scripts_without_spaces_are_characters() -> None:
    text = "\u6211\u4eec GPT-4 it's \u30ab\u30bf don't"
    assert words_of(text) == ("\u6211", "\u4eec", "gpt", "4", "it's", "\u30ab", "\u30bf", "don't")


def test_other_wording_is_seen_in_a_language_without_spaces() -> None:
    said = ["请", "稍后", "再试", "已经", "收到", "订单", "尽快", "处理", "感谢", "客服"]
    says = ["请", "等一下", "重试", "早就", "拿到", "单子", "马上", "搞定", "谢谢", "客服"]

    def answers(words: list[str], rng: np.random.Generator) -> list[str]:
        sizes = rng.integers(8, 25, 100)
        return ["".join(rng.choice(words, n)) + "\u3002" for n in sizes]

    for seed in range(2):
        rng = np.random.default_rng(seed)
        assert score(answers(said, rng), answers(says, rng), seed=seed) <= 0.01
