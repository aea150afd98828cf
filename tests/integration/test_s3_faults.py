"""Landing through a line that breaks gives what landing through a good one gives, or says so."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import cycle, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from include.freezeline.adapters.object_store import open_store
from include.freezeline.adapters.retry import Retry
from include.freezeline.adapters.s3_store import open_s3_store
from include.freezeline.errors import StoreError
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings
from tests.integration.faulty_proxy import FAULTS, LISTING, Fault, FaultyProxy, running_proxy
from tests.unit.landing.bucket import EMAIL, content, spans_json, trace_key

if TYPE_CHECKING:
    from tests.integration.rgw import Rgw

pytestmark = pytest.mark.integration
AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
BUCKET = "fault-test"
READ_TIMEOUT_S = 0.5


@pytest.fixture
def bucket(rgw: "Rgw", monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket of the server."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", rgw.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", rgw.secret_key)
    resource = boto3.resource(
        "s3",
        endpoint_url=rgw.endpoint_url,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    resource.create_bucket(Bucket=BUCKET)
    made = resource.Bucket(BUCKET)
    yield made
    made.objects.all().delete()
    made.delete()


@pytest.fixture
def proxy(rgw: "Rgw") -> Iterator[FaultyProxy]:
    """A proxy in front of the server, without faults yet."""
    with running_proxy(rgw.endpoint_url) as running:
        yield running


@pytest.fixture
def through_proxy(settings: Settings, proxy: FaultyProxy, tmp_path: Path) -> Settings:
    """Settings that land through the proxy."""
    return settings.model_copy(
        update={
            "home": tmp_path / "faulty",
            "source_uri": f"s3://{BUCKET}/company",
            "s3_endpoint_url": proxy.endpoint_url,
            "s3_read_timeout_s": READ_TIMEOUT_S,
        }
    )


def put_many(settings: Settings, bodies: dict[str, bytes]) -> None:
    store = open_store(str(settings.source_uri), settings)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: store.write_bytes(*item), bodies.items()))


@pytest.mark.usefixtures("bucket")
def test_what_lands_through_a_breaking_line_is_what_lands_without_faults(
    settings: Settings, through_proxy: Settings, proxy: FaultyProxy
) -> None:
    bodies = {trace_key(f"{n:03}"): spans_json(2, text=f"{EMAIL} {n}", seed=n) for n in range(36)}
    put_many(settings, bodies)
    put_many(through_proxy, bodies)
    land(settings, AS_OF)
    proxy.plan(LISTING, ["busy", "reset", "cut", "late", "error"])
    for key, fault in zip(bodies, cycle(FAULTS), strict=False):
        proxy.plan(key, [fault] if fault == "late" else [fault, fault])
    summary = land(through_proxy, AS_OF)
    assert summary.total.n_landed == 72
    assert set(proxy.made) == set(FAULTS)
    assert proxy.made.total() == 5 + 6 * 11
    assert content(through_proxy) == content(settings)


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_lasting_fault_is_a_loud_error_that_names_the_object(
    through_proxy: Settings, proxy: FaultyProxy, fault: Fault
) -> None:
    waits: list[float] = []
    retry = Retry(random.Random(3), n_attempts=3, sleep=waits.append)  # noqa: S311 - spreads waits
    store = open_s3_store(BUCKET, "company", through_proxy, retry)
    store.write_bytes("good", b"12345")
    store.write_bytes("bad", b"12345")
    proxy.plan("/bad", repeat(fault))
    assert store.read_bytes("good") == b"12345"
    with pytest.raises(StoreError, match=rf"^s3://{BUCKET}/company/bad: .*3 times"):
        store.read_bytes("bad")
    assert proxy.made[fault] == 3
    assert len(waits) == 2


@pytest.mark.usefixtures("bucket")
def test_writes_are_tried_again(through_proxy: Settings, proxy: FaultyProxy) -> None:
    store = open_store(str(through_proxy.source_uri), through_proxy)
    proxy.plan("/a", ["busy", "reset", "error"])
    store.write_bytes("a", b"12345")
    assert store.read_bytes("a") == b"12345"
    assert proxy.made.total() == 3


@pytest.mark.usefixtures("bucket")
def test_fifteen_hundred_keys_are_listed_once_each_when_pages_break(
    through_proxy: Settings, proxy: FaultyProxy
) -> None:
    keys = [f"flat/{n:05}.json" for n in range(1500)]
    put_many(through_proxy, dict.fromkeys(keys, b""))
    proxy.plan("continuation-token", ["busy", "cut", "reset"])
    proxy.n_requests.clear()
    store = open_store(str(through_proxy.source_uri), through_proxy)
    assert [info.key for info in store.list_objects("flat/")] == keys
    assert proxy.n_requests["LIST"] == 2 + 3
    assert store.list_folder("").folders == ["flat/"]


@pytest.mark.usefixtures("bucket")
def test_the_thirty_first_night_lists_no_more_than_the_fifth(
    through_proxy: Settings, proxy: FaultyProxy
) -> None:
    """Requests are counted at the server's door, with its real answers."""
    first = AS_OF - timedelta(days=31)
    days = [first + timedelta(days=n) for n in range(31)]
    bodies = {
        f"otel/{day:year=%Y/month=%m/day=%d}/hour=10/minute={n:02}/traces_{n}.json": spans_json(
            1, seed=31 * n + day.day
        )
        for day in days
        for n in range(4)
    }
    put_many(through_proxy, bodies)
    asked: list[int] = []
    for night in (5, 31):
        as_of = first + timedelta(days=night)
        land(through_proxy, as_of - timedelta(days=1))
        proxy.n_requests.clear()
        summary = land(through_proxy, as_of, interval_start=as_of - timedelta(days=1))
        assert summary.total.n_objects_landed == 4
        asked.append(proxy.n_requests["LIST"])
        assert proxy.n_requests["GET"] == 4
    assert asked[1] <= asked[0] + 5
    assert asked[1] <= 25
