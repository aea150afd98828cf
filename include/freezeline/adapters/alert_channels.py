"""Send alerts over HTTP: timeouts, bounded tries, and not a word of an address or a secret.

A webhook's address is a secret itself. What is told about a failure is the status and the kind of
error only; bodies, headers and addresses stay out of errors, logs and tables.
"""

import base64
import http.client
import json
import random
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from include.freezeline.adapters.retry import Retry
from include.freezeline.alerts.outbox import DELIVERED, FAILED, UNCONFIRMED
from include.freezeline.alerts.payloads import (
    Message,
    alertmanager_payload,
    pagerduty_payload,
    slack_payload,
    webhook_payload,
)
from include.freezeline.alerts.policy import Channel, ChannelKind
from include.freezeline.errors import AlertError

PAGERDUTY_URL = "https://events.pagerduty.com"
_PATHS: Mapping[ChannelKind, str] = {
    "slack": "",
    "pagerduty": "/v2/enqueue",
    "alertmanager": "/api/v2/alerts",
    "webhook": "",
}
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
# These take the same message twice as one; a second one in a chat is seen.
_TAKES_TWICE = frozenset({"pagerduty", "alertmanager", "webhook"})
_TIMEOUT_S = 10.0
_N_TRIES = 3


@dataclass(frozen=True, slots=True)
class AlertConnection:
    """Where a channel is and how it is entered; nothing of it is ever shown.

    Attributes:
        url: Base address; for Slack the webhook's, whole or without the token.
        login: User of basic authentication.
        password: Slack: token of the webhook. PagerDuty: routing key. Others: password with a
            login, bearer token without.
    """

    url: str = field(repr=False)
    login: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


Resolve = Callable[[str], AlertConnection]
"""Returns a connection by its name; raises :class:`AlertError` when there is none."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message.

    Attributes:
        status: delivered, failed or unconfirmed.
        http_status: Status of the answer; None without one.
        n_tries: How often it was tried.
        reason: What happened, without address or secret.
    """

    status: str
    http_status: int | None
    n_tries: int
    reason: str


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a redirected message would lose its body, or tell its secret elsewhere."""

    def redirect_request(self, *_args: object, **_named: object) -> None:
        """Refuse, so that the status is an error."""


# A proxy is the machine's business, as everywhere: urllib reads it from the environment.
_OPENER = urllib.request.build_opener(_NoRedirects)


def send_message(
    channel: Channel,
    connection: AlertConnection,
    message: Message,
    *,
    retry: Retry | None = None,
    timeout_s: float = _TIMEOUT_S,
) -> Outcome:
    """Send one message, with a few tries.

    Args:
        channel: Where to.
        connection: How to get in.
        message: What to say.
        retry: How often and how long apart; a few seconds in all by default.
        timeout_s: Seconds without an answer.
    """
    try:
        request = _request(channel, connection, message)
    except AlertError as error:
        return Outcome(FAILED, None, 0, str(error))
    # Jitter needs no repeatable seed, answers are not repeatable anyway.
    tries = retry or Retry(random.Random(), n_attempts=_N_TRIES)  # noqa: S311
    sender = _Sender(request, timeout_s)
    takes_twice = channel.kind in _TAKES_TWICE
    try:
        status = tries.call(
            sender.post, lambda error: _may_try_again(error, takes_twice=takes_twice)
        )
    except urllib.error.HTTPError as error:
        error.close()
        return Outcome(FAILED, error.code, sender.n_tries, f"answered HTTP {error.code}")
    except urllib.error.URLError as error:
        why = type(error.reason).__name__ if isinstance(error.reason, Exception) else "URLError"
        return Outcome(FAILED, None, sender.n_tries, f"cannot be reached: {why}")
    except (OSError, http.client.HTTPException) as error:
        state = FAILED if takes_twice else UNCONFIRMED
        said = f"sent, but no answer came: {type(error).__name__}"
        return Outcome(state, None, sender.n_tries, said)
    return Outcome(DELIVERED, status, sender.n_tries, f"answered HTTP {status}")


def connection_of_url(name: str, url: str) -> AlertConnection:
    """Return the connection that a URL gives; user and password in it are credentials.

    Raises:
        AlertError: It is no http(s) URL; the message does not repeat it.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = f"connection {name}: not an http:// or https:// URL (correct it)"
        raise AlertError(message)
    host = parts.netloc.rpartition("@")[2]
    return AlertConnection(
        urllib.parse.urlunsplit((parts.scheme, host, parts.path, parts.query, "")),
        _unquoted(parts.username),
        _unquoted(parts.password),
    )


class _Sender:
    """Posts a request and counts how often."""

    def __init__(self, request: urllib.request.Request, timeout_s: float) -> None:
        self.n_tries = 0
        self._request, self._timeout_s = request, timeout_s

    def post(self) -> int:
        """Post once and return the status of the answer."""
        self.n_tries += 1
        with _OPENER.open(self._request, timeout=self._timeout_s) as answer:
            status: int = answer.status
            return status


def _request(
    channel: Channel, connection: AlertConnection, message: Message
) -> urllib.request.Request:
    """Return the request of a message."""
    body, headers = _body(channel.kind, connection, message), _headers(channel.kind, connection)
    if channel.kind == "webhook":
        headers["Idempotency-Key"] = str(message.event["alert_event_key"])
    data = json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "replace")
    return urllib.request.Request(  # noqa: S310 - http(s) only, checked below
        _address(channel, connection), data=data, headers=headers, method="POST"
    )


def _body(kind: ChannelKind, connection: AlertConnection, message: Message) -> Any:
    """Return what is posted."""
    if kind == "pagerduty":
        if not connection.password:
            message_text = "the connection has no routing key (set it as password)"
            raise AlertError(message_text)
        return pagerduty_payload(message, connection.password)
    builders: Mapping[str, Callable[[Message], Any]] = {
        "slack": slack_payload,
        "alertmanager": alertmanager_payload,
        "webhook": webhook_payload,
    }
    return builders[kind](message)


def _address(channel: Channel, connection: AlertConnection) -> str:
    """Return where to post."""
    if not connection.url.startswith(("http://", "https://")):
        message = f"connection {channel.connection}: not an http:// or https:// URL (correct it)"
        raise AlertError(message)
    base = connection.url.rstrip("/") if _PATHS[channel.kind] else connection.url
    if channel.kind == "slack" and connection.password:
        return f"{connection.url.rstrip('/')}/{connection.password}"
    return base if base.endswith(_PATHS[channel.kind]) else f"{base}{_PATHS[channel.kind]}"


def _headers(kind: ChannelKind, connection: AlertConnection) -> dict[str, str]:
    """Return the headers; credentials of Slack and PagerDuty are elsewhere."""
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "freezeline"}
    if kind in ("slack", "pagerduty") or not connection.password:
        return headers
    if connection.login:
        pair = f"{connection.login}:{connection.password}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
    else:
        headers["Authorization"] = f"Bearer {connection.password}"
    return headers


def _may_try_again(error: Exception, *, takes_twice: bool) -> bool:
    """Whether an error may be gone a moment later, and trying again tells nobody twice."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _PASSING
    if isinstance(error, urllib.error.URLError):
        return True
    return takes_twice and isinstance(error, OSError | http.client.HTTPException)


def _unquoted(text: str | None) -> str | None:
    """Return a part of a URL as it was meant."""
    return urllib.parse.unquote(text) if text else None
