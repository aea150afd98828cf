"""Where a published freeze document is read from: a folder, an HTTP server or a bucket.

Light to import, and part of the gate that is one file: other repositories' pipelines run it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from include.freezeline.errors import DocumentError

DOCUMENT_NAME = "freeze.json"
KEY_NAME = "freeze.pub.pem"

# Reads an object of an s3:// folder: the folder's URI, the object's name in it.
ReadS3 = Callable[[str, str], bytes]

_HTTP_TIMEOUT_S = 10.0
_MAX_READ_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class PublishedSource:
    """The published folder, named by itself or by the document in it.

    Attributes:
        given: Folder, file or URI (``file://``, ``http://``, ``https://``, ``s3://``).
        read_s3: Reads from buckets.
    """

    given: str
    read_s3: ReadS3

    @property
    def name(self) -> str:
        """The folder, without what may be secret in a URI: user, password and query."""
        folder = self._folder()[0]
        parts = _split(folder)
        if not parts.scheme:
            return folder
        return f"{parts.scheme}://{_host(parts)}{parts.path}"

    def read_document(self) -> bytes:
        """Return the document's bytes.

        Raises:
            DocumentError: It is not there or cannot be read.
        """
        folder, document = self._folder()
        return self._read(folder, document, _split(self.given).query)

    def read_key(self) -> bytes:
        """Return the public key beside the document.

        Raises:
            DocumentError: It is not there, or came over a line that anybody may have changed.
        """
        folder, _ = self._folder()
        if _split(folder).scheme == "http":
            message = (
                f"{self.name}: over plain HTTP the public key beside the document proves nothing "
                "(pin it with --public-key)"
            )
            raise DocumentError(message)
        return self._read(folder, KEY_NAME)

    def _folder(self) -> tuple[str, str]:
        """Return the folder and the document's name."""
        parts = _split(self.given)
        plain = self.given if not parts.scheme else parts._replace(query="", fragment="").geturl()
        folder = plain.rstrip("/")
        if not folder.endswith(".json"):
            return folder or "/", DOCUMENT_NAME
        head, _, document = folder.rpartition("/")
        return head or ("/" if folder.startswith("/") else "."), document

    def _read(self, folder: str, name: str, query: str = "") -> bytes:
        """Read an object of the folder."""
        parts = _split(folder)
        if parts.scheme == "file":
            return read_file(Path(unquote(parts.path)) / name)
        if parts.scheme in ("http", "https"):
            asked = f"?{query}" if query else ""
            return _read_http(f"{folder}/{name}{asked}", f"{self.name}/{name}")
        if parts.scheme == "s3":
            return self.read_s3(folder, name)
        if "://" in folder:
            message = (
                f"{self.name}: cannot be read (give a folder, a file, or a URI that begins with "
                "file://, http://, https:// or s3://)"
            )
            raise DocumentError(message)
        return read_file(Path(folder) / name)


def read_file(path: Path, remedy: str = "publish a night first, or correct --source") -> bytes:
    """Read a file.

    Raises:
        DocumentError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror} ({remedy})"
        raise DocumentError(message) from None
    except ValueError as error:  # a name that no file can have
        message = f"{str(path)!r}: {error} ({remedy})"
        raise DocumentError(message) from None


def _split(uri: str) -> SplitResult:
    """Split a URI, or say that it is none."""
    try:
        return urlsplit(uri)
    except ValueError as error:
        message = f"--source: {error} (give a folder, a file or a URI)"
        raise DocumentError(message) from None


def _host(parts: SplitResult) -> str:
    """Return host and port of a URI."""
    return parts.netloc.rpartition("@")[2]


def _read_http(uri: str, shown: str) -> bytes:
    """Read over HTTP; a redirection to another protocol is refused."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    try:
        with urlopen(uri, timeout=_HTTP_TIMEOUT_S) as response:  # noqa: S310 - http or https
            _refuse_detour(uri, response, shown)
            data: bytes = response.read(_MAX_READ_BYTES + 1)
            return data
    except HTTPError as error:
        message = f"{shown}: HTTP status {error.code} (publish a night first, or correct --source)"
        raise DocumentError(message) from None
    except (OSError, HTTPException, ValueError) as error:
        message = f"{shown}: cannot be read: {error} (check the network, or correct --source)"
        raise DocumentError(message) from None


def _refuse_detour(uri: str, response: Any, shown: str) -> None:
    """Refuse an answer that came by another protocol than the one asked."""
    if urlsplit(response.url).scheme != urlsplit(uri).scheme:
        message = f"{shown}: it redirects to another protocol (give the address it leads to)"
        raise DocumentError(message)
