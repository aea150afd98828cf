"""The S3 store: AWS, or any server that speaks the protocol (Ceph, MinIO, R2, ...).

Every request is tried several times when the server is busy or the line breaks, and an object
that does not have the announced length and checksum counts as a broken line.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import boto3
from botocore import exceptions as failures
from botocore.config import Config

from include.freezeline.adapters.object_store import (
    Folder,
    ObjectInfo,
    ObjectStore,
    content_etag,
)
from include.freezeline.adapters.retry import BrokenReadError, Retry
from include.freezeline.adapters.s3_errors import explained, is_passing
from include.freezeline.errors import StoreAccessError, StoreError, StoreNotFoundError
from include.freezeline.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_T = TypeVar("_T")

_CONNECT_TIMEOUT_S = 10
_CONNECTIONS = 32
# An upload in one piece is tagged with its MD5; one in several parts has a dash in its tag.
_MD5 = re.compile(r"[0-9a-f]{32}")


class S3Store(ObjectStore):
    """A bucket, or the part of one below a prefix."""

    def __init__(
        self, client: "S3Client", bucket: str, prefix: str, retry: Retry, settings: Settings
    ) -> None:
        """Use a client on one bucket.

        Args:
            client: boto3 S3 client.
            bucket: Bucket name.
            prefix: Folder inside the bucket, without slashes at its ends; may be empty.
            retry: How often and how long apart a request is tried.
            settings: Who pays, how objects are encrypted and whether tags are MD5 sums.
        """
        self._client: Any = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._retry = retry
        self._has_md5_etags = settings.s3_etag_is_md5
        self._asked = {"RequestPayer": "requester"} if settings.s3_requester_pays else {}
        self._encrypted: dict[str, str] = {}
        if settings.s3_sse_kms_key_id is not None:
            self._encrypted = {
                "ServerSideEncryption": "aws:kms",
                "SSEKMSKeyId": settings.s3_sse_kms_key_id,
            }

    @property
    def uri(self) -> str:
        """The bucket and prefix as an ``s3://`` URI."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def list_objects(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects page by page; S3 lists in key order."""
        for page in self._pages(prefix):
            yield from self._objects(page)

    def list_folder(self, prefix: str) -> Folder:
        """Return one level, in key order."""
        folders: list[str] = []
        objects: list[ObjectInfo] = []
        for page in self._pages(prefix, Delimiter="/"):
            found = (str(item["Prefix"]) for item in page.get("CommonPrefixes", ()))
            folders += [name.removeprefix(self._prefix) for name in found]
            objects += self._objects(page)
        return Folder(folders, objects)

    def read_bytes(self, key: str) -> bytes:
        """Return the whole object, of the announced length and checksum."""
        name = self._key(key)
        return self._do(key, lambda: self._read_once(name))

    def write_bytes(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str | None = None,
        modified_at: datetime | None = None,  # noqa: ARG002 - S3 records its own time
    ) -> None:
        """Put the object in one request, which S3 makes atomic; the server checks its MD5."""
        md5 = hashlib.md5(data, usedforsecurity=False).digest()
        arguments = {
            "Key": self._key(key),
            "Body": data,
            "ContentType": content_type or "application/octet-stream",
            "ContentMD5": base64.b64encode(md5).decode(),
            **self._encrypted,
        }
        self._do(key, lambda: self._ask(self._client.put_object, arguments))

    def exists(self, key: str) -> bool:
        """Return whether the object exists."""
        arguments = {"Key": self._key(key)}
        try:
            self._do(key, lambda: self._ask(self._client.head_object, arguments))
        except StoreNotFoundError:
            return False
        return True

    def delete(self, key: str) -> None:
        """Delete the object; S3 does not mind when there is none."""
        arguments = {"Key": self._key(key)}
        self._do(key, lambda: self._ask(self._client.delete_object, arguments))

    def _pages(self, prefix: str, **arguments: str) -> Iterator[Mapping[str, Any]]:
        """Yield the pages of a listing; each is tried again by itself."""
        asked = {"Prefix": self._prefix + prefix, **arguments}
        while True:
            page = self._do(None, partial(self._ask, self._client.list_objects_v2, asked))
            yield page
            if not page.get("IsTruncated"):
                return
            asked = {**asked, "ContinuationToken": page["NextContinuationToken"]}

    def _objects(self, page: Mapping[str, Any]) -> Iterator[ObjectInfo]:
        """Yield the objects of a page."""
        for item in page.get("Contents", ()):
            key = item["Key"].removeprefix(self._prefix)
            if key and not key.endswith("/"):  # folder markers of consoles
                yield ObjectInfo(
                    key=key,
                    size_bytes=item["Size"],
                    modified_at=item["LastModified"].astimezone(UTC),
                    listed_etag=item["ETag"].strip('"'),
                )

    def _read_once(self, name: str) -> bytes:
        """Return an object if all of it came as it was announced.

        Raises:
            BrokenReadError: It did not.
        """
        answer = self._ask(self._client.get_object, {"Key": name, "ChecksumMode": "ENABLED"})
        data: bytes = answer["Body"].read()
        if len(data) != answer["ContentLength"]:
            message = f"{len(data):,} of {answer['ContentLength']:,} bytes came"
            raise BrokenReadError(message)
        etag = str(answer.get("ETag", "")).strip('"')
        # With a KMS key, or the customer's own, the tag is no MD5 of the bytes.
        is_md5 = answer.get("ServerSideEncryption", "AES256") == "AES256"
        is_md5 &= self._has_md5_etags and "SSECustomerAlgorithm" not in answer
        if is_md5 and _MD5.fullmatch(etag) and content_etag(data) != etag:
            message = "their MD5 is not the ETag (a server whose ETags are no MD5 sums needs FREEZELINE_S3_ETAG_IS_MD5=false)"
            raise BrokenReadError(message)
        return data

    def _ask(self, method: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        """Send one request about the bucket."""
        return method(Bucket=self._bucket, **self._asked, **arguments)

    def _do(self, key: str | None, work: Callable[[], _T]) -> _T:
        """Do something, again if it may pass, and explain what does not."""
        with self._explained(key):
            return self._retry.call(work, is_passing)

    def _explained(self, key: str | None) -> AbstractContextManager[None]:
        """Explain errors with the object they are about."""
        where = self.uri if key is None else f"{self.uri}/{key}"
        return explained(self._bucket, where, self._retry.n_attempts)

    def _key(self, key: str) -> str:
        """Return the key inside the bucket."""
        if not key or key.startswith("/"):
            message = f"{self.uri}: key {key!r} must not be empty or start with a slash"
            raise StoreError(message)
        return self._prefix + key


def open_s3_store(bucket: str, path: str, settings: Settings, retry: Retry) -> S3Store:
    """Make a client from the settings.

    Args:
        bucket: Bucket name.
        path: Path part of the URI: the prefix, with or without slashes at its ends.
        settings: Endpoint, region, addressing, profile and encryption.
        retry: How often and how long apart a request is tried.

    Raises:
        StoreAccessError: The AWS profile does not exist.
        StoreError: The endpoint is not a URL.
    """
    try:
        session = boto3.Session(profile_name=settings.s3_profile, region_name=settings.s3_region)
        client = session.client(
            "s3", endpoint_url=settings.s3_endpoint_url, config=_client_config(settings)
        )
    except failures.ProfileNotFound:
        message = (
            f"FREEZELINE_S3_PROFILE: no AWS profile {settings.s3_profile!r} (see ~/.aws/config)"
        )
        raise StoreAccessError(message) from None
    except ValueError:
        message = "FREEZELINE_S3_ENDPOINT_URL: not a URL (write http://host:port or https://host)"
        raise StoreError(message) from None
    return S3Store(client, bucket, path.strip("/"), retry, settings)


def _client_config(settings: Settings) -> Config:
    """Return timeouts and what S3-compatible servers need to be told; retries are our own."""
    own_server = settings.s3_endpoint_url is not None
    addressing = settings.s3_addressing
    if addressing == "auto" and own_server:
        addressing = "path"
    # Since 2025 the SDK adds checksums by default, which many compatible servers refuse.
    checksums: Literal["when_required", "when_supported"] = (
        "when_required" if own_server else "when_supported"
    )
    return Config(
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=settings.s3_read_timeout_s,
        max_pool_connections=_CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": 1},
        s3={"addressing_style": addressing},
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )
