"""What an hourly question is asked about, on one night."""

from dataclasses import dataclass
from datetime import datetime

from include.freezeline.drift.anomaly_policy import HourlyPolicy, HourlyQuestion
from include.freezeline.drift.series import HourlySeries
from include.freezeline.drift.windows import Window, trailing_window
from include.freezeline.stats.hourly_scan import HourlyPlan
from include.freezeline.stats.result import FloatArray
from include.freezeline.stats.seasons import HOURS_A_DAY


def hourly_window(policy: HourlyPolicy, as_of: datetime) -> Window:
    """Return all hours that the hourly questions look at."""
    return trailing_window(as_of, policy.baseline_days + policy.current_days)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question about one series on one night.

    Attributes:
        question: What is asked.
        series: About whom.
        policy: How hourly series are judged.
        as_of: The night.
        reading: Column of the quantile whose change is told; None where it is the question's own.
    """

    question: HourlyQuestion
    series: HourlySeries
    policy: HourlyPolicy
    as_of: datetime
    reading: str | None = None

    @property
    def window(self) -> Window:
        """All hours that are looked at."""
        return hourly_window(self.policy, self.as_of)

    @property
    def split(self) -> int:
        """The first judged hour."""
        return self.policy.baseline_days * HOURS_A_DAY

    @property
    def plan(self) -> HourlyPlan:
        """What is looked for."""
        return HourlyPlan(
            min_change_ratio=self.question.min_change_ratio,
            min_difference=self.question.min_difference,
            is_two_sided=self.question.direction == "both",
            false_alarms_per_month=self.policy.false_alarms_per_month,
            min_hours=self.policy.min_hours,
            max_past_changes=self.policy.max_past_changes,
        )

    def sizes(self, counts: FloatArray) -> tuple[int, int]:
        """Return the events before the judged hours and in them."""
        return int(counts[: self.split].sum()), int(counts[self.split :].sum())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the answer rests on, the sample size last."""
        reading = () if self.reading is None else (self.reading,)
        return (self.question.column, *reading, self.question.count)
