"""Slices of a window as events: a slice is bad when too large a share of its events is.

Judged as events, slices have everything events have: exact budgets, evidence, burn rates, a state.
Source: OpenSLO v1, budgeting method Timeslices.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from include.freezeline.slo.events import NEVER_US, Events
from include.freezeline.slo.windows import Window, to_us


@dataclass(frozen=True, slots=True)
class Slices:
    """How a window is cut.

    Attributes:
        length_us: Length of a slice in microseconds.
        limit: Bad ratio that a slice may have.
        op: ``lt``: a slice at the limit is bad; ``lte``: only one above it.
        text: The length as written.
    """

    length_us: int
    limit: Fraction
    op: Literal["lt", "lte"]
    text: str


def slice_events(events: Events, slices: Slices, window: Window, as_of_us: int) -> Events:
    """Return the slices of a window as events that end when the slice does.

    A slice without events is left out: OpenSLO counts it as good, but of no traffic nothing is
    known, and thousands of empty slices would look like evidence.

    Args:
        events: Events of the subject.
        slices: How to cut.
        window: The window; slices begin where it begins.
        as_of_us: Exclusive end of what is known.
    """
    start_us, end_us = to_us(window.started_at), min(to_us(window.ended_at), as_of_us)
    inside = events.known_at(as_of_us).between(start_us, end_us)
    number, index = np.unique((inside.at_us - start_us) // slices.length_us, return_inverse=True)
    is_bad, n_slices = inside.is_bad(as_of_us), len(number)
    n_all = np.bincount(index, inside.weight, minlength=n_slices).astype(np.int64)
    n_bad = np.bincount(index[is_bad], inside.weight[is_bad], minlength=n_slices).astype(np.int64)
    spent, allowed = n_bad * slices.limit.denominator, n_all * slices.limit.numerator
    is_broken = spent > allowed if slices.op == "lte" else spent >= allowed
    is_slice_bad = (n_bad > 0) & is_broken
    last_us = np.minimum(start_us + slices.length_us * (number + 1), end_us) - 1
    return Events.of(last_us, np.where(is_slice_bad, last_us, NEVER_US))
