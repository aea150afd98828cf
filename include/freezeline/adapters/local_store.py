"""The store that is a folder (``file://``)."""

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path, PurePosixPath

from include.freezeline.adapters.object_store import Folder, ObjectInfo, ObjectStore
from include.freezeline.adapters.retry import BrokenReadError, Retry
from include.freezeline.errors import StoreAccessError, StoreError, StoreNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How Python holds the bytes of a file name that is not UTF-8.
_NAME_BYTE = re.compile("[\udc80-\udcff]")
_ENCODED_BYTE = re.compile("%(25|[89A-F][0-9A-F])")
_TEMPORARY_SUFFIX = ".freezeline-tmp"
# What a disk or network share says when it may work a moment later.
_PASSING = frozenset({errno.EAGAIN, errno.EBUSY, errno.EIO, errno.ESTALE, errno.ETIMEDOUT})


class LocalStore(ObjectStore):
    """A folder used as a bucket.

    The version tag is the MD5 of the bytes, as on S3 for simple uploads: a folder that was
    copied or written again with the same bytes is not new. Bytes are read for it only when
    somebody asks for the tag, not when they are listed. A file name that is not UTF-8 has its
    odd bytes percent-encoded in the key, since keys are written to tables.
    """

    def __init__(self, root: Path, retry: Retry) -> None:
        """Use the folder ``root``, which need not exist until something is read."""
        self._root = root
        self._retry = retry

    @property
    def uri(self) -> str:
        """The folder as a ``file://`` URI."""
        return self._root.absolute().as_uri()

    def list_objects(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the files below the folder whose key starts with ``prefix``, in key order."""
        self._require_folder()
        for key in sorted(self._keys(prefix)):
            info = self._describe(key)
            if info is not None:
                yield info

    def list_folder(self, prefix: str) -> Folder:
        """Return one level, in key order."""
        self._require_folder()
        parent = prefix[: prefix.rfind("/") + 1]
        top = self._path(parent.rstrip("/")) if parent else self._root
        folders: list[str] = []
        keys: list[str] = []
        for entry in os.scandir(top) if top.is_dir() else ():
            key = parent + _key_of(entry.name)
            if not key.startswith(prefix) or key.endswith(_TEMPORARY_SUFFIX):
                continue
            if entry.is_dir():
                folders.append(key + "/")
            else:
                keys.append(key)
        found = (self._describe(key) for key in sorted(keys))
        return Folder(sorted(folders), [info for info in found if info is not None])

    def read_bytes(self, key: str) -> bytes:
        """Return the file's bytes; a disk that fails is tried again before it is an error."""
        try:
            return self._retry.call(partial(_read_whole, self._path(key)), _is_passing)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            message = f"{self.uri}/{key}: no such object (was it deleted after it was listed?)"
            raise StoreNotFoundError(message) from None
        except PermissionError:
            message = f"{self.uri}/{key}: may not be read (give this user the right to read it)"
            raise StoreAccessError(message) from None
        except (OSError, BrokenReadError) as error:
            problem = error.strerror if isinstance(error, OSError) else str(error)
            message = (
                f"{self.uri}/{key}: cannot be read, {self._retry.n_attempts} times: {problem} "
                "(check the disk or the share, then run the night again)"
            )
            raise StoreError(message) from None

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

    def _require_folder(self) -> None:
        """Refuse a folder that is not there."""
        if not self._root.is_dir():
            message = f"{self.uri}: no such folder (create it, or correct the URI)"
            raise StoreNotFoundError(message)

    def _describe(self, key: str) -> ObjectInfo | None:
        """Describe a file without reading it; None when it was deleted meanwhile."""
        path = self._path(key)
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        modified_at = _EPOCH + timedelta(microseconds=found.st_mtime_ns // 1000)
        return ObjectInfo(key, found.st_size, modified_at, None, partial(_hash_file, path))

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


def _read_whole(path: Path) -> bytes:
    """Read a file, and see that all of it came."""
    with path.open("rb") as file:
        data = file.read()
        size_bytes = os.fstat(file.fileno()).st_size
    if len(data) < size_bytes:
        message = f"{len(data)} of {size_bytes} bytes came"
        raise BrokenReadError(message)
    return data


def _hash_file(path: Path) -> str:
    """Return the MD5 of a file's bytes, or nothing when it is gone."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _is_passing(error: Exception) -> bool:
    """Whether a failed read may work a moment later."""
    if isinstance(error, OSError):
        return error.errno in _PASSING
    return isinstance(error, BrokenReadError)
