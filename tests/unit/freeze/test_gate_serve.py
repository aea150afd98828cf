"""The gate over HTTP: always status 200 and a verdict, and never a wrong yes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from include.freezeline.adapters.sequence_memory import SequenceMemory
from include.freezeline.cli import gate_serve
from include.freezeline.cli.gate_serve import make_server
from tests.unit.freeze.documents import NOW, NOW_TEXT, make_document, make_override, sign
from tests.unit.freeze.gates import access_to, ask_check, publish_to, serving


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Return a published folder."""
    return publish_to(tmp_path / "published")


@pytest.fixture
def address(published: Path) -> Iterator[str]:
    """Return the address of a gate of the folder, at a fixed time."""
    access = access_to(published, key=published / "freeze.pub.pem")
    with serving(make_server(access, ("127.0.0.1", 0), lambda: NOW)) as found:
        yield found


def _get(uri: str) -> dict[str, Any]:
    """Return the JSON of an answer, which must have status 200."""
    with urlopen(uri, timeout=10) as response:  # noqa: S310 - our own server
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        found: dict[str, Any] = json.load(response)
        return found


def test_server_says_what_the_command_says(address: str, published: Path) -> None:
    for features in (["calm"], ["hot"], ["gone"], ["mending"], ["calm", "hot"]):
        for change_class in ("feature", "canary", "rollback"):
            for environment in ("production", "staging"):
                query = "&".join(f"feature={name}" for name in features)
                query += f"&change_class={change_class}&environment={environment}"
                options = [part for name in features for part in ("--feature", name)]
                options += ["--change-class", change_class, "--environment", environment]
                asked = ask_check(published, *options, "--format", "json")
                assert _get(f"{address}/v1/gate?{query}") == json.loads(asked.stdout)


@pytest.mark.parametrize(
    "query",
    ["", "?", "?feature=", "?feature", "?feature=calm&enviroment=staging", "?feature=calm&change_class=",
     "?feature=calm&change_class=hotfix", "?feature=calm&environment=", "?Feature=calm",
     "?feature=calm&environment=staging&environment=production", "?feature=calm;feature=hot",
     "?feature=calm&change_class=feature&change_class=rollback", "?" + "&".join(["feature=calm"] * 200),
     "?feature=calm%00", "?feature=%ff", "?feature=calm%20", "?feature=../calm"],
)  # fmt: skip
def test_question_that_is_none_is_blocked_with_200(address: str, query: str) -> None:
    answer = _get(f"{address}/v1/gate{query}")
    assert answer["allow"] is False
    assert answer["exit_code"] in (2, 5)
    assert answer["explanation"] is not None


def test_other_paths_and_methods_are_refused(address: str, published: Path) -> None:
    for path in (
        "/",
        "/v1/gate/",
        "/v1/gate/x?feature=calm",
        "/freeze.json",
        "/../freeze.json",
        "//[",
    ):
        with pytest.raises(HTTPError) as caught:
            _get(address + path)
        assert caught.value.code == 404
        assert json.load(caught.value)["allow"] is False
    before = sorted(path.name for path in published.iterdir())
    host, port = address.removeprefix("http://").split(":")
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(f"{method} /v1/gate?feature=calm HTTP/1.0\r\n\r\n".encode())
            assert b" 501 " in line.makefile("rb").readline()
    assert sorted(path.name for path in published.iterdir()) == before


def test_every_damage_is_a_block_with_200(address: str, published: Path) -> None:
    good = sign(make_document())
    assert _get(f"{address}/v1/gate?feature=calm")["allow"] is True
    for damaged in (b"", good[:-80], good.replace(b"FROZEN", b"OPEN"), b"\xff"):
        (published / "freeze.json").write_bytes(damaged)
        answer = _get(f"{address}/v1/gate?feature=calm")
        assert (answer["allow"], answer["exit_code"], answer["fresh"]) == (False, 4, False)
    (published / "freeze.json").unlink()
    assert _get(f"{address}/v1/gate?feature=calm")["reason"] == "unverifiable"


def test_running_server_refuses_an_older_document(address: str, published: Path) -> None:
    older = (published / "freeze.json").read_bytes()
    publish_to(published, sign(make_document(sequence=8)))
    assert _get(f"{address}/v1/gate?feature=calm")["allow"] is True
    publish_to(published, older)
    answer = _get(f"{address}/v1/gate?feature=calm")
    assert (answer["allow"], answer["reason"]) == (False, "unverifiable")
    assert "sequence 7 is older than 8" in answer["explanation"]


@pytest.mark.parametrize(
    ("moved", "trusted", "fresh"),
    [(timedelta(), True, True), (timedelta(hours=40), True, False), (timedelta(hours=-9), False, False)],
)  # fmt: skip
def test_health_says_whether_the_document_holds(
    published: Path, moved: timedelta, *, trusted: bool, fresh: bool
) -> None:
    server = make_server(access_to(published), ("127.0.0.1", 0), lambda: NOW + moved)
    with serving(server) as address:
        health = _get(f"{address}/health")
    assert (health["trusted"], health["fresh"], health["sequence"]) == (trusted, fresh, 7)


def test_override_of_one_change_is_asked_by_its_reference(address: str, published: Path) -> None:
    document = make_document()
    document["features"][1]["overrides"] = [make_override(change_ref="4f1c2ab")]
    publish_to(published, sign(document))
    assert _get(f"{address}/v1/gate?feature=hot")["allow"] is False
    answer = _get(f"{address}/v1/gate?feature=hot&change_ref=4f1c2ab")
    assert (answer["allow"], answer["reason"], answer["fresh"]) == (True, "override", True)
    assert _get(f"{address}/v1/gate?feature=hot&change_ref=")["exit_code"] == 2


def test_health_answers_when_there_is_no_document(tmp_path: Path) -> None:
    with serving(make_server(access_to(tmp_path), ("127.0.0.1", 0), lambda: NOW)) as address:
        health = _get(f"{address}/health")
    assert (health["trusted"], health["fresh"], health["sequence"]) == (False, False, None)
    assert "No such file" in health["explanation"]


class _Broken(SequenceMemory):
    """Fails in a way that nobody foresaw."""

    def highest(self, source: str) -> int:
        raise RuntimeError(source)


def test_failure_of_the_gate_itself_is_a_block_with_200(published: Path) -> None:
    access = replace(access_to(published), memory=_Broken())
    with serving(make_server(access, ("127.0.0.1", 0), lambda: NOW)) as address:
        answer = _get(f"{address}/v1/gate?feature=calm")
        assert (answer["allow"], answer["reason"], answer["exit_code"]) == (False, "gate_failed", 1)
        assert str(published) not in answer["explanation"]


def test_slow_client_does_not_stop_others(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_serve.GateHandler, "timeout", 0.2)
    server = make_server(access_to(published), ("127.0.0.1", 0), lambda: NOW)
    with serving(server) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(b"GET /v1/gate?feature=calm HTT")
            assert _get(f"{address}/v1/gate?feature=calm")["allow"] is True
            assert line.recv(1) == b""  # the server gave up


def test_clock_of_each_question_counts(published: Path) -> None:
    moments = iter([NOW, NOW + timedelta(hours=29)])
    server = make_server(access_to(published), ("127.0.0.1", 0), lambda: next(moments))
    with serving(server) as address:
        allowed = [_get(f"{address}/v1/gate?feature=calm")["allow"] for _ in range(2)]
    assert allowed == [True, False]


def test_command_serves_and_stops_when_told(published: Path) -> None:
    command = [sys.executable, "-m", "include.freezeline", "gate", "serve", "--source", str(published),
               "--port", "0"]  # fmt: skip
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", running.stdout.readline())
        assert found
        answer = _get(f"{found.group()}/v1/gate?feature=calm")
        assert answer["exit_code"] == 4  # the document is of long ago by this machine's clock
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
        said = running.stderr.read()
    assert '"reason": "stale"' in said
    assert "Traceback" not in said
    assert datetime.fromisoformat(answer["asked_at"]) > datetime.fromisoformat(NOW_TEXT)


def test_command_says_when_it_cannot_listen(published: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for address in (("--port", port), ("--port", "99999"), ("--host", "no.such.host.invalid")):
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-m", "include.freezeline", "gate", "serve", "--source",
                 str(published), *address],
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            assert done.returncode == 1
            assert "choose --host and --port" in done.stderr
            assert "Traceback" not in done.stderr
