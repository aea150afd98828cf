"""What an hour of the day and week usually differs by, known before the day it is used for.

Three candidates compete: no season; the median deviation of each hour of the day from its day;
and the daily and weekly season of a robust MSTL (Bandara, Hyndman & Bergmeir 2021; Cleveland et
al. 1990), from three full weeks on. Every day uses the one that has forecast the days before it
best (prequential choice, Dawid 1984), so a season that is not there costs next to nothing.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from statsmodels.tsa.seasonal import MSTL

from include.freezeline.stats.result import BoolArray, FloatArray

HOURS_A_DAY = 24
HOURS_A_WEEK = 168
SEASONS = ("none", "daily", "weekly")
_MIN_DAYS = 3
_MIN_DAY_HOURS = 12
_MIN_HOUR_DAYS = 3
# Two weeks cannot tell a weekly season from two odd days.
_MIN_WEEKS = 3
_MIN_KNOWN_SHARE = 0.8
_BASELINE_DAYS = 7
# A season that moves hours by less than this (log) is not worth the fit.
_WORTHWHILE_ERROR = 0.05
# Loess is evaluated once a day and interpolated between: 40 times faster, same season.
_MSTL_SETTINGS = {
    "robust": True,
    "seasonal_jump": HOURS_A_DAY,
    "trend_jump": HOURS_A_DAY,
    "low_pass_jump": HOURS_A_DAY,
    "outer_iter": 5,
}
# Hours on each side that an hour of the week is smoothed with; a median keeps edges.
_SMOOTH_HOURS = 3
# One wild hour must not decide which season is used.
_ERROR_CAP = 1.0


@dataclass(frozen=True, slots=True)
class SeasonFit:
    """The season in use.

    Attributes:
        profile: What each hour differs by from the level of its time, same unit as the values.
        season: Which candidate, one of ``SEASONS``.
        honest_from: From this hour on the profile rests on earlier days only; before it, it is
            the first one that could be fitted, so that all hours share one season.
    """

    profile: FloatArray
    season: str
    honest_from: int


def seasonal_profile(values: FloatArray, judged_from: int) -> SeasonFit:
    """Return the season that has forecast the days before the judged ones best.

    Args:
        values: One value per hour (usually logarithms) from a midnight on, whole days; NaN where
            the hour is missing. Nothing is filled in.
        judged_from: First hour of the judged days.

    Raises:
        ValueError: The hours are not whole days.
    """
    if len(values) % HOURS_A_DAY or judged_from % HOURS_A_DAY:
        message = f"hours must be whole days, got {len(values)} hours judged from {judged_from}"
        raise ValueError(message)
    days, split = values.reshape(-1, HOURS_A_DAY), judged_from // HOURS_A_DAY
    candidates = [(np.zeros_like(days), 0), _daily(days)]
    errors = [_forecast_errors(days, *candidate) for candidate in candidates]
    if _is_unsteady(np.stack(errors)[:, :split]):
        candidates.append(_weekly(values))
        errors.append(_forecast_errors(days, *candidates[2]))
    is_known = np.array([honest_from <= split for _, honest_from in candidates])
    best = _best(np.stack(errors)[:, :split], is_known)
    profile, honest_from = candidates[best]
    return SeasonFit(profile.ravel(), SEASONS[best], honest_from * HOURS_A_DAY)


def whole_days(values: FloatArray) -> FloatArray:
    """Return the hours with unknown ones added, up to a midnight."""
    return np.append(values, np.full(-len(values) % HOURS_A_DAY, np.nan))


def _is_unsteady(errors: FloatArray) -> bool:
    """Say whether flat and daily forecasts miss by enough for another season to matter."""
    best = np.asarray(np.fmin(errors[0], errors[1]))
    best = best[np.isfinite(best)]
    return len(best) > 0 and float(best.mean()) > _WORTHWHILE_ERROR


def _daily(days: FloatArray) -> tuple[FloatArray, int]:
    """Return, for each day, the median deviations of the hours of the days before it.

    The second is the first day for which that can be said; the days before it share its profile.
    """
    profile, first = np.zeros_like(days), len(days)
    full = np.isfinite(days).sum(axis=1) >= _MIN_DAY_HOURS
    deviations = days - _median(days, axis=1)[:, None]
    for day in range(_MIN_DAYS, len(days)):
        past = deviations[:day][full[:day]]
        if len(past) < _MIN_DAYS:
            continue
        known = np.isfinite(past).sum(axis=0) >= _MIN_HOUR_DAYS
        usual = np.where(known, _median(past, axis=0), 0.0)
        # Neighbours share a quarter each: an hour's own median of few days is rough.
        profile[day] = (np.roll(usual, 1) + 2.0 * usual + np.roll(usual, -1)) / 4.0
        first = min(first, day)
    if first < len(days):
        profile[:first] = profile[first]
    return profile, first


def _weekly(values: FloatArray) -> tuple[FloatArray, int]:
    """Return the season of a robust MSTL, fitted anew each week on what was known then.

    The second is the first day that a fit did not see; the days before it share the first fit.
    """
    profile, first = np.zeros(len(values)), len(values)
    season: FloatArray | None = None
    for start in range(_MIN_WEEKS * HOURS_A_WEEK, len(values), HOURS_A_WEEK):
        fitted = _mstl_week(values[:start])
        season = season if fitted is None else fitted
        if season is None:
            continue
        if first == len(values):
            first = start
            profile[:start] = np.tile(season, start // HOURS_A_WEEK)
        end = min(start + HOURS_A_WEEK, len(values))
        profile[start:end] = season[: end - start]
    return profile.reshape(-1, HOURS_A_DAY), first // HOURS_A_DAY


def _mstl_week(past: FloatArray) -> FloatArray | None:
    """Return the last week's season; None when too many hours are missing or all are equal."""
    known = np.isfinite(past)
    if known.mean() < _MIN_KNOWN_SHARE or np.ptp(past[known]) == 0.0:
        return None
    usual = _median(past.reshape(-1, HOURS_A_DAY), axis=0)
    usual = np.where(np.isfinite(usual), usual, np.median(past[known]))
    filled = np.where(known, past, np.tile(usual, len(past) // HOURS_A_DAY))
    periods = (HOURS_A_DAY, HOURS_A_WEEK)
    model = MSTL(filled, periods=periods, iterate=1, stl_kwargs=dict(_MSTL_SETTINGS))
    daily, weekly = model.fit().seasonal[-HOURS_A_WEEK:].T
    return np.asarray(daily + _smooth(weekly), dtype=np.float64)


def _smooth(week: FloatArray) -> FloatArray:
    """Return the moving median around the week: an hour's own three or four values are rough."""
    shifts = range(-_SMOOTH_HOURS, _SMOOTH_HOURS + 1)
    return np.asarray(np.median([np.roll(week, shift) for shift in shifts], axis=0))


def _forecast_errors(days: FloatArray, profile: FloatArray, honest_from: int) -> FloatArray:
    """Return each day's mean absolute error of the season on the level of the week before.

    NaN on days that the season has seen, and where nothing is known.
    """
    errors = np.full(len(days), np.nan)
    plain = days - profile
    for day in range(max(_MIN_DAYS, honest_from), len(days)):
        week = plain[max(0, day - _BASELINE_DAYS) : day]
        gaps = np.abs(plain[day] - _median(week.ravel(), axis=0))
        if np.isfinite(gaps).any():
            errors[day] = float(np.nanmean(np.minimum(gaps, _ERROR_CAP)))
    return errors


def _best(errors: FloatArray, is_known: BoolArray) -> int:
    """Return the candidate with the least error over the days that it forecast."""
    best = 0
    for candidate in np.flatnonzero(is_known)[1:]:
        both = np.isfinite(errors[candidate]) & np.isfinite(errors[best])
        if both.sum() >= 2 and errors[candidate, both].sum() < errors[best, both].sum():
            best = candidate
    return int(best)


def _median(values: FloatArray, axis: int) -> FloatArray:
    """Return medians of what is known, NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return np.asarray(np.nanmedian(values, axis=axis), dtype=np.float64)
