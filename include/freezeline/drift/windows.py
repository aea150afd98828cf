"""Windows of time, always [start, end) in UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from include.freezeline.drift.policy import DriftPolicy


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, its end excluded."""

    started_at: datetime
    ended_at: datetime

    def covers(self, moment: datetime) -> bool:
        """Whether a moment lies inside."""
        return self.started_at <= moment < self.ended_at


def trailing_window(as_of: datetime, days: int) -> Window:
    """Return the last ``days`` days before ``as_of``."""
    return Window(as_of - timedelta(days=days), as_of)


def recent_windows(as_of: datetime, policy: DriftPolicy) -> tuple[Window, ...]:
    """Return the windows of the sustained-shift rule, newest first; they do not overlap."""
    step = timedelta(days=policy.current_days)
    return tuple(
        trailing_window(as_of - position * step, policy.current_days)
        for position in range(policy.sustained.windows)
    )


def reference_window(first_call_at: datetime, as_of: datetime, days: int) -> Window:
    """Return the fixed reference of a prompt version: the first days that it served.

    It starts on the grid of days that ends at ``as_of``, and moves only when a version is new.
    """
    one_day = timedelta(days=1)
    age = -((first_call_at - as_of) // one_day)
    start = as_of - age * one_day
    return Window(start, start + timedelta(days=days))
