"""Windows of time, always [start, end) in UTC."""

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True, order=True)
class ServedDay:
    """A day on which a prompt version was called, on the grid of days that ends at ``as_of``.

    Attributes:
        first_call_at: Its first call of the day.
        is_organic: Whether it answered a user that day, and not only probes.
    """

    first_call_at: datetime
    is_organic: bool = True


def service_start(served: Sequence[ServedDay], as_of: datetime, days: int) -> datetime:
    """Return since when a prompt version really serves.

    A stray call, a try before the launch or a wrong clock must not be the reference for good: the
    first day is one after which the version answered users on at least half of so many days. How
    many answers there were does not count, as more traffic later must not move a reference. When
    no day is like that it is that of the first call.

    Args:
        served: Days on which it was called; they may not be empty.
        as_of: End of the grid of days.
        days: Days of a reference.
    """
    one_day = timedelta(days=1)
    # Where only probes were answered, their days count.
    organic = [day for day in served if day.is_organic] or served
    ages = sorted({-((day.first_call_at - as_of) // one_day) for day in organic}, reverse=True)
    for age in ages:
        n_days = sum(age - days < other <= age for other in ages)
        if 2 * n_days >= days:
            return as_of - age * one_day
    return min(served).first_call_at


def reference_windows(
    served: Mapping[str, Sequence[ServedDay]],
    rule: Reference,
    recent: Window,
    accepted_at: datetime | None = None,
) -> dict[str, Window]:
    """Return the reference of each prompt version that has a whole one before the judged windows.

    Args:
        served: Days on which each prompt version of a segment served; they may not be empty.
        rule: What may move a reference.
        recent: From the start of the oldest judged window to ``as_of``.
        accepted_at: Start of the last accepted change of the segment; None when there is none.
    """
    found = {}
    of_all = [day for days in served.values() for day in days]
    for version, own in sorted(served.items()):
        asked = of_all if rule.moves == "never" else own
        first = service_start(asked, recent.ended_at, rule.days)
        window = reference_window(first, recent.ended_at, rule.days)
        if accepted_at is not None and accepted_at > window.started_at:
            window = Window(accepted_at, accepted_at + timedelta(days=rule.days))
        if window.ended_at <= recent.started_at and min(own).first_call_at < window.ended_at:
            found[version] = window
    return found
