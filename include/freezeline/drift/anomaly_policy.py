"""The anomaly policy: what is asked of daily and hourly series, and when the answer alerts."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.drift.policy import Count, FalseDiscovery, Strict
from include.freezeline.stats.cusum import WARM_UP_HOURS

ChangeRatio = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
ShareDifference = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _refuse_above(value: int, limit: int, what: str) -> None:
    """Refuse a number that can never be reached.

    Raises:
        PydanticCustomError: It is above the limit.
    """
    if value > limit:
        kind, message = "less_than_equal", "must be at most {le}"
        raise PydanticCustomError(kind, message, {"le": f"the {limit} {what}"})


class AnomalyQuestion(Strict):
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


class HourlyQuestion(Strict):
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


class HourlyPolicy(Strict):
    """How hourly series are judged.

    Attributes:
        baseline_days: Days before the judged ones; four weeks show a weekly season.
        current_days: Days judged, ending at ``as_of``.
        sustained_hours: A change breaches only when it began at least so long before ``as_of``
            and still shows in those hours, and in those after its first day. With 24 or fewer a
            single outlier day can breach.
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

    @field_validator("min_hours")
    @classmethod
    def _hours_can_be_known(cls, value: int, info: ValidationInfo) -> int:
        """Refuse more hours of history than can be compared with a level before them."""
        n_days = info.data.get("baseline_days")
        if n_days is not None:
            what = f"hours of baseline_days without the first {WARM_UP_HOURS}"
            _refuse_above(value, n_days * 24 - WARM_UP_HOURS, what)
        return value

    @model_validator(mode="after")
    def _hours_fit(self) -> "HourlyPolicy":
        """Refuse a rule that can never be met."""
        if self.sustained_hours >= self.current_days * 24:
            message = f"sustained_hours must be below the judged {self.current_days * 24} hours"
            raise ValueError(message)
        return self


class AnomalyPolicy(Strict):
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

    @field_validator("min_baseline_days")
    @classmethod
    def _days_can_be_known(cls, value: int, info: ValidationInfo) -> int:
        """Refuse more days of history than are looked at."""
        for name in ("baseline_days", "creep_days"):
            if name in info.data:
                _refuse_above(value, info.data[name], name)
        return value

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


def load_anomaly_policy(folder: Path) -> AnomalyPolicy:
    """Read ``anomalies.yml``.

    Raises:
        ConfigError: The file is missing or something in it is wrong.
    """
    path = folder / "anomalies.yml"
    return parse_config(AnomalyPolicy, path, load_yaml(path))
