"""The libraries' recognisers behind one interface: text in, spans out.

``import presidio_analyzer`` loads spaCy, transformers and torch: six seconds and hundreds of
megabytes that pattern recognisers never use. So their modules are loaded below a bare stand-in
for the package, which is taken away again at once; a later, ordinary import of Presidio works.
"""

import importlib
import importlib.util
import re
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from include.freezeline.errors import ConfigError
from include.freezeline.redaction.phones import PhoneFinder
from include.freezeline.redaction.prefilter import Span
from include.freezeline.redaction.rules import RedactionRule

Finder = Callable[[str], Iterable[Span]]

_PRESIDIO = "presidio_analyzer"
_RECOGNISERS = f"{_PRESIDIO}.predefined_recognizers"
# In the order in which they need each other.
_PRESIDIO_BASE = {
    "analysis_explanation": "AnalysisExplanation",
    "recognizer_result": "RecognizerResult",
    "pattern": "Pattern",
    "entity_recognizer": "EntityRecognizer",
    "local_recognizer": "LocalRecognizer",
    "pattern_recognizer": "PatternRecognizer",
}
# Names that no public registry sells but that companies give their own machines.
_PRIVATE_SUFFIXES = (
    "internal",
    "intranet",
    "local",
    "localdomain",
    "lan",
    "corp",
    "home",
    "private",
    "test",
    "example",
    "invalid",
)
_AROUND = frozenset(' \t\n\r="')
_AROUND_END = frozenset(' \t\n\r"')
_LATER_IBAN = re.compile(r"(?<=[A-Z0-9][ \-])[A-Z]{2}[0-9]{2}(?=[ \-]?[A-Z0-9]{4})")
# The longest has 34 characters in groups of four.
_IBAN_CHARS = 44
_LOCK = threading.Lock()


def build_finder(rule: RedactionRule) -> Finder:
    """Return the function that finds a rule's values.

    Raises:
        ConfigError: The library has no such recogniser or validator.
    """
    try:
        return _BUILDERS[rule.library](rule)
    except (ImportError, AttributeError, TypeError, re.error) as error:
        message = (
            f"redaction/default.yml: {rule.entity}: {rule.library} cannot run "
            f"{rule.module or rule.pattern}: {error} (correct module, recogniser or pattern)"
        )
        raise ConfigError(message) from error


def _presidio_finder(rule: RedactionRule) -> Finder:
    """Wrap a Presidio recogniser; no analyzer engine and no language model is involved."""
    recogniser = _presidio_class(rule)(**rule.options)
    entities = recogniser.supported_entities
    least = rule.min_score

    def find(text: str) -> Iterable[Span]:
        for hit in recogniser.analyze(text, entities, None):
            if hit.score >= least:
                yield hit.start, hit.end

    return find


def _presidio_class(rule: RedactionRule) -> Any:
    """Load a recogniser class, with its known leaks closed."""
    with _LOCK, _light_presidio():
        module = importlib.import_module(f"{_RECOGNISERS}.{rule.module}")
        found = getattr(module, str(rule.recogniser))
    amend = _AMENDMENTS.get(str(rule.recogniser))
    return amend(found) if amend else found


@contextmanager
def _light_presidio() -> Iterator[None]:
    """Let modules of Presidio be imported without the package's own ``__init__``."""
    if _PRESIDIO in sys.modules:
        yield
        return
    spec = importlib.util.find_spec(_PRESIDIO)
    if spec is None or not spec.submodule_search_locations:
        message = f"no module named {_PRESIDIO}"
        raise ImportError(message)
    root = spec.submodule_search_locations[0]
    try:
        package = _bare_module(_PRESIDIO, root)
        vars(_bare_module(f"{_PRESIDIO}.nlp_engine", None))["NlpArtifacts"] = object
        for name, wanted in _PRESIDIO_BASE.items():
            module = importlib.import_module(f"{_PRESIDIO}.{name}")
            setattr(package, wanted, getattr(module, wanted))
        _bare_module(_RECOGNISERS, f"{root}/predefined_recognizers")
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == _PRESIDIO]:
            del sys.modules[name]


def _bare_module(name: str, folder: str | None) -> types.ModuleType:
    """Register an empty module whose submodules are looked up in a folder."""
    module = types.ModuleType(name)
    if folder is not None:
        module.__path__ = [folder]
    sys.modules[name] = module
    return module


def _offline_email(recogniser: Any) -> Any:
    """Make the domain check use the suffix list in the package: no network, private names too."""
    from tldextract import TLDExtract

    extract = TLDExtract(suffix_list_urls=(), cache_dir=None, extra_suffixes=_PRIVATE_SUFFIXES)

    def validate_result(_self: object, pattern_text: str) -> bool:
        return bool(extract(pattern_text.rpartition("@")[2]).fqdn)  # before it may stand a URL

    return type("OfflineEmailRecognizer", (recogniser,), {"validate_result": validate_result})


def _ssn_with_samples(recogniser: Any) -> Any:
    """Keep the published sample numbers: one of them was a real person's."""
    samples = frozenset({"123456789", "987654320", "078051120"})

    def invalidate_result(self: object, pattern_text: str) -> bool:
        digits = "".join(char for char in pattern_text if char.isdigit())
        return digits not in samples and bool(recogniser.invalidate_result(self, pattern_text))

    return type("SsnRecognizer", (recogniser,), {"invalidate_result": invalidate_result})


def _card_anywhere(recogniser: Any) -> Any:
    """Let a card begin inside a candidate that is none: four digits before it make one."""

    def analyze(self: Any, text: str, _entities: object, _artifacts: object) -> list[Any]:
        return [
            types.SimpleNamespace(start=start, end=end, score=1.0)
            for known in self.patterns
            for start, end in _valid_spans(re.compile(known.regex), text, 0, self.validate_result)
        ]

    return type("CardRecognizer", (recogniser,), {"analyze": analyze})


def _iban_anywhere(recogniser: Any) -> Any:
    """Let an IBAN begin inside a candidate that is none, as behind ``REF DE12``."""

    def analyze(self: Any, text: str, entities: object, artifacts: object) -> list[Any]:
        found = list(recogniser.analyze(self, text, entities, artifacts))
        for match in _LATER_IBAN.finditer(text):
            start = match.start()
            if not any(hit.start <= start < hit.end for hit in found):
                part = text[start : start + _IBAN_CHARS]
                for hit in recogniser.analyze(self, part, entities, artifacts):
                    hit.start, hit.end = hit.start + start, hit.end + start
                    found.append(hit)
        return found

    return type("IbanAnywhereRecognizer", (recogniser,), {"analyze": analyze})


def _detect_secrets_finder(rule: RedactionRule) -> Finder:
    """Wrap a detect-secrets plugin.

    The plugin's own compiled patterns are run, not ``analyze_string``: that returns the values
    of inner groups (``ghp`` instead of the token) and no places.
    """
    module = importlib.import_module(f"detect_secrets.plugins.{rule.module}")
    plugin = getattr(module, str(rule.recogniser))(**rule.options)
    if not hasattr(plugin, "denylist"):
        return _keyword_finder(plugin)
    patterns, group = tuple(plugin.denylist), rule.group

    def find(text: str) -> Iterable[Span]:
        for pattern in patterns:
            for match in pattern.finditer(text):
                yield _trimmed(text, *match.span(group if group <= pattern.groups else 0))

    return find


def _trimmed(text: str, start: int, end: int) -> Span:
    """Leave out the space, quote or sign that some plugins take along on either side."""
    while start < end and text[start] in _AROUND:
        start += 1
    while start < end and text[end - 1] in _AROUND_END:
        end -= 1
    return start, end


def _keyword_finder(_plugin: Any) -> Finder:
    """Run the plugin that knows secrets by the name they are assigned to.

    Its expressions are run one value after the other: ``analyze_string`` returns only the first
    secret of a line, and JSON is one line.
    """
    from detect_secrets.filters.heuristic import is_templated_secret
    from detect_secrets.plugins import keyword

    expressions = {
        **keyword.QUOTES_REQUIRED_DENYLIST_REGEX_TO_GROUP,
        **keyword.CONFIG_DENYLIST_REGEX_TO_GROUP,
    }

    def find(text: str) -> Iterable[Span]:
        place = 0
        for line in text.splitlines(keepends=True):
            for start, end in _assigned(line, expressions):
                if not is_templated_secret(line[start:end]):
                    yield place + start, place + end
            place += len(line)

    return find


def _assigned(line: str, expressions: Mapping[re.Pattern[str], int]) -> Iterable[Span]:
    """Yield the spans of what a line assigns to names of secrets."""
    for expression, group in expressions.items():
        match = expression.search(line)
        while match:
            value = match.group(group)
            start = match.start(group) + len(value) - len(value.lstrip())
            end = start + len(_first_word(value))
            if end > start:
                yield start, end
            match = expression.search(line, max(end, match.start() + 1))


def _first_word(value: str) -> str:
    """Cut what the plugin returns at the first space; it takes the rest of a line along."""
    words = value.split(maxsplit=1)
    return words[0].rstrip(",;.)]}'\"`") if words else ""


def _pattern_finder(rule: RedactionRule) -> Finder:
    """Run a rule's own expression and, when it names one, a python-stdnum check."""
    pattern = re.compile(rule.full_pattern())
    is_valid = _validator(rule.validator)
    group = 1 if pattern.groups else 0

    def find(text: str) -> Iterable[Span]:
        return _valid_spans(pattern, text, group, is_valid)

    return find


def _valid_spans(
    pattern: re.Pattern[str], text: str, group: int, is_valid: Callable[[str], bool]
) -> Iterable[Span]:
    """Yield the spans of valid matches; inside an invalid one another may begin."""
    match = pattern.search(text)
    while match:
        place = match.start() + 1
        if is_valid(match.group(group)):
            yield match.span(group)
            place = max(match.end(), place)
        match = pattern.search(text, place)


def _validator(name: str | None) -> Callable[[str], bool]:
    """Return the checksum test called ``stdnum.<name>``; without a name everything passes."""
    if name is None:
        return lambda _value: True
    module = importlib.import_module(f"stdnum.{name}")
    is_valid: Callable[[str], bool] = module.is_valid
    # stdnum.luhn takes digits only, the country modules clean values themselves.
    return lambda value: is_valid(re.sub(r"[ \-]", "", value) if name == "luhn" else value)


def _phone_finder(rule: RedactionRule) -> Finder:
    """Return the finder of phone numbers of a rule's countries."""
    return PhoneFinder(rule.regions or ())


_AMENDMENTS: dict[str, Callable[[Any], Any]] = {
    "CreditCardRecognizer": _card_anywhere,
    "EmailRecognizer": _offline_email,
    "IbanRecognizer": _iban_anywhere,
    "UsSsnRecognizer": _ssn_with_samples,
}
_BUILDERS: dict[str, Callable[[RedactionRule], Finder]] = {
    "presidio": _presidio_finder,
    "phonenumbers": _phone_finder,
    "detect_secrets": _detect_secrets_finder,
    "pattern": _pattern_finder,
}
