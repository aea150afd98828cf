"""Both stores behave alike, and every failure is one clear message without a secret in it."""

import hashlib
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import IncompleteReadError
from moto import mock_aws

from include.freezeline.adapters.local_store import LocalStore
from include.freezeline.adapters.object_store import ObjectStore, open_store
from include.freezeline.adapters.retry import Retry
from include.freezeline.adapters.s3_store import S3Store, open_s3_store
from include.freezeline.errors import StoreAccessError, StoreError, StoreNotFoundError
from include.freezeline.settings import Settings

SECRET = "very-secret-value"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A simulated S3 with one bucket, and nothing of this machine's AWS configuration."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="traces")
        yield client


@pytest.fixture(params=["file", "s3", "s3 with prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Each kind of store, empty."""
    if request.param == "file":
        (tmp_path / "bucket with space").mkdir()
        return open_store((tmp_path / "bucket with space").as_uri(), Settings())
    request.getfixturevalue("aws")
    prefix = "/some/prefix/" if "prefix" in request.param else ""
    return open_store(f"s3://traces{prefix}", Settings())


def test_store_lists_in_key_order_when_folders_and_names_interleave(store: ObjectStore) -> None:
    keys = ["a/b/c.json", "a-b", "a.json", "b", "a/é.json", "a/b.json"]
    for key in keys:
        store.write_bytes(key, key.encode())
    listed = list(store.list_objects())
    assert [info.key for info in listed] == sorted(keys)
    assert [info.size_bytes for info in listed] == [len(key.encode()) for key in sorted(keys)]
    assert [info.key for info in store.list_objects("a/b")] == ["a/b.json", "a/b/c.json"]
    assert [info.key for info in store.list_objects("a/b/")] == ["a/b/c.json"]
    assert list(store.list_objects("nothing/here")) == []
    for info in listed:
        assert info.etag == hashlib.md5(info.key.encode(), usedforsecurity=False).hexdigest()
        assert info.modified_at.tzinfo == UTC


def test_store_reads_what_was_written_when_written_twice(store: ObjectStore) -> None:
    assert not store.exists("x/y")
    store.write_bytes("x/y", b"one", content_type="text/plain")
    first = next(iter(store.list_objects())).etag
    store.write_bytes("x/y", b"two")
    second = next(iter(store.list_objects())).etag
    assert store.exists("x/y")
    assert store.read_bytes("x/y") == b"two"
    assert first != second
    store.delete("x/y")
    store.delete("x/y")
    assert not store.exists("x/y")
    assert list(store.list_objects()) == []


def test_store_says_which_object_is_missing(store: ObjectStore) -> None:
    with pytest.raises(StoreNotFoundError, match="nope/there: no such object"):
        store.read_bytes("nope/there")


@pytest.mark.parametrize("key", ["", "/etc/passwd"])
def test_store_refuses_a_key_that_is_not_relative(store: ObjectStore, key: str) -> None:
    with pytest.raises(StoreError, match="key"):
        store.write_bytes(key, b"x")


def test_local_store_refuses_a_key_that_leaves_the_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="inside the store"):
        folder_store(tmp_path / "bucket").write_bytes("a/../../x", b"x")


def test_local_store_says_so_when_the_folder_is_missing(tmp_path: Path) -> None:
    store = folder_store(tmp_path / "missing")
    with pytest.raises(StoreNotFoundError, match="no such folder"):
        list(store.list_objects())


def test_local_store_records_the_modification_time_it_is_given(tmp_path: Path) -> None:
    moment = datetime(2026, 10, 1, 3, 4, 5, 678901, tzinfo=UTC)
    store = folder_store(tmp_path / "bucket")
    store.write_bytes("a", b"x", modified_at=moment)
    assert next(iter(store.list_objects())).modified_at == moment


def test_local_store_leaves_the_old_bytes_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = folder_store(tmp_path)
    store.write_bytes("a", b"old")

    def full_disk(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        store.write_bytes("a", b"new")
    assert store.read_bytes("a") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_local_store_does_not_list_files_that_are_being_written(tmp_path: Path) -> None:
    (tmp_path / "tmpabc.freezeline-tmp").write_bytes(b"half")
    assert list(folder_store(tmp_path).list_objects()) == []


@pytest.mark.parametrize(
    "uri",
    ["", "folder", "/folder", "file://host/folder", "s3://", "s3:bucket", "gs://bucket", "file:"],
)
def test_open_store_says_which_forms_it_takes(uri: str) -> None:
    with pytest.raises(StoreError, match="not a store"):
        open_store(uri, Settings())


def test_open_store_does_not_repeat_a_password_that_stands_in_the_uri() -> None:
    with pytest.raises(StoreError) as caught:
        open_store(f"https://user:{SECRET}@host/bucket", Settings())
    assert SECRET not in str(caught.value)


@pytest.mark.usefixtures("aws")
def test_s3_store_says_so_when_the_bucket_is_missing() -> None:
    store = open_store("s3://no-such-bucket-here", Settings())
    with pytest.raises(StoreNotFoundError, match=r"s3://no-such-bucket-here: no such bucket \("):
        list(store.list_objects())
    with pytest.raises(StoreNotFoundError, match="no such bucket"):
        store.write_bytes("a", b"x")


def test_s3_store_says_what_to_check_when_there_are_no_credentials(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    store = open_store("s3://traces", Settings())
    with pytest.raises(StoreAccessError, match=r"s3://traces: no credentials found \(check AWS_"):
        list(store.list_objects())


def test_s3_store_says_so_when_the_profile_is_unknown(aws: Any) -> None:
    with pytest.raises(StoreAccessError, match="FREEZELINE_S3_PROFILE: no AWS profile 'nobody'"):
        open_store("s3://traces", Settings(s3_profile="nobody"))


def test_s3_store_says_so_when_the_endpoint_is_no_url(aws: Any) -> None:
    with pytest.raises(StoreError, match="FREEZELINE_S3_ENDPOINT_URL: not a URL"):
        open_store("s3://traces", Settings(s3_endpoint_url="localhost:9000"))


@pytest.mark.parametrize(
    "code", ["AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", "403"]
)
def test_s3_store_says_what_to_check_when_access_is_refused(aws: Any, code: str) -> None:
    store = _answering(code)
    for call in (lambda: store.read_bytes("a"), lambda: list(store.list_objects())):
        with pytest.raises(StoreAccessError, match=f"{code} .check AWS_ACCESS_KEY_ID") as caught:
            call()
        assert SECRET not in str(caught.value)


def test_s3_store_reports_other_answers_of_the_server(aws: Any) -> None:
    with pytest.raises(StoreError, match="the store answered QuotaExceeded"):
        _answering("QuotaExceeded").write_bytes("a", b"x")


def test_s3_store_reads_again_when_bytes_are_missing_or_wrong(aws: Any) -> None:
    waits: list[float] = []
    good, other = hashlib.md5(b"12345").hexdigest(), hashlib.md5(b"12346").hexdigest()  # noqa: S324
    assert flaky(waits, [None, b"123", b"12346", b"12345"], good).read_bytes("a") == b"12345"
    assert all(
        bound / 2 <= wait <= bound for wait, bound in zip(waits, (0.2, 0.4, 0.8), strict=True)
    )
    with pytest.raises(StoreError, match=r"s3://traces/a: .*6 times: 3 of 5 bytes came"):
        flaky(waits, [b"123"] * 6, good).read_bytes("a")
    with pytest.raises(StoreError, match="6 times: their MD5 is not the ETag"):
        flaky(waits, [b"12345"] * 6, other).read_bytes("a")
    tolerant = Settings(s3_etag_is_md5=False)
    assert flaky(waits, [b"12345"], other, tolerant).read_bytes("a") == b"12345"
    # In parts or under a KMS key the tag is no MD5.
    assert flaky(waits, [b"12345"], f"{other}-2").read_bytes("a") == b"12345"
    encrypted = flaky(waits, [b"12345"], other, ServerSideEncryption="aws:kms")
    assert encrypted.read_bytes("a") == b"12345"


@pytest.mark.parametrize(
    ("code", "status"), [("SlowDown", 503), ("InternalError", 500), ("x", 429)]
)
def test_s3_store_tries_again_when_the_server_is_busy(aws: Any, code: str, status: int) -> None:
    waits: list[float] = []
    aws.put_object(Bucket="traces", Key="a", Body=b"x")
    store = _answering(code, status, n_times=3, waits=waits)
    assert store.read_bytes("a") == b"x"
    assert len(waits) == 3
    busy = _answering(code, status, waits=waits)
    with pytest.raises(StoreError, match=f"s3://traces/a: the store answered {code}, 6 times"):
        busy.read_bytes("a")
    with pytest.raises(StoreError, match=f"s3://traces: the store answered {code}, 6 times"):
        list(busy.list_objects())


def test_s3_store_tells_the_server_what_the_settings_say(aws: Any) -> None:
    sent: list[dict[str, Any]] = []
    settings = Settings(s3_requester_pays=True, s3_sse_kms_key_id="key-1")
    store = open_s3_store("traces", "", settings, quick_retry())
    store._client.meta.events.register(
        "before-call.s3", lambda params, **_: sent.append(dict(params["headers"]))
    )
    store.write_bytes("a", b"x")
    store.read_bytes("a")
    list(store.list_objects())
    assert [headers["x-amz-request-payer"] for headers in sent] == ["requester"] * 3
    assert sent[0]["x-amz-server-side-encryption-aws-kms-key-id"] == "key-1"
    assert sent[0]["Content-MD5"]


def test_store_shows_one_level_of_folders(store: ObjectStore) -> None:
    for key in ["a/b/c.json", "a/b.json", "a/c/d/e.json", "ab/x", "b"]:
        store.write_bytes(key, b"x")
    top = store.list_folder("")
    assert (top.folders, [info.key for info in top.objects]) == (["a/", "ab/"], ["b"])
    below = store.list_folder("a/")
    assert (below.folders, [info.key for info in below.objects]) == (["a/b/", "a/c/"], ["a/b.json"])
    assert store.list_folder("a").folders == ["a/", "ab/"]
    assert store.list_folder("none/").folders == []


def test_local_store_reads_no_file_to_list_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_store(tmp_path).write_bytes("a/b", b"x")
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("listing reads nothing"))
    listed = [
        *folder_store(tmp_path).list_objects(),
        *folder_store(tmp_path).list_folder("a/").objects,
    ]
    assert [info.listed_etag for info in listed] == [None, None]


def test_local_store_tries_a_failing_disk_again_before_it_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = folder_store(tmp_path)
    store.write_bytes("a", b"x")
    original, left = Path.open, [3]

    def fail(self: Path, *args: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(5, "Input/output error")
        return original(self, *args)

    monkeypatch.setattr(Path, "open", fail)
    assert store.read_bytes("a") == b"x"
    left[0] = 99
    with pytest.raises(StoreError, match=r"/a: cannot be read, 6 times: Input/output error"):
        store.read_bytes("a")


def test_s3_store_lists_no_folder_markers(aws: Any) -> None:
    for number in range(3):
        aws.put_object(Bucket="traces", Key=f"p/{number:05}", Body=b"")
    aws.put_object(Bucket="traces", Key="p/", Body=b"")
    aws.put_object(Bucket="traces", Key="p/folder/", Body=b"")
    keys = [info.key for info in open_store("s3://traces/p", Settings()).list_objects()]
    assert keys == [f"{number:05}" for number in range(3)]


@pytest.mark.parametrize(
    ("endpoint", "addressing", "url"),
    [
        (None, "auto", "https://traces.s3.amazonaws.com/a"),
        ("http://127.0.0.1:9", "auto", "http://127.0.0.1:9/traces/a"),
        ("http://storage.test:9", "virtual", "http://traces.storage.test:9/a"),
        (None, "path", "https://s3.amazonaws.com/traces/a"),
    ],
)
def test_s3_store_addresses_buckets_as_the_server_needs(
    aws: Any, endpoint: str | None, addressing: str, url: str
) -> None:
    settings = Settings.model_validate({"s3_endpoint_url": endpoint, "s3_addressing": addressing})
    client = open_s3_store("traces", "", settings, quick_retry())._client
    signed = client.generate_presigned_url("get_object", Params={"Bucket": "traces", "Key": "a"})
    assert signed.partition("?")[0] == url


class _Body:
    """Stands in for the body of an answer; None is a connection that breaks."""

    def __init__(self, data: bytes | None) -> None:
        self._data = data

    def read(self) -> bytes:
        if self._data is None:
            raise IncompleteReadError(actual_bytes=3, expected_bytes=5)
        return self._data


def quick_retry(waits: list[float] | None = None) -> Retry:
    """Six attempts that do not wait."""
    noted = waits if waits is not None else []
    return Retry(random.Random(1), sleep=noted.append)  # noqa: S311 - spreads waits


def folder_store(root: Path) -> LocalStore:
    """A folder as store."""
    return LocalStore(root, quick_retry())


def flaky(
    waits: list[float],
    bodies: list[bytes | None],
    etag: str,
    settings: Settings | None = None,
    **headers: str,
) -> S3Store:
    """Return a store whose server sends these bodies one after the other."""
    coming = iter(bodies)

    class Client:
        def get_object(self, **_: Any) -> dict[str, Any]:
            return {"Body": _Body(next(coming)), "ContentLength": 5, "ETag": f'"{etag}"', **headers}

    return S3Store(Client(), "traces", "", quick_retry(waits), settings or Settings())  # type: ignore[arg-type]


def _answering(
    code: str, status: int = 400, *, n_times: int = 99, waits: list[float] | None = None
) -> ObjectStore:
    """Return a store whose server answers some requests with an error."""
    store = open_s3_store("traces", "", Settings(), quick_retry(waits))
    left = [n_times]

    def answer(**_: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            response = {
                "Error": {"Code": code, "Message": f"key {SECRET}"},
                "ResponseMetadata": {"HTTPStatusCode": status},
            }
            raise store._client.exceptions.ClientError(response, "Any")

    store._client.meta.events.register("before-call.s3", answer)
    return store


def test_local_store_lists_writable_keys_when_a_file_name_is_not_utf8(tmp_path: Path) -> None:
    names = [b"\xff.json", b"50%\xe9.json", b"50%25.json", "é.json".encode(), b"f\xff/a.json"]
    for name in names:
        path = tmp_path / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name)
    store = folder_store(tmp_path)
    keys = [info.key for info in store.list_objects()]
    assert keys == ["%FF.json", "50%25%E9.json", "50%25.json", "f%FF/a.json", "é.json"]
    assert [key.encode() for key in keys]
    assert {store.read_bytes(key) for key in keys} == set(names)
    assert store.exists("%FF.json")
    with pytest.raises(StoreNotFoundError):
        store.read_bytes("%FE.json")
