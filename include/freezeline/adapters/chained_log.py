"""A file of chained JSON lines that is only ever added to."""

import fcntl
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from include.freezeline.chained_rows import Row, chain_row, find_broken_row
from include.freezeline.errors import FreezelineError

Complain = Callable[[str], FreezelineError]
Check = Callable[[Sequence[Row]], Mapping[str, Any]]


class ChainedLog:
    """One log file; writers take turns, and every read checks the whole chain."""

    def __init__(self, path: Path, complain: Complain, refusal: str) -> None:
        """Use a file, which need not exist yet.

        Args:
            path: The file.
            complain: Makes the error to raise from what is wrong with it.
            refusal: What does not happen while it cannot be used.
        """
        self.path = path
        self._refusal = refusal
        self._complain = complain

    def rows(self) -> list[Row]:
        """Return all rows, in order.

        Raises:
            FreezelineError: A row was changed or taken out, or the file cannot be read.
        """
        if not self.path.exists():
            return []
        try:
            return self._parsed(self.path.read_bytes())
        except OSError as error:
            raise self._unusable(error.strerror) from None

    def append(self, plan: Check) -> Row:
        """Add the row that is planned on those before it; when this returns, it is on the disk.

        Args:
            plan: Gets the rows before it and returns the new one's values, or raises; nobody else
                adds a row in between.

        Raises:
            FreezelineError: It cannot be written, or the rows before it are not in order.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
            with os.fdopen(os.open(self.path, flags, 0o600), "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                known = self._parsed(file.read())
                row = chain_row(plan(known), known[-1] if known else None)
                file.write(json.dumps(row, sort_keys=True).encode("ascii") + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error.strerror) from None
        return row

    def _parsed(self, data: bytes) -> list[Row]:
        """Read rows and check that each follows from the one before."""
        try:
            rows: list[Row] = [json.loads(line) for line in data.splitlines()]
        except ValueError:
            rows = []
        is_whole = data.endswith(b"\n") and all(isinstance(row, dict) for row in rows)
        if data and not (rows and is_whole):
            problem = "a row is damaged or cut off"
            raise self._unusable(problem)
        broken = find_broken_row(rows)
        if broken is not None:
            message = (
                f"{self.path}: row {broken} does not follow from the one before: the log was "
                "changed (keep it, restore a copy, and find out who did it)"
            )
            raise self._complain(message)
        return rows

    def _unusable(self, problem: str | None) -> FreezelineError:
        """Say why it cannot be used."""
        return self._complain(
            f"{self.path}: the audit log cannot be used: {problem}; {self._refusal} "
            "without a row in it (mend the file or its folder, then try again)"
        )
