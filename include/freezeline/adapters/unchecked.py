"""Which landed objects no passed check has seen: one line per object, beside the lake.

The ledger cannot tell: an object that comes late belongs to a night that was checked before.
"""

from collections.abc import Iterable
from pathlib import Path

from include.freezeline.settings import Settings


class UncheckedObjects:
    """Hashes of objects that were landed and wait for their check."""

    def __init__(self, settings: Settings) -> None:
        """Use the list of a home folder."""
        self._path: Path = settings.home / "landing" / "unchecked.txt"

    def read(self) -> frozenset[str]:
        """Return the hashes."""
        if not self._path.exists():
            return frozenset()
        return frozenset(self._path.read_text(encoding="ascii").split())

    def add(self, hashes: Iterable[str]) -> None:
        """Note objects, before the ledger says that they are there."""
        self._write(self.read() | set(hashes))

    def remove(self, hashes: Iterable[str]) -> None:
        """Strike out objects whose check passed."""
        left = self.read()
        if left:
            self._write(left - set(hashes))

    def _write(self, hashes: Iterable[str]) -> None:
        """Write the list whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        partial.write_text("".join(f"{name}\n" for name in sorted(hashes)), encoding="ascii")
        partial.replace(self._path)
