"""``gate serve``: the gate over HTTP, for callers such as Argo Rollouts. It only reads.

Every question is answered with status 200 and a verdict, also a wrong one: callers take another
status for a failure of the measurement, not for a block.
"""

import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from include.freezeline.cli.gate_options import (
    UNPINNED,
    Surroundings,
    access_of,
    make_parser,
    parse,
    read_clock,
)
from include.freezeline.errors import QuestionError
from include.freezeline.freeze.gate import CHANGE_CLASSES
from include.freezeline.freeze.verdict import Question, is_fresh
from include.freezeline.freeze.verdict_formats import as_json
from include.freezeline.jobs.ask_gate import GateAccess, ask_gate, load_trusted

_ABOUT_SERVE = """Answer GET /v1/gate?feature=NAME[&feature=NAME][&environment=NAME]
[&change_class=CLASS][&change_ref=REF] with status 200 and the verdict as JSON, and GET /health likewise."""
_PARAMETERS = ("feature", "environment", "change_class", "change_ref")
_SLOW_CLIENT_S = 10


def serve(arguments: Sequence[str], around: Surroundings) -> int:
    """Serve until the process is told to stop."""
    parser = make_parser(f"{around.program} serve", _ABOUT_SERVE)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on [default: %(default)s]"
    )
    parser.add_argument(
        "--port", type=int, default=8080, help="port to listen on [default: %(default)s]"
    )
    options = parse(parser, arguments)
    access = access_of(options, around.read_s3)
    if not access.public_keys:
        print(UNPINNED, file=sys.stderr)
    try:
        server = make_server(access, (options.host, options.port))
    except (OSError, OverflowError) as error:
        print(
            f"error: {options.host}:{options.port}: {error} (choose --host and --port)",
            file=sys.stderr,
        )
        return 1
    # In a container this process has the number 1, which ignores the signal by default.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    host, port = server.server_address[:2]
    print(f"serving http://{host!s}:{port}/v1/gate", flush=True)
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def make_server(
    access: GateAccess,
    address: tuple[str, int],
    clock: Callable[[], datetime] = read_clock,
) -> ThreadingHTTPServer:
    """Return a server that listens already.

    Raises:
        OSError: It cannot listen there.
    """

    class Handler(GateHandler):
        gate_access = access
        gate_clock = staticmethod(clock)

    return ThreadingHTTPServer(address, Handler)


class GateHandler(BaseHTTPRequestHandler):
    """Answers one connection."""

    gate_access: GateAccess
    gate_clock: Callable[[], datetime]
    server_version = "freezeline-gate"
    sys_version = ""
    timeout = _SLOW_CLIENT_S

    def do_GET(self) -> None:
        """Answer a question, or how the gate is."""
        path, _, query = self.path.partition("?")
        if path == "/v1/gate":
            self._send(200, self._guarded(lambda: self._verdict(query)))
        elif path == "/health":
            self._send(200, self._guarded(self._health))
        else:
            self._send(404, _blocked("bad_request", "ask /v1/gate or /health", 2))

    def _guarded(self, answer: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return an answer; one that fails is a block, and says so."""
        try:
            return answer()
        except QuestionError as error:
            return _blocked("bad_request", str(error), 2)
        except Exception as error:  # whatever it is, the caller must read a block
            self.log_error("%s", repr(error))
            return _blocked("gate_failed", "the gate itself failed (look into its log)", 1)

    def _verdict(self, query: str) -> Mapping[str, Any]:
        """Answer a question."""
        verdict = ask_gate(self.gate_access, parse_question(query), self.gate_clock())
        return as_json(verdict)

    def _health(self) -> Mapping[str, Any]:
        """Say whether this process can answer, and from what."""
        now = self.gate_clock()
        found = load_trusted(self.gate_access, now)
        document = found.document or {}
        moments = ("sequence", "data_through", "evaluated_at", "valid_until")
        return {
            "schema_version": "1",
            "trusted": not found.problem,
            "fresh": not found.problem and is_fresh(document, now),
            "explanation": found.problem,
            "asked_at": now.isoformat(),
            **{name: document.get(name) for name in moments},
        }

    def _send(self, status: int, content: Mapping[str, Any]) -> None:
        """Log what is answered, then send it as JSON that nobody may keep."""
        said = {name: content.get(name) for name in ("allow", "reason", "exit_code")}
        self.log_message("%s", json.dumps(said))
        data = json.dumps(content, sort_keys=True).encode("ascii")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)


def parse_question(query: str) -> Question:
    """Return the question of a query string.

    Raises:
        QuestionError: A parameter is missing, empty, unknown, given twice or has no such value.
    """
    try:
        given = parse_qs(query, keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise QuestionError(str(error)) from None
    unknown = sorted(set(given) - set(_PARAMETERS))
    if unknown:
        message = f"no such parameter: {', '.join(unknown)} (known: {', '.join(_PARAMETERS)})"
        raise QuestionError(message)
    features = tuple(given.get("feature", ()))
    if not features or "" in features:
        message = "feature: missing or empty (ask /v1/gate?feature=NAME)"
        raise QuestionError(message)
    change_class = _single(given, "change_class", "feature")
    if change_class not in CHANGE_CLASSES:
        message = f"change_class: {change_class!r} is none of {', '.join(CHANGE_CLASSES)}"
        raise QuestionError(message)
    environment = _single(given, "environment", "production")
    change_ref = _single(given, "change_ref", "") if "change_ref" in given else None
    return Question(features, environment, change_class, change_ref)


def _single(given: Mapping[str, Sequence[str]], name: str, default: str) -> str:
    """Return a parameter that may be given once; empty is no value."""
    values = given.get(name, (default,))
    if len(values) != 1 or not values[0]:
        message = f"{name}: must be given once and not be empty"
        raise QuestionError(message)
    return values[0]


def _blocked(reason: str, explanation: str, exit_code: int) -> dict[str, Any]:
    """Return the block of a question that the rules were never asked."""
    return {
        "schema_version": "1",
        "allow": False,
        "decision": "block",
        "reason": reason,
        "explanation": explanation,
        "exit_code": exit_code,
        "fresh": False,
    }
