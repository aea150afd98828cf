"""Where a text holds digits enough for a number of a person, and how far around to look.

Triggers that begin with a class of characters are slow, and long numbers are rare: these triggers
run only around them. A date alone is no such number, and the commonest run of digits in texts.
"""

import re
from collections.abc import Iterable
from re import _parser  # type: ignore[attr-defined]  # the one place that knows widths

import numpy as np

N_DIGITS = 7
# Characters between two digits of one number.
_MOST_BETWEEN = 2
_DATE_CHARS, _DATE_DIGITS = 10, 8
_DATE_SIGNS = frozenset(b"-/.")
_CENTURIES = frozenset((b"19", b"20"))
# The digits may stand anywhere in a value, and a trigger may just touch the value.
_VALUE_CHARS = 48
_MOST_CHARS = 400


def reach_of_digits(expressions: Iterable[str]) -> int | None:
    """Return how far from its digits a trigger can begin or end; None when there is no bound.

    Args:
        expressions: Triggers of values that hold that many digits in a row.
    """
    widest = max(map(_width, expressions))
    return widest + _VALUE_CHARS if widest <= _MOST_CHARS else None


def _width(expression: str) -> int:
    """Return how many characters an expression can match at most."""
    try:
        # The end of the text has another name in Python's own dialect.
        return int(_parser.parse(expression.replace(r"\z", r"\Z")).getwidth()[1])
    except re.error:  # Hyperscan's dialect knows more than Python's.
        return _MOST_CHARS + 1


def stretches_with_digits(shape: bytes, reach: int) -> list[tuple[int, int]]:
    """Return the parts of a text around digits that are close together and no date.

    Args:
        shape: What ``prefilter.shape_of`` returned.
        reach: Characters before and after the digits.

    Returns:
        Start and end of each part, in order, not touching each other.
    """
    stretches: list[tuple[int, int]] = []
    for start, end in _runs(shape):
        low, high = max(start - reach, 0), min(end + reach, len(shape))
        if stretches and low <= stretches[-1][1]:
            low = stretches.pop()[0]
        stretches.append((low, high))
    return stretches


def _runs(shape: bytes) -> Iterable[tuple[int, int]]:
    """Yield start and end of the longest runs in which digits are close together, but dates."""
    codes = np.frombuffer(shape, dtype=np.uint8)
    places = ((codes - np.uint8(ord("0"))) < 10).nonzero()[0]
    if len(places) < N_DIGITS:
        return
    breaks = ((places[1:] - places[:-1]) > _MOST_BETWEEN + 1).nonzero()[0]
    # The last digit of each run, after that of none.
    bounds = np.concatenate(([-1], breaks, [len(places) - 1]))
    n_digits = bounds[1:] - bounds[:-1]
    is_long = (n_digits >= N_DIGITS).nonzero()[0]
    starts, ends = places[bounds[is_long] + 1].tolist(), (places[bounds[is_long + 1]] + 1).tolist()
    for start, end, n in zip(starts, ends, n_digits[is_long].tolist(), strict=True):
        if n != _DATE_DIGITS or end - start != _DATE_CHARS or not _is_date(shape, start):
            yield start, end


def _is_date(shape: bytes, start: int) -> bool:
    """Return whether eight digits of ten characters are a date of these centuries: 2026-10-13."""
    sign = shape[start + 4]
    is_parted = sign == shape[start + 7] and sign in _DATE_SIGNS
    return is_parted and shape[start : start + 2] in _CENTURIES
