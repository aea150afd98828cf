"""The freeze document against the schema that is shipped for its readers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

SCHEMA_PATH = Path("include/config/schema/freeze.schema.json")


def load_schema() -> dict[str, Any]:
    """Return the schema."""
    schema: dict[str, Any] = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return schema


def complaints(document: Any) -> list[str]:
    """Return what the schema has against a document."""
    validator = Draft202012Validator(load_schema(), format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def check_document(document: dict[str, Any]) -> None:
    """Fail when a published document breaks the schema, or holds what the schema does not name."""
    assert not complaints(document)
    schema = load_schema()
    unnamed = sorted(set(_unnamed(document, schema, schema["$defs"])))
    assert not unnamed, f"{SCHEMA_PATH}: describe {unnamed}"


def _unnamed(value: Any, schema: dict[str, Any], defs: dict[str, Any]) -> Iterator[str]:
    """Yield the properties of a value that its schema does not describe."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for item in value:
            yield from _unnamed(item, schema.get("items", {}), defs)
    elif isinstance(value, dict) and "properties" in schema:
        for name, inner in value.items():
            if name not in schema["properties"]:
                yield name
            yield from _unnamed(inner, schema["properties"].get(name, {}), defs)
