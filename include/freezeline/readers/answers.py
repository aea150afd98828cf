"""Provider responses that gateways and applications log whole, as a list of messages."""

from typing import Any

from include.freezeline.readers.values import to_text

_REASON_MEMBERS = ("finish_reason", "stop_reason", "finishReason")
_MESSAGE_MEMBERS = ("role", "content", "tool_calls", "refusal", "stop_reason", "finish_reason")


def input_messages(given: Any) -> list[Any] | None:
    """Return what a model was asked as messages; plain text is the user's."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}] if given else None
    if isinstance(given, dict):
        inner = given.get("messages", given.get("input"))
        return input_messages(inner) if inner is not None else [given]
    if not isinstance(given, list) or not given:
        return None
    if all(isinstance(item, str) for item in given):
        return [{"role": "user", "content": item} for item in given]
    return given


def output_messages(response: Any) -> list[Any] | None:
    """Return an answer as messages.

    Args:
        response: Text, messages, or a response of OpenAI's chat, completion or Responses API,
            of Anthropic's messages API or of Gemini.
    """
    if isinstance(response, str):
        return [{"role": "assistant", "content": response}]
    if isinstance(response, list):
        return response or None
    if not isinstance(response, dict):
        return None
    for member, read in (("choices", _choice), ("output", dict), ("candidates", _candidate)):
        items = response.get(member)
        if isinstance(items, list):
            return [read(item) for item in items if isinstance(item, dict)] or None
    if "content" in response or "tool_calls" in response:
        return [{name: response[name] for name in _MESSAGE_MEMBERS if name in response}]
    return None


def finish_reasons(response: Any) -> list[str]:
    """Return the finish reasons of a response as it was logged, one per choice."""
    if not isinstance(response, dict):
        return []
    listed = response.get("choices") or response.get("candidates")
    holders = listed if isinstance(listed, list) else [response]
    reasons = [_reason(holder) for holder in holders if isinstance(holder, dict)]
    found = [reason for reason in reasons if reason]
    return found or _status_reason(response)


def _reason(holder: dict[str, Any]) -> str | None:
    """Return the finish reason of a choice, candidate or message."""
    names = (to_text(holder.get(name)) for name in _REASON_MEMBERS)
    return next((name for name in names if name), None)


def _status_reason(response: dict[str, Any]) -> list[str]:
    """Return why a response of the Responses API ended: its status, or what made it incomplete."""
    if not isinstance(response.get("output"), list):
        return []
    details = response.get("incomplete_details")
    reason = to_text(details.get("reason")) if isinstance(details, dict) else None
    status = reason or to_text(response.get("status"))
    return [status] if status else []


def _choice(choice: dict[str, Any]) -> dict[str, Any]:
    """Return a choice without log probabilities, which repeat the answer token by token."""
    if isinstance(choice.get("text"), str):
        ended = choice.get("finish_reason")
        return {"role": "assistant", "content": choice["text"], "finish_reason": ended}
    return {name: value for name, value in choice.items() if name != "logprobs"}


def _candidate(candidate: dict[str, Any]) -> dict[str, Any]:
    """Return a candidate of Gemini as a message in parts."""
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    texts = [part.get("text") for part in parts or () if isinstance(part, dict)]
    return {
        "role": "assistant",
        "parts": [{"type": "text", "content": text} for text in texts if isinstance(text, str)],
        "finish_reason": candidate.get("finishReason"),
    }
