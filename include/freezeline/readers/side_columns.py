"""Columns that rows of several side tables share with spans."""

from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.jsontext import write_json
from include.freezeline.readers.privacy import find_people, mask_people, without_people
from include.freezeline.readers.result import Row
from include.freezeline.readers.rules import AttributeRules

_UNKNOWN = "unknown"


def origin_columns(view: AttributeView, resource: AttributeView, rules: AttributeRules) -> Row:
    """Return service, environment and feature, the record's own attributes first."""
    service = resource.text("service.name")
    environment = view.text(*rules.environment) or resource.text(*rules.environment)
    feature = view.text(*rules.feature) or resource.text(*rules.feature)
    return {
        "service_name": service,
        "environment": environment or _UNKNOWN,
        "feature": feature or service or _UNKNOWN,
    }


def rest_as_json(view: AttributeView, resource: AttributeView, rules: AttributeRules) -> str | None:
    """Return what no column took as JSON in which nobody is named; None when nothing is left."""
    rest = without_people(view.rest(), rules)
    people = find_people([view.values, resource.values], rules)
    return mask_people(rest, write_json(rest), people) if rest else None
