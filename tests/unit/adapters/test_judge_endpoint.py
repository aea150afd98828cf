"""A judge behind a real HTTP server on loopback: retries, timeouts, costs, and a server that dies."""

import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from include.freezeline.adapters.judge_endpoint import JudgeEndpoint, open_judge
from include.freezeline.adapters.retry import Retry
from include.freezeline.config import config_dir
from include.freezeline.errors import ConfigError
from include.freezeline.evaluators.policy import JudgePolicy, load_evaluator_policy
from include.freezeline.settings import Settings

Answer = tuple[int, Any]


@dataclass(slots=True)
class Endpoint:
    """A server that answers as it is told, and remembers what it was asked."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)


def good(text: str = '{"score": 4}', **usage: int) -> Answer:
    return 200, {"choices": [{"message": {"content": text}}], "usage": usage}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.asked.append({"path": self.path, **json.loads(body)})
            told.keys.append(self.headers.get("Authorization"))
            status, answer = told.answers.pop(0) if told.answers else (500, {})
            if status == 0:
                told.release.wait(10)
                return
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Endpoint(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield told
    told.release.set()
    server.shutdown()
    server.server_close()


def policy(**changes: Any) -> JudgePolicy:
    packaged = load_evaluator_policy(config_dir(Settings())).judge
    return packaged.model_copy(update={"timeout_s": 5.0, **changes})


def judge(endpoint: Endpoint, **changes: Any) -> JudgeEndpoint:
    retry = Retry(random.Random(1), n_attempts=3, sleep=lambda _s: None)  # noqa: S311
    return JudgeEndpoint(endpoint.url, "judge-1", "key-of-ours", policy(**changes), retry)


def test_reply_comes_with_its_cost_and_the_request_is_as_the_api_wants_it(
    endpoint: Endpoint,
) -> None:
    endpoint.answers = [good(prompt_tokens=1000, completion_tokens=10)]
    ask = judge(endpoint, input_usd_per_mtok=0.4, output_usd_per_mtok=1.6)
    (reply,) = ask(["How good is it?"])
    assert reply.text == '{"score": 4}'
    assert reply.cost_usd == pytest.approx(0.0004 + 0.000016)
    (request,) = endpoint.asked
    assert request["path"] == "/v1/chat/completions"
    assert request["model"] == "judge-1"
    assert request["messages"] == [{"role": "user", "content": "How good is it?"}]
    assert request["temperature"] == 0
    assert endpoint.keys == ["Bearer key-of-ours"]


def test_cost_is_unknown_without_prices_or_counts(endpoint: Endpoint) -> None:
    endpoint.answers = [good(prompt_tokens=1000, completion_tokens=10), good()]
    assert judge(endpoint)(["a"])[0].cost_usd is None
    assert (
        judge(endpoint, input_usd_per_mtok=1.0, output_usd_per_mtok=1.0)(["a"])[0].cost_usd is None
    )


def test_busy_server_is_asked_again_and_a_refusing_one_is_not(endpoint: Endpoint) -> None:
    endpoint.answers = [(429, {}), (503, {}), good(), (401, {"error": "key-of-ours is wrong"})]
    first, second = judge(endpoint)(["a", "b"])
    assert first.text == '{"score": 4}'
    assert (second.text, second.reason) == (None, "the judge's endpoint answered HTTP 401")
    assert len(endpoint.asked) == 4


@pytest.mark.parametrize(
    "answer",
    [(200, b"no json"), (200, {}), (200, []), (200, {"choices": []}), (200, {"choices": [{}]}),
     (200, {"choices": [{"message": {"content": None}}]})],
)  # fmt: skip
def test_answer_of_another_shape_is_no_reply(endpoint: Endpoint, answer: Answer) -> None:
    endpoint.answers = [answer]
    (reply,) = judge(endpoint)(["a"])
    assert reply.text is None
    assert reply.reason.startswith("the judge's endpoint")


def test_silent_server_is_given_up_after_the_timeout(endpoint: Endpoint) -> None:
    endpoint.answers = [(0, None)] * 3
    (reply,) = judge(endpoint, timeout_s=0.2)(["a"])
    assert (reply.text, reply.reason) == (None, "the judge's endpoint cannot be used: TimeoutError")
    assert len(endpoint.asked) == 3


def test_dead_server_does_not_hold_up_a_night(endpoint: Endpoint) -> None:
    endpoint.answers = [(400, {})] * 10
    replies = judge(endpoint)(["a"] * 10)
    assert len(endpoint.asked) == 3
    assert replies[-1].reason == "not asked: the judge failed 3 times in a row"


def test_judge_is_asked_no_more_than_the_policy_allows(endpoint: Endpoint) -> None:
    endpoint.answers = [good()] * 5
    ask = judge(endpoint, max_calls=3)
    assert [reply.text is None for reply in ask(["a", "b"])] == [False, False]
    assert [reply.reason for reply in ask(["c", "d"])] == ["", "not asked: max_calls is 3"]


def test_judge_is_off_unless_configured(settings: Settings) -> None:
    def opened(**given: Any) -> object:
        return open_judge(settings.model_copy(update=given), policy())

    assert opened() is None
    with pytest.raises(ConfigError, match="FREEZELINE_JUDGE_MODEL"):
        opened(judge_url="http://127.0.0.1:1/v1")
    with pytest.raises(ConfigError, match="FREEZELINE_JUDGE_URL: not an http"):
        opened(judge_url="file:///etc/passwd", judge_model="m")
    key = SecretStr("k")
    assert opened(judge_url="http://127.0.0.1:1/v1", judge_model="m", judge_api_key=key) is not None
