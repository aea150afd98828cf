"""Values of the columns of Langfuse's export, whichever form the file has."""

from collections.abc import Mapping
from typing import Any

from include.freezeline.readers.jsontext import parse_json_text

_NO_VALUES = ("", "\\N")  # null in text formats

ExportRow = Mapping[str, Any]


def given_values(document: ExportRow) -> dict[str, Any]:
    """Return the members that have a value."""
    return {
        name: value
        for name, value in document.items()
        if value is not None and not (isinstance(value, str) and value in _NO_VALUES)
    }


def given_mapping(value: Any) -> dict[str, Any]:
    """Return a mapping column, whose values may be JSON texts; empty when it is none."""
    data = decoded(value)
    if not isinstance(data, dict):
        return {}
    return {str(name): decoded(inner) for name, inner in data.items()}


def decoded(value: Any) -> Any:
    """Return what a JSON text of more than a number means, any other value as it is."""
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        data = parse_json_text(value).data
        return value if data is None else data
    return value
