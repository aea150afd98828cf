"""What flagd's own schema asks of a flag file, as far as it concerns ours, and more strictly.

Written from the rules of https://flagd.dev/schema/v0/flags.json (draft 7), which no Python package
ships. Its ``targeting`` is a schema of its own and refers to every operation of JsonLogic; here are
the ones we write.
"""

from typing import Any

_TARGETING: dict[str, Any] = {
    "argument": {
        "anyOf": [
            {"type": ["string", "number", "boolean", "null"]},
            {"type": "array", "items": {"type": "string"}},
            {"$ref": "#/definitions/rule"},
        ]
    },
    "rule": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {
            # A variable of flagd's own is the time or the key; a wrong name would be null.
            "var": {"type": "string", "pattern": r"^(\$flagd\.(timestamp|flagKey)|[^$].*)$"},
            "if": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/argument"}},
            "in": {"$ref": "#/definitions/pair"},
            ">=": {"$ref": "#/definitions/pair"},
        },
    },
    "pair": {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {"$ref": "#/definitions/argument"},
    },
}
FLAGD_SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["flags"],
    "properties": {
        "$schema": {"const": "https://flagd.dev/schema/v0/flags.json"},
        "metadata": {
            "$comment": "Keywords beside a $ref are ignored in draft 7, so there is no $ref.",
            "properties": {"flagSetId": {"type": "string"}, "version": {"type": "string"}},
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        },
        "flags": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {"^.+$": {"$ref": "#/definitions/flag"}},
        },
    },
    "additionalProperties": False,
    "definitions": {
        **_TARGETING,
        "flag": {
            "type": "object",
            "required": ["state", "variants", "defaultVariant", "targeting", "metadata"],
            "additionalProperties": False,
            "properties": {
                "state": {"enum": ["ENABLED", "DISABLED"]},
                "variants": {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"type": "string"},
                },
                "defaultVariant": {"type": "string"},
                "targeting": {"$ref": "#/definitions/rule"},
                "metadata": {
                    "type": "object",
                    "additionalProperties": {"type": ["string", "number", "boolean"]},
                },
            },
        },
    },
}
