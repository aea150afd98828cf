"""What speaks for a cause of a verdict: signs in the calls, and what the probes say."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from include.freezeline.drift.signs import Cause
from include.freezeline.stats.replicated import METHOD as REPLICATED_METHOD
from include.freezeline.stats.result import StatResult
from include.freezeline.stats.semantic import METHOD as PAIRED_METHOD

# Names of the signs that probes give, by the method of their test.
PROBES = {
    PAIRED_METHOD: "probe answers",
    REPLICATED_METHOD: "style of probe answers",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sign with its test.

    Attributes:
        cause: What it speaks for.
        name: In words.
        result: Effect with interval, sizes and p-value.
        adjusted_p_value: p-value after Holm's correction over all signs of the verdict.
        is_changed: Whether it changed significantly and by enough.
        is_counted: False where its change cannot explain the verdict, as ``note`` says.
        note: Why it is not counted.
        windows: Of probes, what they compared and what the verdict did.
    """

    cause: Cause
    name: str
    result: StatResult
    adjusted_p_value: float | None = None
    is_changed: bool = False
    is_counted: bool = True
    note: str = ""
    windows: Mapping[str, Any] = field(default_factory=dict)

    @property
    def speaks(self) -> bool:
        """Whether it names the cause."""
        return self.is_changed and self.is_counted

    def uncounted(self, note: str) -> "Evidence":
        """Return the same as shown only, with every note that says why."""
        notes = f"{self.note}; {note}" if self.note else note
        return replace(self, is_counted=False, note=notes)


@dataclass(frozen=True, slots=True)
class RootCause:
    """The most likely cause of a verdict.

    Attributes:
        cause: ``unknown`` when nothing looked at changed by enough.
        reason: The same in words, with its numbers.
        evidence: Every sign, in order.
        n_reference: Calls before.
        n_current: Calls in the window judged.
        seed: Seed of the tests.
    """

    cause: Cause
    reason: str
    evidence: tuple[Evidence, ...]
    n_reference: int
    n_current: int
    seed: int


@dataclass(frozen=True, slots=True)
class Probe:
    """What a test of probe answers says about a verdict.

    Attributes:
        result: The test.
        is_large: Whether its effect matters.
        is_same_comparison: Whether it compares the same windows as the verdict: a model that
            changed weeks ago is no cause of what changed since yesterday.
        windows: The windows of both.
    """

    result: StatResult
    is_large: bool
    is_same_comparison: bool = True
    windows: Mapping[str, Any] = field(default_factory=dict)

    @property
    def evidence(self) -> Evidence:
        """The same as a sign of a changed model."""
        note = "" if self.is_same_comparison else "the probes compare other windows of time"
        return Evidence(
            cause="model",
            name=PROBES[self.result.method],
            result=self.result,
            is_counted=self.is_same_comparison,
            note=note,
            windows=self.windows,
        )
