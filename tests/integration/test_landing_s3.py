"""Landing from a real S3-compatible server gives what landing from a folder gives."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from include.freezeline.adapters.object_store import open_store
from include.freezeline.errors import StoreAccessError, StoreNotFoundError
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings
from tests.unit.landing.bucket import EMAIL, content, spans_json, trace_key

if TYPE_CHECKING:
    from tests.integration.rgw import Rgw

pytest_plugins = ("tests.integration.rgw",)
pytestmark = pytest.mark.integration
AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
BUCKET = "landing-test"


@pytest.fixture
def s3_settings(
    rgw: "Rgw", settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Settings that land from an empty bucket of the server."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", rgw.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", rgw.secret_key)
    client = boto3.client(
        "s3",
        endpoint_url=rgw.endpoint_url,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket=BUCKET)
    ours = settings.model_copy(
        update={
            "home": tmp_path / "s3-home",
            "source_uri": f"s3://{BUCKET}/company",
            "s3_endpoint_url": rgw.endpoint_url,
        }
    )
    yield ours
    store = open_store(f"s3://{BUCKET}", ours)
    for info in list(store.list_objects()):
        store.delete(info.key)
    client.delete_bucket(Bucket=BUCKET)


def fill(settings: Settings, n_objects: int) -> None:
    store = open_store(str(settings.source_uri), settings)
    for number in range(n_objects):
        store.write_bytes(trace_key(f"{number:03}"), spans_json(2, text=EMAIL, seed=number))
    store.write_bytes(trace_key("broken"), b"broken")


def test_landing_from_s3_writes_the_same_lake_as_from_a_folder(
    settings: Settings, s3_settings: Settings
) -> None:
    fill(settings, 100)
    fill(s3_settings, 100)
    assert land(settings, AS_OF).total.n_landed == 200
    summary = land(s3_settings, AS_OF)
    assert (summary.total.n_landed, summary.total.n_objects_quarantined) == (200, 1)
    assert len(content(s3_settings)) > 100
    assert content(s3_settings) == content(settings)
    assert land(s3_settings, AS_OF).total.n_objects_skipped == 101


def test_landing_from_s3_says_what_is_wrong_with_bucket_or_credentials(
    s3_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = s3_settings.model_copy(update={"source_uri": "s3://no-such-bucket-here"})
    with pytest.raises(StoreNotFoundError, match=r"no-such-bucket-here"):
        land(missing, AS_OF)
    with monkeypatch.context() as wrong:
        wrong.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        with pytest.raises(StoreAccessError, match=r"AWS_SECRET_ACCESS_KEY"):
            land(s3_settings, AS_OF)
    assert not s3_settings.lake_dir.exists()
