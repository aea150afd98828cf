"""Judged findings as rows of ``judgement.verdicts``."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from include.freezeline.drift.findings import Finding, Judged
from include.freezeline.hashing import stable_hash


def verdict_row(judged: Judged, as_of: datetime) -> dict[str, Any]:
    """Return the row of a judged finding, without revision and content hash."""
    finding, result = judged.finding, judged.finding.result
    lower, upper = result.interval or (None, None)
    return {
        "verdict_key": verdict_key(finding, as_of),
        "as_of": as_of,
        **_subject(finding),
        "value": result.value,
        "value_lower": lower,
        "value_upper": upper,
        "unit": finding.unit,
        "threshold": finding.threshold,
        "p_value": result.p_value,
        "q_value": judged.q_value,
        "n_reference": result.n_reference,
        "n_current": result.n_current,
        "verdict": judged.verdict,
        "reason": judged.reason,
        "method": result.method,
        "method_version": result.method_version,
        "seed": result.seed,
        "input_hash": finding.inputs,
        "evidence_query": finding.evidence_query,
        "details": details_json({**result.details, **finding.details, **judged.details}),
    }


def verdict_key(finding: Finding, as_of: datetime) -> str:
    """Return the hash of as_of, family, question and subject."""
    segment = finding.segment
    subject: tuple[str | None, ...] = (segment.feature, segment.environment, segment.model)
    if segment.tenant_key is not None:
        subject += (segment.tenant_key,)
    return stable_hash(as_of, finding.family, finding.question, subject)


def details_json(details: Mapping[str, Any]) -> str:
    """Write details as JSON, keys sorted."""
    return json.dumps(dict(details), sort_keys=True, default=float)


def _subject(finding: Finding) -> dict[str, Any]:
    """Return what was judged, and compared with what."""
    reference = finding.reference
    return {
        "family": finding.family,
        "question": finding.question,
        "feature": finding.segment.feature,
        "environment": finding.segment.environment,
        "model": finding.segment.model,
        "prompt_version": None,
        "tenant_key": finding.segment.tenant_key,
        "window_started_at": finding.window.started_at,
        "window_ended_at": finding.window.ended_at,
        "reference_started_at": reference.started_at if reference else None,
        "reference_ended_at": reference.ended_at if reference else None,
    }
