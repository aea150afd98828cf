"""Word shapes and what prompts explain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.stats.matching import MAX_ROWS, reading_order
from include.freezeline.stats.prompts import prompt_smoother, topic_strata
from include.freezeline.stats.shapes import shape_of, shape_presence
from include.freezeline.stats.style import FEATURE_NAMES, style_matrix


@pytest.mark.parametrize(
    ("token", "shape"),
    [("The", "^the"), ("the", "the"), ("Running", "W7ing"), ("cat", "w3"), ("42", "#"),
     ("\n", "\n"), ("\n\n\n", "\n\n"), (",", ","), ("extraordinarily", "w9ly")],
)  # fmt: skip
def test_shape_keeps_habits_and_drops_topics(token: str, shape: str) -> None:
    assert shape_of(token) == shape


def test_texts_about_different_things_in_one_manner_have_equal_shapes() -> None:
    texts = ["The cat sat on a mat.", "The dog lay in a bed.", "- Check: bills!", "- Check: boats!"]
    presence = shape_presence(texts)
    assert (presence[2] == presence[3]).all()
    assert not (presence[0] == presence[2]).all()


@given(st.lists(st.text(max_size=30), min_size=2, max_size=6))
def test_any_texts_have_shapes_of_zero_and_one(texts: list[str]) -> None:
    presence = shape_presence(texts)
    assert presence.shape[0] == len(texts)
    assert set(np.unique(presence)) <= {0.0, 1.0}


def test_prompts_that_are_all_equal_explain_nothing() -> None:
    assert prompt_smoother(["same"] * 5) is None


def test_prompts_predict_answers_whose_form_follows_theirs() -> None:
    rng = np.random.default_rng(0)
    is_list = rng.random(80) < 0.5
    topics = rng.choice(["trains", "soup", "tax", "moss"], size=80)
    prompts = [
        f"List ten {t}!\n- " if a else f"Why is {t} so?"
        for a, t in zip(is_list, topics, strict=True)
    ]
    smoother = prompt_smoother(prompts)
    assert smoother is not None
    values = is_list + 0.1 * rng.normal(size=80)
    left = values - smoother @ values
    assert left.std() < 0.3 * values.std()


def test_topics_grow_with_the_texts_up_to_eight() -> None:
    words = ["tax", "train", "soup", "moss", "chess", "rain", "glass", "wool", "iron"]
    prompts = [f"{word} {word} {i % 7}" for i in range(60) for word in words]
    assert len(set(topic_strata(prompts).tolist())) <= 8
    assert set(topic_strata(prompts[:40]).tolist()) == {0}


def test_a_window_with_too_many_rows_is_drawn_from_and_the_other_kept() -> None:
    n = MAX_ROWS + 300
    is_current, strata = np.arange(n) >= MAX_ROWS + 200, np.arange(n) % 4
    texts = [f"text {i}" for i in range(n)]
    rows = reading_order(texts, None, is_current, strata, 1)
    assert int(is_current[rows].sum()) == 100
    assert len(set(rows.tolist())) == len(rows) == MAX_ROWS + 100
    drawn = np.bincount(strata[rows[~is_current[rows]]])
    assert drawn.tolist() == [MAX_ROWS // 4] * 4, "strata keep their shares"
    mixed = np.random.default_rng(2).permutation(n)
    again = reading_order([texts[i] for i in mixed], None, is_current[mixed], strata[mixed], 1)
    assert [texts[mixed[i]] for i in again] == [texts[i] for i in rows], "whatever the order"


def test_every_style_feature_is_finite_and_named() -> None:
    rows = style_matrix(["", " Hello there! ", "1. One\n2. Two,\n\n* three", "\u4e2d\u6587\u3002"])
    assert rows.shape == (4, len(FEATURE_NAMES))
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)
    assert np.isfinite(rows).all()
