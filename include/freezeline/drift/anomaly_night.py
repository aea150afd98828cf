"""A night of anomaly questions: control false discoveries over all of them, then decide."""

from collections.abc import Sequence

from include.freezeline.contracts.judgement import Verdict
from include.freezeline.drift.anomaly_policy import AnomalyPolicy
from include.freezeline.drift.findings import Finding, Judged
from include.freezeline.stats.multiplicity import adjusted_p_values

# Answers beside the main one that can only warn: key of the p-value, of the effect and of the q-value.
_BESIDE = (
    ("newest_day_p_value", "newest_day_effect", "newest_day_q_value"),
    ("version_creep_p_value", "version_creep_effect", "version_creep_q_value"),
)


def decide_anomalies(findings: Sequence[Finding], policy: AnomalyPolicy) -> list[Judged]:
    """Return the night's verdicts.

    The p-value of a finding already says that enough of the current days are shifted. The newest
    day alone is a second family of questions; it can only warn. So can an hourly alarm, whose rate
    of false alarms is the series' own; it breaches when its p-value holds over all questions of the
    night and the change lasts. The second family also has the growth from prompt version to version.
    """
    sustained = _q_values([finding.result.p_value for finding in findings], policy)
    beside = _q_values([_beside(finding)[0] for finding in findings], policy)
    return [
        _judged(finding, q, q_beside, policy)
        for finding, q, q_beside in zip(findings, sustained, beside, strict=True)
    ]


def _beside(finding: Finding) -> tuple[float | None, float | None, str]:
    """Return p-value and effect of the answer that can only warn, and what its q-value is called."""
    for p_name, effect_name, q_name in _BESIDE:
        if p_name in finding.details:
            return finding.details[p_name], finding.details[effect_name], q_name
    return None, None, _BESIDE[0][2]


def _q_values(p_values: Sequence[float | None], policy: AnomalyPolicy) -> list[float | None]:
    """Return adjusted p-values, None where there is none."""
    known = [i for i, p_value in enumerate(p_values) if p_value is not None]
    raw = [p_value for p_value in p_values if p_value is not None]
    adjusted = dict(zip(known, adjusted_p_values(raw, policy.false_discovery.method), strict=True))
    return [adjusted.get(i) for i in range(len(p_values))]


def _judged(
    finding: Finding, q_value: float | None, q_beside: float | None, policy: AnomalyPolicy
) -> Judged:
    """Compare with the policy and say why."""
    level, where = policy.false_discovery.level, finding.segment.label
    if q_value is None:
        reason = f"{where}: {finding.result.reason}."
        return Judged(finding, "insufficient_evidence", None, reason)
    _, effect, q_name = _beside(finding)
    is_beside_out = (
        q_beside is not None
        and q_beside <= level
        and effect is not None
        and effect >= finding.min_effect
    )
    is_alarm = finding.is_large and "alarmed_at" in finding.details
    verdict: Verdict = "warning" if is_beside_out or is_alarm else "ok"
    if q_value <= level and finding.is_large and finding.details.get("is_lasting", True):
        verdict, words = "breach", f"q = {q_value:.2g} is at most {level:g}, and it lasts"
    elif is_alarm:
        words = f"alarm at {finding.details['alarmed_at']}, not yet or no longer sustained"
    elif is_beside_out:
        words = _beside_words(q_name, q_beside)
    else:
        words = _quiet_words(finding, q_value, level)
    missing = finding.details.get("newest_shortage")
    if verdict == "ok" and missing is not None:
        # Nothing unusual until then says nothing about what has stopped since.
        verdict, words = "insufficient_evidence", f"{words}, but {missing}"
    details = {q_name: q_beside}
    return Judged(finding, verdict, q_value, f"{where}: {finding.effect_text}; {words}.", details)


def _beside_words(q_name: str, q_value: float | None) -> str:
    """Say what is out beside the main answer."""
    if q_name == "newest_day_q_value":
        return f"the newest day alone is out (q = {q_value:.2g}), not yet sustained"
    return (
        f"it grows from prompt version to prompt version (q = {q_value:.2g}), beyond one roll-out"
    )


def _quiet_words(finding: Finding, q_value: float, level: float) -> str:
    """Say why a finding is neither a breach nor a warning."""
    if q_value <= level:
        return f"significant (q = {q_value:.2g}) but below the change that matters"
    if finding.is_large:
        return f"q = {q_value:.2g} is above {level:g}: it would matter, but may be chance"
    return f"q = {q_value:.2g} is above {level:g}, nothing unusual"
