"""A real S3-compatible server for tests: one Ceph RADOS Gateway with its monitor and disk.

Everything lies in one folder and listens on loopback only. The steps are those of Ceph's manual
deployment, reduced to one monitor, one object store daemon that keeps its data in memory, and the
gateway.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_PROGRAMS = (
    "radosgw",
    "radosgw-admin",
    "ceph",
    "ceph-mon",
    "ceph-osd",
    "ceph-authtool",
    "monmaptool",
)
_START_TIMEOUT_S = 120
_STOP_TIMEOUT_S = 20
_COMMAND_TIMEOUT_S = 90
_CONFIG = """[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{monitor_port}/0]
mon data = {root}/mon
osd data = {root}/osd
rgw data = {root}/rgw
run dir = {root}/run
admin socket = {root}/run/$name.asok
log file = {root}/$name.log
keyring = {root}/keyring
pid file =
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
osd class load list = *
osd class default list = *
debug ms = 0
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw enable usage log = false
"""
_CAPABILITIES = {
    "mon.": ("mon", "allow *"),
    "client.admin": ("mon", "allow *", "osd", "allow *", "mgr", "allow *"),
    "osd.0": ("mon", "allow profile osd", "osd", "allow *", "mgr", "allow profile osd"),
    "client.rgw": ("mon", "allow rw", "osd", "allow rwx", "mgr", "allow rw"),
}


@dataclass(frozen=True, slots=True)
class Rgw:
    """A running gateway.

    Attributes:
        endpoint_url: ``http://127.0.0.1:port``.
        access_key: Key id of its only user.
        secret_key: Secret of its only user.
    """

    endpoint_url: str
    access_key: str
    secret_key: str = field(repr=False)


def missing_programs() -> list[str]:
    """Return the programs of Ceph that are not installed."""
    return [name for name in _PROGRAMS if shutil.which(name) is None]


@pytest.fixture(scope="session")
def rgw() -> Iterator[Rgw]:
    """A gateway for the whole test session.

    Without Ceph the test is skipped, except in CI: there its absence is a failure, or the promise
    that S3 works would silently stop being tested.
    """
    missing = missing_programs()
    if missing:
        reason = f"{', '.join(missing)}: not installed (apt-get install radosgw ceph-mon ceph-osd)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with running_rgw() as gateway:
        yield gateway


@contextmanager
def running_rgw() -> Iterator[Rgw]:
    """Start a gateway in a folder of its own; stop its processes and remove the folder after."""
    with ExitStack() as stack:
        # Not pytest's own folder: socket paths are limited to 107 characters.
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rgw-")))
        port, monitor_port = _free_port(), _free_port()
        _prepare(root, port, monitor_port)
        stack.enter_context(_daemon(root, "ceph-mon", "-i", "a", "-f"))
        _run(root, "ceph", "--connect-timeout", "30", "mon", "stat")
        disk_id = str(uuid.uuid4())
        _run(root, "ceph", "osd", "create", disk_id)
        _run(root, "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk_id)
        stack.enter_context(_daemon(root, "ceph-osd", "-i", "0", "-f"))
        _wait("the disk", root, lambda: _osd_is_up(root))
        stack.enter_context(_daemon(root, "radosgw", "-n", "client.rgw", "-f"))
        _wait("the gateway", root, lambda: _answers(f"http://127.0.0.1:{port}/"))
        yield _with_user(root, f"http://127.0.0.1:{port}")


def _prepare(root: Path, port: int, monitor_port: int) -> None:
    """Write configuration and keys, and make the monitor's store."""
    for name in ("mon", "osd", "run", "rgw"):
        (root / name).mkdir()
    fsid = str(uuid.uuid4())
    text = _CONFIG.format(root=root, fsid=fsid, port=port, monitor_port=monitor_port)
    (root / "ceph.conf").write_text(text)
    keyring, monmap = root / "keyring", root / "monmap"
    keyring.touch(mode=0o600)
    for name, capabilities in _CAPABILITIES.items():
        pairs = zip(capabilities[::2], capabilities[1::2], strict=True)
        caps = [word for pair in pairs for word in ("--cap", *pair)]
        _run(root, "ceph-authtool", str(keyring), "--gen-key", "-n", name, *caps)
    address = f"[v2:127.0.0.1:{monitor_port}/0]"
    _run(root, "monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, str(monmap))
    made = ("--mkfs", "--monmap", str(monmap), "--keyring", str(keyring))
    _run(root, "ceph-mon", "-i", "a", *made)


def _with_user(root: Path, endpoint_url: str) -> Rgw:
    """Create the gateway's user with random keys."""
    access_key, secret_key = secrets.token_hex(10), secrets.token_hex(20)
    keys = (f"--access-key={access_key}", f"--secret={secret_key}")
    named = ("-n", "client.rgw", "user", "create", "--uid=tester", "--display-name=tester")
    _run(root, "radosgw-admin", *named, *keys)
    return Rgw(endpoint_url, access_key, secret_key)


@contextmanager
def _daemon(root: Path, program: str, *arguments: str) -> Iterator[None]:
    """Run a daemon in the background and stop it by its process id."""
    with (root / f"{program}.out").open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own words, no shell
            [program, "-c", str(root / "ceph.conf"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _run(root: Path, program: str, *arguments: str) -> str:
    """Run a command to its end and return what it printed."""
    named = () if program in ("ceph-authtool", "monmaptool") else ("-c", str(root / "ceph.conf"))
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        [program, *named, *arguments],
        capture_output=True,
        text=True,
        timeout=_COMMAND_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        message = f"{program} {' '.join(arguments[:3])}: exit {done.returncode}\n{done.stderr}"
        raise RuntimeError(message)
    return done.stdout


def _osd_is_up(root: Path) -> bool:
    """Return whether the object store daemon has joined."""
    status = json.loads(_run(root, "ceph", "osd", "stat", "-f", "json"))
    return bool(status.get("num_up_osds"))


def _answers(url: str) -> bool:
    """Return whether the gateway answers requests."""
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own loopback URL
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _wait(what: str, root: Path, is_ready: Callable[[], bool]) -> None:
    """Wait until something is ready."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not is_ready():
        if time.monotonic() > deadline:
            logs = "\n".join(path.read_text()[-500:] for path in sorted(root.glob("*.out")))
            message = f"{what} did not start within {_START_TIMEOUT_S} s\n{logs}"
            raise RuntimeError(message)
        time.sleep(0.1)


def _free_port() -> int:
    """Return a port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
