"""The highest sequence number seen of each source, against an old document that is put back.

An older document is genuine and may still be valid: only who has seen a newer one can tell.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.freezeline.errors import DocumentError

_VERSION = "1"
_MALFORMED = (
    OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError
)  # fmt: skip


class SequenceMemory:
    """Remembers in this process and, with a file, from one process to the next."""

    def __init__(self, path: Path | None = None) -> None:
        """Use the file ``path``, which need not exist; only this process remembers without one."""
        self._path = path
        self._seen: dict[str, int] = {}

    def highest(self, source: str) -> int:
        """Return the highest number seen of a source; 0 when none was.

        Raises:
            DocumentError: The file cannot be read. What it held is then not known.
        """
        return max(self._seen.get(source, 0), self._read().get(source, 0))

    def remember(self, source: str, sequence: int) -> None:
        """Remember a number; a lower one than before changes nothing.

        Raises:
            DocumentError: The file cannot be written.
        """
        self._seen[source] = max(self._seen.get(source, 0), sequence)
        if self._path is None or self._read().get(source, 0) >= sequence:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self._path):
                known = self._read()
                self._write({**known, source: max(known.get(source, 0), sequence)})
        except OSError as error:
            message = f"{self._path}: {error.strerror} (make --state-file writable)"
            raise DocumentError(message) from None

    def _read(self) -> dict[str, int]:
        """Return the file's numbers; none when it does not exist."""
        if self._path is None:
            return {}
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            # Another version is a KeyError, as every other thing that is missing.
            sequences = {_VERSION: found["sequences"]}[found["schema_version"]]
            return {str(name): int(number) for name, number in sequences.items()}
        except FileNotFoundError:
            return {}
        except _MALFORMED:
            message = (
                f"{self._path}: not a state file of the gate, so nobody knows which sequence was "
                "seen (delete it to begin anew, or correct --state-file)"
            )
            raise DocumentError(message) from None

    def _write(self, sequences: dict[str, int]) -> None:
        """Write the file whole or not at all."""
        assert self._path is not None  # noqa: S101 - for the type checker
        content = {"schema_version": _VERSION, "sequences": sequences}
        partial = self._path.with_name(f"{self._path.name}.{os.getpid()}.partial")
        partial.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        partial.replace(self._path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes of this machine out, so that none overwrites a higher number."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
