"""What the S3 protocol answers when something is wrong: try again, or say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as failures
from botocore.parsers import ResponseParserError

from include.freezeline.adapters.retry import BrokenReadError
from include.freezeline.errors import StoreAccessError, StoreError, StoreNotFoundError

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
# Codes that come with a status of the 400s and pass all the same.
_BUSY = frozenset(
    {
        "BadDigest",
        "IncompleteBody",
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "TooManyRequestsException",
    }
)
_BUSY_STATUSES = frozenset({408, 425, 429})
_BROKEN_LINES = (
    BrokenReadError,
    failures.ConnectionError,
    failures.FlexibleChecksumError,
    failures.HTTPClientError,
    failures.IncompleteReadError,
    ResponseParserError,
    failures.ResponseStreamingError,
)
_CHECK_CREDENTIALS = (
    "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or FREEZELINE_S3_PROFILE, "
    "FREEZELINE_S3_ENDPOINT_URL and FREEZELINE_S3_REGION, the bucket's policy and this machine's clock"
)


def is_passing(error: Exception) -> bool:
    """Whether the same request may succeed a moment later."""
    if isinstance(error, failures.ClientError):
        if code_of(error) in _BUSY:
            return True
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return status >= 500 or status in _BUSY_STATUSES
    return isinstance(error, _BROKEN_LINES)


def code_of(error: failures.ClientError) -> str:
    """Return the server's code of an error."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


@contextmanager
def explained(bucket: str, where: str, n_attempts: int) -> Iterator[None]:
    """Turn botocore's exceptions into one clear message; credentials stay out of it.

    Args:
        bucket: Bucket name.
        where: Bucket, prefix and, if it is about one, the object as a URI.
        n_attempts: How often what may pass was tried.
    """
    try:
        yield
    except failures.ClientError as error:
        raise _client_error(bucket, where, error, n_attempts) from None
    except (failures.NoCredentialsError, failures.PartialCredentialsError):
        message = f"{where}: no credentials found ({_CHECK_CREDENTIALS})"
        raise StoreAccessError(message) from None
    except (BrokenReadError, failures.FlexibleChecksumError) as error:
        problem = str(error) if isinstance(error, BrokenReadError) else "wrong checksum"
        message = (
            f"{where}: the store sent other bytes than it announced, {n_attempts} times: "
            f"{problem} (check the network and the server's log, then run the night again)"
        )
        raise StoreError(message) from None
    except _BROKEN_LINES as error:
        message = (
            f"{where}: cannot reach the store, {type(error).__name__}, {n_attempts} times"
            " (check FREEZELINE_S3_ENDPOINT_URL and the network)"
        )
        raise StoreError(message) from None
    except failures.BotoCoreError as error:
        message = f"{where}: {type(error).__name__} (check bucket name, region and settings)"
        raise StoreError(message) from None


def _client_error(
    bucket: str, where: str, error: failures.ClientError, n_attempts: int
) -> StoreError:
    """Return our error for an error answer of the server."""
    code = code_of(error)
    if code == "NoSuchBucket":
        return StoreNotFoundError(
            f"s3://{bucket}: no such bucket (create it, or correct the name and"
            " FREEZELINE_S3_ENDPOINT_URL)"
        )
    if code in _MISSING:
        return StoreNotFoundError(f"{where}: no such object (was it deleted?)")
    if code in _REFUSED:
        return StoreAccessError(f"{where}: access refused, {code} ({_CHECK_CREDENTIALS})")
    times = f", {n_attempts} times" if is_passing(error) else ""
    return StoreError(f"{where}: the store answered {code}{times} (see the server's log)")
