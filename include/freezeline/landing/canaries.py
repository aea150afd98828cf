"""Planted canaries: every night made-up values go through reading and redaction, and are looked for.

A redactor that stops finding card numbers looks exactly like a night without card numbers. So
values of every kind are put where real ones turn up (in a prompt, in JSON inside a string, in an
error message, in a stack trace, in a URL, on the resource), sent through the same code as
the night's objects, and what comes out is searched for them. Nothing of it is landed.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from include.freezeline.redaction.made_up import MAKERS
from include.freezeline.stats.proportions import jeffreys_interval

Json = dict[str, Any]

_START_NS = 1_700_000_000_000_000_000
_SEED = 0x5EED


class Canary(NamedTuple):
    """One planted value.

    Attributes:
        entity_type: What it is, as the redaction rules call it.
        value: The value.
    """

    entity_type: str
    value: str


def plant_canaries(rng: np.random.Generator, n_per_place: int) -> tuple[list[Canary], bytes]:
    """Make canaries and an OTLP/JSON document that holds each of them in one place.

    Args:
        rng: Source of the values.
        n_per_place: Values of each type per place.

    Returns:
        The canaries, and the document as an object's bytes.
    """
    canaries: list[Canary] = []
    spans: list[Json] = []
    for entity_type in sorted(MAKERS):
        for place in _PLACES:
            for _ in range(n_per_place):
                value = MAKERS[entity_type](rng)
                canaries.append(Canary(entity_type, value))
                spans.append({**_span(len(spans) + 1), **place(value)})
    scopes = [{"scope": {"name": "canary"}, "spans": spans}]
    resource = {"attributes": [_text("service.name", "freezeline-canary")]}
    document = {"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}
    return canaries, json.dumps(document).encode()


def canary_rows(
    canaries: Sequence[Canary], survivors: Iterable[str], night_as_of: datetime
) -> list[Json]:
    """Return the rows of ``redaction_canaries``.

    Args:
        canaries: What was planted.
        survivors: Every text that came out of landing.
        night_as_of: The night the rows are for.
    """
    haystack = "\n".join(survivors)
    planted = Counter(canary.entity_type for canary in canaries)
    lost = Counter(c.entity_type for c in canaries if _is_in(c.value, haystack))
    return [
        _row(entity_type, planted[entity_type], lost[entity_type], night_as_of)
        for entity_type in sorted(planted)
    ]


def canary_seed(night_as_of: datetime) -> np.random.Generator:
    """Return the generator of a night: other values every night, the same ones on a re-run."""
    return np.random.default_rng([_SEED, int(night_as_of.timestamp())])


def _row(entity_type: str, n_planted: int, n_lost: int, night_as_of: datetime) -> Json:
    """Return the row of one type."""
    n_found = n_planted - n_lost
    interval = jeffreys_interval(n_found, n_planted)
    return {
        "night_as_of": night_as_of,
        "entity_type": entity_type,
        "planted_count": n_planted,
        "found_count": n_found,
        "recall_ratio": n_found / n_planted,
        "recall_lower_ratio": interval[0] if interval else 0.0,
    }


def _is_in(value: str, haystack: str) -> bool:
    """Return whether a value survived, as it is or as JSON writes it."""
    return value in haystack or json.dumps(value)[1:-1] in haystack


def _span(number: int) -> Json:
    """Return a model call without any text."""
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "chat canary",
        "kind": 3,
        "startTimeUnixNano": str(_START_NS),
        "endTimeUnixNano": str(_START_NS + 10**9),
        "attributes": [_text("gen_ai.operation.name", "chat")],
    }


def _text(key: str, value: str) -> Json:
    """Return a string attribute."""
    return {"key": key, "value": {"stringValue": value}}


def _attributes(pairs: Mapping[str, str]) -> Json:
    """Return a span's attributes."""
    named = {"gen_ai.operation.name": "chat", **pairs}
    return {"attributes": [_text(key, value) for key, value in named.items()]}


def _in_prompt(value: str) -> Json:
    """Put the value into a sentence that a person typed."""
    parts = [{"type": "text", "content": f"Please look at {value} before you answer."}]
    return _attributes({"gen_ai.input.messages": json.dumps([{"role": "user", "parts": parts}])})


def _in_answer(value: str) -> Json:
    """Put the value into a model's answer, after a line break."""
    parts = [{"type": "text", "content": f"This is what I found:\n{value}\nAnything else?"}]
    return _attributes(
        {"gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts}])}
    )


def _in_arguments(value: str) -> Json:
    """Put the value into JSON that is text inside JSON."""
    inner = json.dumps({"query": {"note": f"from {value}"}})
    return _attributes({"gen_ai.tool.call.arguments": json.dumps({"body": inner})})


def _in_error(value: str) -> Json:
    """Put the value into an error message and a stack trace."""
    frame = f'File "app.py", line 3, in call\n    send({value!r})\nValueError: {value} is not known'
    event = {"name": "exception", "attributes": [_text("exception.stacktrace", frame)]}
    status = {"code": 2, "message": f"Error code: 400 - rejected {value}"}
    return {"status": status, "events": [event]}


def _in_url(value: str) -> Json:
    """Put the value into the query of a URL, where it is not a URL itself."""
    url = value if "://" in value else f"https://shop.example.com/search?q={value}&page=2"
    return _attributes({"url.full": url})


_PLACES: tuple[Callable[[str], Json], ...] = (
    _in_prompt,
    _in_answer,
    _in_arguments,
    _in_error,
    _in_url,
)
