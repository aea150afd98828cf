"""Answers without what is new every day and means nothing: dates, numbers, placeholders.

A balance, a date, a ticket's number that gains a digit and ``<EMAIL_1>`` say nothing about what
an answer is like.
"""

import re
from collections.abc import Sequence

from include.freezeline.evaluators.placeholders import PLACEHOLDER
from include.freezeline.stats.calendar_words import without_dates

_NUMBER = re.compile(r"\d+(?:,\d{3}(?!\d))*(?:\.\d+)?")


def without_values(texts: Sequence[str]) -> list[str]:
    """Return texts with one sign for each date and number, and a word for each placeholder."""
    named = [PLACEHOLDER.sub(lambda found: found[1].lower(), text) for text in texts]
    return [_NUMBER.sub("0", text) for text in without_dates(named)]
