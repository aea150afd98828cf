"""Events of one subject as arrays: who was bad, and when we learned of it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
NEVER_US = np.iinfo(np.int64).max
# Ratios of counts below this are told apart exactly by their float64 quotients.
_MAX_EVENTS = 2**26
# 2**64 over the golden ratio: multiples of it fill the unit interval evenly.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Events:
    """Eligible events of one SLO, feature and environment, in time order.

    Attributes:
        at_us: Event times, microseconds since 1970, ascending.
        bad_known_at_us: When the bad outcome became known; ``NEVER_US`` for events without one.
        arrived_us: When the event itself became known.
        row: Position of the event in the table it came from.
        weight: How many calls the event stands for; 1 unless the source samples.
    """

    at_us: IntArray
    bad_known_at_us: IntArray
    arrived_us: IntArray
    row: IntArray
    weight: IntArray

    @classmethod
    def of(
        cls,
        at_us: IntArray,
        bad_known_at_us: IntArray,
        arrived_us: IntArray | None = None,
        row: IntArray | None = None,
        weight: IntArray | None = None,
    ) -> Self:
        """Sort events by time; they arrive when they happen and count once unless told otherwise."""
        order = np.argsort(at_us, kind="stable")
        if len(order) >= _MAX_EVENTS:
            message = f"{len(order)} events in one window; exact comparison ends at {_MAX_EVENTS}"
            raise ValueError(message)
        rows = np.arange(len(order)) if row is None else row
        arrived = at_us if arrived_us is None else arrived_us
        weights = np.ones(len(order), dtype=np.int64) if weight is None else weight
        return cls(
            at_us[order], bad_known_at_us[order], arrived[order], rows[order], weights[order]
        )

    @property
    def size(self) -> int:
        """How many calls the events stand for."""
        return int(self.weight.sum())

    def known_at(self, as_of_us: int) -> Self:
        """Return the events that had happened and arrived before ``as_of``."""
        return self._pick((self.at_us < as_of_us) & (self.arrived_us < as_of_us))

    def between(self, start_us: int, end_us: int) -> Self:
        """Return the events in ``[start, end)``."""
        first, last = np.searchsorted(self.at_us, [start_us, end_us])
        return self._pick(slice(int(first), int(last)))

    def is_bad(self, as_of_us: int) -> BoolArray:
        """Return which events were known to be bad before ``as_of``."""
        return self.bad_known_at_us < as_of_us

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.at_us)

    def _pick(self, which: BoolArray | slice) -> Self:
        """Return some of the events."""
        return type(self)(
            self.at_us[which],
            self.bad_known_at_us[which],
            self.arrived_us[which],
            self.row[which],
            self.weight[which],
        )


def whole_weights(weights: FloatArray, at_us: IntArray) -> IntArray:
    """Return weights as whole numbers of calls, right on average and the same every night.

    Counts are exact integers, so a weight of 2.5 becomes 2 for one event and 3 for the next; which
    one depends on the event's time only. Whole weights stay as they are.
    """
    floors = np.floor(weights)
    spread = (at_us.astype(np.uint64) * _GOLDEN >> np.uint64(11)) / 2.0**53
    return np.asarray(floors + (spread < weights - floors), dtype=np.int64)
