"""A made-up store that counts its requests, as S3 does: one per page and per folder level."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

PAGE = 1000


@dataclass(frozen=True)
class Listed:
    """A listed object."""

    key: str
    modified_at: datetime = datetime(2026, 10, 13, 12, tzinfo=UTC)
    size_bytes: int = 10
    listed_etag: str | None = "e1"

    @property
    def etag(self) -> str:
        return self.listed_etag or "e1"


@dataclass(frozen=True)
class Level:
    """One level of folders."""

    folders: list[str]
    objects: list[Listed]


class CountingStore:
    """Holds keys and counts what it is asked."""

    def __init__(self, objects: Iterable[Listed]) -> None:
        self.objects = sorted(objects, key=lambda item: item.key)
        self.n_requests = 0
        self.n_listed = 0

    def list_objects(self, prefix: str = "") -> Iterator[Listed]:
        found = [item for item in self.objects if item.key.startswith(prefix)]
        for start in range(0, max(len(found), 1), PAGE):
            page = found[start : start + PAGE]
            self._count(len(page))
            yield from page

    def list_folder(self, prefix: str) -> Level:
        found = [item for item in self.objects if item.key.startswith(prefix)]
        rests = [item.key[len(prefix) :] for item in found]
        folders = {prefix + rest.partition("/")[0] + "/" for rest in rests if "/" in rest}
        objects = [item for item, rest in zip(found, rests, strict=True) if "/" not in rest]
        self._count(len(folders) + len(objects))
        return Level(sorted(folders), objects)

    def _count(self, n_entries: int) -> None:
        self.n_requests += max(-(-n_entries // PAGE), 1)
        self.n_listed += n_entries
