"""How providers, clients and gateways call the same failures.

Class names are found inside the error's type ("openai.RateLimitError"), sentences and codes inside
its message. What is said outright comes before what an HTTP status merely allows: providers send a
full context window and a filtered prompt both as 400.
"""

from collections.abc import Mapping

_MAX_CHARS = 4_000  # whole stack traces come as messages; the cause stands at their beginning

# First hit wins. All in lower case.
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("context_length_exceeded", (
        "context_length", "contextwindow", "context window", "context_window",
        "maximum context length", "contextlength", "context length",
        "prompt is too long",  # Anthropic
        "exceed context limit",  # Anthropic, of input and max_tokens together
        "input is too long",  # Bedrock
        "input token count",  # Gemini: "... exceeds the maximum number of tokens allowed"
        "too many tokens:",  # Cohere; Bedrock's "Too many tokens, please wait" is a rate limit
        "reduce the length of the messages",  # OpenAI, Groq
        "exceeded model token limit",  # Moonshot
        "exceed_context_size", "available context size",  # llama.cpp
        "max_new_tokens` must be",  # TGI
    )),
    ("content_filter", (
        "content_filter", "contentfilter", "content filter", "contentpolicy", "content_policy",
        "content policy", "content management policy", "responsibleai", "responsible ai",
        "guardrailraised", "guardrail_intervened", "guardrailintervention",
        "blockedprompt", "prohibited_content", "blocked due to safety", "safety system",  # Gemini
        "violating our usage policy", "moderation_blocked", "data_inspection_failed",
    )),
    ("rate_limit", (
        "ratelimit", "rate_limit", "rate limit", "throttl", "insufficient_quota",
        "exceeded your current quota", "quota exceeded", "quotaexceeded",
        "too many requests", "toomanyrequests", "too many tokens, please wait",
        "resourceexhausted", "resource_exhausted", "resource has been exhausted",  # Google
        "limitexceededexception",  # AWS
    )),
    ("invalid_api_key", (
        "authentication", "invalid_api_key", "invalid api key", "incorrect api key",
        "invalid x-api-key", "api key not valid", "api_key_invalid", "invalid api token",
        "permissiondenied", "permission_denied", "permission_error", "forbidden",
        "unauthorized", "unauthenticated",
        "accessdenied", "unrecognizedclient", "expiredtoken", "invalidsignature",  # AWS
        "nocredentials", "defaultcredentials",
    )),
    ("timeout", ("timeout", "timed out", "timed_out", "timedout", "deadline")),
    ("cancelled", (
        "cancel", "generatorexit", "aborterror", "apiuserabort", "keyboardinterrupt",
        "clientdisconnect", "client disconnected", "request was aborted",
    )),
    ("server_error", (
        "internalserver", "internal server error", "server_error", "servererror",
        "internal_error", "internalfailure", "api_error", "overloaded",
        "serviceunavailable", "service_unavailable", "service unavailable",
        "service is currently unavailable", "bad gateway", "badgateway", "unexpectedeof",
        "modelnotready", "modelerrorexception", "modelstreamerror",  # Bedrock
        "connectionerror", "connecterror", "connection error", "connection reset",
        "connection refused", "connection aborted", "connection closed", "econnreset",
        "econnrefused", "remoteprotocol", "server disconnected", "serverdisconnected",
        "incomplete chunked read", "readerror", "server had an error",
    )),
)  # fmt: skip
# Codes are compared as a whole.
_CODES: Mapping[str, str] = {
    # JSON-RPC and what the SDKs of the Model Context Protocol make of its own range.
    "-32000": "server_error",  # connection closed
    "-32001": "timeout",
    "-32603": "server_error",
    "-32800": "cancelled",
    # gRPC
    "unavailable": "server_error",
    "internal": "server_error",
    "aborted": "cancelled",
}


def class_said_in(text: str | None) -> str | None:
    """Return the error class whose words a type or a message contains, None when none does."""
    if not text:
        return None
    folded = text[:_MAX_CHARS].lower()
    for error_class, words in _WORDS:
        if any(word in folded for word in words):
            return error_class
    return None


def class_of_code(error_type: str | None) -> str | None:
    """Return the error class of a code of JSON-RPC or gRPC, None when it is neither."""
    return _CODES.get(error_type.lower()) if error_type else None
