"""What is told of an hourly scan: which hours tell it, since when, and what is missing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np

from include.freezeline.drift.hourly_asked import Asked
from include.freezeline.stats.change_points import ChangePoint, find_change
from include.freezeline.stats.hourly_scan import HourlyScan
from include.freezeline.stats.seasons import HOURS_A_DAY

# Hours before an alarm's beginning that its size is compared with.
_BEFORE_HOURS = 72


def telling_hours(asked: Asked, scan: HourlyScan) -> tuple[slice, str]:
    """Return the hours that tell how large a change is, and whether it is or was.

    Those since it began while it goes on. When it is over, the ordinary hours after it would hide
    it: then those until it raised its alarm.
    """
    if not scan.alarms:
        return slice(asked.split, None), "is"
    alarm = scan.alarms[-1]
    start = max(alarm.began, asked.split)
    own = slice(start, max(alarm.hour, start) + 1)
    newest = scan.residuals[-asked.policy.sustained_hours :]
    if not np.isfinite(scan.residuals[own]).any() or not np.isfinite(newest).any():
        return slice(start, None), "is"
    size = scan.sign * float(np.nanmedian(scan.residuals[own]))
    is_over = scan.sign * float(np.nanmedian(newest)) < size / 2.0
    return (own, "was") if is_over else (slice(start, None), "is")


def step_around(scan: HourlyScan, began: int) -> ChangePoint | None:
    """Return the step that fits the hours around a beginning, its places counted from the first."""
    first = max(0, began - _BEFORE_HOURS)
    found = find_change(scan.residuals[first:], "step")
    if found is None:
        return None
    lower, upper = found.interval
    return replace(found, index=first + found.index, interval=(first + lower, first + upper))


def scan_details(scan: HourlyScan) -> dict[str, Any]:
    """Return what the judgement rests on."""
    return {
        "evidence_nats": scan.evidence_nats,
        "threshold_nats": scan.threshold_nats,
        "season": scan.season,
        "past_change_count": scan.n_past_changes,
    }


def alarm_details(
    asked: Asked, scan: HourlyScan, effect: float, step: ChangePoint | None
) -> dict[str, Any]:
    """Return when the newest alarm was raised, when it began, and whether it lasts."""
    if not scan.alarms:
        return {"is_lasting": False}
    alarm = scan.alarms[-1]
    ends = step.interval if step is not None else (alarm.began, alarm.began)
    hours = [alarm.hour, alarm.began, min(alarm.began, ends[0]), max(alarm.began, ends[1])]
    names = ("alarmed_at", "began_at", "began_lower_at", "began_upper_at")
    start = asked.window.started_at
    moments = {
        name: (start + timedelta(hours=hour)).isoformat()
        for name, hour in zip(names, hours, strict=True)
    }
    return {**moments, "is_lasting": _is_lasting(scan, alarm.began, asked, effect)}


def _is_lasting(scan: HourlyScan, began: int, asked: Asked, effect: float) -> bool:
    """Return whether a change is old enough and still shows.

    It must show in the newest hours and, where the policy asks for more than a day, in those after
    its first day: an outlier day of whatever time zone is 24 hours long, and over after that.
    """
    n_hours, n_all = asked.policy.sustained_hours, len(scan.residuals)
    if began > n_all - n_hours:
        return False
    first_day_ended = began + min(HOURS_A_DAY, n_hours - 1)
    return all(
        bool(np.isfinite(hours).any()) and scan.sign * float(np.nanmedian(hours)) >= effect / 2.0
        for hours in (scan.residuals[-n_hours:], scan.residuals[first_day_ended:])
    )


def since(details: dict[str, Any], asked: Asked, scan: HourlyScan) -> str:
    """Say since when, if there is an alarm, or that what is usual began the other day."""
    if "began_at" in details:
        return f", since about {details['began_at'][:13]}h UTC"
    if scan.settled_from is None:
        return ""
    moment = asked.window.started_at + timedelta(hours=scan.settled_from)
    return f", as since the change of about {moment.isoformat()[:13]}h UTC"


def newest_shortage(asked: Asked) -> dict[str, str]:
    """Say that the newest hours are missing, if they are."""
    n_hours, n_calls = HOURS_A_DAY, asked.policy.min_calls_per_hour
    if asked.question.kind == "drift":
        is_missing = not asked.series.counts[-n_hours:].any()
        return {"newest_shortage": f"the last {n_hours} hours have no calls"} if is_missing else {}
    usable, kind = asked.series.usable(n_calls), ""
    if asked.question.kind == "level":
        # Zeros that are no change by themselves say nothing, and neither do those that lasted.
        usable, kind = usable & (asked.series.values > 0.0), " above zero"
    if usable[-n_hours:].any():
        return {}
    return {
        "newest_shortage": f"none of the last {n_hours} hours has {n_calls} calls with a value{kind}"
    }
