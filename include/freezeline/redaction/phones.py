"""Phone numbers by the ``phonenumbers`` library, at three levels of strictness.

Numbers with a country code say what they are. A national number must be grouped the way its
country writes it, or dates, part numbers and epoch times would pass as phone numbers. Where the
text calls it a phone number, any possible number counts, even a bare run of digits.

The library's own matcher tries every part of every run of digits, milliseconds for each; here
the runs are cut first and each is parsed whole.
"""

import re
from collections.abc import Iterable, Iterator

from include.freezeline.redaction.prefilter import PHONE_LIKE, Span

_ANNOUNCED = re.compile(
    r"\b(?:phone|telephone|tel|mobile|cell|cellphone|fax|whatsapp|sms|dial"
    r"|(?:call|ring|text|reach) (?:me|us|him|her|them))\b[^.;!?]{0,34}\Z",
    re.IGNORECASE,
)
_CONTEXT_CHARS = 48
_LEAST_DIGITS = 7
# Dates, years and decimals have fewer digits than the national numbers of our countries.
_LEAST_NATIONAL_DIGITS = 9
_MOST_DIGITS = 15
_GROUPED = re.compile(r"[0-9][^0-9]+[0-9]")
_DECIMAL = re.compile(r"[0-9]+\.[0-9]+")
# Where several numbers stand in a row: the commonest writing, and where a new one begins.
_IN_A_ROW = re.compile(r"\(?(?<![0-9])[0-9]{3}\)?[ .\-]{1,2}[0-9]{3}[ .\-][0-9]{4}(?![0-9])")


class PhoneFinder:
    """Finds phone numbers in a text."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        """Know the national numbers of these countries (ISO codes)."""
        import phonenumbers

        self._regions = regions
        self._library = phonenumbers

    def __call__(self, text: str) -> Iterator[Span]:
        """Yield the spans of phone numbers."""
        for run in PHONE_LIKE.finditer(text):
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
            return self._is_possible(candidate, None)
        if _DECIMAL.fullmatch(candidate):
            return False
        is_grouped = n_digits >= _LEAST_NATIONAL_DIGITS and _GROUPED.search(candidate)
        if is_grouped and any(self._is_grouped(candidate, region) for region in self._regions):
            return True
        if not _ANNOUNCED.search(text[max(0, start - _CONTEXT_CHARS) : start]):
            return False
        return any(self._is_possible(candidate, region) for region in self._regions)

    def _is_grouped(self, candidate: str, region: str) -> bool:
        """Whether a text is a number of a region, grouped as there; the parts are not tried."""
        library = self._library
        leniency = library.Leniency.STRICT_GROUPING
        return bool(library.PhoneNumberMatcher(candidate, region, leniency, max_tries=1).has_next())

    def _is_possible(self, candidate: str, region: str | None) -> bool:
        """Whether a text could be a number of a region, or of the country it names."""
        library = self._library
        try:
            return bool(library.is_possible_number(library.parse(candidate, region)))
        except library.NumberParseException:
            return False


def _candidates(text: str, start: int, end: int) -> Iterable[Span]:
    """Yield what in a run of digits and separators may be one number, longest first."""
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
    if start and text[start - 1] == "+":
        start -= 1
    return start, end
