"""A proxy on loopback that breaks answers of an S3 server in chosen ways, a chosen number of times."""

import http.client
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import unquote, urlsplit

Fault = Literal["busy", "error", "cut", "reset", "late", "flip"]
FAULTS: tuple[Fault, ...] = ("busy", "error", "cut", "reset", "late", "flip")
LATE_S = 1.5
_CODES = {"busy": (503, "SlowDown"), "error": (500, "InternalError")}
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})
LISTING = "list-type=2"


@dataclass
class FaultyProxy:
    """A running proxy.

    Attributes:
        endpoint_url: Where it listens.
        plans: Faults still to be made, by a part of the request's path or query.
        made: Faults that were made.
        n_requests: Requests by method and whether they were listings.
    """

    endpoint_url: str
    plans: dict[str, Iterator[Fault]] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    n_requests: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def plan(self, part: str, faults: Iterable[Fault]) -> None:
        """Break the next answers to requests whose path or query holds ``part``."""
        self.plans[part] = iter(faults)

    def next_fault(self, method: str, target: str) -> Fault | None:
        """Note a request and return how its answer is to be broken, or None."""
        name = unquote(target)
        with self.lock:
            self.n_requests["LIST" if LISTING in name else method] += 1
            for part, faults in self.plans.items():
                fault = next(faults, None) if part in name else None
                if fault is not None:
                    self.made[fault] += 1
                    return fault
        return None


@contextmanager
def running_proxy(server_url: str) -> Iterator[FaultyProxy]:
    """Forward to a server; stop when the block ends."""
    upstream = urlsplit(server_url)
    proxy = FaultyProxy("")

    class Handler(_Handler):
        host = f"{upstream.hostname}:{upstream.port}"
        faults = proxy

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.endpoint_url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Forwards one request after the other of a connection."""

    protocol_version = "HTTP/1.1"
    host: str
    faults: FaultyProxy

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def _forward(self) -> None:
        fault = self.faults.next_fault(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.shutdown(socket.SHUT_RD)
            self.close_connection = True
            return
        if fault in _CODES:
            status, code = _CODES[fault]
            answer = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
            self._send(status, [("Content-Type", "application/xml")], answer, len(answer))
            return
        if fault == "late":
            time.sleep(LATE_S)
        status, headers, data = self._ask(body)
        length = len(data)
        if fault == "cut":
            data = data[: length // 2]
            self.close_connection = True
        if fault == "flip" and data:
            data = data[:-1] + bytes([data[-1] ^ 1])
        self._send(status, headers, data, length)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _forward  # noqa: N815 - the base's names

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """Ask the server as we were asked: the signature covers the host we were asked for."""
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in (*_HOP_BY_HOP, "expect"):
                    connection.putheader(name, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _send(self, status: int, headers: list[tuple[str, str]], data: bytes, length: int) -> None:
        """Answer; the announced length may be another than that of the data."""
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in (*_HOP_BY_HOP, "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        try:
            self.wfile.write(b"" if self.command == "HEAD" else data)
        except (BrokenPipeError, ConnectionResetError):  # it did not wait for a late answer
            self.close_connection = True
