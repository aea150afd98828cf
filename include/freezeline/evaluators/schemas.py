"""JSON Schemas that answers are held against: which are usable, and how they are read.

A schema is whole in itself. Nothing that it names is fetched, from no network and no disk, so
that a policy file can neither reach a machine nor hang a night; what would have to be fetched is
refused when the policy is loaded.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

import jsonschema
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import (
    SchemaRegistry,
    SchemaResource,
    UnknownDialect,
    specification_with,
)

# What refers to another schema, and what holds schemas for the very same value.
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_SAME_VALUE = ("not", "if", "then", "else")
_SAME_VALUE_LISTS = ("allOf", "anyOf", "oneOf")
_SAME_VALUE_MAPS = ("dependentSchemas", "dependencies")
# Resolvers have no public type.
_Resolver = Any
_NOTHING: SchemaRegistry = Registry()
# Those that are checked without another package, so that a score is the same everywhere.
_FORMATS = jsonschema.FormatChecker(formats=("date", "email", "ipv4", "ipv6", "uuid"))
_NEWEST = "https://json-schema.org/draft/2020-12/schema"


class UnusableSchemaError(ValueError):
    """Answers cannot be held against a schema; the text says why and what to write instead."""


def validator_of(schema: Mapping[str, Any]) -> Validator:
    """Return what holds values against a schema, without fetching anything."""
    kind = validator_for(dict(schema), default=jsonschema.Draft202012Validator)
    return _extended(kind)(dict(schema), registry=_NOTHING, format_checker=_FORMATS)


@cache
def _extended(kind: type[Validator]) -> type[Validator]:
    """Return a dialect that takes time in proportion to an array to see that no item comes twice."""
    made: type[Validator] = extend(kind, {"uniqueItems": _unique_items})  # type: ignore[no-untyped-call]
    return made


def _unique_items(
    _validator: Validator, is_asked: object, instance: object, _: Mapping[str, Any]
) -> Iterator[jsonschema.ValidationError]:
    """Yield an error where an item of an array stands twice."""
    if is_asked and isinstance(instance, list):
        known = {json.dumps(_comparable(item), sort_keys=True) for item in instance}
        if len(known) < len(instance):
            yield jsonschema.ValidationError("an item stands twice")


def _comparable(value: Any) -> Any:
    """Return a value of which 1 and 1.0 look the same, as they are for JSON Schema."""
    if isinstance(value, dict):
        return {key: _comparable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_comparable(each) for each in value]
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def check_schema(schema: Mapping[str, Any]) -> None:
    """Refuse a schema that answers cannot be held against.

    Raises:
        UnusableSchemaError: It is no JSON Schema, is of an unknown dialect, refers to what it
            does not hold, or refers to itself in a circle.
    """
    given = dict(schema)
    try:
        _check_dialect(given)
        validator_for(given, default=jsonschema.Draft202012Validator).check_schema(given)
        _check_circles(_same_value_graph(given))
    except UnusableSchemaError:
        raise
    except jsonschema.SchemaError as error:
        message = f"not a JSON Schema at {error.json_path}: {error.message} (correct it)"
        raise UnusableSchemaError(message) from None
    except Exception as error:
        # The libraries follow whatever a file says and fail in as many ways: on the depth of a
        # schema, the size of a pattern, a value of a kind that its dialect does not rule out.
        message = f"cannot be read as a JSON Schema: {type(error).__name__} (simplify it)"
        raise UnusableSchemaError(message) from None


def _check_dialect(schema: Mapping[str, Any]) -> None:
    """Refuse a dialect that nobody knows; without one it is the newest."""
    dialect = schema.get("$schema", _NEWEST)
    try:
        specification_with(dialect)
    except (UnknownDialect, AttributeError, TypeError):
        message = f"$schema {dialect!r} is no known dialect (write {_NEWEST}, or leave it out)"
        raise UnusableSchemaError(message) from None


def _same_value_graph(schema: Mapping[str, Any]) -> dict[int, set[int]]:
    """Return which part of a schema hands the very same value on to which, by their identities.

    Raises:
        UnusableSchemaError: A reference leads out of the schema or nowhere, or a pattern is none.
    """
    specification = specification_with(schema.get("$schema", _NEWEST))
    whole = Resource.from_contents(schema, default_specification=specification)
    graph: dict[int, set[int]] = {}
    waiting: list[tuple[SchemaResource, _Resolver]] = [(whole, _NOTHING.resolver_with_root(whole))]
    while waiting:
        part, resolver = waiting.pop()
        contents = part.contents
        if not isinstance(contents, Mapping) or id(contents) in graph:
            continue
        _check_patterns(contents)
        targets = [
            _resolved(resolver, word, contents[word]) for word in _REFERENCES if word in contents
        ]
        graph[id(contents)] = {id(each) for each in _for_same_value(contents)}
        graph[id(contents)] |= {id(target) for target, _ in targets}
        waiting += [
            (Resource.from_contents(target, default_specification=specification), there)
            for target, there in targets
        ]
        waiting += [(each, resolver.in_subresource(each)) for each in part.subresources()]
    return graph


def _resolved(
    resolver: _Resolver, keyword: str, reference: object
) -> tuple[Mapping[str, Any] | bool, _Resolver]:
    """Return the schema that a reference leads to, and what resolves references there."""
    try:
        found = resolver.lookup(reference)
    except (Unresolvable, LookupError, ValueError, TypeError, AttributeError):
        found = None
    if found is not None and isinstance(found.contents, Mapping | bool):
        return found.contents, found.resolver
    if isinstance(reference, str) and not reference.startswith("#"):
        message = (
            f"{keyword} {reference!r} leads out of the schema, and nothing is fetched (put the "
            f"definition into the schema under $defs and write '#/$defs/NAME')"
        )
    else:
        message = (
            f"{keyword} {reference!r} leads to no schema (put the definition into the schema "
            "under $defs, or correct the reference)"
        )
    raise UnusableSchemaError(message)


def _check_patterns(schema: Mapping[str, Any]) -> None:
    """Refuse what is no regular expression; not every dialect does."""
    several = schema.get("patternProperties", {})
    for pattern in [*several, *([schema["pattern"]] if "pattern" in schema else [])]:
        try:
            re.compile(pattern)
        except re.error as error:
            message = f"pattern {pattern!r} is no regular expression: {error} (correct it)"
            raise UnusableSchemaError(message) from None


def _for_same_value(schema: Mapping[str, Any]) -> Iterator[object]:
    """Yield the schemas inside of one that look at the very same value as it does."""
    yield from (schema[word] for word in _SAME_VALUE if word in schema)
    for word in _SAME_VALUE_LISTS:
        yield from schema.get(word, ())
    for word in _SAME_VALUE_MAPS:
        yield from schema.get(word, {}).values()


def _check_circles(graph: Mapping[int, set[int]]) -> None:
    """Refuse a schema that hands a value on to itself, which never ends."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        message = (
            "refers to itself for the very same value, which never ends (let the $ref stand "
            "inside of properties or items, or remove it)"
        )
        raise UnusableSchemaError(message) from None
