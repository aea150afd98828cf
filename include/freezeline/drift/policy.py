"""The judging policy: what is asked, of which windows, and when the answer alerts."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.drift.scope import (
    Fingerprints,
    Reference,
    Segments,
    WindowLength,
    duration_of,
)

Share = Annotated[float, Field(gt=0.0, lt=1.0)]
Count = Annotated[int, Field(ge=1)]
# Fewer than 99 cannot reach p = 1%; more than a million are a typing mistake.
PermutationCount = Annotated[int, Field(ge=99, le=1_000_000)]
Effect = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class Strict(BaseModel):
    """A typing mistake in a policy file is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FalseDiscovery(Strict):
    """Expected share of false findings among a night's findings."""

    level: Share
    method: Literal["bh", "by"] = "bh"


class Sustained(Strict):
    """A finding alerts when ``at_least`` of the last ``windows`` windows show it.

    The windows do not overlap, so that one bad day lies in one window only.
    """

    windows: Count
    at_least: Count

    @model_validator(mode="after")
    def _at_least_fits(self) -> "Sustained":
        """Refuse a rule that can never be met."""
        if self.at_least > self.windows:
            message = f"at_least must be at most windows ({self.windows})"
            raise ValueError(message)
        return self


class Sampling(Strict):
    """How many texts of a segment and window are read; the choice depends on call keys only."""

    max_texts: Count
    max_embedded: Count


class Permutations(Strict):
    """Permutations of the screening and of the refining stage."""

    screen: PermutationCount
    refine: PermutationCount


class CausePolicy(Strict):
    """When something counts as having changed together with a verdict.

    Attributes:
        level: Chance that one of all things looked at is blamed though nothing changed (Holm).
        min_share_change: Smallest change of a share that matters; 0.1 is ten points.
        min_rank_shift: Smallest P(later > earlier) - 0.5 that matters, either way.
        max_rows: Calls read per window; the choice depends on call keys only.
    """

    level: Share
    min_share_change: Share
    min_rank_shift: Annotated[float, Field(gt=0.0, lt=0.5)]
    max_rows: Annotated[int, Field(ge=20)]


class ShiftQuestion(Strict):
    """One drift question.

    Attributes:
        is_enabled: Whether it is asked.
        min_current: Fewer texts (or pairs) in either window are insufficient evidence.
        min_effect: Effects below it are fine however significant.
    """

    is_enabled: bool = True
    min_current: Count
    min_effect: Effect


class RatioQuestion(ShiftQuestion):
    """A drift question whose effect is a share; 0.5 is no difference."""

    min_effect: Annotated[float, Field(ge=0.0, lt=1.0)]


class DriftQuestions(Strict):
    """The drift questions by name."""

    semantic_shift: RatioQuestion
    semantic_shift_paired: ShiftQuestion
    style_shift_paired: RatioQuestion = RatioQuestion(min_current=8, min_effect=0.57)
    output_divergence: ShiftQuestion


class DriftPolicy(Strict):
    """Policy of ``drift.yml``.

    Attributes:
        version: Version of the file format.
        seed: Every seed of a night derives from it, the question and the subject.
        segments: By what answers are parted.
        window: Length of a judged window; the newest ends at ``as_of``.
        reference: What it is compared with.
        sustained: When a finding alerts.
        false_discovery: Error control over all questions and segments of a night.
        sampling: How many texts are read.
        permutations: Size of the permutation tests.
        questions: Minimum sizes and effects.
        fingerprints: Which days of style are kept and looked at for a change.
        causes: When something counts as the cause of a verdict.
    """

    version: Literal[1]
    seed: int
    segments: Segments
    window: WindowLength
    reference: Reference
    sustained: Sustained
    false_discovery: FalseDiscovery
    sampling: Sampling
    permutations: Permutations
    questions: DriftQuestions
    fingerprints: Fingerprints = Fingerprints()
    causes: CausePolicy

    @model_validator(mode="after")
    def _samples_are_enough(self) -> "DriftPolicy":
        """Refuse samples that are too small for any answer."""
        for name in ("semantic_shift", "output_divergence"):
            question = getattr(self.questions, name)
            if question.is_enabled and question.min_current > self.sampling.max_texts:
                needed, given = question.min_current, self.sampling.max_texts
                message = (
                    f"sampling.max_texts must be at least {needed} = questions.{name}.min_current, "
                    f"got {given} (write {needed} or more)"
                )
                raise ValueError(message)
        return self

    @property
    def window_length(self) -> timedelta:
        """The length of a judged window."""
        return duration_of(self.window)


def load_drift_policy(folder: Path) -> DriftPolicy:
    """Read ``drift.yml``.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = folder / "drift.yml"
    return parse_config(DriftPolicy, path, load_yaml(path))
