"""Did the shares of categories of calls move, and what are the categories called?

Whole values are compared, however long: names of models and of prompt versions often differ near
their end only. What is shown is short.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from include.freezeline.hashing import stable_hash
from include.freezeline.stats.categories import category_shift_test
from include.freezeline.stats.result import BoolArray, IntArray, StatResult, insufficient

NONE, OTHER = "(none)", "(other)"
# The test is exact with any number of categories; this bounds what it costs.
_MAX_COMPARED = 200
_MIN_NAMED = 5
_MAX_NAME, _HEAD, _TAIL = 60, 24, 35


def shares_result(
    values: Sequence[Any],
    is_current: BoolArray,
    strata: IntArray,
    *,
    seed: int,
    n_permutations: int,
    n_refined: int,
) -> StatResult:
    """Compare the shares of categories; one that few calls have is compared but never named.

    A name that few calls have (a file that somebody uploaded, say) is nothing to keep for years.

    Args:
        values: Category of each call, None where it has none.
        is_current: Which calls are in the window judged.
        strata: Calls are compared inside these groups only.
        seed: Seed of the permutations.
        n_permutations: Permutations of the screening stage.
        n_refined: Permutations of the refining stage.
    """
    texts = [NONE if value is None or value == "" else str(value) for value in values]
    counts = Counter(texts)
    named = {text for text, count in counts.items() if count >= _MIN_NAMED}
    if not named:
        sizes = int((~is_current).sum()), int(is_current.sum())
        return insufficient("shares_of_calls", "every category is rare", *sizes)
    if len(counts) > _MAX_COMPARED:
        order = sorted(counts, key=lambda text: (-counts[text], text))
        compared = set(order[:_MAX_COMPARED])
        texts = [text if text in compared else OTHER for text in texts]
    result = category_shift_test(
        texts,
        is_current,
        seed=seed,
        strata=strata,
        n_permutations=n_permutations,
        n_refined=n_refined,
        named=named,
    )
    return _with_short_names(result, named)


def shift_of(result: StatResult) -> float:
    """Return by how much shares moved: the largest change of one, or of all together.

    Of all together counts what lies beyond chance, because many categories never agree exactly.
    """
    largest = abs(result.value or 0.0)
    together = result.details.get("total_variation", 0.0)
    return max(largest, float(together - result.details.get("chance_total_variation", 0.0)))


def short_names(names: Collection[str]) -> dict[str, str]:
    """Return a short form of each name, different for different names.

    The tail says more than the head, which is often an account or a path.
    """
    cut = {name: _cut(name) for name in names}
    shared = {short for short, count in Counter(cut.values()).items() if count > 1}
    return {
        name: f"{short} #{stable_hash(name)[:6]}" if short in shared and short != name else short
        for name, short in cut.items()
    }


def _cut(name: str) -> str:
    """Return head and tail of a long name."""
    return name if len(name) <= _MAX_NAME else f"{name[:_HEAD]}…{name[-_TAIL:]}"


def _with_short_names(result: StatResult, named: Collection[str]) -> StatResult:
    """Return the result with short names of the categories that moved, and the whole ones beside.

    Words are for people; who acts on a name needs all of it.
    """
    if "moved_categories" not in result.details:
        return result
    short = short_names(named)
    moved = {
        short[name]: item if short[name] == name else {**item, "full_name": name}
        for name, item in result.details["moved_categories"].items()
    }
    return replace(result, details={**result.details, "moved_categories": moved})
