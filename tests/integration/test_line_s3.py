"""The demo against a real S3 server lands and publishes the same as on local files."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.integration.line import SMALL, LineRun, run_line
from tests.integration.rgw import Rgw

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

COUNT_SQL = "select count(*) as n from marts.fct_llm_calls"


def features_of(document: bytes) -> list[dict[str, Any]]:
    """What a published freeze document says about every feature."""
    features: list[dict[str, Any]] = json.loads(document)["features"]
    assert {row["feature"] for row in features} == {
        "support-assistant", "risk-summariser", "code-helper"
    }  # fmt: skip
    assert all(row["state"] for row in features)
    return features


def test_demo_on_s3_lands_what_files_do_and_publishes_to_s3(
    rgw: Rgw, small_night: LineRun, tmp_path: Path
) -> None:
    credentials = {"AWS_ACCESS_KEY_ID": rgw.access_key, "AWS_SECRET_ACCESS_KEY": rgw.secret_key}
    client = boto3.client(
        "s3",
        endpoint_url=rgw.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=rgw.access_key,
        aws_secret_access_key=rgw.secret_key,
    )
    client.create_bucket(Bucket="freezeline-line")
    on_s3 = run_line(
        tmp_path / "s3",
        *SMALL,
        environ=credentials
        | {
            "FREEZELINE_SOURCE_URI": "s3://freezeline-line/landing",
            "FREEZELINE_PUBLISH_URI": "s3://freezeline-line/published",
            "FREEZELINE_S3_ENDPOINT_URL": rgw.endpoint_url,
        },
    )
    (count,) = small_night.rows(COUNT_SQL)
    assert count["n"] > 500
    assert on_s3.rows(COUNT_SQL) == [count]
    for part in ("landed", "flags", "verdicts"):
        assert small_night.outcome[part], f"{part} is empty"
        assert on_s3.outcome[part] == small_night.outcome[part]
    listed = client.list_objects_v2(Bucket="freezeline-line", Prefix="published/")
    published = {item["Key"].removeprefix("published/") for item in listed["Contents"]}
    assert {"freeze.json", "flags.flagd.json", "reports/latest/freeze_report.html"} <= published
    document = client.get_object(Bucket="freezeline-line", Key="published/freeze.json")["Body"]
    on_disk = (small_night.home / "published" / "freeze.json").read_bytes()
    assert features_of(document.read()) == features_of(on_disk)
