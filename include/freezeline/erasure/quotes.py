"""Ids of an erased subject that stand inside texts: verdict details, reports, quarantine samples."""

import json
import re
from collections.abc import Iterable

ERASED = "erased"
_WORD = re.compile(r"[\w-]+")
_TOKEN = re.compile(r"[^\s\"',;=<>(){}\[\]]+")  # ids may hold dots, colons, slashes
_FIELD = re.compile(r"[^\"',;=<>(){}\[\]\r\n\t]+")  # or spaces
_LEAST_CHARS = 4  # a shorter id is found in every text
_SHORT_CHARS = 10  # as reports shorten a pseudonym


def words_of(text: str) -> set[str]:
    """Return everything in a text that may be an id."""
    fields = (field.strip() for field in _FIELD.findall(text))
    found = {*_WORD.findall(text), *_TOKEN.findall(text), *fields}
    return {word for word in found if len(word) >= _LEAST_CHARS}


class Quotes:
    """Finds and replaces the ids of a subject in texts."""

    def __init__(
        self, ids: Iterable[str], subjects: Iterable[str], raw_id: str | None = None
    ) -> None:
        """Take what to look for.

        Args:
            ids: Ids that are the subject's alone.
            subjects: Its pseudonyms, which reports also show shortened.
            raw_id: The id as the source sends it, when it is known.
        """
        shown = [f"{key[:_SHORT_CHARS]}…" for key in subjects]
        wanted = [*ids, *subjects, *(_writings(raw_id) if raw_id else ())]
        long = {text for text in wanted if len(text) >= _LEAST_CHARS}
        self._words = {text for text in long if _WORD.fullmatch(text)}
        others = (long - self._words) | set(shown)
        self._others = sorted(others, key=lambda other: (-len(other), other))

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._words or self._others)

    def replace(self, text: str) -> str:
        """Return a text with a word in the place of each id."""
        if self._words:
            text = _WORD.sub(
                lambda match: ERASED if match.group() in self._words else match.group(), text
            )
        for other in self._others:
            text = text.replace(other, ERASED)
        return text

    def are_in(self, text: str | None) -> bool:
        """Whether a text holds any of the ids."""
        return text is not None and self.replace(text) != text


def _writings(raw_id: str) -> set[str]:
    """Return an id as it stands in texts and in JSON."""
    return {
        raw_id,
        *(json.dumps(raw_id, ensure_ascii=is_ascii)[1:-1] for is_ascii in (False, True)),
    }
