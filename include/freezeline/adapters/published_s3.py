"""The bucket of a gate that is one file: boto3 where it is installed, with its own settings."""

from urllib.parse import urlsplit

from include.freezeline.errors import DocumentError


def read_s3(folder: str, name: str) -> bytes:
    """Return an object of an ``s3://bucket/prefix`` folder.

    Endpoint, region and credentials are boto3's own: ``AWS_ENDPOINT_URL_S3``, ``AWS_REGION``,
    ``AWS_PROFILE`` and so on.

    Raises:
        DocumentError: boto3 is not installed, or the object cannot be read.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        message = f"{folder}/{name}: s3:// needs boto3 (install it, or give a file or https URI)"
        raise DocumentError(message) from None
    parts = urlsplit(folder)
    key = f"{parts.path.strip('/')}/{name}".lstrip("/")
    try:
        found = boto3.client("s3").get_object(Bucket=parts.netloc, Key=key)
        return found["Body"].read()
    except (BotoCoreError, ClientError, OSError, ValueError) as error:
        message = f"{folder}/{name}: {error} (check source, credentials and AWS_ENDPOINT_URL_S3)"
        raise DocumentError(message) from None
