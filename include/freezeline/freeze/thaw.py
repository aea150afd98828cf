"""The earliest thaw: the state machine itself, run forward with no further bad outcome."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from include.freezeline.freeze.flag import Flag, policy_of, signal_of
from include.freezeline.freeze.machine import Memory, step
from include.freezeline.slo.catalogue import Slo
from include.freezeline.slo.evaluation import evaluate
from include.freezeline.slo.events import NEVER_US, Events
from include.freezeline.slo.windows import DAY_US, to_us

HORIZON_DAYS = 60
_TRAFFIC_DAYS = 7


def find_earliest_thaw(flag: Flag, events: Mapping[str, Events]) -> datetime | None:
    """Return the first evaluation at which a frozen flag would leave FROZEN.

    Assumes traffic as in the last seven days, all of it good, and nightly evaluations.

    Args:
        flag: The flag.
        events: Its events by SLO name.

    Returns:
        None when the flag is not frozen, or would still be after ``HORIZON_DAYS``.
    """
    if flag.state != "FROZEN":
        return None
    thaws = [
        find_slo_thaw(item.evaluation.slo, events[item.evaluation.slo.name], item.step.memory, flag)
        for item in flag.judged
        if item.step is not None and item.state == "FROZEN"
    ]
    known = [thaw for thaw in thaws if thaw is not None]
    return max(known) if known and len(known) == len(thaws) else None


def find_slo_thaw(slo: Slo, events: Events, memory: Memory, flag: Flag) -> datetime | None:
    """Run one SLO's machine forward night by night until it leaves FROZEN."""
    future = imagine_future(events, to_us(flag.as_of))
    policy = policy_of(slo.objective.maturity_lag)
    for day in range(1, HORIZON_DAYS + 1):
        at = flag.as_of + timedelta(days=day)
        evaluation = evaluate(slo, future, flag.feature, flag.environment, at, with_worst=False)
        memory = step(memory, signal_of(evaluation), policy).memory
        if memory.state != "FROZEN":
            return at
    return None


def imagine_future(events: Events, as_of_us: int) -> Events:
    """Return what is known before ``as_of``, followed by good traffic at last week's pace."""
    known = events.known_at(as_of_us)
    bad_known = np.where(known.is_bad(as_of_us), known.bad_known_at_us, NEVER_US)
    n_daily = len(known.between(as_of_us - _TRAFFIC_DAYS * DAY_US, as_of_us)) // _TRAFFIC_DAYS
    days = as_of_us + DAY_US * np.arange(HORIZON_DAYS, dtype=np.int64)
    within = np.arange(n_daily, dtype=np.int64) * (DAY_US // max(n_daily, 1))
    future = (days[:, None] + within[None, :]).ravel()
    return Events.of(
        np.concatenate((known.at_us, future)),
        np.concatenate((bad_known, np.full(len(future), NEVER_US, dtype=np.int64))),
        np.concatenate((known.arrived_us, future)),
    )
