"""Judged findings as rows of ``judgement.verdicts``."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from include.freezeline.drift.findings import Finding, Judged
from include.freezeline.hashing import stable_hash

_EXCERPT_CHARS = 200


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
        "details": details_json(
            {**result.details, **finding.details, **judged.details, **_further(finding)}
        ),
    }


def example_rows(judged: Judged, as_of: datetime) -> list[dict[str, Any]]:
    """Return the rows of ``judgement.verdict_examples``; only changes have examples to look at."""
    if judged.verdict not in ("warning", "breach"):
        return []
    finding = judged.finding
    return [
        {
            "verdict_key": verdict_key(finding, as_of),
            "example_rank": rank,
            "as_of": as_of,
            "question": finding.question,
            "feature": finding.segment.feature,
            "environment": finding.segment.environment,
            "call_key": row.call_key,
            "called_at": row.called_at,
            "prompt_version": row.prompt_version,
            "output_excerpt_redacted": _excerpt(row.answer),
        }
        for rank, row in enumerate(finding.examples, start=1)
    ]


def _excerpt(text: str) -> str:
    """Return the beginning of a redacted answer."""
    return text if len(text) <= _EXCERPT_CHARS else text[: _EXCERPT_CHARS - 1] + "…"


def verdict_key(finding: Finding, as_of: datetime) -> str:
    """Return the hash of as_of, family, question and subject."""
    return stable_hash(as_of, finding.family, finding.question, finding.segment.subject)


def details_json(details: Mapping[str, Any] | Sequence[Any]) -> str:
    """Write details as JSON, keys sorted."""
    return json.dumps(details, sort_keys=True, default=float)


def _further(finding: Finding) -> dict[str, Any]:
    """Return the dimensions of a segment that the verdict row has no column for."""
    rest = {n: v for n, v in finding.segment.rest if n not in ("prompt_version", "tenant_key")}
    return {"segment": rest} if rest else {}


def _subject(finding: Finding) -> dict[str, Any]:
    """Return what was judged, and compared with what."""
    reference = finding.reference
    return {
        "family": finding.family,
        "question": finding.question,
        "feature": finding.segment.feature,
        "environment": finding.segment.environment,
        "model": finding.segment.model_name,
        "prompt_version": finding.segment.value("prompt_version"),
        "tenant_key": finding.segment.value("tenant_key"),
        "window_started_at": finding.window.started_at,
        "window_ended_at": finding.window.ended_at,
        "reference_started_at": reference.started_at if reference else None,
        "reference_ended_at": reference.ended_at if reference else None,
    }
