"""What LiteLLM's call types mean, what it counts, and what it was told not to log."""

from typing import Any

from include.freezeline.readers.otlp import Attributes
from include.freezeline.readers.values import to_boolean, to_integer, to_number

# The GenAI operation of each call type, without the "a" of its asynchronous form.
_KINDS = {
    "completion": "chat",
    "responses": "chat",
    "anthropic_messages": "chat",
    "text_completion": "text_completion",
    "generate_content": "generate_content",
    "generate_content_stream": "generate_content",
    "pass_through_endpoint": "chat",
    "llm_passthrough_route": "chat",
    "embedding": "embeddings",
    "rerank": "rerank",
    "search": "retrieval",
    "vector_store_search": "retrieval",
    "call_mcp_tool": "execute_tool",
}
_UNLOGGED = "redacted-by-litellm"


def call_kind(call_type: str) -> str:
    """Return the GenAI operation of a call type; an unknown one as it is."""
    for name in (call_type, call_type.removeprefix("_").removeprefix("a")):
        if name in _KINDS:
            return _KINDS[name]
    return call_type


def unlogged(value: Any) -> Any:
    """Return messages or a response, None when LiteLLM was told to leave their text out."""
    if value == _UNLOGGED:
        return None
    if isinstance(value, list) and value:
        texts = [item.get("content") for item in value if isinstance(item, dict)]
        if texts and all(text == _UNLOGGED for text in texts):
            return None
    return value


def known_usage(payload: dict[str, Any], metadata: dict[str, Any]) -> Attributes:
    """Return the token counts of a call; all zero on a call that failed means unknown.

    Only the usage object has cached and reasoning tokens.
    """
    usage = metadata.get("usage_object")
    usage = usage if isinstance(usage, dict) else {}
    prompt = to_integer(payload.get("prompt_tokens"))
    completion = to_integer(payload.get("completion_tokens"))
    if not usage and not prompt and not completion:
        return {}
    asked, answered = _details(usage, "prompt", "input"), _details(usage, "completion", "output")
    cached = asked.get("cached_tokens")
    return {
        "gen_ai.usage.input_tokens": prompt,
        "gen_ai.usage.output_tokens": completion,
        "gen_ai.usage.cache_read.input_tokens": to_integer(
            usage.get("cache_read_input_tokens") if cached is None else cached
        ),
        "gen_ai.usage.cache_write.input_tokens": to_integer(
            usage.get("cache_creation_input_tokens", asked.get("cache_creation_tokens"))
        ),
        "gen_ai.usage.reasoning.output_tokens": to_integer(answered.get("reasoning_tokens")),
        "app.cache_write_1h_tokens": _written_for_an_hour(usage, asked),
        "app.web_search_count": _web_searches(usage, asked),
    }


def is_stored_answer(payload: dict[str, Any]) -> bool | None:
    """Return whether LiteLLM repeated an answer from its own cache; None when it does not say.

    Such a call cost nothing. Its flag alone is no proof: it has been seen on calls that read the
    provider's prompt cache, which the provider bills. Without a cost there is no telling.
    """
    is_hit = to_boolean(payload.get("cache_hit"))
    if not is_hit:
        return is_hit
    cost = to_number(payload.get("response_cost"))
    is_known = cost is not None and not payload.get("response_cost_failure_debug_info")
    return cost == 0 if is_known else None


def _written_for_an_hour(usage: dict[str, Any], asked: dict[str, Any]) -> int | None:
    """Return the tokens written to the cache for an hour, as LiteLLM or Anthropic says it."""
    places = (asked.get("cache_creation_token_details"), usage.get("cache_creation"))
    details: dict[str, Any] = next((place for place in places if isinstance(place, dict)), {})
    return to_integer(details.get("ephemeral_1h_input_tokens"))


def _web_searches(usage: dict[str, Any], asked: dict[str, Any]) -> int | None:
    """Return how often the provider searched the web, which it bills per search."""
    tools = usage.get("server_tool_use")
    used = tools if isinstance(tools, dict) else asked
    return to_integer(used.get("web_search_requests"))


def _details(usage: dict[str, Any], *sides: str) -> dict[str, Any]:
    """Return the details of one side of a usage object, by the older or the newer name."""
    for side in sides:
        details = usage.get(f"{side}_tokens_details")
        if isinstance(details, dict):
            return details
    return {}
