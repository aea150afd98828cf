"""What is compared: answers of a segment in its reference and in its recent windows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from include.freezeline.drift.windows import Window
from include.freezeline.stats.permutation import Float32Array

Embedder = Callable[[Sequence[str]], Float32Array]
"""Turns texts into L2-normalised float32 rows."""
ANSWERING_MODEL = "answering_model"
"""A dimension of segments that no policy names: the model that answered, whatever was asked for."""


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A subject of drift and anomaly questions.

    Attributes:
        feature: Feature.
        environment: Deployment environment.
        model: Model asked for, empty for calls that name none; None over all models.
        rest: Further dimensions with their values, in the policy's order; an empty value is a
            call that has none.
    """

    feature: str
    environment: str
    model: str | None = None
    rest: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """The segment in words."""
        model = "" if self.model is None else f", {self.model or 'no model named'}"
        rest = "".join(f", {name} {_shown(name, value)}" for name, value in self.rest)
        return f"{self.feature} ({self.environment}{model}{rest})"

    @property
    def subject(self) -> tuple[object, ...]:
        """What keys and seeds are made of; the same as ever without further dimensions."""
        plain = (self.feature, self.environment, self.model)
        return (*plain, self.rest) if self.rest else plain

    @property
    def model_name(self) -> str | None:
        """The model that a verdict names; None over all models, and for calls that name none."""
        return self.model or self.value(ANSWERING_MODEL) or None

    def value(self, dimension: str) -> str | None:
        """Return the value of a further dimension; None when the segment is over all of them."""
        return dict(self.rest).get(dimension)


def _shown(dimension: str, value: str) -> str:
    """Return a value in words; of a key the beginning says which it is."""
    return (value[:8] if dimension == "tenant_key" else value) or "(none)"


@dataclass(frozen=True, slots=True)
class TextRow:
    """One answer with what it is compared given.

    Attributes:
        call_key: Key of the call.
        called_at: When.
        prompt_version: Prompt version; empty when unknown.
        is_retrieval_empty: Whether retrieval found nothing; None without retrieval.
        canary_id: Probe; None for organic traffic.
        prompt: Redacted input.
        answer: Redacted output.
        tenant_key: Whose call it was; empty when unknown.
        n_in_stratum: Answers of its kind, organic or probe, that its prompt version gave on its
            day (UTC), of which this is one; None when nobody counted.
    """

    call_key: str
    called_at: datetime
    prompt_version: str
    is_retrieval_empty: bool | None
    canary_id: str | None
    prompt: str
    answer: str
    tenant_key: str = ""
    n_in_stratum: int | None = None


@dataclass(frozen=True, slots=True)
class SegmentTexts:
    """A segment's sampled answers.

    Attributes:
        segment: Whose.
        references: Reference window of each prompt version that is in use and old enough.
        reference_rows: Answers inside them, in sampling order.
        recent_rows: Answers of all recent windows, in sampling order.
    """

    segment: Segment
    references: dict[str, Window]
    reference_rows: tuple[TextRow, ...]
    recent_rows: tuple[TextRow, ...]

    def rows_in(self, window: Window) -> tuple[TextRow, ...]:
        """Return the recent answers of one window."""
        return tuple(row for row in self.recent_rows if window.covers(row.called_at))

    @property
    def reference_span(self) -> Window | None:
        """From the first reference's start to the last one's end."""
        if not self.references:
            return None
        windows = list(self.references.values())
        return Window(min(w.started_at for w in windows), max(w.ended_at for w in windows))
