"""What the key of a JSON member tells about its value.

A password is a word and a phone number is a number; only the key beside them says so. A value is
therefore read with its key before it, the way the rules' context words expect it in prose.
"""

import re
from collections.abc import Iterable, Mapping

_CACHED_KEYS = 20_000
_MAX_FORMS = 4
# What the libraries look for by themselves; the rules' context words come on top.
_OWN_WORDS = (
    "phone", "telephone", "tel", "mobile", "cell", "cellphone", "fax", "whatsapp", "sms", "ssn",
    "pan", "pass",
)  # fmt: skip
_INSIDE_WORDS = (
    r"pass(?:w|p|c|$|_)|pwd|secret|contrase|birth|phone|mobile|token(?![si])|credential"
    r"|(?:api|auth|service|account|db|database|priv|private|client|access|secret|signing"
    r"|encryption|master|subscription|license|shared)[_\-. ]?key"
)
# A member whose name ends like this is a reference, a time or a count, whatever it belongs to.
_NEUTRAL_WORDS = frozenset(
    [
        "id",
        "ids",
        "uuid",
        "guid",
        "at",
        "ts",
        "time",
        "timestamp",
        "epoch",
        "count",
        "counts",
        "total",
        "tokens",
        "ms",
        "us",
        "ns",
        "s",
        "sec",
        "seconds",
        "version",
        "offset",
        "length",
        "size",
        "index",
        "score",
        "cost",
        "usd",
        "price",
        "duration",
        "seq",
    ]
)
_CAMEL = re.compile(
    r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])"
)
_SEPARATORS = re.compile(r"[^\w]+|_+")
# Words written together ("phonenumber", "birthdate") are parted, so that the rules see them.
_TOGETHER = re.compile(
    r"(phone|mobile|birth|aadhaa?r|pesel|(?:credit|debit)(?=card)|card(?=num|no\b))", re.IGNORECASE
)
NAME_KEYS = frozenset(
    ("name", "key", "field", "label", "type", "kind", "attribute", "property", "title", "header")
)
_VALUE_KEYS = frozenset(
    (
        "value", "val", "values", "text", "content", "data", "answer", "number", "string_value",
        "stringValue", "int_value", "intValue",
    )
)  # fmt: skip
_MAX_NAME_CHARS = 80


class TellingKeys:
    """Knows which keys tell what their value is; remembers its answers."""

    def __init__(self, context_words: Iterable[str]) -> None:
        """Take the words that rules need before a value."""
        words = sorted({*context_words, *_OWN_WORDS}, key=lambda word: (-len(word), word))
        whole = "|".join(map(re.escape, words))
        self._telling = re.compile(rf"\b(?:{whole})\b|{_INSIDE_WORDS}", re.IGNORECASE)
        self._known: dict[str, tuple[str, ...]] = {}
        self._plain: set[str] = set()
        self._plain_names: set[str] = set()

    def are_plain(self, members: Mapping[str, object]) -> bool:
        """Return whether no key of an object tells anything, nor any name of a pair in it."""
        if not self._plain.issuperset(members):
            for key in members:
                if self.forms(key):
                    return False
                if len(self._plain) < _CACHED_KEYS:
                    self._plain.add(key)
        return NAME_KEYS.isdisjoint(members) or not pair_forms(self, members)

    def are_plain_names(self, members: Mapping[str, object], names: Iterable[str]) -> bool:
        """Return whether an object is no pair of which the name tells something.

        Args:
            members: The object.
            names: Its keys that may hold a name.
        """
        plain = self._plain_names
        for key in names:
            name = members[key]
            if type(name) is not str or name not in plain:
                return self._learn_names(members, names)
        return True

    def _learn_names(self, members: Mapping[str, object], names: Iterable[str]) -> bool:
        """Return whether no name of a pair tells something; remember those that do not."""
        if pair_forms(self, members):
            return False
        values = [members[key] for key in names]
        if len(self._plain_names) < _CACHED_KEYS:
            self._plain_names.update(
                value
                for value in values
                if isinstance(value, str) and len(value) <= _MAX_NAME_CHARS
            )
        return True

    def forms(self, key: str) -> tuple[str, ...]:
        """Return the texts to read before a key's value; none when the key tells nothing.

        The key as it is comes first (secrets are known by names such as ``api_key``), then its
        words apart (a phone number is announced by the word ``phone``).
        """
        found = self._known.get(key)
        if found is None:
            spaced = _spaced(key)
            is_telling = self._telling.search(key) or self._telling.search(spaced)
            found = tuple(dict.fromkeys((f"{key}: ", f"{spaced}: "))) if is_telling else ()
            if len(self._known) < _CACHED_KEYS:  # keys with ids inside must not fill memory
                self._known[key] = found
        return found


def inherited_forms(own: tuple[str, ...], above: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is read before a value that has a telling key itself and stands below others."""
    return own if not above else tuple(dict.fromkeys((*own, *above)))[:_MAX_FORMS]


def is_neutral(key: str) -> bool:
    """Return whether a key names a reference, a time or a count, which must stay as it is."""
    words = _spaced(key).lower().split()
    return bool(words) and words[-1] in _NEUTRAL_WORDS


def pair_forms(keys: TellingKeys, members: Mapping[str, object]) -> tuple[str, ...]:
    """Return what an object like ``{"name": "phone", "value": ...}`` tells about its value."""
    for key in NAME_KEYS.intersection(members):
        name = members[key]
        if isinstance(name, str) and len(name) <= _MAX_NAME_CHARS:
            found = keys.forms(name)
            if found and not is_neutral(name):
                return found
    return ()


def is_value_key(key: str) -> bool:
    """Return whether a key holds what a sibling names."""
    return key in _VALUE_KEYS


def _spaced(key: str) -> str:
    """Return the words of a key with spaces between them."""
    apart = _TOGETHER.sub(r" \1 ", _CAMEL.sub(" ", key))
    return " ".join(_SEPARATORS.sub(" ", apart).split())
