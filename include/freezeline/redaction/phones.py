"""Phone numbers by the ``phonenumbers`` library, at four levels of strictness.

Numbers with a country code say what they are. A national number must be grouped the way its
country writes it, or dates, part numbers and epoch times would pass as phone numbers. Where the
text speaks of a message or a call, any possible number in groups counts; where it calls it a
phone number, a bare run of digits counts too.

The library's own matcher tries every part of every run of digits, milliseconds for each; here
the runs are cut first, each is parsed whole, and a country is asked only when its numbering plan
has such digits at all.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from include.freezeline.redaction.prefilter import Span

# Runs of digits with the separators of phone numbers. Possessive: a run is taken whole, so that
# a table of numbers is one long run, not thousands of candidates.
_PHONE_LIKE = re.compile(r"[0-9](?<![0-9.,][0-9])(?:[ ().\-/]{0,2}[0-9]){6,}+")
_ANNOUNCED = re.compile(
    r"\b(?:phone|telephone|tel|mobile|cell|cellphone|fax|whatsapp|sms|dial|hotline|voicemail"
    r"|(?:call|ring|text|reach|contact) (?:me|us|him|her|them))\b[^.;!?]{0,34}\Z",
    re.IGNORECASE,
)
# Words that speak of calling without naming a number, close before it.
_SPOKEN_OF = re.compile(
    r"\b(?:answer(?:ing)?|messages?|texts?|calls?|called|ring|rang|reach|reached|contact|number"
    r"|registered)(?: \w+){0,2}:? ?\Z",
    re.IGNORECASE,
)
_CONTEXT_CHARS = 48
_LEAST_DIGITS = 7
# Dates, years and decimals have fewer digits than the national numbers of our countries.
_LEAST_NATIONAL_DIGITS = 9
_MOST_DIGITS = 15
_GROUPED = re.compile(r"[0-9][^0-9]+[0-9]")
_DECIMAL = re.compile(r"[0-9]+\.[0-9]+")
_DATE = re.compile(
    r"(?:(?:19|20)[0-9]{2}([\-/.])[0-9]{1,2}\1[0-9]{1,2}"
    r"|[0-9]{1,2}([\-/.])[0-9]{1,2}\2(?:19|20)[0-9]{2})(?![0-9])[ T]?"
)
_NOT_DIGIT = re.compile(r"[^0-9]+")
# Where several numbers stand in a row: the commonest writing, and where a new one begins.
_IN_A_ROW = re.compile(r"\(?(?<![0-9])[0-9]{3}\)?[ .\-]{1,2}[0-9]{3}[ .\-][0-9]{4}(?![0-9])")
_ABROAD = ("00", "011", "0011")
_CACHED = 4_096


class PhoneFinder:
    """Finds phone numbers in a text."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        """Know the national numbers of these countries (ISO codes)."""
        import phonenumbers

        self._library = phonenumbers
        self._plans = {region: self._plan(region) for region in regions}
        # Dates, versions and table cells repeat; what the library says of one stays the same.
        self._is_grouped = lru_cache(_CACHED)(self._is_grouped_uncached)
        self._is_possible = lru_cache(_CACHED)(self._is_possible_uncached)

    def __call__(self, text: str) -> Iterator[Span]:
        """Yield the spans of phone numbers."""
        for run in _PHONE_LIKE.finditer(text):
            for start, end in _candidates(text, *run.span()):
                if self._is_phone(text, start, end):
                    yield start, end

    def _is_phone(self, text: str, start: int, end: int) -> bool:
        """Whether a candidate is a phone number."""
        candidate = text[start:end]
        n_digits = sum(char.isdigit() for char in candidate)
        if not _LEAST_DIGITS <= n_digits <= _MOST_DIGITS:
            return False
        if candidate[0] == "+":
            return self._is_possible(candidate)
        if _DECIMAL.fullmatch(candidate) or _DATE.match(candidate):
            return False
        is_grouped = _GROUPED.search(candidate) is not None
        if n_digits >= _LEAST_NATIONAL_DIGITS and is_grouped and self._is_grouped(candidate):
            return True
        before = text[max(0, start - _CONTEXT_CHARS) : start]
        if _ANNOUNCED.search(before) or (is_grouped and _SPOKEN_OF.search(before)):
            return self._is_possible(candidate)
        return False

    def _plan(self, region: str) -> re.Pattern[str]:
        """Return what the digits of a region's numbers look like, with or without its prefix."""
        data = self._library.PhoneMetadata.metadata_for_region(region, None)
        if data is None or data.general_desc is None:
            message = f"no region {region!r}"
            raise AttributeError(message)
        prefix = data.national_prefix_for_parsing or ""
        numbers = data.general_desc.national_number_pattern
        return re.compile(f"(?:{data.country_code}|{prefix})?(?:{numbers})")

    def _is_grouped_uncached(self, candidate: str) -> bool:
        """Whether a text is a number of a region, grouped as there; the parts are not tried."""
        library, digits = self._library, _NOT_DIGIT.sub("", candidate)
        strict = library.Leniency.STRICT_GROUPING
        return any(
            library.PhoneNumberMatcher(candidate, region, strict, max_tries=1).has_next()
            for region, plan in self._plans.items()
            if plan.fullmatch(digits) or digits.startswith(_ABROAD)
        )

    def _is_possible_uncached(self, candidate: str) -> bool:
        """Whether a text could be a number of a region, or of the country it names."""
        regions = (None,) if candidate[0] == "+" else tuple(self._plans)
        return any(self._parses(candidate, region) for region in regions)

    def _parses(self, candidate: str, region: str | None) -> bool:
        """Whether a text could be a number of one region."""
        library = self._library
        try:
            return bool(library.is_possible_number(library.parse(candidate, region)))
        except library.NumberParseException:
            return False


def _candidates(text: str, start: int, end: int) -> Iterable[Span]:
    """Yield what in a run of digits and separators may be one number, longest first."""
    date = _DATE.match(text, start, end)
    if date:  # A date and time, or a date with a number after it.
        start = date.end()
        if end - start < _LEAST_DIGITS:
            return
    run = _widened(text, start, end)
    yield run
    inner = [match.span() for match in _IN_A_ROW.finditer(text, *run)]
    yield from (_widened(text, *span) for span in inner if span != run)
    first = text.find(" ", start, end)
    last = text.rfind(" ", start, end)
    if first > 0:
        yield _widened(text, first + 1, end)
        yield _widened(text, start, last)


def _widened(text: str, start: int, end: int) -> Span:
    """Take along the ``+`` and opening bracket before the digits."""
    if start and text[start - 1] == "(":
        start -= 1
    if start and text[start - 1] in "+ " and text[max(0, start - 2) : start] in ("+ ", "(+"):
        return start - 2, end
    if start and text[start - 1] == "+":
        start -= 1
    return start, end
