"""What names of attributes answer by themselves, worked out once for all spans that share them.

Spans of one instrumentation carry the same few sets of names, and the rules ask for many names of
which a span has few.
"""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

Names = tuple[str, ...]
"""The names of a set of attributes, in its order."""

_Answer = TypeVar("_Answer")
_MAX_KNOWN = 5_000  # names with ids inside must not fill memory


class ByNames(dict[Names, _Answer], Generic[_Answer]):
    """Answers by the names of a set of attributes."""

    def __init__(self, answer: Callable[[Names], _Answer]) -> None:
        """Take the function that knows."""
        super().__init__()
        self._answer = answer

    def __missing__(self, names: Names) -> _Answer:
        """Work out the answer for names that are met first."""
        answer = self._answer(names)
        if len(self) < _MAX_KNOWN:
            self[names] = answer
        return answer


def names_among(wanted: Iterable[str]) -> ByNames[Names]:
    """Return which names of a set of attributes are wanted ones, in the order of the attributes."""
    known = frozenset(wanted)
    return ByNames(lambda names: tuple(name for name in names if name in known))
