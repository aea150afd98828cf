"""What the names of a span's attributes decide, worked out once for all spans that share them.

Nearly all spans of an object have one of a few sets of names and nothing unusual about them. For
those, most of what the readers ask has one answer per set: which dialect it is, which attribute
fills which column, which ones no column takes, and which further questions can be left out.
"""

from dataclasses import dataclass

from include.freezeline.readers.business import BusinessColumns
from include.freezeline.readers.column_plans import Convert
from include.freezeline.readers.evaluations import may_hold_evaluations
from include.freezeline.readers.genai_columns import (
    has_latencies,
    has_references,
    plain_columns,
)
from include.freezeline.readers.genai_content import has_content
from include.freezeline.readers.names import Names
from include.freezeline.readers.otel_genai import OPERATION_NAMES, PROVIDER_NAMES
from include.freezeline.readers.registry import dialect_of_names
from include.freezeline.readers.retrieved import has_packing
from include.freezeline.readers.rules import LandingRules
from include.freezeline.readers.timing import has_chunk_offsets
from include.freezeline.readers.values import to_text

_GENAI_DIALECTS = frozenset({"otel_genai", "otel_genai_legacy"})
_PLAIN = "plain"
_UNUSUAL = frozenset({"metadata", "error.type"})
_LANGFUSE = "langfuse."
_TAKEN_ALWAYS = "gen_ai.system"
_LEADING = {"operation_name": OPERATION_NAMES, "provider": PROVIDER_NAMES}


@dataclass(frozen=True, slots=True)
class QuickPlan:
    """How to read spans whose attributes have the same names.

    Attributes:
        dialect: Their dialect.
        is_genai: Whether it is one of the GenAI conventions; else they have no LLM attribute.
        texts: Columns that a non-empty text fills, with its name.
        others: Columns that another value fills, with what makes it and its name.
        filled: The columns of both, and no others, as keys.
        rest: Names that these columns do not take and that name nobody, in their order.
        people: Names that name a person.
        has_usage: Whether tokens are counted.
        has_latencies: Whether latencies are reported.
        has_content: Whether there may be messages.
    """

    dialect: str
    is_genai: bool
    texts: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, Convert, str], ...]
    filled: frozenset[str]
    rest: Names
    people: Names
    has_usage: bool
    has_latencies: bool
    has_content: bool


def quick_plan(
    scope_name: str, names: Names, rules: LandingRules, business: BusinessColumns
) -> QuickPlan | None:
    """Return how to read spans with these names; None when they need more than a plan.

    Args:
        scope_name: Their instrumentation scope.
        names: The names of their attributes.
        rules: The landing rules.
        business: Reads the business columns.
    """
    dialect = dialect_of_names(scope_name, names).name
    if dialect not in _GENAI_DIALECTS and dialect != _PLAIN:
        return None
    if _is_unusual(names, rules):
        return None
    is_genai = dialect in _GENAI_DIALECTS
    steps = [*_leading(names), *plain_columns(names)] if is_genai else []
    known = {column for column, _, _ in steps}
    steps += [(c, to_text, name) for c, name in business.best_names(names) if c not in known]
    taken = {name for _, _, name in steps} | ({_TAKEN_ALWAYS} if is_genai else set())
    people = rules.attributes.person_names
    return QuickPlan(
        dialect=dialect,
        is_genai=is_genai,
        texts=tuple((column, name) for column, convert, name in steps if convert is to_text),
        others=tuple(step for step in steps if step[1] is not to_text),
        filled=frozenset(column for column, _, _ in steps),
        rest=tuple(name for name in names if name not in taken and name not in people),
        people=rules.attributes.named_people[names],
        has_usage="input_tokens" in known,
        has_latencies=is_genai and has_latencies(names),
        has_content=is_genai and has_content(names),
    )


def _is_unusual(names: Names, rules: LandingRules) -> bool:
    """Return whether a name asks for what only the long way of reading a span does."""
    return (
        not _UNUSUAL.isdisjoint(names)
        or any(name.startswith(_LANGFUSE) for name in names)
        or bool(rules.attributes.named_samples[names])
        or bool(rules.storage.named[names])
        or has_packing(names)
        or has_references(names)
        or has_chunk_offsets(names)
        or may_hold_evaluations(names)
    )


def _leading(names: Names) -> list[tuple[str, Convert, str]]:
    """Return how the columns are filled that decide about others."""
    found = (
        (column, next((name for name in wanted if name in names), None))
        for column, wanted in _LEADING.items()
    )
    return [(column, to_text, name) for column, name in found if name is not None]
