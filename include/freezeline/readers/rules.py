"""Landing rules: which attributes name the business columns, and which never leave the parser."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.readers.names import ByNames, Names, names_among
from include.freezeline.readers.storage import StorageRules
from include.freezeline.readers.trace_limits import TraceLimits

_CACHED_KEYS = 50_000

AttributeName = Annotated[str, Field(min_length=1, max_length=300)]
AttributeNames = tuple[AttributeName, ...]


class AttributeRules(BaseModel):
    """Attribute names per column; the first one that a span or its resource carries wins.

    Attributes:
        feature: Product feature; service.name when none of them is there.
        environment: Deployment environment; 'unknown' when none is there.
        tenant: Customer the call was made for; stored as a keyed pseudonym.
        user: End user; stored as a keyed pseudonym.
        session: Conversation or session; stored as a keyed pseudonym.
        request_id: Business request id that outcome facts join on.
        route: Route or endpoint the request took.
        locale: Language and region the user works in.
        canary_id: Id of the fixed probe prompt on canary calls.
        prompt_name: Name of the prompt template, beside the names of each dialect.
        prompt_version: Version of the prompt template, beside the names of each dialect.
        sample_weight: How many calls the span stands for ("one in N").
        sample_ratio: Probability with which the span was kept; the weight is its inverse.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: AttributeNames
    environment: AttributeNames
    tenant: AttributeNames
    user: AttributeNames
    session: AttributeNames
    request_id: AttributeNames
    route: AttributeNames
    canary_id: AttributeNames
    locale: AttributeNames = ()
    prompt_name: AttributeNames = ()
    prompt_version: AttributeNames = ()
    sample_weight: AttributeNames = ()
    sample_ratio: AttributeNames = ()

    @cached_property
    def person_names(self) -> dict[str, str]:
        """Every attribute name that says who a call was made for, with its placeholder."""
        return {
            **dict.fromkeys(self.session, "<SESSION>"),
            **dict.fromkeys(self.user, "<USER>"),
            **dict.fromkeys(self.tenant, "<TENANT>"),
        }

    @cached_property
    def named_people(self) -> ByNames[Names]:
        """Which of a set of attributes say who a call was made for."""
        return names_among(self.person_names)

    @cached_property
    def named_samples(self) -> ByNames[Names]:
        """Which of a set of attributes say how many calls a span stands for."""
        return names_among((*self.sample_weight, *self.sample_ratio))


class BlockedRules(BaseModel):
    """Attributes that are dropped while parsing, on spans, events, scopes and resources.

    Attributes:
        names: Whole attribute names.
        prefixes: Beginnings of attribute names.
        suffixes: Ends of attribute names.

    A name or suffix without further dots also holds for the last part of any name, whatever its
    case, dashes and underscores: `password` for `customer.password`, `.api_key` for `apiKey`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: AttributeNames = ()
    prefixes: AttributeNames = ()
    suffixes: AttributeNames = ()


class LandingRules(BaseModel):
    """The content of ``config/landing.yml``.

    Attributes:
        attributes: Attribute names per business column.
        blocked: Attributes that never leave the parser.
        storage: Whether a record's texts may be stored.
        trace_limits: How large a trace may be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attributes: AttributeRules
    blocked: BlockedRules = BlockedRules()
    storage: StorageRules = StorageRules()
    trace_limits: TraceLimits = TraceLimits()

    @cached_property
    def block_list(self) -> "BlockList":
        """The blocked attributes in a form that is quick to ask."""
        return BlockList(self.blocked)


class Answers(dict[str, bool]):
    """Answers by name, worked out when a name is met first."""

    def __init__(self, answer: Callable[[str], bool]) -> None:
        """Take the function that knows."""
        super().__init__()
        self._answer = answer

    def __missing__(self, key: str) -> bool:
        """Work out the answer for a name."""
        answer = self._answer(key)
        if len(self) < _CACHED_KEYS:  # keys with ids inside must not fill memory
            self[key] = answer
        return answer


class _Kept(dict[str, str | None]):
    """Names as one object for all spans, which are quicker to compare; None when blocked."""

    def __init__(self, answers: Mapping[str, bool]) -> None:
        """Take the answers whether names are blocked."""
        super().__init__()
        self._answers = answers

    def __missing__(self, key: str) -> str | None:
        """Look at a name that is met first."""
        kept = None if self._answers[key] else key
        if len(self) < _CACHED_KEYS:
            self[key] = kept
        return kept


class BlockList:
    """Answers whether an attribute is blocked, ignoring case; remembers its answers.

    Attributes:
        answers: Whether a name is blocked, by name.
        kept: Names that are not blocked, by themselves; None where one is.
    """

    def __init__(self, rules: BlockedRules) -> None:
        """Take the blocked names, prefixes and suffixes."""
        self._names = frozenset(name.lower() for name in rules.names)
        self._prefixes = tuple(name.lower() for name in rules.prefixes)
        self._suffixes = tuple(name.lower() for name in rules.suffixes)
        ends = (*self._names, *(end.removeprefix(".") for end in self._suffixes))
        self._last_parts = frozenset(_squashed(end) for end in ends if "." not in end)
        self.answers: Mapping[str, bool] = Answers(self._is_blocked)
        self.kept: Mapping[str, str | None] = _Kept(self.answers)
        self._inner: dict[str, bool] = {}

    def __contains__(self, key: str) -> bool:
        """Return whether the attribute called ``key`` must be dropped."""
        return self.answers[key]

    def _is_blocked(self, key: str) -> bool:
        """Work out whether a name is blocked."""
        folded = key.lower()
        return (
            folded in self._names
            or folded.startswith(self._prefixes)
            or folded.endswith(self._suffixes)
            or _squashed(folded.rpartition(".")[2]) in self._last_parts
        )

    def blocks(self, path: str) -> bool:
        """Return whether the member at a dotted path inside an attribute must be dropped.

        It is when the path is blocked or anything that it ends with.
        """
        answer = self._inner.get(path)
        if answer is None:
            parts = path.split(".")
            answer = any(".".join(parts[place:]) in self for place in range(len(parts)))
            if len(self._inner) < _CACHED_KEYS:
                self._inner[path] = answer
        return answer


def _squashed(name: str) -> str:
    """Return a name without what its spellings differ in."""
    return name.replace("_", "").replace("-", "")


def load_landing_rules(config_dir: Path) -> LandingRules:
    """Read ``landing.yml`` of a configuration folder.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = config_dir / "landing.yml"
    return parse_config(LandingRules, path, load_yaml(path))
