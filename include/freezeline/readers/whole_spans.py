"""The long way from a span to its rows: every question is asked, whatever the span looks like."""

from include.freezeline.contracts.lake import SPANS
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.business import BusinessColumns
from include.freezeline.readers.details import place_details
from include.freezeline.readers.evaluations import read_span_evaluations
from include.freezeline.readers.otlp import Span
from include.freezeline.readers.privacy import find_people
from include.freezeline.readers.registry import find_dialect
from include.freezeline.readers.result import Row
from include.freezeline.readers.rows import build_span_row, with_metadata
from include.freezeline.readers.rules import LandingRules
from include.freezeline.readers.storage import measure_texts, storage_of


def read_whole_span(
    span: Span, business: BusinessColumns, rules: LandingRules
) -> dict[str, list[Row]]:
    """Return the row of a span and the rows that hang on it, by table, without their ordinal.

    Args:
        span: A span whose ids and start are known to be usable.
        business: Reads the business columns by the rules.
        rules: The landing rules.
    """
    dialect = find_dialect(span)
    view = AttributeView(with_metadata(span.attributes))
    found = dialect.read(span, view)
    details = found.pop("details", {})
    if details:
        people = find_people((view.values, span.origin.resource), rules.attributes)
        place_details(span, details, people, rules.attributes)
    evaluations = list(read_span_evaluations(span, view))
    row = build_span_row(span, dialect.name, found, view, business)
    measure_texts(row)
    tables = {SPANS.name: [row], "evaluations": evaluations, **details}
    storage = storage_of(view, AttributeView(span.origin.resource), row, rules.storage)
    storage.settle(row, tables)
    return tables
