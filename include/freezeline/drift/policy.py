"""The judging policy: what is asked, of which windows, and when the answer alerts."""

from collections import Counter
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
ChangeRatio = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
ShareDifference = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    """A typing mistake in a policy file is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FalseDiscovery(_Strict):
    """Expected share of false findings among a night's findings."""

    level: Share
    method: Literal["bh", "by"] = "bh"


class Sustained(_Strict):
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


class Sampling(_Strict):
    """How many texts of a segment and window are read; the choice depends on call keys only."""

    max_texts: Count
    max_embedded: Count


class Permutations(_Strict):
    """Permutations of the screening and of the refining stage."""

    screen: PermutationCount
    refine: PermutationCount


class CausePolicy(_Strict):
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


class ShiftQuestion(_Strict):
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


class DriftQuestions(_Strict):
    """The drift questions by name."""

    semantic_shift: RatioQuestion
    semantic_shift_paired: ShiftQuestion
    style_shift_paired: RatioQuestion = RatioQuestion(min_current=8, min_effect=0.57)
    output_divergence: ShiftQuestion


class DriftPolicy(_Strict):
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

    @property
    def min_answers(self) -> int:
        """Answers that a reference needs for all questions to be asked."""
        asked = (getattr(self.questions, name) for name in type(self.questions).model_fields)
        return max((question.min_current for question in asked if question.is_enabled), default=1)

    @property
    def window_length(self) -> timedelta:
        """The length of a judged window."""
        return duration_of(self.window)


class AnomalyQuestion(_Strict):
    """One question about a daily series.

    Attributes:
        name: Question name in the verdict rows.
        kind: ``shift`` of a level, ``creep`` of a level, or ``ratio`` of a yes/no column.
        column: Column of ``marts.fct_llm_calls``; null values are left out.
        statistic: How a day's calls become its level; not for ``ratio``.
        unit: Unit of the level.
        direction: Which way counts.
        min_change_ratio: Relative change that matters: 0.2 is 20% up (or down by the inverse).
        min_difference: For ``ratio``, the absolute change that matters.
        by_model: Whether every model has its own series.
        route: Who is told: the owner of what the number is about.
    """

    name: Identifier
    kind: Literal["shift", "creep", "ratio"]
    column: Identifier
    statistic: Literal["mean", "median", "p95"] = "median"
    unit: Literal["ratio", "ms", "tokens", "usd"]
    direction: Literal["upper", "both"] = "upper"
    min_change_ratio: ChangeRatio
    min_difference: ShareDifference = 0.0
    by_model: bool = True
    route: Identifier


class HourlyQuestion(_Strict):
    """One question about an hourly series.

    Attributes:
        name: Question name in the verdict rows.
        kind: ``level`` that shifts within hours, ``share`` of events that rises within hours, or
            ``drift`` of such a share over weeks.
        source: ``calls`` is ``marts.agg_calls_hourly``; ``tools`` the tool executions of
            ``marts.fct_tool_calls``, whose shares are of failed executions.
        column: Column of the source. A share's column is a weighted ``_count`` or a ``_ratio``.
        is_per_call: Whether the column is a sum, to be divided by its calls.
        count: Column with the sample size of the hour.
        uncounted: Column with rows to be taken off ``count``.
        quantiles: Columns with quantiles of the same number; of a level they are judged
            together with it.
        dimension: Whose series: of every feature, or of a feature's models or tenants.
        unit: Unit of the level.
        direction: Which way counts.
        min_change_ratio: Relative change that matters: 0.2 is 20% up (or down by the inverse).
        min_difference: For shares, the absolute rise that matters; the larger of both counts.
        route: Who is told: the owner of what the number is about.
    """

    name: Identifier
    kind: Literal["level", "share", "drift"]
    source: Literal["calls", "tools"] = "calls"
    column: Identifier
    is_per_call: bool = False
    count: Identifier
    uncounted: Identifier | None = None
    quantiles: tuple[Identifier, ...] = ()
    dimension: Literal["feature", "model", "tenant"] = "feature"
    unit: Literal["ratio", "ms", "tokens", "usd"]
    direction: Literal["upper", "both"] = "upper"
    min_change_ratio: ChangeRatio
    min_difference: ShareDifference = 0.0
    route: Identifier

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "HourlyQuestion":
        """Refuse a share that is no share."""
        if self.kind != "level" and self.column.rsplit("_", 1)[-1] not in {"count", "ratio"}:
            message = f"column of a {self.kind} must end in _count or _ratio, got {self.column}"
            raise ValueError(message)
        if self.source == "tools" and (self.kind == "level" or self.dimension != "feature"):
            message = "questions about tools are shares by feature"
            raise ValueError(message)
        if self.quantiles and self.kind != "level":
            message = f"quantiles are of a level, and {self.name} is a {self.kind}"
            raise ValueError(message)
        return self


class HourlyPolicy(_Strict):
    """How hourly series are judged.

    Attributes:
        baseline_days: Days before the judged ones; four weeks show a weekly season.
        current_days: Days judged, ending at ``as_of``.
        sustained_hours: A change breaches only when it began at least so long before ``as_of``
            and still shows in those hours.
        false_alarms_per_month: Expected false alarms of one series in 720 hours.
        max_past_changes: A series that changed more often in the baseline days gets no answer.
        min_calls_per_hour: An hour with fewer calls has no value.
        min_hours: Fewer usable hours before the judged ones are insufficient evidence.
        questions: What is asked.
    """

    baseline_days: Annotated[int, Field(ge=4)]
    current_days: Count
    sustained_hours: Count
    false_alarms_per_month: Annotated[float, Field(gt=0.0, le=30.0)]
    max_past_changes: Annotated[int, Field(ge=0)]
    min_calls_per_hour: Count
    min_hours: Annotated[int, Field(ge=72)]
    questions: tuple[HourlyQuestion, ...]

    @model_validator(mode="after")
    def _hours_fit(self) -> "HourlyPolicy":
        """Refuse a rule that can never be met."""
        if self.sustained_hours >= self.current_days * 24:
            message = f"sustained_hours must be below the judged {self.current_days * 24} hours"
            raise ValueError(message)
        return self


class AnomalyPolicy(_Strict):
    """Policy of ``anomalies.yml``.

    Attributes:
        version: Version of the file format.
        baseline_days: Days of the baseline, right before the current days.
        current_days: Days judged, ending at ``as_of``.
        sustained_days: How many of them must be shifted.
        creep_days: Days over which a creep is looked for.
        min_calls_per_day: A day with fewer calls has no level.
        min_baseline_days: Fewer baseline days with a level are insufficient evidence.
        false_discovery: Error control over all anomaly questions of a night.
        questions: What is asked about daily series.
        hourly: What is asked about hourly series, and how.
    """

    version: Literal[1]
    baseline_days: Count
    current_days: Count
    sustained_days: Count
    creep_days: Count
    min_calls_per_day: Count
    min_baseline_days: Annotated[int, Field(ge=5)]
    false_discovery: FalseDiscovery
    questions: tuple[AnomalyQuestion, ...]
    hourly: HourlyPolicy

    @model_validator(mode="after")
    def _days_fit(self) -> "AnomalyPolicy":
        """Refuse a rule that can never be met and questions of one name."""
        if self.sustained_days > self.current_days:
            message = f"sustained_days must be at most current_days ({self.current_days})"
            raise ValueError(message)
        names = [question.name for question in self.questions]
        names += [question.name for question in self.hourly.questions]
        twice = next((name for name, n in Counter(names).items() if n > 1), None)
        if twice is not None:
            message = f"two questions have the same name, {twice} (rename one)"
            raise ValueError(message)
        return self


def load_drift_policy(folder: Path) -> DriftPolicy:
    """Read ``drift.yml``.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = folder / "drift.yml"
    return parse_config(DriftPolicy, path, load_yaml(path))


def load_anomaly_policy(folder: Path) -> AnomalyPolicy:
    """Read ``anomalies.yml``.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = folder / "anomalies.yml"
    return parse_config(AnomalyPolicy, path, load_yaml(path))
