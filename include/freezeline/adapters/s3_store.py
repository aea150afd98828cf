"""The S3 store: AWS, or any server that speaks the protocol (Ceph, MinIO, R2, ...)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import boto3
from botocore import exceptions as failures
from botocore.config import Config

from include.freezeline.adapters.object_store import ObjectInfo, ObjectStore
from include.freezeline.errors import StoreAccessError, StoreError, StoreNotFoundError
from include.freezeline.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READ_ATTEMPTS = 4
_FIRST_WAIT_S = 0.2
_CONNECT_TIMEOUT_S = 10
_READ_TIMEOUT_S = 60
_MISSING = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})
_REFUSED = frozenset(
    {
        "401",
        "403",
        "AccessDenied",
        "AllAccessDisabled",
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "Forbidden",
        "InvalidAccessKeyId",
        "InvalidToken",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    }
)
_BROKEN_READS = (
    failures.IncompleteReadError,
    failures.ResponseStreamingError,
    failures.ReadTimeoutError,
    failures.ConnectionClosedError,
)
_CHECK_CREDENTIALS = (
    "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or FREEZELINE_S3_PROFILE, "
    "FREEZELINE_S3_ENDPOINT_URL and FREEZELINE_S3_REGION, the bucket's policy and this machine's clock"
)


class S3Store(ObjectStore):
    """A bucket, or the part of one below a prefix."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        """Use a client on one bucket.

        Args:
            client: boto3 S3 client.
            bucket: Bucket name.
            prefix: Folder inside the bucket, without slashes at its ends; may be empty.
        """
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    @property
    def uri(self) -> str:
        """The bucket and prefix as an ``s3://`` URI."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def list_objects(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects page by page; S3 lists in key order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        with self._explained(None):
            for page in pages:
                for item in page.get("Contents", ()):
                    key = item["Key"].removeprefix(self._prefix)
                    if key and not key.endswith("/"):  # folder markers of consoles
                        yield ObjectInfo(
                            key=key,
                            size_bytes=item["Size"],
                            etag=item["ETag"].strip('"'),
                            modified_at=item["LastModified"].astimezone(UTC),
                        )

    def read_bytes(self, key: str) -> bytes:
        """Return the whole object; a short read is tried again before it is an error."""
        for attempt in range(_READ_ATTEMPTS):
            if attempt:
                time.sleep(_FIRST_WAIT_S * 2 ** (attempt - 1))
            data = self._read_once(key)
            if data is not None:
                return data
        message = (
            f"{self.uri}/{key}: the store sent fewer bytes than it announced, {_READ_ATTEMPTS} times"
            " (check the network and the server's log, then run the night again)"
        )
        raise StoreError(message)

    def write_bytes(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str | None = None,
        modified_at: datetime | None = None,  # noqa: ARG002 - S3 records its own time
    ) -> None:
        """Put the object in one request, which S3 makes atomic."""
        with self._explained(key):
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._key(key),
                Body=data,
                ContentType=content_type or "application/octet-stream",
            )

    def exists(self, key: str) -> bool:
        """Return whether the object exists."""
        try:
            with self._explained(key):
                self._client.head_object(Bucket=self._bucket, Key=self._key(key))
        except StoreNotFoundError:
            return False
        return True

    def delete(self, key: str) -> None:
        """Delete the object; S3 does not mind when there is none."""
        with self._explained(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(key))

    def _read_once(self, key: str) -> bytes | None:
        """Return the object, or None when the connection broke on the way."""
        with self._explained(key):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
                data = answer["Body"].read()
            except _BROKEN_READS:
                return None
        return data if len(data) == answer["ContentLength"] else None

    def _key(self, key: str) -> str:
        """Return the key inside the bucket."""
        if not key or key.startswith("/"):
            message = f"{self.uri}: key {key!r} must not be empty or start with a slash"
            raise StoreError(message)
        return self._prefix + key

    @contextmanager
    def _explained(self, key: str | None) -> Iterator[None]:
        """Turn botocore's exceptions into one clear message; credentials stay out of it."""
        where = self.uri if key is None else f"{self.uri}/{key}"
        try:
            yield
        except failures.ClientError as error:
            raise self._client_error(where, error) from None
        except (failures.NoCredentialsError, failures.PartialCredentialsError):
            message = f"{where}: no credentials found ({_CHECK_CREDENTIALS})"
            raise StoreAccessError(message) from None
        except (failures.HTTPClientError, failures.ConnectionError) as error:
            message = (
                f"{where}: cannot reach the store, {type(error).__name__}"
                " (check FREEZELINE_S3_ENDPOINT_URL and the network)"
            )
            raise StoreError(message) from None
        except failures.BotoCoreError as error:
            message = f"{where}: {type(error).__name__} (check bucket name, region and settings)"
            raise StoreError(message) from None

    def _client_error(self, where: str, error: failures.ClientError) -> StoreError:
        """Return our error for an error answer of the server."""
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        if code == "NoSuchBucket":
            return StoreNotFoundError(
                f"s3://{self._bucket}: no such bucket (create it, or correct the name and"
                " FREEZELINE_S3_ENDPOINT_URL)"
            )
        if code in _MISSING:
            return StoreNotFoundError(f"{where}: no such object (was it deleted?)")
        if code in _REFUSED:
            return StoreAccessError(f"{where}: access refused, {code} ({_CHECK_CREDENTIALS})")
        return StoreError(f"{where}: the store answered {code} (see the server's log)")


def open_s3_store(bucket: str, path: str, settings: Settings) -> S3Store:
    """Make a client from the settings.

    Args:
        bucket: Bucket name.
        path: Path part of the URI: the prefix, with or without slashes at its ends.
        settings: Endpoint, region, addressing and profile.

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
    return S3Store(client, bucket, path.strip("/"))


def _client_config(settings: Settings) -> Config:
    """Return timeouts, retries and what S3-compatible servers need to be told."""
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
        read_timeout=_READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": 5},
        s3={"addressing_style": addressing},
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )
