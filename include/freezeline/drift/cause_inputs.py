"""Is a slower model or another retrieval no more than another mix of what is asked?

A route that streams slower, or a topic with documents of its own, moves the numbers of all calls
when its share grows. Where an input's mix changed, what speaks for model or retrieval is looked at
again inside that input: what does not move there is shown and not counted (Simpson 1951).
"""

from collections.abc import Sequence
from typing import Any

from include.freezeline.drift.cause_evidence import Evidence
from include.freezeline.drift.cause_shares import shift_of
from include.freezeline.drift.policy import CausePolicy
from include.freezeline.drift.signs import SIGNS, CauseRows, Sign, sign_result, topics_of
from include.freezeline.stats.result import StatResult

# Of the calls of a window, at least so many must be comparable inside an input to tell anything.
_LEAST_SHARE = 0.5
# An identity is what was asked for or what answered, whoever asked: no mix explains it.
_EXPLAINABLE = frozenset(
    {sign.name for sign in SIGNS if sign.cause == "retrieval" or sign.kind == "ranks"}
) - {sign.name for sign in SIGNS if sign.cause == "input"}


def without_input_mix(
    evidence: Sequence[Evidence], rows: CauseRows, policy: CausePolicy, seed: int, n_refined: int
) -> list[Evidence]:
    """Do not count what stays as it was inside an input whose mix changed.

    Args:
        evidence: All signs, judged.
        rows: Calls before and in the window.
        policy: What counts as a change.
        seed: Seed of the tests.
        n_refined: Permutations when the screening p-value is small.
    """
    speaking = {e.name for e in evidence if e.speaks and e.name in _EXPLAINABLE}
    if not speaking:
        return list(evidence)
    changed = {each.name for each in evidence if each.cause == "input" and each.is_changed}
    inputs = {
        sign.name: _values(sign, rows)
        for sign in SIGNS
        if sign.cause == "input" and sign.kind == "shares" and sign.name in changed
    }
    by_name = {sign.name: sign for sign in SIGNS}
    found = []
    for each in evidence:
        explained = [
            name
            for name, values in inputs.items()
            if each.name in speaking
            and _stays_inside(
                by_name[each.name],
                each.result,
                sign_result(by_name[each.name], rows, seed, n_refined=n_refined, inside=values),
                policy,
            )
        ]
        note = f"does not move inside {', '.join(explained)}, whose mix changed"
        found.append(each.uncounted(note) if explained else each)
    return found


def is_large_shift(kind: str, result: StatResult, policy: CausePolicy) -> bool:
    """Whether a sign moved by enough to matter; one without a value did not.

    Args:
        kind: ``shares`` or ``ranks``.
        result: Its test.
        policy: What matters.
    """
    if result.value is None:
        return False
    if kind == "shares":
        return shift_of(result) >= policy.min_share_change
    return abs(result.value - 0.5) >= policy.min_rank_shift


def _stays_inside(sign: Sign, whole: StatResult, inside: StatResult, policy: CausePolicy) -> bool:
    """Whether a sign that moved over all does not move among calls with the same input."""
    if inside.p_value is None:
        return False
    sizes = ((inside.n_current, whole.n_current), (inside.n_reference, whole.n_reference))
    if any(part < _LEAST_SHARE * all_of_it for part, all_of_it in sizes):
        return False
    return inside.p_value > policy.level or not is_large_shift(sign.kind, inside, policy)


def _values(given: Sign, rows: CauseRows) -> Sequence[Any]:
    """Return the value of an input by call."""
    return topics_of(rows) if given.column == "topic" else rows.columns[given.column]
