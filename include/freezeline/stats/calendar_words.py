"""Texts without the dates and times that they name.

An answer that says when a parcel arrives, and a prompt that begins with today's date, tell the day
they were written on: what is said in June says "June", whatever the model. So before windows are
compared each date, time, year, month and day of the week becomes the same sign.

Names of months and days are those of Unicode CLDR, in ``LANGUAGES``.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache

from babel import Locale

from include.freezeline.stats.style import word_set, words_of

SIGN = "0"
LANGUAGES = (
    "en de fr es it pt nl pl sv da nb fi cs hu ro tr id ru uk el".split()  # noqa: SIM905
)
# Next to a number these are dates; alone they are words like others, or short for several.
_ORDINARY = word_set("mars mart marts luni lunes senin minggu pazar cuma середа среда")
_MIN_ALONE = 4
_DIGIT = re.compile(r"\d")
_NAME = r"(?<![^\W_])[^\W\d_]{3,14}+"
_JOINT = r"(?:\s{1,3}(?:de|of|del|du|the))?[.,]?\s{0,3}"
_NAME_FIRST = re.compile(rf"({_NAME}){_JOINT}(?=\d)")
_NUMBER_FIRST = re.compile(rf"(\d(?:st|nd|rd|th|er|[.\u00ba\u00aa])?{_JOINT})({_NAME})")
_ANY_NAME = re.compile(_NAME)
# Each begins with a digit after no digit, so that what lies between numbers is only searched for one.
_MARK = r"\s?[\u5e74\u6708\u65e5\u6642\u65f6\u5206\ub144\uc6d4\uc77c\uc2dc\ubd84]"
_NUMBERS = re.compile(
    rf"\d(?<!\d\d)(?:\d{{0,3}}{_MARK}(?:\s?\d{{1,4}}{_MARK}){{0,5}}|(?:"
    r"\d{3}-\d\d?-\d\d?(?:[T ]\d\d?:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\d?([./-])\d\d?\1(?:\d{4}|\d{2})"
    r"|\d?:\d\d(?::\d\d)?(?:\s?[aApP]\.?[mM]\b\.?)?"
    r"|(?<![.,$\u20ac\u00a3].)(?:(?<=1)9|(?<=2)0)\d\d(?!%|[.,]\d)"
    r")(?!\d))"
)
_END = r"(?!\d)(?:st|nd|rd|th|[\u00ba\u00aa])?"
_GAP = r"[ ,./:-]{1,3}(?:(?:at|of|de|der|the) )?"
_RUN = re.compile(rf"\d(?<!\d\d)\d?{_END}(?:{_GAP}\d\d?{_END}){{1,7}}")
_PARTS = re.compile(r"\d+")


def without_dates(texts: Sequence[str]) -> list[str]:
    """Return texts with one sign in the place of each date, time, year, month and weekday.

    Args:
        texts: Of any language; names are known in those of ``LANGUAGES``.
    """
    return [_without_dates(text) for text in texts]


def _without_dates(text: str) -> str:
    """Return a text without the dates in it."""
    words = words_of(text)
    has_numbers = _DIGIT.search(text) is not None
    if not has_numbers and _alone().isdisjoint(words):
        return text
    plain = _NUMBERS.sub(SIGN, text) if has_numbers else text
    if has_numbers and not _names().isdisjoint(words):
        # Twice: of "Tuesday, March 3" the day stands before a number once the month is one.
        for _ in range(2):
            plain = _NAME_FIRST.sub(_name_as_sign, plain)
            plain = _NUMBER_FIRST.sub(_second_as_sign, plain)
    if not _alone().isdisjoint(words):
        plain = _ANY_NAME.sub(_alone_as_sign, plain)
    return plain if plain == text else _RUN.sub(_one_sign, plain)


def _name_as_sign(found: re.Match[str]) -> str:
    """Return the sign for a month or day before a number, and anything else as it is."""
    return f"{SIGN} " if found[1].lower() in _names() else found[0]


def _second_as_sign(found: re.Match[str]) -> str:
    """Return a number with the sign for the month or day after it, or both as they are."""
    return f"{found[1]}{SIGN}" if found[2].lower() in _names() else found[0]


def _alone_as_sign(found: re.Match[str]) -> str:
    """Return the sign for a month or day that stands alone, and anything else as it is."""
    return SIGN if found[0].lower() in _alone() else found[0]


def _one_sign(found: re.Match[str]) -> str:
    """Return one sign for the parts of a date, and numbers without one as they are."""
    return SIGN if SIGN in _PARTS.findall(found[0]) else found[0]


@cache
def _alone() -> frozenset[str]:
    """Return the names that mean a month or day where no number is near."""
    return frozenset(name for name in _names() - _ORDINARY if len(name) >= _MIN_ALONE)


@cache
def _names() -> frozenset[str]:
    """Return names of months and days in small letters; short ones of English alone."""
    names = {name for language in LANGUAGES for name in _of(language, "wide")}
    return frozenset(names | set(_of("en", "abbreviated")))


def _of(language: str, width: str) -> Iterable[str]:
    """Return names of months and days in small letters, with and without their case endings."""
    locale = Locale(language)
    for kinds in (locale.months, locale.days):
        for form in kinds.values():
            yield from (name.rstrip(".").lower() for name in form.get(width, {}).values())
