"""Errors, finish reasons, latencies and sampling weights."""

from collections.abc import Callable
from typing import Any

import pytest

from include.freezeline.readers.outcomes import classify_error, normalise_finish_reasons
from include.freezeline.readers.result import Row
from tests.unit.readers.builders import MS, START_NS, event, span

ReadOne = Callable[..., Row]
CHAT = {"gen_ai.operation.name": "chat"}


@pytest.mark.parametrize(
    ("error_type", "message", "status", "expected"),
    [
        ("RateLimitError", None, None, "rate_limit"),
        ("429", None, None, "rate_limit"),
        (None, "Error code: 429 - slow down", None, "rate_limit"),
        ("BadRequestError", "Error code: 400 - {'code': 'context_length_exceeded'}", None, "context_length_exceeded"),
        ("BadRequestError", "Error code: 400 - This model's maximum context length is 128", 400, "context_length_exceeded"),
        ("ContextWindowExceededError", None, None, "context_length_exceeded"),
        ("BadRequestError", "Error code: 400 - filtered by content management policy", 400, "content_filter"),
        ("openai.APITimeoutError", "Request timed out.", None, "timeout"),
        (None, None, 504, "timeout"),
        ("AuthenticationError", None, None, "invalid_api_key"),
        (None, None, 403, "invalid_api_key"),
        ("InternalServerError", "Error code: 500", None, "server_error"),
        ("APIConnectionError", "Connection error.", None, "server_error"),
        ("RemoteProtocolError", "peer closed connection", None, "server_error"),
        (None, None, 503, "server_error"),
        ("CancelledError", None, None, "cancelled"),
        ("BadRequestError", "Error code: 400 - bad tool schema", None, "other"),
        ("RateLimitError", "Request timeout budget used up", 429, "rate_limit"),
        (None, "Request timed out", None, "timeout"),
        ("ValueError", "no", None, "other"),
        (None, None, None, "other"),
        # OpenAI
        ("openai.PermissionDeniedError", "Error code: 403", None, "invalid_api_key"),
        ("RateLimitError", "Error code: 429 - You exceeded your current quota", None, "rate_limit"),
        ("openai.APIUserAbortError", "Request was aborted.", None, "cancelled"),
        ("openai.NotFoundError", "Error code: 404 - no such model", None, "other"),
        ("BadRequestError", "Your prompt was flagged as potentially violating our usage policy", 400, "content_filter"),
        # Anthropic
        ("anthropic.BadRequestError", "Error code: 400 - prompt is too long: 208310 tokens > 200000 maximum", None, "context_length_exceeded"),
        ("BadRequestError", "input length and `max_tokens` exceed context limit: 199999 + 21333 > 200000", 400, "context_length_exceeded"),
        ("APIStatusError", "Error code: 529 - {'type': 'overloaded_error'}", None, "server_error"),
        ("anthropic.AuthenticationError", "invalid x-api-key", None, "invalid_api_key"),
        # Google
        ("google.api_core.exceptions.ResourceExhausted", "429 Resource has been exhausted", None, "rate_limit"),
        ("google.api_core.exceptions.DeadlineExceeded", "504", None, "timeout"),
        ("ClientError", "400 INVALID_ARGUMENT. The input token count (1200000) exceeds the maximum number of tokens allowed", None, "context_length_exceeded"),
        ("ClientError", "400 INVALID_ARGUMENT. API key not valid. Please pass a valid API key.", None, "invalid_api_key"),
        ("BlockedPromptException", "block_reason: SAFETY", None, "content_filter"),
        ("UNAVAILABLE", None, None, "server_error"),
        # Amazon Bedrock
        ("ThrottlingException", "Too many tokens, please wait before trying again.", 429, "rate_limit"),
        ("ModelTimeoutException", "Model has timed out in processing the request.", 408, "timeout"),
        ("ValidationException", "Input is too long for requested model.", 400, "context_length_exceeded"),
        ("ValidationException", "The provided model identifier is invalid.", 400, "other"),
        ("AccessDeniedException", "You don't have access to the model.", 403, "invalid_api_key"),
        ("ServiceQuotaExceededException", None, 400, "rate_limit"),
        ("ModelNotReadyException", "not ready", 429, "server_error"),
        ("ModelErrorException", "424", None, "server_error"),
        # LiteLLM
        ("litellm.ContentPolicyViolationError", None, 400, "content_filter"),
        ("litellm.ContextWindowExceededError", None, 400, "context_length_exceeded"),
        ("litellm.Timeout", "APITimeoutError - Request timed out.", 408, "timeout"),
        ("litellm.ServiceUnavailableError", None, 503, "server_error"),
        ("litellm.APIConnectionError", None, 500, "server_error"),
        ("litellm.UnprocessableEntityError", None, 422, "other"),
        # Cohere
        ("TooManyRequestsError", None, None, "rate_limit"),
        ("BadRequestError", "too many tokens: total number of tokens in the prompt cannot exceed 4081", 400, "context_length_exceeded"),
        ("UnauthorizedError", "invalid api token", 401, "invalid_api_key"),
        # JSON-RPC and transport
        ("-32603", "Internal error", None, "server_error"),
        ("-32601", "Method not found", None, "other"),
        ("-32800", None, None, "cancelled"),
        ("tool_error", None, None, "other"),
        ("httpx.ConnectError", "[Errno 111] Connection refused", None, "server_error"),
        ("httpx.ReadTimeout", None, None, "timeout"),
        ("asyncio.exceptions.CancelledError", None, None, "cancelled"),
        (None, None, 524, "timeout"),
        ("ValueError", "x" * 5_000 + "rate limit", None, "other"),
    ],
)  # fmt: skip
def test_classify_error_finds_the_cause(
    error_type: str | None, message: str | None, status: int | None, expected: str
) -> None:
    assert classify_error(error_type, message, status) == expected


def test_span_row_reads_the_exception_event_when_there_is_no_error_type(read_one: ReadOne) -> None:
    thrown = {"exception.type": "openai.RateLimitError", "exception.message": "slow down"}
    row = read_one(span(CHAT, status={"code": 2}, events=[event("exception", 5, thrown)]))
    assert (row["status"], row["error_type"]) == ("error", "openai.RateLimitError")
    assert (row["error_class"], row["error_message_redacted"]) == ("rate_limit", "slow down")


def test_span_row_has_no_error_class_when_the_call_went_well(read_one: ReadOne) -> None:
    row = read_one(span({**CHAT, "http.response.status_code": 200}, status={"code": 1}))
    assert (row["status"], row["error_type"], row["error_class"]) == ("ok", None, None)


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [(["stop", "end_turn"], ["stop", "stop"]), (["tool-calls"], ["tool_call"]), ([""], None),
     ([], None), (["brand_new"], ["other"]), (["SAFETY"], ["content_filter"])],
)  # fmt: skip
def test_normalise_finish_reasons_uses_the_closed_list(
    reasons: list[str], expected: list[str] | None
) -> None:
    assert normalise_finish_reasons(reasons) == expected


@pytest.mark.parametrize("end_ns", [0, START_NS - 5 * MS])
def test_duration_is_null_when_the_end_is_unknown_or_early(read_one: ReadOne, end_ns: int) -> None:
    row = read_one(span(CHAT, endTimeUnixNano=str(end_ns)))
    assert row["duration_ms"] is None
    assert (row["ended_at"] is None) is (end_ns == 0)


def test_duration_is_exact_when_times_are_numbers(read_one: ReadOne) -> None:
    row = read_one(span(CHAT, startTimeUnixNano=START_NS + 1, endTimeUnixNano=START_NS + 1_500_001))
    assert row["duration_ms"] == 1.5
    assert row["started_at"].microsecond == 0


@pytest.mark.parametrize("tokens", [None, 0, 1])
def test_tpot_is_null_when_fewer_than_two_tokens_came(
    read_one: ReadOne, tokens: int | None
) -> None:
    attributes: dict[str, Any] = {**CHAT, "gen_ai.response.time_to_first_chunk": 0.1}
    if tokens is not None:
        attributes["gen_ai.usage.output_tokens"] = tokens
    row = read_one(span(attributes))
    assert (row["ttft_ms"], row["tpot_ms"], row["tpot_source"]) == (100.0, None, None)


def test_tpot_is_taken_from_the_attribute_when_it_cannot_be_computed(read_one: ReadOne) -> None:
    row = read_one(span({**CHAT, "gen_ai.server.time_per_output_token": 0.02}))
    assert (row["tpot_ms"], row["tpot_source"]) == (20.0, "attribute")


def test_ttft_is_null_when_the_first_chunk_is_before_the_start(read_one: ReadOne) -> None:
    row = read_one(span(CHAT, events=[event("First Token Stream Event", -50)]))
    assert (row["ttft_ms"], row["ttft_source"]) == (None, None)


@pytest.mark.parametrize(
    ("attributes", "trace_state", "weight"),
    [
        ({}, "", 1.0),
        ({"SampleRate": 20}, "", 20.0),
        ({"sampling.ratio": 0.25}, "", 4.0),
        ({"sampling.ratio": 0}, "", 1.0),
        ({"SampleRate": -3}, "", 1.0),
        ({}, "ot=th:8", 2.0),
        ({}, "vendor=1,ot=rv:abc;th:c", 4.0),
        ({}, "ot=th:0", 1.0),
        ({}, "ot=th:zz", 1.0),
    ],
)
def test_sample_weight_says_how_many_calls_a_span_stands_for(
    read_one: ReadOne, attributes: dict[str, Any], trace_state: str, weight: float
) -> None:
    row = read_one(span({**CHAT, **attributes}, traceState=trace_state))
    assert row["sample_weight"] == pytest.approx(weight)
