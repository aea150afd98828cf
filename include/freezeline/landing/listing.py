"""Walk the bucket folder by folder, and leave out the folders of times that nobody asks for.

A folder names a time when its path ends in (part of) a partition: ``year=2026/month=10/``,
``dt=2026-10-12/``, ``2026-10-12/``, ``2026/10/12/``. Such a folder is listed with everything below
it, looked into, or left out. A folder that names no time is looked into, whatever its age. A
number alone is weak evidence: of folders like ``2024/`` or ``2024-01-15/``, which may be customers
or releases, the youngest old one is opened before its siblings are left out.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

from include.freezeline.landing.arrival import parse_period
from include.freezeline.landing.horizon import Horizon
from include.freezeline.landing.plan import ListedObject

# Above this, a request per folder costs more than the pages of everything below them.
_MAX_SIBLINGS = 64
_SAMPLED_KEYS = 100
_YEAR = re.compile(r"(?:^|/)(?:year=)?((?:19|20|21)\d{2})/$")
_MONTH = re.compile(r"(?:^|/)(?:year=(\d{4})/month=(\d{1,2})|((?:19|20|21)\d{2})/(\d{2}))/$")
_NUMBERED_YEAR = re.compile(r"^\d{4}/$")
_NUMBERED_MONTH = re.compile(r"^(?:0[1-9]|1[0-2])/$")
_NUMBERED_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}/$")

Period = tuple[datetime, datetime]


class FolderLike(Protocol):
    """One level of a store."""

    @property
    def folders(self) -> Sequence[str]:
        """Prefixes of the level below, each with its slash at the end, in order."""

    @property
    def objects(self) -> Sequence[ListedObject]:
        """Objects of this level."""


class Lister(Protocol):
    """What walking needs from a store."""

    def list_objects(self, prefix: str = "") -> Iterator[ListedObject]:
        """Yield all objects whose key starts with a prefix."""

    def list_folder(self, prefix: str) -> FolderLike:
        """Return one level: what starts with a prefix, up to the next slash."""


@dataclass(frozen=True, slots=True)
class _Level:
    """The folders of one level by what is to be done with them."""

    whole: Sequence[str]
    partial: Sequence[str]
    undated: Sequence[str]


def walk(store: Lister, prefix: str, horizon: Horizon) -> Iterator[ListedObject]:
    """Yield the objects below a prefix that may have arrived within a horizon.

    Some that arrived at other times come along; who needs the bound applies it again.
    """
    if horizon.spans is None:
        yield from store.list_objects(prefix)
    else:
        yield from _walk(store, prefix, 0, horizon)


def period_of(folder: str) -> Period | None:
    """Return the time that a folder's path names, or None.

    Examples:
        >>> [moment.date().isoformat() for moment in period_of("a/year=2026/month=12/") or ()]
        ['2026-12-01', '2027-01-01']
        >>> period_of("a/b/") is None
        True
    """
    period = parse_period(folder)
    if period is not None:
        return period
    year, month = _YEAR.search(folder), _MONTH.search(folder)
    try:
        if month is not None:
            return _month(*(int(part) for part in month.groups() if part is not None))
        if year is not None:
            return _month(int(year[1]), 1)[0], _month(int(year[1]), 12)[1]
    except ValueError:  # month 13 names no time
        pass
    return None


def _month(year: int, month: int) -> Period:
    """Return a month as ``[start, end)``."""
    after = (year, month + 1) if month < 12 else (year + 1, 1)
    return datetime(year, month, 1, tzinfo=UTC), datetime(*after, 1, tzinfo=UTC)


def _walk(store: Lister, prefix: str, base: int, horizon: Horizon) -> Iterator[ListedObject]:
    """List one level and go on below it; names before ``base`` characters name no time."""
    level = store.list_folder(prefix)
    yield from level.objects
    choice = _choose(store, level.folders, base, horizon)
    for folder in choice.whole:
        yield from store.list_objects(folder)
    for folder in choice.partial:
        yield from _walk(store, folder, base, horizon)
    if _is_flat(store, choice.undated):
        yield from _list_flat(store, prefix, choice)
        return
    for folder in choice.undated:
        is_doubted = _doubtful_kind(_own_name(folder)) is not None
        yield from _walk(store, folder, len(folder) if is_doubted else base, horizon)


def _choose(store: Lister, folders: Sequence[str], base: int, horizon: Horizon) -> _Level:
    """Decide what to do with each folder of a level."""
    periods = {folder: period_of(folder[base:]) for folder in folders}
    for kind in (_NUMBERED_YEAR, _NUMBERED_DATE):
        group = [name for name in folders if periods[name] and kind.match(_own_name(name))]
        old = [name for name in group if not _touches(horizon, periods[name])]
        if old and not _is_partition(store, old[-1], kind):
            periods |= dict.fromkeys(group)
    dated = {folder: period for folder, period in periods.items() if period is not None}
    whole = [folder for folder, period in dated.items() if horizon.holds(*period)]
    partial = [
        folder
        for folder, period in dated.items()
        if horizon.touches(*period) and not horizon.holds(*period)
    ]
    undated = [folder for folder in folders if periods[folder] is None]
    return _Level(whole, partial, undated)


def _touches(horizon: Horizon, period: Period | None) -> bool:
    """Whether a period has anything to do with the horizon."""
    return period is not None and horizon.touches(*period)


def _is_partition(store: Lister, folder: str, kind: re.Pattern[str]) -> bool:
    """Whether a folder with a number for a name is a time partition, by what lies in it.

    A year holds months. A date holds anything but keys that name another time further down.
    """
    if kind is _NUMBERED_YEAR:
        names = [_own_name(name) for name in store.list_folder(folder).folders]
        return bool(names) and all(_NUMBERED_MONTH.match(name) for name in names)
    sample = islice(store.list_objects(folder), _SAMPLED_KEYS)
    return all(parse_period(item.key[len(folder) :]) is None for item in sample)


def _is_flat(store: Lister, folders: Sequence[str]) -> bool:
    """Whether undated folders are so many, and so shallow, that looking into each is waste."""
    if len(folders) <= _MAX_SIBLINGS:
        return False
    samples = {folders[0], folders[len(folders) // 2], folders[-1]}
    return not any(store.list_folder(folder).folders for folder in sorted(samples))


def _list_flat(store: Lister, prefix: str, choice: _Level) -> Iterator[ListedObject]:
    """List undated folders with everything below them, at once where nothing else lies beside."""
    if choice.whole or choice.partial:
        for folder in choice.undated:
            yield from store.list_objects(folder)
        return
    undated = set(choice.undated)
    for item in store.list_objects(prefix):
        name, slash, _ = item.key[len(prefix) :].partition("/")
        if slash and f"{prefix}{name}/" in undated:
            yield item


def _doubtful_kind(name: str) -> re.Pattern[str] | None:
    """Return which kind of number a folder's name is, or None."""
    kinds = (_NUMBERED_YEAR, _NUMBERED_DATE)
    return next((kind for kind in kinds if kind.match(name)), None)


def _own_name(folder: str) -> str:
    """Return a folder's last name, with its slash."""
    return folder.rstrip("/").rpartition("/")[2] + "/"
