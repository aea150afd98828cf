"""Turn what pydantic says of a policy into an error that a person can act on.

A message says the field, what was expected, what was found and what to write instead.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

_Error = Mapping[str, Any]
_Accepts = Callable[[float], bool]
_MAX_SHOWN = 80
_MAX_DIGITS = 15
# What is expected, and what to write instead.
_BOUNDS: dict[str, tuple[str, str, str]] = {
    "greater_than": ("gt", "above {}", "write more than {}"),
    "greater_than_equal": ("ge", "at least {}", "write {} or more"),
    "less_than": ("lt", "below {}", "write less than {}"),
    "less_than_equal": ("le", "at most {}", "write {} or less"),
}
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("int_", "a whole number", "write a whole number, without quotes"),
    ("float_", "a number", "write a number, without quotes"),
    ("decimal_type", "a number", "write a number"),
    ("decimal_parsing", "a number", "write a number"),
    ("finite_number", "a finite number", "write a number"),
    ("bool_", "true or false", "write true or false, without quotes"),
    ("string_type", "text", "put it in quotes"),
    ("tuple_type", "a list", "write [one, another]"),
    ("list_type", "a list", "write [one, another]"),
    ("set_type", "a list", "write [one, another]"),
    ("frozen_set_type", "a list", "write [one, another]"),
    ("dict_type", "keys with values", "write `key: value`, one a line"),
    ("model_type", "keys with values", "write `key: value`, one a line"),
    ("datetime_", "a time", "write it like 2026-01-31T00:00:00Z"),
    ("timezone_aware", "a time with its offset", "write it like 2026-01-31T00:00:00Z"),
    ("date_", "a date", "write it like 2026-01-31"),
)


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Return field and complaint of the first thing that is wrong.

    A key that nobody knows is told before one that is missing beside it: mostly it is that one,
    misspelt.

    Args:
        error: What pydantic found.
        model: The model that was asked, which knows the keys.
    """
    found = error.errors(include_url=False)
    first = found[0]
    if first["type"] == "missing":
        beside = (each for each in found if each["loc"][:-1] == first["loc"][:-1])
        first = next((each for each in beside if each["type"] == "extra_forbidden"), first)
    field = ".".join(str(part) for part in first["loc"]) or "(document)"
    if first["type"] == "missing":
        return f"{field}: required but missing (add it)"
    if first["type"] == "extra_forbidden":
        return f"{field}: unknown key ({_meant(first['loc'], model)})"
    return f"{field}: {complaint(first, lambda number: _is_accepted(number, first['loc'], model))}"


def complaint(error: _Error, accepts: _Accepts = lambda _number: True) -> str:
    """Say what a value must be, what it is, and what to write instead.

    Args:
        error: One of pydantic's errors; one without ``input`` does not show the value.
        accepts: Whether a number may be written there, so that no other one is suggested.
    """
    said = str(error["msg"]).removeprefix("Value error, ")
    for told in (_bound(error, accepts), _choice(error), _kind(error, accepts), _form(error)):
        if told is not None:
            expected, remedy = told
            return f"must be {expected}{_got(error)} ({remedy})"
    return f"{said}{_got(error)}"


def _is_accepted(number: float, place: tuple[int | str, ...], model: type[BaseModel]) -> bool:
    """Whether a field takes a number; of an entry of a list nobody knows."""
    fields = list(_fields_at(place, model))
    return not fields or any(_takes(field, number) for field in fields)


def _fields_at(place: tuple[int | str, ...], model: type[BaseModel]) -> Iterator[FieldInfo]:
    """Yield the fields of a name, one per model that may stand there."""
    for owner in _models_at(place[:-1], model):
        yield from (f for name, f in owner.model_fields.items() if place[-1] in {name, f.alias})


def _takes(field: FieldInfo, number: float) -> bool:
    """Whether a field takes a number, as far as it can be asked alone."""
    try:
        TypeAdapter(field.rebuild_annotation()).validate_python(number)
    except ValidationError:
        return False
    except PydanticUserError:
        return True
    return True


def _bound(error: _Error, accepts: _Accepts) -> tuple[str, str] | None:
    """Describe a number that is too small or too large."""
    if error["type"] not in _BOUNDS:
        return None
    name, expected, remedy = _BOUNDS[error["type"]]
    bound = error["ctx"][name]
    shown = f"{bound:g}" if isinstance(bound, float) else str(bound)
    value = error.get("input")
    if _is_endless(value):
        return "a finite number", "write a number"
    if name in {"lt", "le"} and bound == 1 and isinstance(value, int | float) and 1 < value < 100:
        share = float(value) / 100
        if accepts(share):
            return expected.format(shown), f"write {share:g}"
    return expected.format(shown), remedy.format(shown)


def _is_endless(value: object) -> bool:
    """Whether a value is infinite or not a number, also when written as text."""
    if not isinstance(value, float | str):
        return False
    try:
        return not math.isfinite(float(value))
    except ValueError:
        return False


def _choice(error: _Error) -> tuple[str, str] | None:
    """Describe a value that is none of those allowed."""
    if error["type"] not in {"literal_error", "enum"}:
        return None
    expected = str(error["ctx"]["expected"])
    allowed = [part.strip("'") for part in expected.replace(" or ", ", ").split(", ")]
    near = get_close_matches(str(error.get("input")), allowed, n=1)
    only = near or (allowed if len(allowed) == 1 else [])
    return expected, f"write {only[0]}" if only else "write one of them"


def _kind(error: _Error, accepts: _Accepts) -> tuple[str, str] | None:
    """Describe a value of another kind."""
    for start, expected, remedy in _KINDS:
        if str(error["type"]).startswith(start):
            number = _number_in(error.get("input"), expected, accepts)
            return expected, remedy if number is None else f"write {number}"
    return None


def _number_in(value: object, expected: str, accepts: _Accepts) -> str | None:
    """Return the number that somebody wrote as text, such as ``"0.01"`` or ``2%``.

    In plain digits, because YAML reads ``1e-3`` as text, and only a number that may stand there:
    no share in the place of a whole number.
    """
    if not isinstance(value, str) or "number" not in expected:
        return None
    text = value.strip()
    try:
        number = Decimal(text.removesuffix("%"))
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > _MAX_DIGITS:
        return None
    is_percent = text.endswith("%")
    if "whole" in expected and (is_percent or number != number.to_integral_value()):
        return None
    number = number / 100 if is_percent else number
    return f"{number.normalize():f}" if accepts(_plain(number)) else None


def _plain(number: Decimal) -> float:
    """Return a number as YAML would read it."""
    return int(number) if number == number.to_integral_value() else float(number)


def _form(error: _Error) -> tuple[str, str] | None:
    """Describe a text of another form, or too few of something."""
    context = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        return f"text that fits {context['pattern']}", "correct it"
    if error["type"] == "decimal_max_places":
        places = context["decimal_places"]
        return f"a number of at most {places} decimal places", "round it"
    if error["type"] in {"too_short", "string_too_short"}:
        return f"at least {context['min_length']} long", "write more"
    return None


def _got(error: _Error) -> str:
    """Quote a value that fits in a line, as YAML writes it."""
    if "input" not in error or isinstance(error["input"], dict | list):
        return ""
    value = error["input"]
    named = {None: "nothing", True: "true", False: "false"}
    shown = named[value] if value is None or isinstance(value, bool) else repr(value)
    return f", got {shown if len(shown) <= _MAX_SHOWN else shown[:_MAX_SHOWN] + '...'}"


def _meant(place: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """Say what to do with an unknown key: the key that comes nearest, where one does."""
    keys = [key for owner in _models_at(place[:-1], model) for key in _keys(owner)]
    near = get_close_matches(str(place[-1]), keys, n=1)
    return f"write {near[0]}" if near else "remove it or correct its spelling"


def _models_at(place: tuple[int | str, ...], model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the models that a value at this place may be."""
    owners = [model]
    for part in place:
        annotations = [
            field.annotation
            for owner in owners
            for name, field in owner.model_fields.items()
            if part in {name, field.alias}
        ]
        # The number of an entry and the kind of a union are no fields: its models stay.
        owners = [each for a in annotations for each in _models_in(a)] or owners
    return owners


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names, inside unions and containers too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _keys(model: type[BaseModel]) -> list[str]:
    """Return the keys of a model as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]
