"""Both stores behave alike, and every failure is one clear message without a secret in it."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import IncompleteReadError
from moto import mock_aws

from include.freezeline.adapters.object_store import LocalStore, ObjectStore, open_store
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
    first = next(iter(store.list_objects()))
    store.write_bytes("x/y", b"two")
    second = next(iter(store.list_objects()))
    assert store.exists("x/y")
    assert store.read_bytes("x/y") == b"two"
    assert first.etag != second.etag
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
        LocalStore(tmp_path / "bucket").write_bytes("a/../../x", b"x")


def test_local_store_says_so_when_the_folder_is_missing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "missing")
    with pytest.raises(StoreNotFoundError, match="no such folder"):
        list(store.list_objects())


def test_local_store_records_the_modification_time_it_is_given(tmp_path: Path) -> None:
    moment = datetime(2026, 10, 1, 3, 4, 5, 678901, tzinfo=UTC)
    store = LocalStore(tmp_path / "bucket")
    store.write_bytes("a", b"x", modified_at=moment)
    assert next(iter(store.list_objects())).modified_at == moment


def test_local_store_leaves_the_old_bytes_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStore(tmp_path)
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
    assert list(LocalStore(tmp_path).list_objects()) == []


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


def test_s3_store_reads_again_when_bytes_are_missing(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("include.freezeline.adapters.s3_store.time.sleep", waits.append)
    client = _ShortReads(n_short=2)
    assert S3Store(client, "traces", "").read_bytes("a") == b"12345"  # type: ignore[arg-type]
    assert waits == [0.2, 0.4]
    with pytest.raises(StoreError, match="fewer bytes than it announced, 4 times"):
        S3Store(_ShortReads(n_short=9), "traces", "").read_bytes("a")  # type: ignore[arg-type]


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
    client = open_s3_store("traces", "", settings)._client
    signed = client.generate_presigned_url("get_object", Params={"Bucket": "traces", "Key": "a"})
    assert signed.partition("?")[0] == url


class _ShortReads:
    """Stands in for a client whose connection breaks some times."""

    def __init__(self, n_short: int) -> None:
        self._left = n_short

    def get_object(self, **_: Any) -> dict[str, Any]:
        self._left -= 1
        return {"Body": self, "ContentLength": 5}

    def read(self) -> bytes:
        if self._left == 0:
            raise IncompleteReadError(actual_bytes=3, expected_bytes=5)
        return b"123" if self._left > 0 else b"12345"


def _answering(code: str) -> ObjectStore:
    """Return a store whose server answers every request with an error."""
    store = open_s3_store("traces", "", Settings())

    def answer(**_: Any) -> Any:
        response = {"Error": {"Code": code, "Message": f"key {SECRET}"}}
        raise store._client.exceptions.ClientError(response, "Any")  # type: ignore[arg-type]

    store._client.meta.events.register("before-call.s3", answer)
    return store


def test_local_store_lists_writable_keys_when_a_file_name_is_not_utf8(tmp_path: Path) -> None:
    names = [b"\xff.json", b"50%\xe9.json", b"50%25.json", "é.json".encode(), b"f\xff/a.json"]
    for name in names:
        path = tmp_path / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name)
    store = LocalStore(tmp_path)
    keys = [info.key for info in store.list_objects()]
    assert keys == ["%FF.json", "50%25%E9.json", "50%25.json", "f%FF/a.json", "é.json"]
    assert [key.encode() for key in keys]
    assert {store.read_bytes(key) for key in keys} == set(names)
    assert store.exists("%FF.json")
    with pytest.raises(StoreNotFoundError):
        store.read_bytes("%FE.json")
