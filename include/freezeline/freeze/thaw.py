"""The earliest thaw: the state machine itself, run forward with no further bad outcome."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from include.freezeline.freeze.flag import Flag, Past, plan_flag
from include.freezeline.slo.catalogue import Slo
from include.freezeline.slo.evaluation import evaluate
from include.freezeline.slo.events import NEVER_US, Events
from include.freezeline.slo.windows import DAY_US, to_us

HORIZON_DAYS = 60
_TRAFFIC_DAYS = 7


def find_earliest_thaw(flag: Flag, events: Mapping[str, Events]) -> datetime | None:
    """Return the first evaluation after which the gate lets feature releases ship again.

    The whole flag is run forward night by night until it is OPEN or WARNING, since RECOVERING
    still blocks. Assumes traffic as in the last seven days, all of it good, outcome feeds that
    deliver, and nightly evaluations.

    Args:
        flag: The flag.
        events: Its events by SLO name.

    Returns:
        None when releases may ship already, or still may not after ``HORIZON_DAYS``.
    """
    if not flag.is_frozen:
        return None
    as_of_us = to_us(flag.as_of)
    futures = [
        (item.evaluation.slo, imagine_future(events[item.evaluation.slo.name], as_of_us))
        for item in flag.judged
        if item.step is not None
    ]
    for _ in range(HORIZON_DAYS):
        flag = _advance(flag, futures, flag.as_of + timedelta(days=1))
        if not flag.is_frozen:
            return flag.as_of
    return None


def _advance(flag: Flag, futures: Sequence[tuple[Slo, Events]], at: datetime) -> Flag:
    """Evaluate a flag's freezing SLOs one night later."""
    evaluations = [
        evaluate(slo, future, flag.feature, flag.environment, at, with_worst=False)
        for slo, future in futures
    ]
    past = Past(flag.state, flag.since_at, flag.memory)
    return plan_flag(flag.feature, flag.environment, at, evaluations, past)


def imagine_future(events: Events, as_of_us: int) -> Events:
    """Return what is known before ``as_of``, followed by good traffic at last week's pace."""
    known = events.known_at(as_of_us)
    bad_known = np.where(known.is_bad(as_of_us), known.bad_known_at_us, NEVER_US)
    week = known.between(as_of_us - _TRAFFIC_DAYS * DAY_US, as_of_us)
    n_daily = len(week) // _TRAFFIC_DAYS
    usual_weight = round(week.size / len(week)) if len(week) else 1
    days = as_of_us + DAY_US * np.arange(HORIZON_DAYS, dtype=np.int64)
    within = np.arange(n_daily, dtype=np.int64) * (DAY_US // max(n_daily, 1))
    future = (days[:, None] + within[None, :]).ravel()
    return Events.of(
        np.concatenate((known.at_us, future)),
        np.concatenate((bad_known, np.full(len(future), NEVER_US, dtype=np.int64))),
        np.concatenate((known.arrived_us, future)),
        weight=np.concatenate((known.weight, np.full(len(future), usual_weight, dtype=np.int64))),
    )
