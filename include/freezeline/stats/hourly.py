"""Find changes of hourly series within hours, at a stated rate of false alarms.

Each hour is compared with the season known before its day and the median of the week before. The
log likelihood ratio of a change that matters over none is the evidence that ``stats/hourly_scan.py``
scans.

Two sums watch each direction of a level. One takes all evidence, at a hundredth of the alarm rate. The
other takes evidence only from hours whose level the series does not visit by itself, which makes a
burst that recurs every week no news; it has nearly all of the rate.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from include.freezeline.stats.hourly_scan import (
    HourlyPlan,
    HourlyScan,
    Span,
    no_answer,
    one_pass,
    scan_evidence,
    shortage,
    too_little,
)
from include.freezeline.stats.level_evidence import LevelEvidence, level_evidence, level_logs
from include.freezeline.stats.result import FloatArray
from include.freezeline.stats.seasons import seasonal_profile, whole_days
from include.freezeline.stats.share_evidence import (
    MAX_SHARE,
    ShareEvidence,
    newest_day_p_value,
    season_factors,
)

LEVEL_METHOD = "seasonal_cusum"
SHARE_METHOD = "binomial_cusum"
# Share of the false alarms that each of the two sums of a level may raise.
_ALL_SHARE, _NEW_SHARE = 0.01, 0.99


def scan_levels(
    values: FloatArray, counts: FloatArray, judged_from: int, plan: HourlyPlan
) -> HourlyScan:
    """Look for a change of level in the judged hours.

    Null hypothesis: the judged hours behave like those before them.

    Args:
        values: Positive level of each hour from a midnight on; NaN where missing.
        counts: Events behind each value; an hour of few events weighs less.
        judged_from: First judged hour, a multiple of 24.
        plan: What is looked for.
    """
    logs = level_logs(values)
    reason = shortage(logs, judged_from)
    if reason:
        return no_answer(len(values), LEVEL_METHOD, reason)
    asked = _LevelQuestion.of(logs, counts, judged_from, plan)
    rates = [_ALL_SHARE, _NEW_SHARE] * plan.n_sides
    scan = scan_evidence(asked.evidence, rates, asked.span, plan, LEVEL_METHOD, asked.season)
    return replace(scan, usual=np.exp(scan.usual + asked.profile))


def usual_levels(
    values: FloatArray, counts: FloatArray, judged_from: int, plan: HourlyPlan
) -> tuple[FloatArray, FloatArray] | None:
    """Return how far each hour is from its usual level, and the usual levels; None without enough history.

    That is what ``scan_levels`` says, of a series that may have changed however often and may have been
    constant, as a quantile of numbers that do move.

    Args:
        values: Positive level of each hour from a midnight on; NaN where missing.
        counts: Events behind each value.
        judged_from: First judged hour, a multiple of 24.
        plan: What is looked for.
    """
    logs = level_logs(values)
    if shortage(logs, judged_from, is_constant_fine=True):
        return None
    asked = _LevelQuestion.of(logs, counts, judged_from, plan)
    quiet = one_pass(asked.evidence, (2 * plan.n_sides, 2), asked.span, None)
    if too_little(quiet, judged_from, plan):
        return None
    return quiet.residuals, np.exp(quiet.levels + asked.profile)


@dataclass(frozen=True, slots=True)
class _LevelQuestion:
    """What a scan of a level needs.

    Attributes:
        evidence: What the hours say.
        span: Which hours are which.
        profile: Season of each hour, in logs.
        season: Its name.
    """

    evidence: LevelEvidence
    span: Span
    profile: FloatArray
    season: str

    @classmethod
    def of(
        cls, logs: FloatArray, counts: FloatArray, judged_from: int, plan: HourlyPlan
    ) -> "_LevelQuestion":
        """Take the season out."""
        season = seasonal_profile(whole_days(logs), judged_from)
        profile = season.profile[: len(logs)]
        change = math.log1p(plan.min_change_ratio)
        evidence = level_evidence(
            logs - profile, counts, judged_from, change=change, sides=plan.n_sides
        )
        span = Span(len(logs), judged_from, season.honest_from)
        return cls(evidence, span, profile, season.season)


def scan_shares(
    n_bad: FloatArray,
    counts: FloatArray,
    judged_from: int,
    plan: HourlyPlan,
    first_weekday: int = 0,
) -> HourlyScan:
    """Look for a risen share in the judged hours.

    Null hypothesis: the judged hours' counts have the share of those before them, as variable as
    theirs. A share that never was above zero is a history, too. The p-value is the larger one of the
    hours' and of the newest day's among the days before: an alarm that is over has no small one.

    Args:
        n_bad: Events that count, per hour.
        counts: All events per hour; 0 where the hour is missing.
        judged_from: First judged hour, a multiple of 24.
        plan: What is looked for.
        first_weekday: Day of the week of the first hour, Monday is 0.
    """
    known = np.where(counts > 0, 1.0, np.nan)
    reason = shortage(known, judged_from, is_constant_fine=True)
    if reason:
        return no_answer(len(counts), SHARE_METHOD, reason)
    factors, season = season_factors(n_bad, counts, judged_from, first_weekday)
    evidence = ShareEvidence(
        n_bad, counts, factors, judged_from, plan.min_change_ratio, plan.min_difference
    )
    span = Span(len(counts), judged_from, 0)
    scan = scan_evidence(evidence, [1.0], span, plan, SHARE_METHOD, season)
    scan = replace(scan, usual=np.minimum(scan.usual * factors, MAX_SHARE))
    if scan.p_value is None:
        return scan
    of_day = newest_day_p_value(n_bad, counts, factors, judged_from)
    return replace(scan, p_value=max(scan.p_value, of_day))
