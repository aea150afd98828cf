"""The S3 store against a real S3-compatible server."""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from include.freezeline.adapters.object_store import ObjectStore, open_store
from include.freezeline.errors import StoreAccessError, StoreError, StoreNotFoundError
from include.freezeline.jobs.gate_file import build_gate_file
from include.freezeline.jobs.publish import write_document
from include.freezeline.readers.reading import read_object
from include.freezeline.readers.rules import load_landing_rules
from include.freezeline.settings import Settings
from tests.unit.freeze.documents import NOW_TEXT, PRIVATE, make_document
from tests.unit.readers import builders

if TYPE_CHECKING:
    from tests.integration.rgw import Rgw

# Loaded as a plugin, so that every test file that uses the gateway shares one.
pytest_plugins = ("tests.integration.rgw",)
pytestmark = pytest.mark.integration
CONFIG_DIR = Path(__file__).resolve().parents[2] / "include" / "config"
BUCKET = "store-test"


@pytest.fixture
def store(rgw: "Rgw", monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """An empty bucket behind the gateway."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", rgw.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", rgw.secret_key)
    client = boto3.client(
        "s3",
        endpoint_url=rgw.endpoint_url,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket=BUCKET)
    store = open_store(f"s3://{BUCKET}/some/prefix", Settings(s3_endpoint_url=rgw.endpoint_url))
    yield store
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda info: store.delete(info.key), list(store.list_objects())))
    client.delete_bucket(Bucket=BUCKET)


def test_s3_store_keeps_and_lists_objects_on_a_real_server(store: ObjectStore) -> None:
    many = [f"many/{number:04}" for number in range(1003)]  # more than one page
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.write_bytes(key, b""), many))
    keys = ["a/b.json", "a-b.json", "year=2026/month=10/day=01/é+ &.json.gz"]
    for key in keys:
        store.write_bytes(key, key.encode(), content_type="application/json")
    assert [info.key for info in store.list_objects("many/")] == many
    listed = [info for info in store.list_objects() if not info.key.startswith("many/")]
    assert [info.key for info in listed] == sorted(keys)
    for info in listed:
        assert store.read_bytes(info.key) == info.key.encode()
        assert info.size_bytes == len(info.key.encode())
    assert store.exists(keys[0])
    store.delete(keys[0])
    assert not store.exists(keys[0])
    with pytest.raises(StoreNotFoundError, match="no such object"):
        store.read_bytes(keys[0])


def test_both_gates_read_a_published_bucket(
    store: ObjectStore, rgw: "Rgw", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_document(store, make_document(), PRIVATE)
    monkeypatch.setenv("FREEZELINE_S3_ENDPOINT_URL", rgw.endpoint_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", rgw.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    gate = tmp_path / "freezeline_gate.py"
    gate.write_text(build_gate_file(), encoding="utf-8")
    for program in ([str(gate)], ["-m", "include.freezeline", "gate"]):
        for feature, code in (("calm", 0), ("hot", 3), ("gone", 5)):
            asked = ["check", "--source", store.uri, "--at", NOW_TEXT, "--feature", feature]
            done = subprocess.run(  # noqa: S603
                [sys.executable, *program, *asked], capture_output=True, text=True, check=False
            )
            assert done.returncode == code, done.stderr
        missing = subprocess.run(  # noqa: S603
            [sys.executable, *program, "check", "--source", f"{store.uri}/no", "--feature", "calm"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert missing.returncode == 4, missing.stderr
        assert "Traceback" not in missing.stderr


def test_s3_store_returns_packed_bytes_as_stored(store: ObjectStore) -> None:
    document = builders.document([builders.span({"gen_ai.operation.name": "chat"})])
    packed = gzip.compress(json.dumps(document).encode())
    store.write_bytes("traces_1.json.gz", packed, content_type="application/json")
    data = store.read_bytes("traces_1.json.gz")
    assert data == packed
    result = read_object("traces_1.json.gz", data, load_landing_rules(CONFIG_DIR))
    assert len(result.spans) == 1


def test_s3_store_says_so_when_the_bucket_is_missing(
    store: ObjectStore,
    rgw: "Rgw",
) -> None:
    other = open_store("s3://not-there", Settings(s3_endpoint_url=rgw.endpoint_url))
    with pytest.raises(StoreNotFoundError, match=r"s3://not-there: no such bucket \("):
        list(other.list_objects())


def test_s3_store_says_what_to_check_when_the_secret_is_wrong(
    store: ObjectStore,
    rgw: "Rgw",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    refused = open_store(f"s3://{BUCKET}", Settings(s3_endpoint_url=rgw.endpoint_url))
    with pytest.raises(StoreAccessError, match="check AWS_ACCESS_KEY_ID") as caught:
        list(refused.list_objects())
    assert "wrong-secret" not in str(caught.value)
    assert rgw.access_key not in str(caught.value)


def test_s3_store_says_so_when_nobody_listens(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = open_store("s3://any", Settings(s3_endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(StoreError, match="cannot reach the store"):
        list(away.list_objects())
