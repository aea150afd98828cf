"""Serve the Airflow UI on loopback: API server, scheduler, DAG processor and triggerer.

``airflow standalone`` leaves processes behind when it is stopped and binds its log server to
every address; this starts the same parts on 127.0.0.1 only and ends them together.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from include.freezeline.adapters.airflow.local_run import airflow_environment
from include.freezeline.demo.defaults import BUCKET_NAME, demo_settings
from include.freezeline.settings import load_settings

_PARTS: tuple[tuple[str, ...], ...] = (
    ("api-server", "--host", "127.0.0.1"),
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("triggerer", "--skip-serve-logs"),
)
_STOP_WAIT_S = 15.0
USER = "admin"
PASSWORD = "freezeline"  # noqa: S105 - the demo's login, printed at start; change it with --password


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="make airflow", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--password", default=PASSWORD)
    given = parser.parse_args(arguments)
    if not _is_free(given.port):
        sys.stderr.write(f"port {given.port} is taken (choose another: --port {given.port + 1})\n")
        return 1
    environment = prepare(given.port, given.password)
    _announce(given.port, given.password)
    return _serve(environment, given.port)


def prepare(port: int, password: str) -> dict[str, str]:
    """Create login, metadata database and pool; return the environment to run in."""
    settings = load_settings(os.environ)
    if settings.source_uri is None and (settings.home / BUCKET_NAME).is_dir():
        # After `make demo` the DAGs can be run from the UI on the demo's bucket.
        settings = demo_settings(settings)
    home = (settings.home / "airflow").resolve()
    home.mkdir(parents=True, exist_ok=True)
    (home / "passwords.json").write_text(json.dumps({USER: password}), encoding="utf-8")
    environment = os.environ | settings.as_environment() | airflow_environment(home, Path.cwd())
    environment |= _server_options(port)
    _airflow(environment, "db", "migrate")
    _airflow(environment, "pools", "set", "freezeline_writer", "1", "One writer per warehouse")
    return environment


def _server_options(port: int) -> dict[str, str]:
    """Tell workers where the API server is; without it tasks fail on any other port."""
    url = f"http://127.0.0.1:{port}"
    return {
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        # Task logs in the UI show progress; the demo's own run keeps to errors.
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
    }


def _airflow(environment: Mapping[str, str], *words: str) -> None:
    """Run an airflow command to its end, quietly unless it fails."""
    command = [sys.executable, "-m", "airflow", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"airflow {' '.join(words)} failed:\n{done.stdout}{done.stderr}")


def _serve(environment: Mapping[str, str], port: int) -> int:
    """Start every part in a session of its own and end all of them together."""
    processes: list[subprocess.Popen[bytes]] = []

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    # Shells start background jobs with SIGINT ignored, and Python then leaves it so.
    signal.signal(signal.SIGINT, stop)
    try:
        for part in _PARTS:
            words = (*part, "--port", str(port)) if part[0] == "api-server" else part
            command = [sys.executable, "-m", "airflow", *words]
            processes.append(subprocess.Popen(command, env=environment, start_new_session=True))  # noqa: S603
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
        sys.stderr.write("a part of Airflow ended; stopping the others\n")
        return 1  # noqa: TRY300 - the loop ends only when a part died
    except KeyboardInterrupt:
        return 0
    finally:
        _stop_all(processes)


def _stop_all(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """Ask every process session to end, then insist."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + _STOP_WAIT_S
        while time.monotonic() < deadline and any(p.poll() is None for p in processes):
            time.sleep(0.2)


def _announce(port: int, password: str) -> None:
    """Say where the pages are and how to log in."""
    sys.stderr.write(
        f"Airflow:         http://127.0.0.1:{port}\n"
        f"Freezeline page: http://127.0.0.1:{port}/freezeline/\n"
        f"Login:           {USER} / {password}   (stop with Ctrl-C; ready in about 20 s)\n"
    )


def _is_free(port: int) -> bool:
    """Whether nothing listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


if __name__ == "__main__":
    sys.exit(main())
