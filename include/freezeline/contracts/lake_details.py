"""What hangs on spans: evaluations, contents, events, documents, tool calls; the source's counters."""

from include.freezeline.contracts.columns import Column, Privacy, Table
from include.freezeline.contracts.lake_common import SOURCE_COLUMNS

_TEXT = Privacy.TEXT
_PSEUDONYM = Privacy.PSEUDONYM

EVALUATIONS = Table(
    name="evaluations",
    grain="one row per delivered evaluation result",
    key=("trace_id", "span_id", "evaluation_name", "source_object", "source_offset"),
    columns=(
        Column(
            "trace_id",
            "string",
            "Judged trace, or trace of the judged span; null when a session is judged.",
        ),
        Column("span_id", "string", "Judged span; null when a whole trace or session is judged."),
        Column(
            "session_key",
            "string",
            "Keyed pseudonym of the judged session; null when the source names none.",
            privacy=_PSEUDONYM,
        ),
        Column("response_id", "string", "Response id the evaluation names when it knows no span."),
        Column("evaluation_name", "string", "Name of the evaluation.", nullable=False),
        Column(
            "evaluation_score", "float64", "Score as sent; range and direction are the evaluator's."
        ),
        Column("evaluation_label", "string", "Label as sent."),
        Column("explanation_redacted", "string", "Explanation, redacted.", privacy=_TEXT),
        Column(
            "annotator_kind",
            "string",
            "human (feedback), model, code or null when the source does not say.",
        ),
        Column(
            "carrier",
            "string",
            "span_event, span_attribute, log_event, evaluator_span or score_record.",
            nullable=False,
        ),
        Column("evaluated_at", "timestamp", "When the evaluation was made.", nullable=False),
        Column(
            "source_offset", "int64", "Ordinal of the record inside its object.", nullable=False
        ),
        *SOURCE_COLUMNS,
    ),
)

MESSAGE_CONTENTS = Table(
    name="message_contents",
    grain="one row per delivered piece of message content that came apart from its span",
    key=("source_object", "source_offset", "direction"),
    columns=(
        Column("trace_id", "string", "Trace of the call; null on uploaded content."),
        Column("span_id", "string", "Span of the call; null on uploaded content."),
        Column(
            "content_name",
            "string",
            "Last part of the uploaded object's key, which spans refer to. On a log event the object it refers to; null when it carries its content itself.",
        ),
        Column(
            "direction",
            "string",
            "input, output, system or tool_definitions.",
            nullable=False,
        ),
        Column("carrier", "string", "log_event or upload_object.", nullable=False),
        Column("event_name", "string", "Name of the log event; null on uploaded content."),
        Column(
            "messages_redacted",
            "json",
            "JSON array of this piece, redacted: messages with role and parts; the parts themselves of system instructions; definitions of tools. Null when the piece was delivered without its content.",
            privacy=_TEXT,
        ),
        Column(
            "text_redacted",
            "string",
            "Plain text of the piece, redacted: of input the last user message, of output the first answer, of system the instructions; null when it has none.",
            privacy=_TEXT,
        ),
        Column("finish_reason", "string", "Normalised finish reason that the piece gives."),
        Column(
            "recorded_at",
            "timestamp",
            "When the event was recorded; arrival of an uploaded object.",
            nullable=False,
        ),
        Column(
            "source_offset", "int64", "Ordinal of the record inside its object.", nullable=False
        ),
        *SOURCE_COLUMNS,
    ),
)

CALL_EVENTS = Table(
    name="call_events",
    grain="one row per delivered GenAI log event that carries neither messages nor an evaluation",
    key=("trace_id", "span_id", "event_name", "source_object", "source_offset"),
    columns=(
        Column("trace_id", "string", "Trace of the call; null when the event names none."),
        Column("span_id", "string", "Span of the call; null when the event names none."),
        Column("response_id", "string", "Provider's response id, when the event names one."),
        Column("event_name", "string", "Name of the event.", nullable=False),
        Column("error_type", "string", "Error class as the source named it."),
        Column(
            "error_class",
            "string",
            "rate_limit, context_length_exceeded, timeout, invalid_api_key, content_filter, server_error, cancelled or other; null without an error.",
        ),
        Column("http_status_code", "int32", "HTTP status of the failed call, when it is known."),
        Column("error_message_redacted", "string", "Error text, redacted.", privacy=_TEXT),
        Column("error_stacktrace_redacted", "string", "Stack trace, redacted.", privacy=_TEXT),
        Column(
            "attributes_redacted",
            "json",
            "Attributes and body that no column holds, redacted.",
            privacy=_TEXT,
        ),
        Column("recorded_at", "timestamp", "When the event was recorded.", nullable=False),
        Column(
            "source_offset", "int64", "Ordinal of the record inside its object.", nullable=False
        ),
        *SOURCE_COLUMNS,
    ),
)

RETRIEVAL_DOCUMENTS = Table(
    name="retrieval_documents",
    grain="one row per document of a delivered retrieval or rerank span",
    key=("trace_id", "span_id", "document_rank", "source_object", "source_offset"),
    columns=(
        Column("trace_id", "string", "Trace of the retrieval.", nullable=False),
        Column("span_id", "string", "Retrieval or rerank span.", nullable=False),
        Column("document_rank", "int32", "Place in the result, from 0.", nullable=False),
        Column("document_id", "string", "Document id as the source gave it."),
        Column("document_score", "float64", "Score as sent; its meaning is the retriever's."),
        Column(
            "is_packed", "bool", "Whether the document made it into the prompt; null is unknown."
        ),
        Column("document_tokens", "int64", "Tokens of the document, as reported."),
        Column("content_redacted", "string", "Content, redacted.", privacy=_TEXT),
        Column("metadata_redacted", "json", "Metadata as sent, redacted.", privacy=_TEXT),
        Column("retrieved_at", "timestamp", "Start of the span.", nullable=False),
        Column(
            "source_offset", "int64", "Ordinal of the span record in its object.", nullable=False
        ),
        *SOURCE_COLUMNS,
    ),
)

TOOL_CALLS = Table(
    name="tool_calls",
    grain="one row per tool call that a delivered span, or a log event of it, requests or executes",
    key=("trace_id", "span_id", "call_index", "source_object", "source_offset"),
    columns=(
        Column("trace_id", "string", "Trace of the call.", nullable=False),
        Column("span_id", "string", "Span that requests or executes it.", nullable=False),
        Column("call_index", "int32", "Place among the span's tool calls, from 0.", nullable=False),
        Column(
            "role",
            "string",
            "requested (by a model's answer) or executed (a tool span).",
            nullable=False,
        ),
        Column("tool_call_id", "string", "Id that ties request and execution together."),
        Column("tool_name", "string", "Name of the tool."),
        Column("tool_type", "string", "function, extension, datastore or as the source says."),
        Column("arguments_redacted", "json", "Arguments, redacted.", privacy=_TEXT),
        Column("result_redacted", "json", "Result, redacted; null on a request.", privacy=_TEXT),
        Column("is_error", "bool", "Whether the execution failed; null on a request."),
        Column(
            "called_at", "timestamp", "Start of the span, or time of the log event.", nullable=False
        ),
        Column("source_offset", "int64", "Ordinal of the record in its object.", nullable=False),
        *SOURCE_COLUMNS,
    ),
)

SOURCE_COUNTERS = Table(
    name="source_counters",
    grain="one row per delivered data point of a metric that the source counted itself",
    key=("series_hash", "measured_at", "source_object", "source_offset"),
    columns=(
        Column(
            "series_hash",
            "string",
            "Keyed hash of resource, scope, metric and attributes: one series of points. Keyed because attributes may name a person.",
            nullable=False,
            privacy=_PSEUDONYM,
        ),
        Column("metric_name", "string", "Metric name as sent.", nullable=False),
        Column("unit", "string", "Unit as sent, such as {token} or s."),
        Column(
            "instrument",
            "string",
            "sum, gauge, histogram or exponential_histogram.",
            nullable=False,
        ),
        Column(
            "temporality",
            "string",
            "delta (the point counts since started_at), cumulative (since the process started) or null.",
        ),
        Column("is_monotonic", "bool", "Whether a sum only grows; null on other instruments."),
        Column("started_at", "timestamp", "Start of what the point counts."),
        Column("measured_at", "timestamp", "When the point was taken.", nullable=False),
        Column("service_name", "string", "Resource attribute service.name."),
        Column(
            "environment", "string", "Deployment environment; unknown when none.", nullable=False
        ),
        Column("feature", "string", "Product feature, as on spans.", nullable=False),
        Column("operation_name", "string", "GenAI operation of the point."),
        Column("provider", "string", "GenAI provider, normalised."),
        Column("request_model", "string", "Model name asked for."),
        Column("response_model", "string", "Model name that answered."),
        Column("token_type", "string", "input, output, cache_read, cache_write or reasoning."),
        Column("error_type", "string", "Error class as the source named it."),
        Column(
            "point_count", "int64", "Observations of a histogram point; null on sums and gauges."
        ),
        Column("point_sum", "float64", "Sum of a histogram point, or the value of a sum or gauge."),
        Column("point_min", "float64", "Least observation, when sent."),
        Column("point_max", "float64", "Largest observation, when sent."),
        Column(
            "bucket_bounds",
            "list<float64>",
            "Upper bounds of a histogram's buckets but the last; of an exponential histogram computed from its scale.",
        ),
        Column(
            "bucket_counts",
            "list<int64>",
            "Observations per bucket, one more than there are bounds.",
        ),
        Column(
            "attributes_redacted",
            "json",
            "Attributes that no column holds, redacted.",
            privacy=_TEXT,
        ),
        Column(
            "source_offset", "int64", "Ordinal of the data point in its object.", nullable=False
        ),
        *SOURCE_COLUMNS,
    ),
)
