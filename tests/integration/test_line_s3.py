"""The demo against a real S3 server lands and publishes the same as on local files."""

from pathlib import Path

import boto3
import duckdb
import pytest

from tests.integration.line import LAST_AS_OF, freezeline, run_line
from tests.integration.rgw import Rgw

pytestmark = [pytest.mark.integration, pytest.mark.slow]

COUNT_SQL = "select count(*) as n from marts.fct_llm_calls"
LAKE_COUNT_SQL = """
select count(distinct (trace_id, span_id)) from read_parquet('{lake}/spans/*/*.parquet')
where is_leaf_model_call
"""
SCALE = ("--scale", "0.03")


def count_calls_on_files(home: Path) -> int:
    """Land the same demo bucket from local files and count its model calls."""
    environ = {
        "FREEZELINE_SOURCE_URI": (home / "bucket").as_uri(),
        "FREEZELINE_PSEUDONYM_KEY": "test-key",
    }
    for words in (("demo-bucket", *SCALE, "--quiet"), ("land", "--as-of", LAST_AS_OF, "--quiet")):
        done = freezeline(home, *words, environ=environ)
        assert done.returncode == 0, done.stderr
    sql = LAKE_COUNT_SQL.format(lake=home / "lake")
    (n_calls,) = duckdb.sql(sql).fetchone() or (0,)
    assert n_calls > 500
    return int(n_calls)


def test_demo_on_s3_lands_what_files_do_and_publishes_to_s3(rgw: Rgw, tmp_path: Path) -> None:
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
        *SCALE,
        environ=credentials
        | {
            "FREEZELINE_SOURCE_URI": "s3://freezeline-line/landing",
            "FREEZELINE_PUBLISH_URI": "s3://freezeline-line/published",
            "FREEZELINE_S3_ENDPOINT_URL": rgw.endpoint_url,
        },
    )
    assert on_s3.rows(COUNT_SQL) == [{"n": count_calls_on_files(tmp_path / "files")}]
    listed = client.list_objects_v2(Bucket="freezeline-line", Prefix="published/")
    published = {item["Key"].removeprefix("published/") for item in listed["Contents"]}
    assert {"freeze.json", "flags.flagd.json", "reports/latest/freeze_report.html"} <= published
