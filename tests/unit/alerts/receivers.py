"""Receivers on loopback that take what the real APIs take, and fail as they are told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jsonschema

from tests.unit.alerts.api_schemas import check

PATHS = {
    "/services/T0/B0/secret-token": "slack",
    "/v2/enqueue": "pagerduty",
    "/api/v2/alerts": "alertmanager",
    "/hook": "webhook",
}
ACCEPTED = {"slack": 200, "pagerduty": 202, "alertmanager": 200, "webhook": 204}
ROUTING_KEY = "r0ut1ngk3yr0ut1ngk3yr0ut1ngk3y01"


@dataclass(slots=True)
class Receiver:
    """What came, by kind; ``fail`` holds statuses to answer instead, 0 for no answer at all."""

    url: str
    got: dict[str, list[Any]] = field(default_factory=lambda: {kind: [] for kind in ACCEPTED})
    headers: dict[str, list[dict[str, str]]] = field(
        default_factory=lambda: {kind: [] for kind in ACCEPTED}
    )
    fail: dict[str, list[int]] = field(default_factory=lambda: {kind: [] for kind in ACCEPTED})
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def connections(self) -> dict[str, str]:
        """URLs by the names of the packaged policy."""
        host = self.url.removeprefix("http://")
        return {
            "freezeline_slack": f"{self.url}/services/T0/B0/secret-token",
            "freezeline_pagerduty": f"http://:{ROUTING_KEY}@{host}",
            "freezeline_alertmanager": f"http://reader:am-pass@{host}",
            "freezeline_webhook": f"http://:hook-bearer@{host}/hook",
        }


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run the receivers."""
    held = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kind = PATHS.get(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.asked.append(kind or self.path)
            if kind is None:
                self.answer(404)
                return
            status = told.fail[kind].pop(0) if told.fail[kind] else ACCEPTED[kind]
            if status == 0:
                held.wait(5)
                return
            if status < 300:
                status = self.take(kind, json.loads(body), status)
            self.answer(status)

        def take(self, kind: str, body: Any, status: int) -> int:
            try:
                check(kind, body)
            except (jsonschema.ValidationError, AssertionError) as error:
                told.complaints.append(f"{kind}: {error}")
                return 400
            told.got[kind].append(body)
            told.headers[kind].append(dict(self.headers.items()))
            return status

        def answer(self, status: int) -> None:
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", f"{told.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        held.set()
        server.shutdown()
        server.server_close()
