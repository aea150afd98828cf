"""Texts that were looked at and hold nothing.

Keys, roles and names stand in every document, and a conversation is sent again with every turn.
"""

from collections.abc import Container

_SHORT_CHARS = 48
_MAX_SHORT = 50_000
_MAX_LONG_CHARS = 8_000_000
_OVERHEAD_CHARS = 100
_MAX_SHAPES = 5_000


class KnownTexts:
    """Texts that hold nothing, a bounded number of them; the oldest long ones are forgotten.

    Attributes:
        short: The short ones, to be asked for directly where that is quicker.
        shapes: Keys of objects that are all known and tell nothing of their values, with those of
            them that may hold the name of a pair.
    """

    __slots__ = ("_chars", "_new", "_old", "shapes", "short")

    def __init__(self) -> None:
        """Start with none."""
        self.short: set[str] = set()
        self.shapes: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._new: set[str] = set()
        self._old: set[str] = set()
        self._chars = 0

    def __contains__(self, text: str) -> bool:
        """Return whether a text is known; a long one that is asked for stays."""
        if text in self.short or text in self._new:
            return True
        if text not in self._old:
            return False
        self.note(text)
        return True

    def note(self, text: str) -> None:
        """Remember a text."""
        if len(text) <= _SHORT_CHARS:
            if len(self.short) < _MAX_SHORT:
                self.short.add(text)
            return
        self._new.add(text)
        self._chars += len(text) + _OVERHEAD_CHARS
        if self._chars > _MAX_LONG_CHARS:
            self._old, self._new, self._chars = self._new, set(), 0

    def note_shape(self, keys: tuple[str, ...], name_keys: Container[str]) -> None:
        """Remember the keys of an object; all of them are known, and none is forgotten."""
        if len(self.shapes) < _MAX_SHAPES:
            self.shapes[keys] = tuple(key for key in keys if key in name_keys)
