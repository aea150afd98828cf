"""What an OpenInference span says about a model call beside its messages.

Most of it stands only inside the JSON of the invocation parameters and of the raw response.
"""

from typing import Any

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.jsontext import parse_json_text
from include.freezeline.readers.outcomes import normalise_finish_reasons
from include.freezeline.readers.result import Row
from include.freezeline.readers.values import to_boolean, to_integer, to_number, to_text

_PARAMETERS = ("llm.invocation_parameters", "embedding.invocation_parameters")
# By OpenAI, Anthropic and others; by Google; by Bedrock.
_TOP_P_NAMES = ("top_p", "topP")
_MAX_TOKENS_NAMES = (
    "max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "maxTokens",
)  # fmt: skip
_S_TO_MS = 1000.0
# Groq's servers say in the usage how a call spent its time, in seconds.
_PHASES_S = {"queue_ms": "queue_time", "prefill_ms": "prompt_time", "decode_ms": "completion_time"}


def call_columns(view: AttributeView, span_type: str) -> Row:
    """Return what was asked for and who answered.

    On a failed call the parameters are the only place that names the model.
    """
    asked = _first_object(view, _PARAMETERS)
    answer = _first_object(view, ("output.value",)) if span_type == "llm" else {}
    model = view.text("llm.model_name", "embedding.model_name")
    finish = view.texts("llm.finish_reason") or _choice_reasons(answer)
    return {
        "request_model": view.text("llm.request.model_name")
        or to_text(asked.get("model"))
        or model,
        "response_model": view.text("llm.response.model_name") or model,
        "response_id": to_text(answer.get("id")),
        "system_fingerprint": to_text(answer.get("system_fingerprint")),
        "service_tier": to_text(answer.get("service_tier")) or to_text(asked.get("service_tier")),
        "is_stream": to_boolean(asked.get("stream")),
        "temperature": to_number(asked.get("temperature")),
        "top_p": to_number(_member(asked, _TOP_P_NAMES)),
        "max_tokens": to_integer(_member(asked, _MAX_TOKENS_NAMES)),
        "seed": to_integer(asked.get("seed")),
        "reasoning_level": _reasoning_level(asked),
        "finish_reasons": normalise_finish_reasons(finish),
        **_phases(answer),
    }


def _reasoning_level(asked: dict[str, Any]) -> str | None:
    """Return the reasoning effort, as OpenAI's chat or its Responses API takes it."""
    nested = asked.get("reasoning")
    inside = nested.get("effort") if isinstance(nested, dict) else None
    return to_text(asked.get("reasoning_effort")) or to_text(inside)


def _phases(answer: dict[str, Any]) -> Row:
    """Return how the server says that it spent the time of a call."""
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return {}
    given = {column: to_number(usage.get(name)) for column, name in _PHASES_S.items()}
    return {column: time_s * _S_TO_MS for column, time_s in given.items() if time_s is not None}


def _choice_reasons(answer: dict[str, Any]) -> list[str]:
    """Return the finish reasons of a raw response."""
    choices = answer.get("choices")
    return [
        choice["finish_reason"]
        for choice in (choices if isinstance(choices, list) else ())
        if isinstance(choice, dict) and isinstance(choice.get("finish_reason"), str)
    ]


def _member(asked: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first member that is there."""
    return next((asked[name] for name in names if asked.get(name) is not None), None)


def _first_object(view: AttributeView, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the first attribute that holds a JSON object; empty when none does."""
    for name in names:
        value = view.values.get(name)
        data = parse_json_text(value).data if isinstance(value, str) and value else value
        if isinstance(data, dict):
            return data
    return {}
