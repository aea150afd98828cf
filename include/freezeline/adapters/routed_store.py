"""A bucket, some of whose prefixes are other stores."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from include.freezeline.adapters.object_store import Folder, ObjectInfo, ObjectStore


class RoutedStore(ObjectStore):
    """A store whose keys below some prefixes come from elsewhere; the rest is the bucket's.

    Objects that the bucket holds below such a prefix are not looked at.
    """

    def __init__(self, bucket: ObjectStore, routes: Mapping[str, ObjectStore]) -> None:
        """Use ``bucket`` for every key but those below the prefixes of ``routes``."""
        self._bucket = bucket
        self._routes = dict(routes)

    @property
    def uri(self) -> str:
        """The bucket's."""
        return self._bucket.uri

    def list_objects(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose key starts with ``prefix``: the bucket's, then the others'."""
        owner = self._owner(prefix)
        if owner is not None:
            yield from owner.list_objects(prefix)
            return
        yield from (item for item in self._bucket.list_objects(prefix) if not self._owner(item.key))
        for route, store in sorted(self._routes.items()):
            if route.startswith(prefix):
                yield from store.list_objects(route)

    def list_folder(self, prefix: str) -> Folder:
        """Return one level."""
        owner = self._owner(prefix)
        if owner is not None:
            return owner.list_folder(prefix)
        level = self._bucket.list_folder(prefix)
        below = {
            route[: route.index("/", len(prefix)) + 1]
            for route in self._routes
            if route.startswith(prefix)
        }
        return Folder(sorted({*level.folders, *below}), level.objects)

    def read_bytes(self, key: str) -> bytes:
        """Return an object."""
        return (self._owner(key) or self._bucket).read_bytes(key)

    def write_bytes(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str | None = None,
        modified_at: datetime | None = None,
    ) -> None:
        """Write an object."""
        store = self._owner(key) or self._bucket
        store.write_bytes(key, data, content_type=content_type, modified_at=modified_at)

    def exists(self, key: str) -> bool:
        """Return whether an object exists."""
        return (self._owner(key) or self._bucket).exists(key)

    def delete(self, key: str) -> None:
        """Delete an object."""
        (self._owner(key) or self._bucket).delete(key)

    def _owner(self, key: str) -> ObjectStore | None:
        """Return the store of a key or prefix that lies below a route, or None."""
        return next((store for route, store in self._routes.items() if key.startswith(route)), None)
