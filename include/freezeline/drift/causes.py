"""What changed together with a verdict: the prompt, the model, the retrieval or the input?

The cause named is the first, in that order, of which something changed significantly and by
enough: what stands earlier in the line of a request explains what comes later, and a prompt or
model that was changed is worth a look first. It is the likeliest cause and no proof: something
that nobody records may have changed at the same time.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from include.freezeline.drift.cause_evidence import PROBES, Evidence, Probe, RootCause
from include.freezeline.drift.cause_inputs import is_large_shift, without_input_mix
from include.freezeline.drift.cause_notes import TOGETHER, uncounted_note
from include.freezeline.drift.cause_words import reason_of
from include.freezeline.drift.policy import CausePolicy
from include.freezeline.drift.signs import (
    N_REFINED,
    SIGNS,
    Cause,
    CauseRows,
    Sign,
    sign_result,
)
from include.freezeline.stats.multiplicity import holm_p_values

METHOD = "first_changed_in_order"
METHOD_VERSION = "6"
# What more permutations cost: their number, and labels held in memory.
_MAX_REFINED, _MAX_LABELS = 19_999, 32_000_000


def find_cause(
    rows: CauseRows,
    policy: CausePolicy,
    *,
    seed: int,
    is_given_version: bool,
    probes: Sequence[Probe] = (),
) -> RootCause:
    """Return the first of prompt, model, retrieval and input that changed.

    Args:
        rows: Calls before and in the window.
        policy: What counts as a change.
        seed: Seed of the tests.
        is_given_version: Whether the verdict compared calls inside prompt versions only, so that
            a roll-out of another version cannot be its cause.
        probes: What the tests of the segment's probe answers say.
    """
    n_refined = refining_permutations(policy.level, len(SIGNS) + len(probes), len(rows.is_current))
    evidence = [_look(sign, rows, seed, n_refined) for sign in SIGNS]
    place = sum(sign.cause in ("prompt", "model") for sign in SIGNS)
    evidence[place:place] = [probe.evidence for probe in probes]
    large = {PROBES[probe.result.method] for probe in probes if probe.is_large}
    judged = _adjusted(evidence, policy, large)
    is_inside = is_given_version or _moves_inside_versions(rows, policy, seed, n_refined)
    counted = _without_roll_outs(judged, is_inside)
    counted = without_input_mix(counted, rows, policy, seed, n_refined)
    counted = _without_retrieved_probes(counted)
    cause: Cause = next((e.cause for e in counted if e.speaks), "unknown")
    n_current = int(rows.is_current.sum())
    return RootCause(
        cause=cause,
        reason=reason_of(cause, counted, policy.level, n_refined),
        evidence=tuple(counted),
        n_reference=len(rows.is_current) - n_current,
        n_current=n_current,
        seed=seed,
    )


def refining_permutations(level: float, n_signs: int, n_calls: int) -> int:
    """Return how many permutations the smallest p-value needs to meet the level after correction.

    Args:
        level: Level over all signs.
        n_signs: Signs that are corrected for.
        n_calls: Calls whose labels are permuted, which bound what can be afforded.
    """
    needed = math.ceil(n_signs / level)
    affordable = min(_MAX_REFINED, max(N_REFINED, _MAX_LABELS // max(1, n_calls) - 1))
    return min(affordable, max(N_REFINED, needed))


def _look(sign: Sign, rows: CauseRows, seed: int, n_refined: int) -> Evidence:
    """Test a sign, over all prompt versions where the windows share none."""
    result = sign_result(sign, rows, seed, n_refined=n_refined)
    note = uncounted_note(sign, rows)
    is_identity = sign.kind == "shares" and sign.cause != "prompt"
    if is_identity and not result.is_sufficient:
        over_all = sign_result(replace(sign, given="nothing"), rows, seed, n_refined=n_refined)
        if over_all.is_sufficient:
            result, note = over_all, note or TOGETHER
    return Evidence(sign.cause, sign.name, result, is_counted=not note, note=note)


def _moves_inside_versions(rows: CauseRows, policy: CausePolicy, seed: int, n_refined: int) -> bool:
    """Whether what the question looked at moved inside prompt versions that both windows have."""
    if "symptom" not in rows.columns:
        return False
    symptom = Sign("prompt", "symptom", "symptom", "ranks")
    result = sign_result(symptom, rows, seed, n_refined=n_refined)
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
        p_value = adjusted.get(i)
        is_large = each.name in large_probes
        if each.name in kinds:
            is_large = is_large_shift(kinds[each.name], each.result, policy)
        is_changed = p_value is not None and p_value <= policy.level and is_large
        judged.append(replace(each, adjusted_p_value=p_value, is_changed=is_changed))
    return judged


def _without_roll_outs(evidence: Sequence[Evidence], is_inside: bool) -> list[Evidence]:  # noqa: FBT001
    """Do not count the mix of prompt versions when the verdict holds inside versions."""
    note = "the change holds inside prompt versions, so their mix cannot explain it"
    return [e.uncounted(note) if is_inside and e.name == SIGNS[0].name else e for e in evidence]


def _without_retrieved_probes(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Do not count probe answers for the model when what was retrieved changed."""
    if not any(e.speaks for e in evidence if e.cause == "retrieval"):
        return list(evidence)
    note = "what is retrieved changed, which moves answers to fixed prompts too"
    return [e.uncounted(note) if e.name in PROBES.values() else e for e in evidence]
