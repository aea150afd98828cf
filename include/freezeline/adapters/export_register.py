"""Where samples were exported to: without it an erasure would not know where to look."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from include.freezeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Export:
    """One exported sample.

    Attributes:
        uri: The store; empty where everything of this home is published by default, so that a
            home can be moved.
        prefix: Beginning of its keys in there, with a slash at the end.
        as_of: Its night.
        keep_days: Days after that night that it is kept.
    """

    uri: str
    prefix: str
    as_of: datetime
    keep_days: int


class ExportRegister:
    """The file ``<home>/labelling/exports.json``: the exports that have not been deleted."""

    def __init__(self, path: Path) -> None:
        """Use a file, which need not exist yet."""
        self._path = path

    def all(self) -> list[Export]:
        """Return the exports that are there, in order."""
        if not self._path.exists():
            return []
        given = json.loads(self._path.read_text(encoding="utf-8"))
        return [
            Export(**{**item, "as_of": datetime.fromisoformat(item["as_of"])}) for item in given
        ]

    def add(self, export: Export) -> None:
        """Note an export, before anything of it is written."""
        self._write([known for known in self.all() if not _is_same(known, export)] + [export])

    def remove(self, export: Export) -> None:
        """Forget an export, after everything of it was deleted."""
        self._write([known for known in self.all() if not _is_same(known, export)])

    def _write(self, exports: list[Export]) -> None:
        """Write the file whole or not at all."""
        exports.sort(key=lambda export: (export.uri, export.prefix))
        rows = [asdict(export) | {"as_of": export.as_of.isoformat()} for export in exports]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        partial.replace(self._path)


def export_register(settings: Settings) -> ExportRegister:
    """Return the register of a home."""
    return ExportRegister(settings.home / "labelling" / "exports.json")


def _is_same(one: Export, other: Export) -> bool:
    """Whether two exports are of one place."""
    return (one.uri, one.prefix) == (other.uri, other.prefix)
