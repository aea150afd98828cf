"""Published folders and questions to the gate for tests."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from include.freezeline.adapters.published_source import PublishedSource
from include.freezeline.adapters.sequence_memory import SequenceMemory
from include.freezeline.cli.gate_check import check
from include.freezeline.cli.gate_options import Surroundings
from include.freezeline.errors import DocumentError
from include.freezeline.jobs.ask_gate import GateAccess
from tests.unit.freeze.documents import NOW_TEXT, PUBLIC, make_document, sign


@dataclass(frozen=True, slots=True)
class Asked:
    """What a gate said."""

    exit_code: int
    stdout: str
    stderr: str


def no_s3(folder: str, name: str) -> bytes:
    """Refuse to read from a bucket."""
    message = f"{folder}/{name}: no bucket here"
    raise DocumentError(message)


def publish_to(folder: Path, data: bytes | None = None) -> Path:
    """Write a signed document and its key into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "freeze.json").write_bytes(sign(make_document()) if data is None else data)
    (folder / "freeze.pub.pem").write_bytes(PUBLIC)
    return folder


def ask_check(source: object, *arguments: str, at: str = NOW_TEXT) -> Asked:
    """Run ``gate check`` in this process."""
    out, err = io.StringIO(), io.StringIO()
    given = ["--source", str(source), "--at", at, *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = check(given, Surroundings("gate", no_s3))
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Asked(code, out.getvalue(), err.getvalue())


def access_to(source: Path | str, *, key: Path | None = None, **given: Any) -> GateAccess:
    """Return access to a source."""
    keys = () if key is None else (key,)
    memory = given.pop("memory", None) or SequenceMemory()
    return GateAccess(PublishedSource(str(source), no_s3), keys, memory, **given)


@contextlib.contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    """Run a server; yields its address."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def file_server(folder: Path) -> ThreadingHTTPServer:
    """Return a server of a folder's files."""

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, directory=str(folder), **more)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Files)
