"""A judge behind any OpenAI-compatible endpoint: timeouts, retries, costs; never what was said.

Off unless ``FREEZELINE_JUDGE_URL`` names one. Texts that leave the warehouse this way are
redacted ones. Errors name status and kind only: bodies and headers may hold texts and keys.
"""

import json
import random
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from include.freezeline.adapters.retry import Retry
from include.freezeline.errors import ConfigError
from include.freezeline.evaluators.judge import Ask, Reply
from include.freezeline.evaluators.policy import JudgePolicy
from include.freezeline.settings import Settings

_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
# A dead endpoint must not hold a night up for every answer.
_GIVE_UP_AFTER = 3
_MAX_BYTES = 1_000_000


class JudgeEndpoint:
    """Puts prompts to a chat model, one after the other."""

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
        self._n_asked = 0

    def __call__(self, prompts: Sequence[str]) -> list[Reply]:
        """Return a reply per prompt; those beyond a row of failures are not asked any more."""
        replies: list[Reply] = []
        n_failed = 0
        for prompt in prompts:
            if n_failed >= _GIVE_UP_AFTER:
                reason = f"not asked: the judge failed {n_failed} times in a row"
                replies.append(Reply(None, reason))
            elif self._n_asked >= self._policy.max_calls:
                replies.append(Reply(None, f"not asked: max_calls is {self._policy.max_calls}"))
            else:
                self._n_asked += 1
                replies.append(self._ask(prompt))
                n_failed = n_failed + 1 if replies[-1].text is None else 0
        return replies

    def _ask(self, prompt: str) -> Reply:
        """Ask once, with retries."""
        try:
            answer = self._retry.call(lambda: self._post(prompt), _is_passing)
        except urllib.error.HTTPError as error:
            return Reply(None, f"the judge's endpoint answered HTTP {error.code}")
        except (OSError, ValueError) as error:
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
        with urllib.request.urlopen(request, timeout=self._policy.timeout_s) as response:  # noqa: S310
            return json.loads(response.read(_MAX_BYTES))

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
        """Return what a call cost; None without counts or prices."""
        counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
        prices = (self._policy.input_usd_per_mtok, self._policy.output_usd_per_mtok)
        if not all(isinstance(count, int) for count in counts) or None in prices:
            return None
        return sum(float(n or 0) * (p or 0.0) for n, p in zip(counts, prices, strict=True)) / 1e6


def open_judge(settings: Settings, policy: JudgePolicy) -> Ask | None:
    """Return the judge of the settings; None when they name none.

    Raises:
        ConfigError: The address is no http(s) URL, or the model's name is missing.
    """
    if settings.judge_url is None:
        return None
    if not settings.judge_url.startswith(("http://", "https://")):
        message = "FREEZELINE_JUDGE_URL: not an http:// or https:// URL (give the API's base)"
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
    return isinstance(error, OSError)
