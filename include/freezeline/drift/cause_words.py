"""The cause of a verdict in words, with the numbers of what changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.freezeline.drift.cause_evidence import Evidence
from include.freezeline.drift.signs import CAUSES, Cause

_NAN = float("nan")


def reason_of(cause: Cause, evidence: Sequence[Evidence], level: float, n_refined: int) -> str:
    """Write the cause in words: what changed, what is not counted and what nothing is known about.

    Args:
        cause: The cause, or ``unknown``.
        evidence: Every sign.
        level: What adjusted p-values are compared with.
        n_refined: Permutations of the tests, which bound how small a p-value can be.
    """
    said = {c: [_words(e) for e in evidence if e.cause == c and e.speaks] for c in CAUSES}
    limits = f"{_uncounted(evidence)}{_silent(evidence)}{_unreachable(evidence, level, n_refined)}"
    if cause == "unknown":
        return f"unknown: no sign of a changed prompt, model, retrieval or input{limits}."
    later = [f"{c} ({said[c][0]})" for c in CAUSES if c != cause and said[c]]
    also = f"; also changed: {', '.join(later)}" if later else ""
    return f"most likely the {cause}: {'; '.join(said[cause])}{also}{limits}."


def _uncounted(evidence: Sequence[Evidence]) -> str:
    """Name what changed and is not counted, the first of every cause and note."""
    first: dict[tuple[str, str], Evidence] = {}
    for each in evidence:
        if each.is_changed and not each.is_counted:
            first.setdefault((each.cause, each.note), each)
    told = [f"{e.cause} ({_words(e)}: {e.note})" for e in first.values()]
    return f"; changed but not counted: {', '.join(told)}" if told else ""


def _silent(evidence: Sequence[Evidence]) -> str:
    """Name the causes that nothing is known about."""
    known = {e.cause for e in evidence if e.result.is_sufficient}
    silent = [cause for cause in CAUSES if cause not in known]
    return f"; nothing is known about: {', '.join(silent)}" if silent else ""


def _unreachable(evidence: Sequence[Evidence], level: float, n_refined: int) -> str:
    """Say so when no p-value can be small enough, however much changed."""
    n_signs = sum(e.result.p_value is not None for e in evidence)
    smallest = n_signs / (n_refined + 1)
    if smallest <= level:
        return ""
    return (
        f"; {n_refined} permutations are as many as are made, and with {n_signs} signs they cannot "
        f"reach the level {level:g} (set causes.level in drift.yml to at least {smallest:.2g})"
    )


def _words(evidence: Evidence) -> str:
    """Say what changed, by how much."""
    result, details = evidence.result, evidence.result.details
    lower, upper = result.interval or (_NAN, _NAN)
    p_value = f"p = {evidence.adjusted_p_value:.2g}"
    if "moved_categories" in details:
        return f"{evidence.name}: {_shares(details, p_value)}"
    if "current_median" in details:
        return (
            f"{evidence.name}: median from {details['reference_median']:.4g} to "
            f"{details['current_median']:.4g}, larger in {result.value:.1%} of pairs "
            f"({lower:.1%} to {upper:.1%}; {p_value})"
        )
    if "farther_ratio" in details:
        return (
            f"{evidence.name}: the current one of two answers recognised in {result.value:.1%} of "
            f"pairs ({lower:.1%} to {upper:.1%}; {p_value})"
        )
    usual = details.get("reference_score", _NAN)
    return (
        f"{evidence.name}: 1 - mean cosine {result.value:.4f} ({lower:.4f} to {upper:.4f}) where two "
        f"reference answers give {usual:.4f} ({p_value})"
    )


def _shares(details: Mapping[str, Any], p_value: str) -> str:
    """Name the category whose share moved most, and how many came and went where several did."""
    name, first = next(iter(details["moved_categories"].items()))
    inside = " of the same prompt version" if details["n_strata"] > 1 else ""
    words = (
        f"{name} from {first['reference_ratio']:.1%} to {first['current_ratio']:.1%} of calls"
        f"{inside} ({first['lower_ratio']:+.1%} to {first['upper_ratio']:+.1%}; {p_value})"
    )
    together = details["total_variation"] - details["chance_total_variation"]
    if 2.0 * abs(first["change_ratio"]) >= together:
        return words
    return (
        f"{words}, in all {details['total_variation']:.1%} of calls moved: {details['n_gone']} "
        f"values went ({details['gone_ratio']:.1%} of calls before) and {details['n_new']} came "
        f"({details['new_ratio']:.1%} of calls now)"
    )
