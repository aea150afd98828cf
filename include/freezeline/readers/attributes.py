"""A view on a span's attributes that remembers which ones a column took.

What no column took goes to ``attributes_redacted``, so nothing disappears, and what a column took
is not stored twice.
"""

from include.freezeline.readers import values
from include.freezeline.readers.jsontext import JsonText, parse_json_text
from include.freezeline.readers.otlp import Attributes

_MAX_TOKENS = 10**9  # nothing produces a billion tokens in one call: a wrong number, so unknown


class AttributeView:
    """Reads attributes by lists of names, new names first.

    A name counts as taken when its value could be used; a value of a senseless type stays among
    the attributes that no column holds.
    """

    __slots__ = ("_taken", "values")

    def __init__(self, attributes: Attributes) -> None:
        """View these attributes."""
        self.values = attributes
        self._taken: set[str] = set()

    def text(self, *names: str) -> str | None:
        """Return the first non-empty text."""
        for name in names:
            value = self.values.get(name)
            if value is not None:
                text = values.to_text(value)
                if text is not None:
                    self._taken.add(name)
                    return text
        return None

    def integer(self, *names: str) -> int | None:
        """Return the first integer."""
        for name in names:
            value = self.values.get(name)
            if value is not None:
                number = values.to_integer(value)
                if number is not None:
                    self._taken.add(name)
                    return number
        return None

    def tokens(self, *names: str) -> int | None:
        """Return the first believable token count."""
        for name in names:
            value = self.values.get(name)
            if value is not None:
                number = values.to_integer(value)
                if number is not None and 0 <= number <= _MAX_TOKENS:
                    self._taken.add(name)
                    return number
        return None

    def number(self, *names: str) -> float | None:
        """Return the first finite number."""
        for name in names:
            value = self.values.get(name)
            if value is not None:
                number = values.to_number(value)
                if number is not None:
                    self._taken.add(name)
                    return number
        return None

    def boolean(self, *names: str) -> bool | None:
        """Return the first boolean."""
        for name in names:
            value = self.values.get(name)
            if value is not None:
                truth = values.to_boolean(value)
                if truth is not None:
                    self._taken.add(name)
                    return truth
        return None

    def texts(self, *names: str) -> list[str]:
        """Return the first list of texts; JSON text that holds a list is a list."""
        for name in names:
            value = self.values.get(name)
            if value is not None:
                if isinstance(value, str) and value.startswith("["):
                    value = parse_json_text(value).data
                found = values.to_texts(value)
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

    def rest(self) -> Attributes:
        """Return what no column took."""
        taken = self._taken
        return {name: value for name, value in self.values.items() if name not in taken}
