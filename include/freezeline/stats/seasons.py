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
    profiles = [np.zeros_like(days), _daily(days)]
    errors = [_forecast_errors(days, profile) for profile in profiles]
    if _is_unsteady(np.stack(errors)[:, :split]):
        profiles.append(_weekly(values))
        errors.append(_forecast_errors(days, profiles[2]))
    is_known = np.array([np.isfinite(profile[split:]).all() for profile in profiles])
    best = _best(np.stack(errors)[:, :split], is_known)
    known = np.flatnonzero(np.isfinite(profiles[best]).all(axis=1))
    filled, first = profiles[best].copy(), int(known[0])
    filled[:first] = filled[first] if best < 2 else _same_weekdays(filled, first)
    return SeasonFit(filled.ravel(), SEASONS[best], first * HOURS_A_DAY)


def _same_weekdays(profile: FloatArray, first: int) -> FloatArray:
    """Return, for the days before the first known one, its week's profile of their weekday."""
    return profile[first + (np.arange(first) - first) % 7]


def _is_unsteady(errors: FloatArray) -> bool:
    """Say whether flat and daily forecasts miss by enough for another season to matter."""
    best = np.asarray(np.fmin(errors[0], errors[1]))
    best = best[np.isfinite(best)]
    return len(best) > 0 and float(np.median(best)) > _WORTHWHILE_ERROR


def _daily(days: FloatArray) -> FloatArray:
    """Return, for each day, the median deviations of the hours of the days before it."""
    profile = np.full_like(days, np.nan)
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
    return profile


def _weekly(values: FloatArray) -> FloatArray:
    """Return the season of a robust MSTL, fitted anew each week on what was known then."""
    profile = np.full(len(values), np.nan)
    for start in range(_MIN_WEEKS * HOURS_A_WEEK, len(values), HOURS_A_WEEK):
        season = _mstl_week(values[:start])
        if season is not None:
            end = min(start + HOURS_A_WEEK, len(values))
            profile[start:end] = season[: end - start]
    return profile.reshape(-1, HOURS_A_DAY)


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


def _forecast_errors(days: FloatArray, profile: FloatArray) -> FloatArray:
    """Return each day's mean absolute error of the season on the level of the week before."""
    errors = np.full(len(days), np.nan)
    for day in range(_MIN_DAYS, len(days)):
        if np.isfinite(profile[day]).all():
            # Before its first fit a candidate's own season stands in.
            span = slice(max(0, day - _BASELINE_DAYS), day)
            week = days[span] - _stand_in(profile, day)[span]
            gaps = np.abs(days[day] - profile[day] - _median(week.ravel(), axis=0))
            if np.isfinite(gaps).any():
                errors[day] = float(np.nanmean(np.minimum(gaps, _ERROR_CAP)))
    return errors


def _stand_in(profile: FloatArray, day: int) -> FloatArray:
    """Return the profile with its unknown days filled from the days known by ``day``."""
    known = np.flatnonzero(np.isfinite(profile[: day + 1]).all(axis=1))
    first = int(known[0])
    if first == 0:
        return profile
    filled = profile.copy()
    last = min(first + 7, day + 1)
    places = first + (np.arange(first) - first) % 7
    filled[:first] = profile[np.minimum(places, last - 1)]
    return filled


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
