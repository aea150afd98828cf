"""Answers are compared inside a prompt version, an outcome of retrieval and a tenant."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from include.freezeline.drift.plans import plan_output_divergence, plan_semantic_shift
from include.freezeline.drift.questions import ask_output_divergence, ask_semantic_shift
from include.freezeline.drift.segments import SegmentTexts, TextRow
from include.freezeline.drift.strata import compared_within
from include.freezeline.drift.windows import Window
from tests.unit.drift.worlds import AS_OF, FIRST_DAY, POLICY, SEGMENT, fake_embed
from tests.unit.stats.texts import answer_text, prompt_text

N = 80
WINDOW = Window(AS_OF - timedelta(days=2), AS_OF)


def _rows(tenants: list[str]) -> list[TextRow]:
    """Return a row per tenant named."""
    return [
        TextRow(f"k{i}", FIRST_DAY, "v1", None, None, "", "a", tenant)
        for i, tenant in enumerate(tenants)
    ]


def _groups(before: list[str], after: list[str]) -> tuple[list[int], list[int]]:
    found = compared_within(_rows([*before, *after]), len(before)).tolist()
    return found[: len(before)], found[len(before) :]


def test_tenants_of_both_windows_are_groups_and_a_new_one_has_no_company() -> None:
    before, after = _groups(["a"] * 60 + ["b"] * 40, ["a"] * 30 + ["b"] * 40 + ["new"] * 30)
    assert before[0] == after[0] != before[-1] == after[30]
    assert after[-1] not in before


def test_small_tenants_are_one_group() -> None:
    small = [f"t{i}" for i in range(50)]
    before, after = _groups(small * 2, [f"later{i}" for i in range(50)] * 2)
    assert set(before) == set(after)
    assert len(set(before)) == 1


def test_tenants_are_not_told_apart_where_a_window_hardly_names_any() -> None:
    before, after = _groups([""] * 60 + ["a"] * 40, ["a"] * 50 + ["b"] * 50)
    assert set(before) == set(after)
    assert len(set(before)) == 1


def _segment(seed: int, shares: tuple[float, float], *, is_changed: bool = False) -> SegmentTexts:
    """Return two tenants, one of which has answers in another style, before and after."""
    rng = np.random.default_rng(seed)
    sides: list[list[TextRow]] = [[], []]
    for side, share in enumerate(shares):
        start = (FIRST_DAY, WINDOW.started_at)[side]
        for i in range(N):
            tenant, topic = int(rng.random() < share), int(rng.integers(3))
            is_other = bool(tenant) or (is_changed and side == 1)
            sides[side].append(
                TextRow(
                    f"{side}-{i:03d}",
                    start + timedelta(minutes=i),
                    "v1",
                    None,
                    None,
                    prompt_text(topic, rng),
                    answer_text(topic, rng, is_other_model=is_other),
                    "ab"[tenant],
                )
            )
    references = {"v1": Window(FIRST_DAY, FIRST_DAY + timedelta(days=14))}
    return SegmentTexts(SEGMENT, references, tuple(sides[0]), tuple(sides[1]))


def _p_values(texts: SegmentTexts) -> tuple[float | None, float | None]:
    shift = plan_semantic_shift(texts, WINDOW, POLICY)
    answers = [row.answer for row in shift.to_embed]
    vectors = dict(zip(answers, fake_embed(answers), strict=True))
    divergence = plan_output_divergence(texts, WINDOW, POLICY)
    return (
        ask_semantic_shift(shift, vectors, POLICY).result.p_value,
        ask_output_divergence(divergence, {}, POLICY).result.p_value,
    )


@pytest.mark.parametrize("place", [0, 1], ids=["semantic_shift", "output_divergence"])
def test_another_mix_of_tenants_alone_rejects_as_often_as_the_level_says(place: int) -> None:
    """Each of such windows was a changed model before."""
    found = [_p_values(_segment(seed, (0.3, 0.7)))[place] for seed in range(10)]
    assert all(p is not None for p in found)
    assert sum(p <= 0.05 for p in found if p is not None) <= 2


def test_changed_model_is_seen_beside_another_mix_of_tenants() -> None:
    shift, divergence = _p_values(_segment(1, (0.3, 0.6), is_changed=True))
    assert shift is not None
    assert shift <= 0.01
    assert divergence is not None
    assert divergence <= 0.01


def test_reason_says_that_windows_share_no_tenant() -> None:
    texts = _segment(1, (0.0, 1.0))
    named = tuple(replace(row, tenant_key="new") for row in texts.recent_rows)
    plan = plan_semantic_shift(replace(texts, recent_rows=named), WINDOW, POLICY)
    assert "share a prompt version and tenant" in str(plan.reason)
