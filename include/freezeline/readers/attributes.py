"""A view on a span's attributes that remembers which ones a column took.

What no column took goes to ``attributes_redacted``, so nothing disappears, and what a column took
is not stored twice.
"""

from collections.abc import Callable
from typing import Any

from include.freezeline.readers import values
from include.freezeline.readers.jsontext import JsonText, parse_json_text
from include.freezeline.readers.names import Names
from include.freezeline.readers.otlp import Attributes
from include.freezeline.readers.result import Row

_MAX_TOKENS = 10**9  # nothing produces a billion tokens in one call: a wrong number, so unknown

Steps = tuple[tuple[str, Callable[[Any], Any], Names], ...]
"""Columns, what makes a value of an attribute or None, and names that are there, best first."""


class AttributeView:
    """Reads attributes by lists of names, new names first.

    A name counts as taken when its value could be used; a value of a senseless type stays among
    the attributes that no column holds.
    """

    __slots__ = ("_taken", "held_events", "names", "values")

    def __init__(self, attributes: Attributes) -> None:
        """View these attributes."""
        self.values = attributes
        self.names = tuple(attributes)
        self._taken: set[str] = set()
        # Span events, by place, that columns or side tables hold, and what is left of each.
        self.held_events: dict[int, Attributes] = {}

    def join(self, attributes: Attributes) -> None:
        """Add attributes; those that are here already win."""
        self.values = {**attributes, **self.values}
        self.names = tuple(self.values)

    def fill(self, row: Row, steps: Steps) -> None:
        """Set columns of a row, each to the first value that makes sense."""
        held, take = self.values, self._taken.add
        for column, convert, names in steps:
            for name in names:
                value = convert(held[name])
                if value is not None:
                    take(name)
                    row[column] = value
                    break

    def text(self, *names: str) -> str | None:
        """Return the first non-empty text."""
        held = self.values
        for name in names:
            if name in held:  # most names of a list are not there
                value = held[name]
                text = value if type(value) is str else values.to_text(value)
                if text:
                    self._taken.add(name)
                    return text
        return None

    def integer(self, *names: str) -> int | None:
        """Return the first integer."""
        held = self.values
        for name in names:
            if name in held:  # most names of a list are not there
                value = held[name]
                number = values.to_integer(value)
                if number is not None:
                    self._taken.add(name)
                    return number
        return None

    def tokens(self, *names: str) -> int | None:
        """Return the first believable token count."""
        held = self.values
        for name in names:
            if name in held:  # most names of a list are not there
                number = to_tokens(held[name])
                if number is not None:
                    self._taken.add(name)
                    return number
        return None

    def number(self, *names: str) -> float | None:
        """Return the first finite number."""
        held = self.values
        for name in names:
            if name in held:  # most names of a list are not there
                value = held[name]
                number = values.to_number(value)
                if number is not None:
                    self._taken.add(name)
                    return number
        return None

    def boolean(self, *names: str) -> bool | None:
        """Return the first boolean."""
        held = self.values
        for name in names:
            if name in held:  # most names of a list are not there
                value = held[name]
                truth = values.to_boolean(value)
                if truth is not None:
                    self._taken.add(name)
                    return truth
        return None

    def texts(self, *names: str) -> list[str]:
        """Return the first list of texts; JSON text that holds a list is a list."""
        held = self.values
        for name in names:
            if name in held:  # most names of a list are not there
                found = to_listed_texts(held[name])
                if found:
                    self._taken.add(name)
                    return found
        return []

    def json(self, *names: str) -> JsonText | None:
        """Return the first value that is there, as JSON."""
        for name in names:
            value = self.values.get(name)
            if value is not None and value != "":
                self._taken.add(name)
                return parse_json_text(value)
        return None

    def take(self, *names: str) -> None:
        """Count names as taken whatever they hold."""
        self._taken.update(names)

    def take_prefix(self, prefix: str) -> None:
        """Count every name with a prefix as taken."""
        self._taken.update(name for name in self.values if name.startswith(prefix))

    @property
    def taken(self) -> frozenset[str]:
        """What a column took."""
        return frozenset(self._taken)

    def rest(self) -> Attributes:
        """Return what no column took."""
        taken = self._taken
        return {name: value for name, value in self.values.items() if name not in taken}

    def rest_among(self, names: Names) -> Attributes:
        """Return what no column took of the attributes with these names."""
        taken, values = self._taken, self.values
        return {name: values[name] for name in names if name not in taken}


def to_tokens(value: Any) -> int | None:
    """Return a believable token count."""
    number = value if type(value) is int else values.to_integer(value)
    return number if number is not None and 0 <= number <= _MAX_TOKENS else None


def to_listed_texts(value: Any) -> list[str] | None:
    """Return the texts of a list, also of one in JSON text; None when there are none."""
    if isinstance(value, str) and value.startswith("["):
        value = parse_json_text(value).data
    return values.to_texts(value) or None
