"""Events for tests, from plain lists."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from include.freezeline.slo.events import NEVER_US, Events
from include.freezeline.slo.windows import HOUR_US, to_us

AS_OF = datetime(2026, 11, 20, tzinfo=UTC)


def events_at(
    hours_ago: Sequence[float],
    bad: Sequence[bool],
    *,
    as_of: datetime = AS_OF,
    delay_h: float = 0.0,
) -> Events:
    """Return events so many hours before ``as_of``; bad ones become known after a delay."""
    at_us = to_us(as_of) - np.array([round(h * HOUR_US) for h in hours_ago], dtype=np.int64)
    known = np.where(np.array(bad, dtype=bool), at_us + round(delay_h * HOUR_US), NEVER_US)
    return Events.of(at_us, known.astype(np.int64))


def steady(n: int, days: float, bad_every: int, *, as_of: datetime = AS_OF) -> Events:
    """Return evenly spaced events over the last days, every so-many-th bad; 0 for none."""
    hours = [days * 24 * (n - i) / n for i in range(n)]
    return events_at(hours, [bad_every > 0 and i % bad_every == 0 for i in range(n)], as_of=as_of)
