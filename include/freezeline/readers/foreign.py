"""What the readers of documents that are not OTLP share."""

from functools import lru_cache
from typing import Any

from include.freezeline.readers.otlp import Attributes

_CACHED_NAMES = 4096
_PERSONAL_NAMES = frozenset(
    {"headers", "useragent", "ip", "ipaddress", "clientip", "remoteaddr", "cookies", "phone"}
)
_PERSONAL_PARTS = ("email", "ipaddress", "apikey", "username", "phonenumber", "useragent")


def as_object(value: Any) -> dict[str, Any]:
    """Return a JSON object; empty when it is none."""
    return value if isinstance(value, dict) else {}


def known(attributes: Attributes) -> Attributes:
    """Return the attributes that have a value."""
    return {
        name: value
        for name, value in attributes.items()
        if value is not None and value != "" and value != []
    }


@lru_cache(maxsize=_CACHED_NAMES)
def folded(name: str) -> str:
    """Return a member's name without what its spellings differ in: case and separators."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "").replace(".", "")


def is_personal(name: str) -> bool:
    """Return whether a member's name says outright that it holds personal data."""
    key = folded(name)
    return key in _PERSONAL_NAMES or any(part in key for part in _PERSONAL_PARTS)


def without_personal(value: Any) -> Any:
    """Return a value without the members, at any depth, that hold personal data by their name."""
    if isinstance(value, list):
        return [without_personal(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without_personal(item) for name, item in value.items() if not is_personal(str(name))
    }
