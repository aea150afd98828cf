"""A judge behind any OpenAI-compatible endpoint: timeouts, retries, costs; never what was said.

Off unless ``FREEZELINE_JUDGE_URL`` names one. Texts that leave the warehouse this way are
redacted ones. Errors name status and kind only: bodies and headers may hold texts and keys.
"""

import http.client
import json
import random
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from include.freezeline.adapters.judge_url import url_fault
from include.freezeline.adapters.retry import Retry
from include.freezeline.errors import ConfigError
from include.freezeline.evaluators.judge import Ask, Reply
from include.freezeline.evaluators.policy import JudgePolicy
from include.freezeline.settings import Settings

_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
# What a server that answers as it likes can make of a call.
_FAILURES = (OSError, ValueError, http.client.HTTPException, RecursionError, OverflowError)
# A dead endpoint must not hold a night up for every answer.
_GIVE_UP_AFTER = 3
_MAX_BYTES = 1_000_000
# A call with more tokens than this was counted wrong.
_MOST_TOKENS = 1_000_000_000


class JudgeEndpoint:
    """Puts prompts to a chat model, one after the other.

    Attributes:
        total_cost_usd: What all replies of known cost cost so far, those without a verdict too.
    """

    def __init__(
        self, url: str, model: str, api_key: str | None, policy: JudgePolicy, retry: Retry
    ) -> None:
        """Set up.

        Args:
            url: Base of the API, for example ``https://host/v1``.
            model: Model's name.
            api_key: Bearer token; none is sent when None.
            policy: Timeouts, lengths and prices.
            retry: How often a call is tried.
        """
        self._url = url.rstrip("/") + "/chat/completions"
        self._model, self._api_key = model, api_key
        self._policy, self._retry = policy, retry
        self._opener = _opener()
        self._n_asked = self._n_failed = 0
        self.total_cost_usd = 0.0

    def __call__(self, prompts: Sequence[str]) -> list[Reply]:
        """Return a reply per prompt; after a row of failures, over all calls, nobody is asked."""
        return [self._reply_to(prompt) for prompt in prompts]

    def _reply_to(self, prompt: str) -> Reply:
        """Return the reply to a prompt, which is not asked where the judge is dead or spent."""
        if self._n_failed >= _GIVE_UP_AFTER:
            return Reply(None, f"not asked: the judge failed {self._n_failed} times in a row")
        if self._n_asked >= self._policy.max_calls:
            return Reply(None, f"not asked: max_calls is {self._policy.max_calls}")
        self._n_asked += 1
        reply = self._ask(prompt)
        self._n_failed = self._n_failed + 1 if reply.text is None else 0
        self.total_cost_usd += reply.cost_usd or 0.0
        return reply

    def _ask(self, prompt: str) -> Reply:
        """Ask once, with retries."""
        try:
            answer = self._retry.call(lambda: self._post(prompt), _is_passing)
        except urllib.error.HTTPError as error:
            error.close()
            return Reply(None, f"the judge's endpoint answered HTTP {error.code}")
        except _FAILURES as error:
            return Reply(None, f"the judge's endpoint cannot be used: {type(error).__name__}")
        return self._reply(answer)

    def _post(self, prompt: str) -> Any:
        """Post one prompt and return the parsed answer."""
        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0,
            "max_tokens": self._policy.max_output_tokens,
        }
        headers = {"Content-Type": "application/json"}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked when opened
            self._url, data=json.dumps(body).encode(), headers=headers, method="POST"
        )
        with self._opener.open(request, timeout=self._policy.timeout_s) as response:
            data = response.read(_MAX_BYTES)
            # Reading up to a bound does not say by itself that the rest never came.
            if len(data) < _MAX_BYTES and response.length:
                raise http.client.IncompleteRead(data, response.length)
        return json.loads(data)

    def _reply(self, answer: Any) -> Reply:
        """Return the words and the cost of an answer; both may be missing."""
        try:
            text = answer["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            text = None
        usage = answer.get("usage") if isinstance(answer, dict) else None
        cost_usd = self._cost_usd(usage if isinstance(usage, dict) else {})
        if not isinstance(text, str):
            return Reply(None, "the judge's endpoint sent no message", cost_usd)
        return Reply(text, "", cost_usd)

    def _cost_usd(self, usage: dict[str, Any]) -> float | None:
        """Return what a call cost; None without believable counts or without prices."""
        n_in, n_out = (_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens"))
        price_in, price_out = self._policy.input_usd_per_mtok, self._policy.output_usd_per_mtok
        if n_in is None or n_out is None or price_in is None or price_out is None:
            return None
        return (n_in * price_in + n_out * price_out) / 1e6


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens addresses and follows no redirect: key and texts are for one host only."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _count(value: object) -> int | None:
    """Return a number of tokens; None for what cannot be one."""
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return value if is_count and 0 <= value <= _MOST_TOKENS else None  # type: ignore[operator,return-value]


def open_judge(settings: Settings, policy: JudgePolicy) -> Ask | None:
    """Return the judge of the settings; None when they name none.

    Raises:
        ConfigError: The address is no http(s) URL that can be opened, or the model's name is
            missing. The text does not quote the address, which may hold a key.
    """
    if settings.judge_url is None:
        return None
    fault = url_fault(settings.judge_url)
    if fault is not None:
        message = f"FREEZELINE_JUDGE_URL: {fault}"
        raise ConfigError(message)
    if settings.judge_model is None:
        message = "FREEZELINE_JUDGE_MODEL: not set beside FREEZELINE_JUDGE_URL (name the model)"
        raise ConfigError(message)
    key = settings.judge_api_key
    return JudgeEndpoint(
        settings.judge_url,
        settings.judge_model,
        key.get_secret_value() if key else None,
        policy,
        # Jitter needs no repeatable seed, replies are not repeatable anyway.
        Retry(random.Random(), n_attempts=policy.n_attempts),  # noqa: S311
    )


def _is_passing(error: Exception) -> bool:
    """Whether an error may be gone a moment later."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _PASSING
    return isinstance(error, OSError | http.client.IncompleteRead)
