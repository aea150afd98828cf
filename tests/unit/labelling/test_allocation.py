"""Allocation: everything is shared out, minimum and size of a stratum hold."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.freezeline.errors import LabellingError
from include.freezeline.labelling.allocation import allocate, neyman_importance

SIZES = st.lists(st.integers(1, 3000), min_size=1, max_size=30)


@hypothesis_settings(deadline=None)
@given(SIZES, st.data())
def test_shares_add_up_within_minimum_and_size(sizes: list[int], data: st.DataObject) -> None:
    minimum = data.draw(st.integers(0, 20))
    importance = data.draw(
        st.lists(st.floats(0, 1e6), min_size=len(sizes), max_size=len(sizes))
    )  # fmt: skip
    least = sum(min(minimum, size) for size in sizes)
    total = data.draw(st.integers(least, sum(sizes) + 50))
    counts = allocate(sizes, importance, total, minimum)
    assert sum(counts) == min(total, sum(sizes))
    for count, size in zip(counts, sizes, strict=True):
        assert min(minimum, size) <= count <= size


def test_proportional_shares_are_those_of_the_sizes() -> None:
    assert allocate([600, 300, 100], [600.0, 300.0, 100.0], 100, 0) == [60, 30, 10]
    assert allocate([960, 20, 20], [960.0, 20.0, 20.0], 100, 10) == [80, 10, 10]


def test_more_goes_where_the_rate_varies() -> None:
    quiet, loud = neyman_importance(500, 0, 500), neyman_importance(500, 250, 500)
    counts = allocate([500, 500], [quiet, loud], 100, 5)
    assert counts[1] > 8 * counts[0]
    assert counts[0] >= 5


def test_a_minimum_that_does_not_fit_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(LabellingError, match=r"3 strata of at least 5 need 15 .*raise --size"):
        allocate([100, 100, 100], [1.0, 1.0, 1.0], 14, 5)
