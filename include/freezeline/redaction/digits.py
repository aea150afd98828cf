"""Where a text holds digits enough for a number of a person, and how far around to look.

Triggers that begin with a class of characters are slow, and long numbers are rare: these triggers
run only around them. A date alone is no such number, and the commonest run of digits in texts.
"""

import re
from collections.abc import Iterable
from re import _parser  # type: ignore[attr-defined]  # the one place that knows widths

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

N_DIGITS = 7
# Characters between two digits of one number.
_MOST_BETWEEN = 2
_DATE_CHARS, _DATE_DIGITS = 10, 8
_DATE_SIGNS = np.frombuffer(b"-/.", dtype=np.uint8)
_CENTURIES = np.array([int.from_bytes(century, "big") for century in (b"19", b"20")])
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
    places = np.flatnonzero((codes - np.uint8(ord("0"))) < 10)
    if len(places) < N_DIGITS:
        return ()
    breaks = np.flatnonzero(np.diff(places) > _MOST_BETWEEN + 1) + 1
    firsts = np.concatenate(([0], breaks))
    lasts = np.concatenate((breaks, [len(places)])) - 1
    n_digits = lasts - firsts + 1
    is_long = n_digits >= N_DIGITS
    starts, ends = places[firsts[is_long]], places[lasts[is_long]] + 1
    is_kept = ~_are_dates(codes, starts, ends, n_digits[is_long])
    return zip(starts[is_kept].tolist(), ends[is_kept].tolist(), strict=True)


def _are_dates(codes: Codes, starts: Places, ends: Places, n_digits: Places) -> Mask:
    """Return which runs are dates of these centuries, as in 2026-10-13, and nothing else."""
    at = starts[:, np.newaxis] + np.arange(_DATE_CHARS)
    chars = codes[np.minimum(at, len(codes) - 1)]
    is_century = np.isin(chars[:, 0] * np.uint16(256) + chars[:, 1], _CENTURIES)
    has_signs = np.isin(chars[:, 4], _DATE_SIGNS) & (chars[:, 4] == chars[:, 7])
    has_length = (ends - starts == _DATE_CHARS) & (n_digits == _DATE_DIGITS)
    return np.asarray(has_length & has_signs & is_century)
