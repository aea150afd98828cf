"""A PostgreSQL server for tests, on loopback, in one folder.

PostgreSQL refuses to run as root, so a root test runner becomes an existing unprivileged user.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.engines.ports import free_port

_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 20
_DATABASE = "lake"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server with one empty database.

    Attributes:
        dsn: How libpq connects to it, password included.
    """

    dsn: str = field(repr=False)


def program(name: str) -> str | None:
    """Return the path of a server program; Debian keeps them out of the search path."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(debian[-1]) if debian else shutil.which(name)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server in a folder of its own; stop it and remove the folder after."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        root, port, password = Path(folder), free_port(), secrets.token_hex(12)
        _give_away(root)
        _initialise(root, password)
        options = ("-D", root / "data", "-k", root, "-h", "127.0.0.1", "-p", port)
        with (root / "server.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own words, no shell
                _as_nobody(program("postgres"), *options, "-c", "fsync=off"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            dsn = f"host=127.0.0.1 port={port} user=freezeline password={password}"
            _create_database(root, port, password, process)
            yield Postgres(f"{dsn} dbname={_DATABASE}")
        finally:
            # "Fast": open connections end.
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _initialise(root: Path, password: str) -> None:
    """Make the server's data with one user who needs a password."""
    secret = root / "password"
    secret.write_text(password)
    _give_away(secret)
    made = ("-D", root / "data", "-U", "freezeline", "--pwfile", secret, "-A", "scram-sha-256")
    _run(_as_nobody(program("initdb"), *made, "--no-sync"))


def _create_database(
    root: Path, port: int, password: str, process: subprocess.Popen[bytes]
) -> None:
    """Create the database as soon as the server answers."""
    made = ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", "freezeline", "-d", "postgres"]
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            _run([*made, "-c", f"create database {_DATABASE}"], PGPASSWORD=password)
        except RuntimeError as error:
            if time.monotonic() > deadline or process.poll() is not None:
                message = f"PostgreSQL did not start\n{(root / 'server.log').read_text()[-2000:]}"
                raise RuntimeError(message) from error
            time.sleep(0.1)
        else:
            return


def _as_nobody(*words: object) -> list[str]:
    """Return a command line, for root that of an unprivileged user."""
    given = [str(word) for word in words]
    if os.geteuid():
        return given
    user = pwd.getpwnam("nobody")
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *ids, "--", *given]


def _give_away(path: Path) -> None:
    """Let the unprivileged user own what root made."""
    if not os.geteuid():
        user = pwd.getpwnam("nobody")
        os.chown(path, user.pw_uid, user.pw_gid)


def _run(words: list[str], **environment: str) -> None:
    """Run a command to its end."""
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        words, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        message = f"{words[0]}: exit {done.returncode}\n{done.stderr}"
        raise RuntimeError(message)
