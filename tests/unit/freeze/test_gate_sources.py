"""Where the gate reads from, and the mistakes one can make there."""

from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from include.freezeline.adapters.published_s3 import read_s3
from include.freezeline.adapters.published_source import PublishedSource
from include.freezeline.cli.gate_options import default_source
from include.freezeline.errors import DocumentError
from include.freezeline.settings import load_settings
from tests.unit.freeze.documents import NOW, make_document, sign
from tests.unit.freeze.gates import ask_check, file_server, no_s3, publish_to, serving


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Return a published folder."""
    return publish_to(tmp_path / "published")


def _code(source: object, *more: str) -> int:
    """Ask for ``calm`` and return the exit code."""
    return ask_check(source, "--feature", "calm", *more).exit_code


def test_document_is_read_over_http_when_the_key_is_pinned(published: Path) -> None:
    pinned = ("--public-key", str(published / "freeze.pub.pem"))
    with serving(file_server(published)) as address:
        for source in (
            address,
            f"{address}/",
            f"{address}/freeze.json",
            f"{address}/freeze.json?a=b",
        ):
            assert _code(source, *pinned) == 0
        unpinned = ask_check(address, "--feature", "calm")
        assert unpinned.exit_code == 4
        assert "pin it with --public-key" in unpinned.stdout
        missing = ask_check(f"{address}/nowhere", "--feature", "calm", *pinned)
        assert missing.exit_code == 4
        assert "HTTP status 404" in missing.stdout
        (published / "freeze.json").write_bytes(sign(make_document())[:-80])
        assert _code(address, *pinned) == 4
    gone = ask_check(address, "--feature", "calm", *pinned)
    assert gone.exit_code == 4
    assert "cannot be read" in gone.stdout


class _Odd(BaseHTTPRequestHandler):
    """Answers in ways that servers should not."""

    def do_GET(self) -> None:
        data = sign(make_document())
        if self.path.startswith("/detour"):
            self.send_response(302)
            self.send_header("Location", "https://127.0.0.1:1/freeze.json")
            self.end_headers()
            return
        if self.path.startswith("/file"):
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
            return
        self.send_response(500 if self.path.startswith("/broken") else 200)
        self.send_header("Content-Length", str(len(data) + 10))
        self.end_headers()
        self.wfile.write(data[:-5] if self.path.startswith("/short") else data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("place", ["detour", "file", "broken", "short"])
def test_block_when_the_server_answers_oddly(published: Path, place: str) -> None:
    pinned = ("--public-key", str(published / "freeze.pub.pem"))
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Odd)) as address:
        assert _code(f"{address}/{place}", *pinned) == 4


@pytest.mark.parametrize(
    "source",
    ["http://[bad/x", "ftp://host/folder", "gs://bucket/x", "http://", "https:///x", "file://",
     "s3://", "s3://bucket", "nowhere", "/dev/null", "a\0b"],
)  # fmt: skip
def test_block_when_the_source_is_wrong(source: str) -> None:
    asked = ask_check(source, "--feature", "calm")
    assert asked.exit_code == 4, asked
    assert "cannot be trusted" in asked.stdout


def test_secrets_of_a_uri_are_not_said(tmp_path: Path) -> None:
    key = publish_to(tmp_path) / "freeze.pub.pem"
    source = "http://user:hunter2@127.0.0.1:1/x/freeze.json?signature=hunter2"
    asked = ask_check(source, "--feature", "calm", "--public-key", str(key))
    assert asked.exit_code == 4
    assert "hunter2" not in asked.stdout + asked.stderr
    assert PublishedSource(source, no_s3).name == "http://127.0.0.1:1/x"


def test_pinned_key_that_cannot_be_read_blocks_and_is_named(
    published: Path, tmp_path: Path
) -> None:
    asked = ask_check(published, "--feature", "calm", "--public-key", str(tmp_path / "no.pem"))
    assert asked.exit_code == 4
    assert "no.pem: No such file or directory (correct --public-key)" in asked.stdout


def test_document_may_have_another_name_beside_other_files(published: Path) -> None:
    (published / "freeze.json").rename(published / "other.json")
    assert _code(published / "other.json") == 0
    assert _code(published) == 4


def test_relative_document_is_read_beside_its_key(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(published)
    assert _code("freeze.json") == 0
    assert _code(".") == 0


@pytest.mark.parametrize(
    "environ",
    [{}, {"FREEZELINE_HOME": "elsewhere"}, {"FREEZELINE_HOME": ""},
     {"FREEZELINE_PUBLISH_URI": "s3://bucket/x", "FREEZELINE_HOME": "elsewhere"}],
)  # fmt: skip
def test_default_source_is_the_one_of_the_settings(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("FREEZELINE_HOME", "FREEZELINE_PUBLISH_URI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert default_source() == load_settings(environ).published_uri


@mock_aws
def test_file_gate_reads_a_bucket_with_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket="published")
    for prefix in ("", "a/b/"):
        client.put_object(Bucket="published", Key=f"{prefix}freeze.json", Body=b"data")
    assert read_s3("s3://published", "freeze.json") == b"data"
    assert read_s3("s3://published/a/b", "freeze.json") == b"data"
    for folder in ("s3://published/c", "s3://nowhere", "s3:"):
        with pytest.raises(DocumentError, match="check source, credentials"):
            read_s3(folder, "freeze.json")


def test_file_gate_says_what_to_install_when_boto3_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(DocumentError, match="needs boto3"):
        read_s3("s3://published", "freeze.json")


def test_clock_that_is_wrong_never_opens_the_gate(tmp_path: Path) -> None:
    folder = publish_to(tmp_path, sign(make_document()))
    for hours in (-48, -6, -1.1, 29, 30, 500):
        at = (NOW + timedelta(hours=hours)).isoformat()
        assert ask_check(folder, "--feature", "calm", at=at).exit_code == 4
    for hours in (-1, 0, 28.9):
        at = (NOW + timedelta(hours=hours)).isoformat()
        assert ask_check(folder, "--feature", "calm", at=at).exit_code == 0
