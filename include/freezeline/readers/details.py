"""Rows that hang on a span: retrieved documents and tool calls."""

from typing import Any

from include.freezeline.readers.jsontext import parse_json_text, write_json
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.privacy import People, mask_people, without_people
from include.freezeline.readers.result import Row
from include.freezeline.readers.rules import AttributeRules
from include.freezeline.readers.values import to_timestamp

Details = dict[str, list[Row]]
"""Rows by side table, as a dialect gives them: without ids, times and ordinals."""

_TIME_COLUMNS = {"retrieval_documents": "retrieved_at", "tool_calls": "called_at"}
_ORDER_COLUMNS = {"retrieval_documents": "document_rank", "tool_calls": "call_index"}
_JSON_COLUMNS = ("arguments_redacted", "result_redacted", "metadata_redacted")


def place_details(span: Span, details: Details, people: People, rules: AttributeRules) -> None:
    """Give a dialect's side rows the span's ids and start, and number them in their order.

    Args:
        span: The span that they hang on.
        details: Rows by side table.
        people: Whom the span and its resource name; the rows do not name them either.
        rules: Which names name a person.
    """
    started_at = to_timestamp(span.start_ns)
    for name, rows in details.items():
        time_column, order_column = _TIME_COLUMNS[name], _ORDER_COLUMNS[name]
        for number, row in enumerate(rows):
            row["trace_id"] = span.trace_id
            row["span_id"] = span.span_id
            row[time_column] = started_at
            row.setdefault(order_column, number)
            leave_people_out(row, people, rules)


def json_column(value: Any) -> str | None:
    """Return a value, JSON text or structured, as the text of a JSON column; None when empty."""
    if value is None or value == "":
        return None
    return parse_json_text(value).text


def leave_people_out(row: Row, people: People, rules: AttributeRules) -> None:
    """Drop members that name a person from a row's JSON, and people's values from its texts."""
    for column in _JSON_COLUMNS:
        text = row.get(column)
        if text is not None:
            data = parse_json_text(text).data
            kept = without_people(data, rules) if isinstance(data, dict) else data
            masked = _masked(kept, people)
            if masked != data:
                row[column] = write_json(masked)
    content = row.get("content_redacted")
    if content is not None and people:
        row["content_redacted"] = _masked(content, people)


def _masked(value: Any, people: People) -> Any:
    """Return a value in which nobody is named."""
    if not people:
        return value
    text = write_json({"": value})
    masked = mask_people({"": value}, text, people)
    return value if masked == text else parse_json_text(masked).data[""]
