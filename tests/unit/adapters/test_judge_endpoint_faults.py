"""A judge whose server says what no server should, and addresses that cannot be opened."""

import json
import random
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from include.freezeline.adapters.judge_endpoint import JudgeEndpoint, open_judge
from include.freezeline.adapters.retry import Retry
from include.freezeline.config import config_dir
from include.freezeline.errors import ConfigError
from include.freezeline.evaluators.policy import JudgePolicy, load_evaluator_policy
from include.freezeline.settings import Settings

SECRET = "words-of-the-body"


class RawServer:
    """Sends bytes as they are told, one answer a connection, the last of them again and again."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                data = b""
                while b"\r\n\r\n" not in data or not data.endswith(b"}"):
                    data += connection.recv(65_536)
                self.requests.append(data)
                connection.sendall(
                    self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                )

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def server() -> Iterator[RawServer]:
    told = RawServer()
    yield told
    told.close()


@pytest.fixture
def other_server() -> Iterator[RawServer]:
    told = RawServer()
    yield told
    told.close()


def policy(**changes: Any) -> JudgePolicy:
    packaged = load_evaluator_policy(config_dir(Settings())).judge
    prices = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}
    return packaged.model_copy(update={"timeout_s": 5.0, **prices, **changes})


def judge(server: RawServer) -> JudgeEndpoint:
    retry = Retry(random.Random(1), n_attempts=3, sleep=lambda _s: None)  # noqa: S311
    return JudgeEndpoint(server.url, "judge-1", "key-of-ours", policy(), retry)


def http(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, "Connection: close"]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def good(**usage: object) -> bytes:
    message = {"choices": [{"message": {"content": "yes"}}], "usage": usage}
    return http(json.dumps(message).encode())


MANY_HEADERS = [f"X-{n}: {SECRET}" for n in range(120)]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (f"{SECRET}\r\n\r\n".encode(), "BadStatusLine"),
        (f"HTTP/1.1 200 OK\r\nX: {SECRET * 10_000}\r\n\r\n".encode(), "LineTooLong"),
        (http(b"{}", "200 OK", *MANY_HEADERS), "HTTPException"),
        (http(b"[" * 100_000), "RecursionError"),
        (http(SECRET.encode()), "JSONDecodeError"),
        (http(b'{"a": ' + b"1" * 5_000 + b"}"), "ValueError"),
    ],
    ids=["no status", "long line", "many headers", "deep", "no json", "long number"],
)
def test_answer_that_breaks_the_protocol_is_a_failed_reply_of_its_kind(
    server: RawServer, answer: bytes, kind: str
) -> None:
    server.answers = [answer]
    (reply,) = judge(server)(["a"])
    assert (reply.text, reply.reason) == (None, f"the judge's endpoint cannot be used: {kind}")
    assert len(server.requests) == 1


def test_answer_that_is_cut_short_is_asked_for_again(server: RawServer) -> None:
    cut = http(b'{"choices"', length=500)
    server.answers = [cut, cut, good()]
    assert judge(server)(["a"])[0].text == "yes"
    server.answers = [cut]
    (reply,) = judge(server)(["a"])
    assert reply.reason == "the judge's endpoint cannot be used: IncompleteRead"
    assert len(server.requests) == 6


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Same", "308 Same"])
def test_redirect_is_a_failure_and_takes_no_key_to_another_host(
    server: RawServer, other_server: RawServer, status: str
) -> None:
    server.answers = [http(b"", status, f"Location: {other_server.url}")]
    other_server.answers = [good()]
    (reply,) = judge(server)(["a"])
    assert reply.reason == f"the judge's endpoint answered HTTP {status[:3]}"
    assert other_server.requests == []


@pytest.mark.parametrize("count", [-5, True, 1.5, "9", 10**401, 1_000_000_001, None], ids=repr)
def test_cost_is_unknown_where_a_count_cannot_be_one(server: RawServer, count: object) -> None:
    server.answers = [good(prompt_tokens=count, completion_tokens=1)]
    ask = judge(server)
    (reply,) = ask(["a"])
    assert (reply.text, reply.cost_usd) == ("yes", None)
    assert ask.total_cost_usd == 0.0


def test_total_cost_is_that_of_every_reply_with_a_known_cost(server: RawServer) -> None:
    paid = {"prompt_tokens": 1_000_000, "completion_tokens": 500_000}
    silent = http(json.dumps({"usage": paid}).encode())
    server.answers = [good(**paid), good(), silent, good(**paid)]
    ask = judge(server)
    assert [reply.text for reply in [*ask(["a", "b"]), *ask(["c", "d"])]] == [
        "yes", "yes", None, "yes",
    ]  # fmt: skip
    assert ask.total_cost_usd == pytest.approx(6.0)


def test_dead_judge_is_asked_three_times_in_a_night_of_many_batches(server: RawServer) -> None:
    server.answers = [http(b"", "400 No")]
    ask = judge(server)
    replies = [reply for _ in range(3) for reply in ask(["a", "b"])]
    assert len(server.requests) == 3
    assert replies[-1].reason == "not asked: the judge failed 3 times in a row"


def test_reply_ends_a_row_of_failures(server: RawServer) -> None:
    bad = http(b"", "400 No")
    server.answers = [bad, bad, good(), bad, bad, good()]
    ask = judge(server)
    assert [ask([word])[0].text for word in "abcdef"] == [None, None, "yes", None, None, "yes"]


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///v1",
        "http://:80/v1",
        "http://host:abc/v1",
        "http://host:99999/v1",
        "http://host:0/v1",
        "http://host:80:90/v1",
        "http://host%0d%0aX:80/v1",
        "http://host\r\nX: y/v1",
        "http://ho st/v1",
        "http://h\u00f6st/v1",
        "http://[::1/v1",
        "http://a..b/v1",
        f"http://{'a' * 70}/v1",
        "http://jane:pa55word@host/v1",
        "http://jane:pa55word%40host/v1",
        "http://jane:pa55word@host:abc/v1",
    ],
)
def test_address_that_cannot_be_opened_is_refused_without_quoting_it(
    settings: Settings, url: str
) -> None:
    changed = settings.model_copy(update={"judge_url": url, "judge_model": "m"})
    with pytest.raises(ConfigError, match=r"^FREEZELINE_JUDGE_URL: .* \(.+\)$") as caught:
        open_judge(changed, policy())
    assert "pa55word" not in str(caught.value)
    assert url == "http://" or url not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/v1", "https://host/v1/", "http://[::1]:80/v1", "https://host:/v1"]
)
def test_address_that_can_be_opened_is_taken(settings: Settings, url: str) -> None:
    changed = settings.model_copy(update={"judge_url": url, "judge_model": "m"})
    assert open_judge(changed, policy()) is not None
