"""What a row is or is not, scored by how rare that is: no spread says how far JSON is from prose."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from include.freezeline.stats.result import BoolArray, FloatArray, IntArray

# What more than one row in twenty is stands out nowhere.
_USUAL_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Events:
    """What rows are.

    Attributes:
        states: A column per question, a row per row: 1 where it is so, else 0.
        named: What each row names, such as hosts; naming what no other row named is an event.
    """

    states: IntArray
    named: tuple[frozenset[str], ...]

    def pick(self, places: Sequence[int] | np.ndarray) -> "Events":
        """Return the events of some of the rows."""
        return Events(self.states[places], tuple(self.named[int(place)] for place in places))


@dataclass(frozen=True, slots=True)
class EventRarity:
    """How rare each state is.

    Attributes:
        log_rarity: ``-log`` of the smoothed share of state 0 and 1, a column per question; 0 where
            it is usual. The last column is of naming something new.
        known: What is named in the fitted rows.
    """

    log_rarity: FloatArray
    known: frozenset[str]

    def of(self, events: Events) -> FloatArray:
        """Return how rare what each row is, a column per question."""
        is_new = np.array([bool(each - self.known) for each in events.named], dtype=np.int64)
        states = np.column_stack([events.states, is_new])
        return np.asarray(
            np.where(states == 1, self.log_rarity[1], self.log_rarity[0]), dtype=np.float64
        )


def fit_rarity(events: Events) -> EventRarity:
    """Learn how rare each state is among rows; of what a row names, its own mention is left out."""
    counts = Counter(name for each in events.named for name in each)
    is_new = [any(counts[name] == 1 for name in each) for each in events.named]
    states = np.column_stack([events.states, np.array(is_new, dtype=np.int64)]).astype(np.bool_)
    return EventRarity(np.stack([_log_rarity(~states), _log_rarity(states)]), frozenset(counts))


def _log_rarity(has_state: BoolArray) -> FloatArray:
    """Return ``-log`` of the smoothed share of rows with a state, 0 where it is usual."""
    share = (has_state.sum(axis=0) + 0.5) / (len(has_state) + 1.0)
    return np.asarray(np.where(share < _USUAL_SHARE, -np.log(share), 0.0), dtype=np.float64)
