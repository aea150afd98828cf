"""Object stores: a folder (``file://``) and S3 or anything that speaks its protocol (``s3://``).

A key is relative to the store's URI and never starts with a slash. Both stores list in key order
and tag an object's version by its content where the protocol lets them, so the same night reads
the same objects in the same order wherever they lie.
"""

import hashlib
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from include.freezeline.adapters.retry import Retry
from include.freezeline.errors import StoreError
from include.freezeline.settings import Settings


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One listed object.

    Attributes:
        key: Name below the store's URI.
        size_bytes: Size as stored.
        modified_at: When the store says the object was last written, UTC.
        listed_etag: Version tag; differs when the bytes differ. None where a listing has none.
        read_etag: Makes the version tag from the bytes where the listing has none.
    """

    key: str
    size_bytes: int
    modified_at: datetime
    listed_etag: str | None
    read_etag: Callable[[], str] | None = field(default=None, repr=False, compare=False)

    @property
    def etag(self) -> str:
        """Version tag; empty when the bytes it is made from are gone."""
        if self.listed_etag is not None:
            return self.listed_etag
        return self.read_etag() if self.read_etag is not None else ""


@dataclass(frozen=True, slots=True)
class Folder:
    """One level of a store: what lies between a prefix and the next slash.

    Attributes:
        folders: Prefixes of the level below, with their slash, in order.
        objects: Objects of this level, in key order.
    """

    folders: Sequence[str]
    objects: Sequence[ObjectInfo]


def content_etag(data: bytes) -> str:
    """Return the version tag of bytes, as S3 makes it for simple uploads: their MD5."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class ObjectStore(ABC):
    """What landing and publishing need from a store; get one from :func:`open_store`."""

    @property
    @abstractmethod
    def uri(self) -> str:
        """Where the store is, without credentials."""

    @abstractmethod
    def list_objects(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose key starts with ``prefix``, in key order.

        Raises:
            StoreNotFoundError: The bucket or folder does not exist.
            StoreAccessError: The store refused the credentials.
        """

    @abstractmethod
    def list_folder(self, prefix: str) -> Folder:
        """Return one level: objects and folders whose key starts with ``prefix``.

        Raises:
            StoreNotFoundError: The bucket or folder does not exist.
            StoreAccessError: The store refused the credentials.
        """

    @abstractmethod
    def read_bytes(self, key: str) -> bytes:
        """Return the whole object, as stored.

        Raises:
            StoreNotFoundError: The object, bucket or folder does not exist.
            StoreAccessError: The store refused the credentials.
            StoreError: The store failed, or sent bytes of another length or checksum than it
                announced, several times.
        """

    @abstractmethod
    def write_bytes(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str | None = None,
        modified_at: datetime | None = None,
    ) -> None:
        """Write an object; readers see the old bytes or the new ones, never a part.

        Args:
            key: Name below the store's URI.
            data: The bytes.
            content_type: Media type, kept by stores that have one.
            modified_at: Modification time to record; an S3 store always records its own.
        """

    @abstractmethod
    def exists(self, key: str) -> bool:
        """Return whether the object exists."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete an object; one that does not exist is no error."""


def open_store(uri: str, settings: Settings, rng: random.Random | None = None) -> ObjectStore:
    """Open the store of a URI; nothing is contacted before the first call.

    Args:
        uri: ``file:///folder`` or ``s3://bucket/prefix``.
        settings: Endpoint, region, addressing, profile and encryption of S3 stores.
        rng: Spreads the waits between attempts; seeded by the system when not given, because
            workers that fail together must not try again together.

    Raises:
        StoreError: The URI has another form.
    """
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.path and parts.netloc in ("", "localhost"):
        from include.freezeline.adapters.local_store import LocalStore

        return LocalStore(Path(unquote(parts.path)), Retry(rng or random.Random()))  # noqa: S311 - not a secret
    if parts.scheme == "s3" and parts.netloc:
        # boto3 costs a third of a second to import and most runs use a folder.
        from include.freezeline.adapters.s3_store import open_s3_store

        return open_s3_store(parts.netloc, parts.path, settings, Retry(rng or random.Random()))  # noqa: S311 - not a secret
    shown = f"{parts.scheme}://{parts.hostname or ''}{parts.path}" if parts.scheme else uri
    message = f"{shown}: not a store (write file:///absolute/folder or s3://bucket/prefix)"
    raise StoreError(message)
