"""What changed together with a verdict: the prompt, the model, the retrieval or the input?

The cause named is the first, in that order, of which something changed significantly and by
enough: what stands earlier in the line of a request explains what comes later, and a prompt or
model that was changed is worth a look first. It is the likeliest cause and no proof: something
that nobody records may have changed at the same time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from include.freezeline.drift.policy import CausePolicy
from include.freezeline.drift.signs import CAUSES, SIGNS, Cause, CauseRows, Sign, sign_result
from include.freezeline.stats.multiplicity import holm_p_values
from include.freezeline.stats.replicated import METHOD as REPLICATED_METHOD
from include.freezeline.stats.result import StatResult
from include.freezeline.stats.semantic import METHOD as PAIRED_METHOD

METHOD = "first_changed_in_order"
METHOD_VERSION = "2"
# Names of the signs that probes give, by the method of their test.
PROBES = {
    PAIRED_METHOD: "probe answers",
    REPLICATED_METHOD: "style of probe answers",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sign with its test.

    Attributes:
        cause: What it speaks for.
        name: In words.
        result: Effect with interval, sizes and p-value.
        adjusted_p_value: p-value after Holm's correction over all signs of the verdict.
        is_changed: Whether it changed significantly and by enough.
        is_counted: False where its change cannot explain the verdict, as ``note`` says.
        note: Why it is not counted.
    """

    cause: Cause
    name: str
    result: StatResult
    adjusted_p_value: float | None = None
    is_changed: bool = False
    is_counted: bool = True
    note: str = ""

    @property
    def speaks(self) -> bool:
        """Whether it names the cause."""
        return self.is_changed and self.is_counted


@dataclass(frozen=True, slots=True)
class RootCause:
    """The most likely cause of a verdict.

    Attributes:
        cause: ``unknown`` when nothing looked at changed by enough.
        reason: The same in words, with its numbers.
        evidence: Every sign, in order.
        n_reference: Calls before.
        n_current: Calls in the window judged.
        seed: Seed of the tests.
    """

    cause: Cause
    reason: str
    evidence: tuple[Evidence, ...]
    n_reference: int
    n_current: int
    seed: int


def find_cause(
    rows: CauseRows,
    policy: CausePolicy,
    *,
    seed: int,
    is_given_version: bool,
    probes: Sequence[tuple[StatResult, bool]] = (),
) -> RootCause:
    """Return the first of prompt, model, retrieval and input that changed.

    Args:
        rows: Calls before and in the window.
        policy: What counts as a change.
        seed: Seed of the tests.
        is_given_version: Whether the verdict compared calls inside prompt versions only, so that
            a roll-out of another version cannot be its cause.
        probes: What the tests of the segment's probe answers say, and whether it is large enough to
            matter.
    """
    evidence = [Evidence(sign.cause, sign.name, sign_result(sign, rows, seed)) for sign in SIGNS]
    place = sum(sign.cause in ("prompt", "model") for sign in SIGNS)
    evidence[place:place] = [Evidence("model", PROBES[r.method], r) for r, _ in probes]
    large = {PROBES[result.method] for result, is_large in probes if is_large}
    judged = _adjusted(evidence, policy, large)
    counted = _without_roll_outs(judged, is_given_version or _moves_inside_versions(rows, policy, seed))  # fmt: skip
    counted = _without_retrieved_probes(counted)
    cause: Cause = next((e.cause for e in counted if e.speaks), "unknown")
    n_current = int(rows.is_current.sum())
    return RootCause(
        cause=cause,
        reason=_reason(cause, counted),
        evidence=tuple(counted),
        n_reference=len(rows.is_current) - n_current,
        n_current=n_current,
        seed=seed,
    )


def _moves_inside_versions(rows: CauseRows, policy: CausePolicy, seed: int) -> bool:
    """Whether what the question looked at moved inside prompt versions that both windows have."""
    if "symptom" not in rows.columns:
        return False
    result = sign_result(Sign("prompt", "symptom", "symptom", "ranks"), rows, seed)
    return result.p_value is not None and result.p_value <= policy.level


def _adjusted(
    evidence: Sequence[Evidence], policy: CausePolicy, large_probes: Collection[str]
) -> list[Evidence]:
    """Correct for the number of signs, and say which changed by enough."""
    known = [i for i, each in enumerate(evidence) if each.result.p_value is not None]
    raw = [float(evidence[i].result.p_value or 1.0) for i in known]
    adjusted = dict(zip(known, holm_p_values(raw), strict=True))
    kinds = {sign.name: sign.kind for sign in SIGNS}
    judged = []
    for i, each in enumerate(evidence):
        p_value, value = adjusted.get(i), each.result.value
        is_large = each.name in large_probes
        if value is not None and each.name in kinds:
            is_large = (
                abs(value) >= policy.min_share_change
                if kinds[each.name] == "shares"
                else abs(value - 0.5) >= policy.min_rank_shift
            )
        is_changed = p_value is not None and p_value <= policy.level and is_large
        judged.append(replace(each, adjusted_p_value=p_value, is_changed=is_changed))
    return judged


def _without_roll_outs(evidence: Sequence[Evidence], is_inside: bool) -> list[Evidence]:  # noqa: FBT001
    """Do not count the mix of prompt versions when the verdict holds inside versions."""
    note = "the change holds inside prompt versions, so their mix cannot explain it"
    return [
        replace(e, is_counted=False, note=note) if is_inside and e.name == SIGNS[0].name else e
        for e in evidence
    ]


def _without_retrieved_probes(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Do not count probe answers for the model when what was retrieved changed."""
    if not any(e.speaks for e in evidence if e.cause == "retrieval"):
        return list(evidence)
    note = "what is retrieved changed, which moves answers to fixed prompts too"
    return [
        replace(e, is_counted=False, note=note) if e.name in PROBES.values() else e
        for e in evidence
    ]


def _reason(cause: Cause, evidence: Sequence[Evidence]) -> str:
    """Write the cause in words, with the numbers of what changed."""
    said = {c: [_words(e) for e in evidence if e.cause == c and e.speaks] for c in CAUSES}
    silent = [c for c in CAUSES if not any(e.result.is_sufficient for e in evidence if e.cause == c)]  # fmt: skip
    missing = f"; nothing is known about: {', '.join(silent)}" if silent else ""
    if cause == "unknown":
        return f"unknown: no sign of a changed prompt, model, retrieval or input{missing}."
    later = [f"{c} ({said[c][0]})" for c in CAUSES if c != cause and said[c]]
    also = f"; also changed: {', '.join(later)}" if later else ""
    return f"most likely the {cause}: {'; '.join(said[cause])}{also}{missing}."


def _words(evidence: Evidence) -> str:
    """Say what changed, by how much."""
    result = evidence.result
    lower, upper = result.interval or (float("nan"), float("nan"))
    p_value = f"p = {evidence.adjusted_p_value:.2g}"
    if "moved_categories" in result.details:
        name, first = next(iter(result.details["moved_categories"].items()))
        return (
            f"{evidence.name}: {name} from {first['reference_ratio']:.1%} to "
            f"{first['current_ratio']:.1%} of calls ({lower:+.1%} to {upper:+.1%}; {p_value})"
        )
    if "current_median" in result.details:
        return (
            f"{evidence.name}: median from {result.details['reference_median']:.4g} to "
            f"{result.details['current_median']:.4g}, larger in {result.value:.1%} of pairs "
            f"({lower:.1%} to {upper:.1%}; {p_value})"
        )
    if "farther_ratio" in result.details:
        return (
            f"{evidence.name}: the current one of two answers recognised in {result.value:.1%} of "
            f"pairs ({lower:.1%} to {upper:.1%}; {p_value})"
        )
    usual = result.details.get("reference_score", float("nan"))
    return (
        f"{evidence.name}: 1 - mean cosine {result.value:.4f} ({lower:.4f} to {upper:.4f}) where two "
        f"reference answers give {usual:.4f} ({p_value})"
    )
