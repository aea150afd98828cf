"""Try again what a busy server or a bad line broke, with growing waits spread at random."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


class BrokenReadError(Exception):
    """Bytes came that are not what was announced; the text says how they differ."""


class Retry:
    """How often and how long apart something is tried."""

    def __init__(
        self,
        rng: random.Random,
        *,
        n_attempts: int = 6,
        first_wait_s: float = 0.2,
        longest_wait_s: float = 10.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Set the bounds.

        Args:
            rng: Draws each wait between half its bound and its bound.
            n_attempts: Attempts in all.
            first_wait_s: Bound of the first wait; each later bound is twice the one before.
            longest_wait_s: Bound that no wait exceeds.
            sleep: Waits.
        """
        self.n_attempts = n_attempts
        self._rng = rng
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._sleep = sleep

    def call(self, work: Callable[[], _T], is_passing: Callable[[Exception], bool]) -> _T:
        """Return what ``work`` returns; the last error passes through.

        Args:
            work: May be called again after it failed.
            is_passing: Whether an error may be gone a moment later; others pass at once.
        """
        for attempt in range(self.n_attempts - 1):
            try:
                return work()
            except Exception as error:
                if not is_passing(error):
                    raise
            self._sleep(self._wait_s(attempt))
        return work()

    def _wait_s(self, attempt: int) -> float:
        """Draw the wait after a failed attempt."""
        bound_s = min(self._first_wait_s * 2.0**attempt, self._longest_wait_s)
        return bound_s * self._rng.uniform(0.5, 1.0)
