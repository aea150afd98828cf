"""Numbers for people never cross a line that decides something."""

import doctest
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.reports import formats


def test_examples_in_the_docs_hold() -> None:
    result = doctest.testmod(formats)
    assert result.attempted > 5
    assert result.failed == 0


@given(ratio=st.floats(min_value=-20, max_value=20, allow_nan=False))
def test_percent_stays_on_its_side_of_the_whole_budget(ratio: float) -> None:
    shown = float(formats.percent(ratio).rstrip("%")) / 100
    # Six decimals of a percent are the most that is written.
    if abs(ratio - 1) > 1e-8:
        assert (shown < 1) == (ratio < 1)
        assert (shown > 1) == (ratio > 1)
    assert abs(shown - ratio) <= max(0.005, abs(ratio) * 0.005)


@given(value=st.integers(min_value=-(10**12), max_value=10**12))
def test_count_is_exact_when_whole(value: int) -> None:
    assert int(formats.count(value).replace(",", "")) == value
    assert formats.count(Decimal(value)) == formats.count(value)
