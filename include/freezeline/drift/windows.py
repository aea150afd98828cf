"""Windows of time, always [start, end) in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.scope import Reference


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
    step = policy.window_length
    return tuple(
        Window(as_of - (position + 1) * step, as_of - position * step)
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


def reference_windows(
    first_calls: Mapping[str, datetime],
    rule: Reference,
    recent: Window,
    accepted_at: datetime | None = None,
) -> dict[str, Window]:
    """Return the reference of each prompt version that has a whole one before the judged windows.

    Args:
        first_calls: First call of each prompt version of a segment; they may not be empty.
        rule: What may move a reference.
        recent: From the start of the oldest judged window to ``as_of``.
        accepted_at: Start of the last accepted change of the segment; None when there is none.
    """
    first_of_all = min(first_calls.values())
    found = {}
    for version, own_first in sorted(first_calls.items()):
        first = first_of_all if rule.moves == "never" else own_first
        window = reference_window(first, recent.ended_at, rule.days)
        if accepted_at is not None and accepted_at > window.started_at:
            window = Window(accepted_at, accepted_at + timedelta(days=rule.days))
        if window.ended_at <= recent.started_at and own_first < window.ended_at:
            found[version] = window
    return found
