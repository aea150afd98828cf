"""Which calls are compared to find a verdict's cause, and the answer as a row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from include.freezeline.drift.cause_evidence import Evidence, Probe, RootCause
from include.freezeline.drift.causes import METHOD, METHOD_VERSION
from include.freezeline.drift.evidence import causes_query
from include.freezeline.drift.findings import Finding, Judged
from include.freezeline.drift.segments import ANSWERING_MODEL, Segment
from include.freezeline.drift.verdicts import details_json, verdict_key
from include.freezeline.drift.windows import Window
from include.freezeline.hashing import stable_hash

_PROBES = ("semantic_shift_paired", "style_shift_paired")
_PART = 4
# What a test of shares says about all categories together.
_TOGETHER = ("total_variation", "chance_total_variation", "n_gone", "n_new")


def needs_cause(judged: Judged) -> bool:
    """Whether a verdict says that something changed."""
    return judged.verdict in ("warning", "breach")


def compared_windows(finding: Finding) -> tuple[Window, Window]:
    """Return the calls before, and those of the verdict.

    A creep has no reference: the first quarter of its days is compared with the last. A change of
    style has weeks of it, in which prompts come and go: as many days before it as from then on do.
    """
    window = finding.window
    if finding.reference is not None and _is_of_style(finding):
        since = window.started_at - (window.ended_at - window.started_at)
        return Window(max(since, finding.reference.started_at), window.started_at), window
    if finding.reference is not None:
        return finding.reference, window
    part = (window.ended_at - window.started_at) / _PART
    before = Window(window.started_at, window.started_at + part)
    return before, Window(window.ended_at - part, window.ended_at)


def cause_seed(finding: Finding, as_of: datetime) -> int:
    """Return the seed of a verdict's tests, the same on every run."""
    return int(stable_hash("cause", verdict_key(finding, as_of))[:7], 16)


def probes_of(finding: Finding, judged: Sequence[Judged]) -> tuple[Probe, ...]:
    """Return what the probes of a finding's segment say; nothing without enough of them.

    A model that answers under one name only has the probes that ask for that name. While a change
    of the model stands that nobody accepted, its probes say so every night: they count only for a
    verdict that compares the same windows of time.
    """
    segment = finding.segment
    asked = finding.details.get("request_models", ())
    if _is_of_style(finding) and len(asked) == 1:
        segment = Segment(segment.feature, segment.environment, asked[0])
    return tuple(
        _probe(finding, each.finding)
        for each in judged
        if each.finding.question in _PROBES
        and each.finding.segment == segment
        and each.finding.result.is_sufficient
    )


def _probe(finding: Finding, probe: Finding) -> Probe:
    """Return what a probe question says about a finding."""
    own, theirs = compared_windows(finding), (probe.reference, probe.window)
    return Probe(
        result=probe.result,
        is_large=probe.is_large,
        is_same_comparison=own == theirs,
        windows={"probes": _as_text(*theirs), "verdict": _as_text(*own)},
    )


def _as_text(before: Window | None, window: Window) -> dict[str, list[str] | None]:
    """Return two windows as the evidence lists them."""

    def span(each: Window) -> list[str]:
        return [each.started_at.isoformat(), each.ended_at.isoformat()]

    return {"before": None if before is None else span(before), "current": span(window)}


def _is_of_style(finding: Finding) -> bool:
    """Whether a finding is about fingerprints, whose segments are of the model that answered."""
    return finding.segment.value(ANSWERING_MODEL) is not None


def root_cause_row(judged: Judged, found: RootCause, as_of: datetime) -> dict[str, Any]:
    """Return the row of ``judgement.root_causes``, without revision and content hash."""
    finding = judged.finding
    before, window = compared_windows(finding)
    return {
        "verdict_key": verdict_key(finding, as_of),
        "as_of": as_of,
        "family": finding.family,
        "question": finding.question,
        "feature": finding.segment.feature,
        "environment": finding.segment.environment,
        "model": finding.segment.model_name,
        "window_started_at": window.started_at,
        "window_ended_at": window.ended_at,
        "before_started_at": before.started_at,
        "before_ended_at": before.ended_at,
        "cause": found.cause,
        "reason": found.reason,
        "n_reference": found.n_reference,
        "n_current": found.n_current,
        "method": METHOD,
        "method_version": METHOD_VERSION,
        "seed": found.seed,
        "evidence": details_json([_evidence_item(each) for each in found.evidence]),
        "evidence_query": causes_query(finding.segment, before, window),
    }


def _evidence_item(evidence: Evidence) -> dict[str, Any]:
    """Return one sign as the row lists it."""
    result = evidence.result
    lower, upper = result.interval or (None, None)
    return {
        "cause": evidence.cause,
        "name": evidence.name,
        "value": result.value,
        "value_lower": lower,
        "value_upper": upper,
        "p_value": result.p_value,
        "adjusted_p_value": evidence.adjusted_p_value,
        "n_reference": result.n_reference,
        "n_current": result.n_current,
        "method": result.method,
        "is_changed": evidence.is_changed,
        "is_counted": evidence.is_counted,
        "note": evidence.note,
        "reason": result.reason,
        "moved": result.details.get("moved_categories"),
        **{name: result.details.get(name) for name in _TOGETHER},
        "windows": dict(evidence.windows) or None,
    }
