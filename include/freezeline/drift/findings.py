"""The answer to one question about one segment, before and after the night's error control."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from include.freezeline.contracts.judgement import Verdict
from include.freezeline.drift.segments import Segment, TextRow
from include.freezeline.drift.windows import Window
from include.freezeline.stats.result import StatResult


@dataclass(frozen=True, slots=True)
class Finding:
    """A statistic of a segment and window.

    Attributes:
        family: drift, divergence or anomaly.
        question: What was asked.
        segment: Of whom.
        window: Window judged.
        reference: What it was compared with; None when there is nothing.
        result: The statistic.
        effect: The number that must reach ``min_effect``; None when it cannot be computed.
        min_effect: Smallest effect that matters.
        threshold: What the verdict row shows as compared with ``value``.
        unit: Unit of the value.
        effect_text: The effect in words, with its numbers.
        evidence_query: SQL that lists the rows.
        inputs: What the input hash covers.
        details: Further numbers.
        examples: The answers that moved the statistic most, the first most of all; none where
            no answers were compared.
    """

    family: str
    question: str
    segment: Segment
    window: Window
    reference: Window | None
    result: StatResult
    effect: float | None
    min_effect: float
    threshold: float | None
    unit: str
    effect_text: str
    evidence_query: str
    inputs: str
    details: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[TextRow, ...] = ()

    @property
    def is_large(self) -> bool:
        """Whether the effect matters."""
        return self.effect is not None and self.effect >= self.min_effect


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding with the night's verdict.

    Attributes:
        finding: The finding.
        verdict: Its verdict.
        q_value: p-value after false-discovery control.
        reason: The verdict in words.
        details: What the decision rested on beyond the statistic.
    """

    finding: Finding
    verdict: Verdict
    q_value: float | None
    reason: str
    details: Mapping[str, Any] = field(default_factory=dict)
