"""What must not leave the parser: blocked attributes at any depth, and who a call was made for.

Tenant, user and session are stored as pseudonyms in columns of their own. The same ids stand in
more places than those columns are read from, so they are dropped by name wherever a name is
known, and replaced by value in whatever is kept as it came.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from include.freezeline.readers import langfuse_names
from include.freezeline.readers.jsontext import parse_json_text, write_json
from include.freezeline.readers.names import ByNames
from include.freezeline.readers.otlp import Attributes
from include.freezeline.readers.rules import Answers, AttributeRules, BlockList
from include.freezeline.readers.values import to_text

_PARAMETERS = ("llm.invocation_parameters", langfuse_names.PARAMETERS)
_LEAST_PERSON_CHARS = 4
_LEAST_PERSON_DIGITS = 6  # fewer digits are found in every date and count
# What providers' requests call the end user, beside the messages.
_PERSON_MEMBERS = ("user", "user_id", "safety_identifier", "session_id", "tenant_id")
_PERSON_PARAMETERS = frozenset(
    f"{parameters}.{before}{name}"
    for parameters in _PARAMETERS
    for name in _PERSON_MEMBERS
    for before in ("", "metadata.")
)


def _needs_look(name: str) -> bool:
    """Return whether an attribute may hold members in a text, or is one member of many."""
    return (
        name == "metadata" or name in _PARAMETERS or name.startswith(langfuse_names.METADATA_STARTS)
    )


_need_look = Answers(_needs_look)
NAMES_TO_LOOK_INTO = ByNames(lambda names: any(map(_need_look.__getitem__, names)))
"""Whether ``without_blocked`` has to look into attributes even when all are plain values."""

People = dict[str, str]
"""Placeholders by the plain values that they stand for."""


def without_blocked(attributes: Attributes, blocked: BlockList) -> Attributes:
    """Return attributes without the blocked members inside their values.

    The names of the attributes themselves have been checked when they were parsed. Metadata given
    as JSON text becomes a mapping, as it is when given as one; Langfuse's, which has an attribute
    per member, gets the names that members of metadata have.
    """
    if "langfuse." in "\n".join(attributes):  # one search is faster than one per name
        attributes = _with_langfuse_metadata(attributes)
    for name, value in attributes.items():
        if type(value) is dict or type(value) is list:
            attributes[name] = _pruned(value, name, blocked.blocks)
    metadata = attributes.get("metadata")
    if type(metadata) is str:
        data = parse_json_text(metadata).data
        if isinstance(data, dict) and data:
            attributes["metadata"] = _pruned(data, "metadata", blocked.blocks)
    for name in _PARAMETERS:
        parameters = attributes.get(name)
        if type(parameters) is str:
            attributes[name] = _trimmed_parameters(name, parameters, blocked)
        elif type(parameters) is dict:
            attributes[name] = _pruned(parameters, name, _PERSON_PARAMETERS.__contains__)
    return attributes


def is_nested(value: Any) -> bool:
    """Return whether a value has members that may be blocked, itself or in a list."""
    if type(value) is list:
        return any(type(item) is dict or type(item) is list for item in value)
    return type(value) is dict


def without_people(attributes: Attributes, rules: AttributeRules) -> Attributes:
    """Return attributes without any that names a person, at any depth."""
    names = rules.person_names
    kept: Attributes = {}
    for name, value in attributes.items():
        if name not in names:
            is_nested = type(value) is dict or type(value) is list
            kept[name] = _pruned(value, name, names.__contains__) if is_nested else value
    return kept


def find_people(holders: Iterable[Attributes], rules: AttributeRules) -> People:
    """Return every value that attributes give for a person and that can be told from a word."""
    found: People = {}
    for attributes in holders:
        add_people(found, attributes, rules.named_people[tuple(attributes)], rules)
    return found


def add_people(
    found: People, attributes: Attributes, names: Iterable[str], rules: AttributeRules
) -> People:
    """Add the values of attributes whose names are known to name a person; earlier ones win."""
    for name in names:
        value = to_text(attributes[name])
        if value is not None and len(value) >= _LEAST_PERSON_CHARS:
            found.setdefault(value, rules.person_names[name])
    return found


def mask_people(attributes: Attributes, text: str, people: People) -> str:
    """Return attributes as JSON text with people's values replaced by placeholders.

    Args:
        attributes: What is to be written.
        text: Their JSON text, returned when nobody is named in it.
        people: See :func:`find_people`.
    """
    named = [value for value in people if write_json(value)[1:-1] in text]
    if not named:
        return text
    named.sort(key=lambda value: (-len(value), value))  # the longer of two that share a beginning
    loose = [v for v in named if not v.isdigit() or len(v) >= _LEAST_PERSON_DIGITS]
    inside = "|".join(map(re.escape, loose)) or "(?!)"
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{inside})(?![A-Za-z0-9])")

    def mask(value: str) -> str:
        known = people.get(value)
        return known or pattern.sub(lambda match: people[match.group()], value)

    return write_json(_masked(attributes, mask))


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    """Return a value with its strings, keys and integers masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask(key): _masked(item, mask) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, mask) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
        masked = mask(text)
        return masked if masked != text else value
    return value


def _with_langfuse_metadata(attributes: Attributes) -> Attributes:
    """Return attributes with the metadata of Langfuse's traces and observations as ``metadata.x``.

    A member's value is JSON, or a plain text when it is one. Trace and observation that disagree
    give a list, which names nobody.
    """
    kept: Attributes = {}
    for name, value in attributes.items():
        start = next((s for s in langfuse_names.METADATA_STARTS if name.startswith(s)), None)
        if start is None:
            kept[name] = value
            continue
        if type(value) is str and value.startswith(("{", "[", '"')):
            value = parse_json_text(value).data or value
        member = f"metadata.{name[len(start) :]}"
        known = kept.setdefault(member, value)
        if known != value:
            kept[member] = [known, value]
    return kept


def _trimmed_parameters(name: str, text: str, blocked: BlockList) -> str:
    """Return the parameters of a call without headers, keys and what names the end user."""
    data = parse_json_text(text).data
    if not isinstance(data, dict):
        return text

    def is_dropped(path: str) -> bool:
        return path in _PERSON_PARAMETERS or blocked.blocks(path)

    kept = _pruned(data, name, is_dropped)
    return text if kept == data else write_json(kept)


def _pruned(value: Any, path: str, is_dropped: Callable[[str], bool]) -> Any:
    """Return a value without the members that are dropped for their path."""
    if isinstance(value, list):
        return [_pruned(item, path, is_dropped) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        below = f"{path}.{key}"
        if not is_dropped(below):
            nested = isinstance(item, dict | list)
            kept[key] = _pruned(item, below, is_dropped) if nested else item
    return kept
