"""The conditional combination test on made-up answers."""

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from include.freezeline.stats.combination import AnswerSample, conditional_combination_test
from include.freezeline.stats.conditioning import leave_one_out_smoother
from include.freezeline.stats.style import FEATURE_NAMES, normal_scores, style_matrix, words_of
from include.freezeline.stats.vocabulary import tf_idf, topic_groups, word_presence
from tests.unit.stats.texts import make_window


def _sample(n: int, seed: int, **current: object) -> AnswerSample:
    rng = np.random.default_rng(seed)
    prompts, texts = make_window(n, rng)
    more_prompts, more_texts = make_window(n, rng, **current)  # type: ignore[arg-type]
    return AnswerSample(
        texts=texts + more_texts,
        is_current=np.arange(2 * n) >= n,
        prompts=prompts + more_prompts,
    )


def test_test_sees_the_shift_when_another_model_writes() -> None:
    result = conditional_combination_test(_sample(60, 1, other_share=0.5), seed=1)
    assert result.p_value == pytest.approx(1 / 10_000)
    assert result.value is not None
    assert result.interval is not None
    assert result.interval[0] > 0.5
    assert "hedges" in result.details["moved_features"] or result.details["moved_words"]


def test_test_uses_embeddings_when_only_some_are_known() -> None:
    sample = _sample(60, 2)
    rows = np.full((120, 4), np.nan, dtype=np.float32)
    rng = np.random.default_rng(0)
    rows[:20] = rng.normal(size=(20, 4))
    rows[60:80] = rng.normal(3.0, size=(20, 4))
    with_meaning = AnswerSample(sample.texts, sample.is_current, sample.prompts, embeddings=rows)
    result = conditional_combination_test(with_meaning, seed=1)
    assert result.details["member_p_values"]["meaning"] < 0.01


def test_test_repeats_itself_when_seed_is_equal() -> None:
    sample = _sample(40, 3)
    assert conditional_combination_test(sample, seed=5) == conditional_combination_test(
        sample, seed=5
    )


@pytest.mark.parametrize("texts", [[], ["a"], ["same"] * 20, [""] * 20])
def test_test_is_insufficient_when_answers_say_nothing(texts: list[str]) -> None:
    is_current = np.arange(len(texts)) >= len(texts) // 2
    result = conditional_combination_test(AnswerSample(texts, is_current), seed=1)
    assert result.reason is not None
    assert result.p_value is None


def test_smoother_predicts_from_the_others_when_closed_form_is_checked() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(12, 3)).astype(np.float32)
    kernel = rows @ rows.T
    values = rng.normal(size=12)
    predicted = leave_one_out_smoother(kernel, ridge=2.0) @ values
    centred = kernel - kernel.mean(0)[None] - kernel.mean(1)[:, None] + kernel.mean()
    hat = centred @ np.linalg.inv(centred + 2.0 * np.eye(12)) + 1 / 12
    expected = values - (values - hat @ values) / (1 - np.diag(hat))
    assert predicted == pytest.approx(expected, abs=1e-4)


def test_style_matrix_counts_when_text_is_known() -> None:
    row = dict(
        zip(FEATURE_NAMES, style_matrix(["Sure! I can't do that.\n- one\n- two"])[0], strict=True)
    )
    assert row["opens_with_agreement"] == 1.0
    assert row["bullets"] > 0
    assert row["refuses"] > 0
    assert row["tables"] == 0


def test_style_matrix_is_finite_when_texts_are_odd() -> None:
    assert np.isfinite(style_matrix(["", " ", "\n", "🙂", "a" * 10_000])).all()


# What a feature counts, written so that every run of signs is looked at again from each of them.
_NAIVE = {
    "bullets": r"^\s*[-*\u2022]\s",
    "numbering": r"^\s*\d+[.)]\s",
    "tables": r"^\s*\|",
    "trailing_line_spaces": r"[ \t]+$",
}
_NAIVE_SENTENCE_END = re.compile(r"[.!?]+(?:\s|$)")


@given(st.lists(st.text(" \n\t\r\x0b\x85\u2028.!?1)-*|a\u2022", max_size=30), min_size=1))
@example(["\n" * 50, "." * 50 + "a", " \n" * 25 + "x", " " * 50 + "x", "!?" * 25 + "a"])
@example(["\n\n- a\n \n1. b\n\x0b\n| c |", "1.\n1.\n\n2) ", "...\n...", "a. \t\n\t\n"])
def test_style_counts_are_those_of_the_naive_patterns(texts: list[str]) -> None:
    columns = dict(zip(FEATURE_NAMES, style_matrix(texts).T, strict=True))
    scale = np.array([len(words_of(text)) + 1 for text in texts])
    for name, pattern in _NAIVE.items():
        found = [len(re.findall(pattern, text.lower(), re.MULTILINE)) for text in texts]
        assert columns[name] == pytest.approx(100.0 * np.array(found) / scale, rel=1e-6), name
    ends = [max(1, len(_NAIVE_SENTENCE_END.findall(text))) for text in texts]
    assert columns["sentences"].tolist() == ends
    parts = [[p.strip() for p in _NAIVE_SENTENCE_END.split(text) if p.strip()] for text in texts]
    longest = [max((part.count(" ") + 1 for part in each), default=0) for each in parts]
    assert columns["longest_sentence"].tolist() == longest


def test_normal_scores_are_zero_when_column_is_constant() -> None:
    assert (normal_scores(np.ones((5, 1), dtype=np.float32)) == 0).all()


def test_word_presence_keeps_words_when_frequent_enough() -> None:
    matrix, names = word_presence(["a b", "a c", "a b", "d"], min_texts=2)
    assert names == ["a", "b"]
    assert matrix.sum(axis=0).tolist() == [3.0, 2.0]


def test_tf_idf_rows_have_length_one_when_not_empty() -> None:
    lengths = np.linalg.norm(tf_idf(["a b", "", "c"]), axis=1)
    assert lengths == pytest.approx([1.0, 0.0, 1.0])


def test_topic_groups_separate_when_topics_share_no_words() -> None:
    groups = topic_groups(["red green"] * 5 + ["one two three"] * 5, 2)
    assert len(set(groups[:5])) == len(set(groups[5:])) == 1
    assert groups[0] != groups[-1]
