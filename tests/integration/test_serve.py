"""`make airflow` serves the UI on loopback, runs the nightly DAG through the scheduler, and ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib import error, request

import psutil
import pytest

from tests.integration.line import ROOT, freezeline

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

START_S = 180.0
RUN_S = 300.0
INTERVAL = {"interval_start": "2026-09-01T00:00:00Z", "interval_end": "2026-09-04T00:00:00Z"}


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def call(url: str, body: object = None, token: str | None = None, method: str | None = None) -> Any:
    """Send a request to the served Airflow and return its JSON."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    message = request.Request(url, data=data, headers=headers, method=method)  # noqa: S310
    with request.urlopen(message, timeout=20) as answer:  # noqa: S310
        return json.load(answer)


@contextmanager
def served(home: Path, port: int, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run what `make airflow` runs, and stop it as Ctrl-C does."""
    command = [sys.executable, "-m", "include.freezeline.adapters.airflow.serve"]
    log = (home / "serve.log").open("wb")
    process = subprocess.Popen(  # noqa: S603
        [*command, "--port", str(port), "--password", "test-password"],
        cwd=ROOT,
        env=os.environ | {"FREEZELINE_HOME": str(home)} | environ,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=90)
        log.close()


def wait_until_healthy(base: str, log: Path) -> None:
    """Wait for the API server and a living scheduler."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            health = call(f"{base}/api/v2/monitor/health")
        except (error.URLError, OSError):
            time.sleep(1)
            continue
        if health["scheduler"]["status"] == "healthy":
            return
        time.sleep(1)
    pytest.fail(f"not healthy in {START_S:.0f} s: {log.read_text(errors='replace')[-3000:]}")


def wait_for_run(base: str, token: str, run_id: str) -> str:
    """Wait for the run's final state."""
    deadline = time.monotonic() + RUN_S
    while time.monotonic() < deadline:
        state = call(f"{base}/api/v2/dags/nightly/dagRuns/{run_id}", token=token)["state"]
        if state in {"success", "failed"}:
            return str(state)
        time.sleep(2)
    return "still running"


def listening_addresses(root: int) -> set[str]:
    """Addresses that a process and its descendants listen on."""
    family = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
    sockets = [one for process in family for one in process.net_connections(kind="inet")]
    return {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN}


def test_airflow_serves_the_page_runs_the_night_and_stops(tmp_path: Path) -> None:
    environ = {
        "FREEZELINE_SOURCE_URI": (tmp_path / "bucket").as_uri(),
        "FREEZELINE_PSEUDONYM_KEY": "test-key",
    }
    made = freezeline(tmp_path, "demo-bucket", "--scale", "0.02", "--quiet", environ=environ)
    assert made.returncode == 0, made.stderr
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with served(tmp_path, port, environ) as process:
        wait_until_healthy(base, tmp_path / "serve.log")
        with pytest.raises(error.HTTPError) as refused:
            call(f"{base}/freezeline/status.json")
        assert refused.value.code == 401
        login = {"username": "admin", "password": "test-password"}
        token = call(f"{base}/auth/token", login)["access_token"]
        dags = call(f"{base}/api/v2/dags", token=token)["dags"]
        assert {dag["dag_id"] for dag in dags} == {
            "apply_retention",
            "erase_subject",
            "export_for_labelling",
            "nightly",
        }
        call(f"{base}/api/v2/dags/nightly", {"is_paused": False}, token, "PATCH")
        # Unpausing starts a run of last night too; it fails at once, nothing arrived then, and
        # the run below comes after it.
        body = {"logical_date": None, "conf": INTERVAL}
        run = call(f"{base}/api/v2/dags/nightly/dagRuns", body, token)
        state = wait_for_run(base, token, run["dag_run_id"])
        assert state == "success", (tmp_path / "serve.log").read_text(errors="replace")[-4000:]
        status = call(f"{base}/freezeline/status.json", token=token)
        assert "support-assistant" in json.dumps(status)
        assert listening_addresses(process.pid) == {"127.0.0.1"}
        assert process.poll() is None
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the API server must have ended"
