"""Object stores: a folder (``file://``) and S3 or anything that speaks its protocol (``s3://``).

A key is relative to the store's URI and never starts with a slash. Both stores list in key order
and tag an object's version by its content where the protocol lets them, so the same night reads
the same objects in the same order wherever they lie.
"""

import hashlib
import os
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from include.freezeline.errors import StoreError, StoreNotFoundError
from include.freezeline.settings import Settings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How Python holds the bytes of a file name that is not UTF-8.
_NAME_BYTE = re.compile("[\udc80-\udcff]")
_ENCODED_BYTE = re.compile("%(25|[89A-F][0-9A-F])")
_TEMPORARY_SUFFIX = ".freezeline-tmp"


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One listed object.

    Attributes:
        key: Name below the store's URI.
        size_bytes: Size as stored.
        etag: Version tag; differs when the bytes differ.
        modified_at: When the store says the object was last written, UTC.
    """

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime


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
    def read_bytes(self, key: str) -> bytes:
        """Return the whole object, as stored.

        Raises:
            StoreNotFoundError: The object, bucket or folder does not exist.
            StoreAccessError: The store refused the credentials.
            StoreError: Fewer bytes came than the store announced, several times.
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


class LocalStore(ObjectStore):
    """A folder used as a bucket.

    The version tag is the MD5 of the bytes, as on S3 for simple uploads: a folder that was
    copied or written again with the same bytes is not new. A file name that is not UTF-8 has its
    odd bytes percent-encoded in the key, since keys are written to tables.
    """

    def __init__(self, root: Path) -> None:
        """Use the folder ``root``, which need not exist until something is read."""
        self._root = root

    @property
    def uri(self) -> str:
        """The folder as a ``file://`` URI."""
        return self._root.absolute().as_uri()

    def list_objects(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the files below the folder whose key starts with ``prefix``, in key order."""
        if not self._root.is_dir():
            message = f"{self.uri}: no such folder (create it, or correct the URI)"
            raise StoreNotFoundError(message)
        for key in sorted(self._keys(prefix)):
            path = self._path(key)
            try:
                data, modified_ns = path.read_bytes(), path.stat().st_mtime_ns
            except FileNotFoundError:  # deleted while we were listing: no object any more
                continue
            etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
            modified_at = _EPOCH + timedelta(microseconds=modified_ns // 1000)
            yield ObjectInfo(key, len(data), etag, modified_at)

    def read_bytes(self, key: str) -> bytes:
        """Return the file's bytes."""
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            message = f"{self.uri}/{key}: no such object (was it deleted after it was listed?)"
            raise StoreNotFoundError(message) from None

    def write_bytes(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str | None = None,  # noqa: ARG002 - a file has no media type
        modified_at: datetime | None = None,
    ) -> None:
        """Write the file beside its place and rename it into it."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=_TEMPORARY_SUFFIX)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            temporary.chmod(0o644)
            if modified_at is not None:
                stamp_ns = (modified_at - _EPOCH) // timedelta(microseconds=1) * 1000
                os.utime(temporary, ns=(stamp_ns, stamp_ns))
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def exists(self, key: str) -> bool:
        """Return whether the file exists."""
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        """Delete the file and folders that it leaves empty."""
        path = self._path(key)
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self._root or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()

    def _keys(self, prefix: str) -> Iterator[str]:
        """Yield keys in no particular order; folders that cannot match are not entered."""
        top = self._root / PurePosixPath(prefix).parent if "/" in prefix else self._root
        for folder, _, names in os.walk(top):
            relative = Path(folder).relative_to(self._root)
            for name in names:
                key = _key_of((relative / name).as_posix())
                if key.startswith(prefix) and not name.endswith(_TEMPORARY_SUFFIX):
                    yield key

    def _path(self, key: str) -> Path:
        """Return the file of a key; a key that would leave the folder is refused."""
        pure = PurePosixPath(key)
        if not key or pure.is_absolute() or ".." in pure.parts:
            message = f"{self.uri}: key {key!r} must be a relative path inside the store"
            raise StoreError(message)
        path = self._root / pure
        if _ENCODED_BYTE.search(key) and not path.exists():
            named = self._root / _name_of(key)
            return named if named.exists() else path
        return path


def _key_of(name: str) -> str:
    """Return the key of a file name; only one that is not UTF-8 differs from it."""
    if _NAME_BYTE.search(name) is None:
        return name
    return _NAME_BYTE.sub(lambda m: f"%{ord(m[0]) - 0xDC00:02X}", name.replace("%", "%25"))


def _name_of(key: str) -> str:
    """Return the file name that an encoded key was made from."""

    def decoded(match: re.Match[str]) -> str:
        byte = int(match[1], 16)
        return chr(byte if byte < 0x80 else 0xDC00 + byte)

    return _ENCODED_BYTE.sub(decoded, key)


def open_store(uri: str, settings: Settings) -> ObjectStore:
    """Open the store of a URI; nothing is contacted before the first call.

    Args:
        uri: ``file:///folder`` or ``s3://bucket/prefix``.
        settings: Endpoint, region, addressing and profile of S3 stores.

    Raises:
        StoreError: The URI has another form.
    """
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.path and parts.netloc in ("", "localhost"):
        return LocalStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        # boto3 costs a third of a second to import and most runs use a folder.
        from include.freezeline.adapters.s3_store import open_s3_store

        return open_s3_store(parts.netloc, parts.path, settings)
    shown = f"{parts.scheme}://{parts.hostname or ''}{parts.path}" if parts.scheme else uri
    message = f"{shown}: not a store (write file:///absolute/folder or s3://bucket/prefix)"
    raise StoreError(message)
