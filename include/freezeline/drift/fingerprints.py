"""Daily fingerprints of style: which are computed again, their rows, and the series they make."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from include.freezeline.drift.evidence import texts_query
from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.scope import Fingerprints
from include.freezeline.drift.segments import ANSWERING_MODEL, Segment
from include.freezeline.drift.verdicts import details_json
from include.freezeline.drift.windows import Window
from include.freezeline.hashing import stable_hash
from include.freezeline.stats.fingerprint import (
    FINGERPRINT_METHOD,
    FINGERPRINT_VERSION,
    MIN_TEXTS,
    Fingerprint,
    style_fingerprint,
)
from include.freezeline.stats.style import FEATURE_NAMES

_ONE_DAY = timedelta(days=1)
# A model that answered nothing for a week is not asked about any more.
_IN_USE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Writer:
    """Whose style: a model in a feature.

    Attributes:
        feature: Feature.
        environment: Deployment environment.
        provider: Provider; None when unknown.
        model: Model that answered; None when unknown.
    """

    feature: str
    environment: str
    provider: str | None
    model: str | None

    @property
    def segment(self) -> Segment:
        """The same as the subject of a verdict."""
        rest = (("provider", self.provider or ""), (ANSWERING_MODEL, self.model or ""))
        return Segment(self.feature, self.environment, rest=rest)


@dataclass(frozen=True, slots=True)
class AnswersOfDay:
    """What is known of a day's answers before any is read.

    Attributes:
        writer: Who wrote them.
        day: Day of the calls, UTC.
        request_models: Models asked for.
        n_answers: How many there are.
        answers_hash: Changes when any of them does.
    """

    writer: Writer
    day: date
    request_models: tuple[str, ...]
    n_answers: int
    answers_hash: str

    @property
    def key(self) -> str:
        """Key of the day's row."""
        who = self.writer
        return stable_hash(self.day, who.provider, who.model, who.feature, who.environment)

    def input_hash(self, policy: Fingerprints) -> str:
        """Return the hash of everything that the row depends on."""
        return stable_hash(self.answers_hash, policy.max_texts, FINGERPRINT_VERSION)


@dataclass(frozen=True, slots=True)
class StyleDay:
    """A day with a fingerprint.

    Attributes:
        day: Day of the calls, UTC.
        n_answers: How many there were.
        fingerprint: Of those that were looked at.
    """

    day: date
    n_answers: int
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class StyleSeries:
    """The fingerprints of one writer.

    Attributes:
        writer: Whose.
        request_models: Models asked for on any of the days.
        days: Days that have a fingerprint, oldest first.
        n_left_out: Days with answers but without a fingerprint.
    """

    writer: Writer
    request_models: tuple[str, ...]
    days: tuple[StyleDay, ...]
    n_left_out: int


def fingerprint_window(policy: Fingerprints, as_of: datetime) -> Window:
    """Return the whole days that are kept up to date and looked at; the last ends at ``as_of``."""
    end = as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(end - policy.days * _ONE_DAY, end)


def is_news(found: AnswersOfDay, stored: Mapping[str, Any] | None, policy: Fingerprints) -> bool:
    """Whether a day is to be computed: it has no row, or answers came late or changed.

    Fewer answers than the row knows are no news: texts go by retention or erasure, and the
    fingerprint, which holds none, outlives them.
    """
    if stored is None:
        return True
    is_other = bool(stored["input_hash"] != found.input_hash(policy))
    return is_other and found.n_answers >= int(stored["n_answers"])


def fingerprint_row(
    found: AnswersOfDay, texts: Sequence[str], policy: Fingerprints, as_of: datetime
) -> dict[str, Any]:
    """Return the row of ``judgement.style_fingerprints``, without revision and content hash.

    Args:
        found: The day.
        texts: Answers read of it; empty ones say nothing of style and are left out.
        policy: How many were read.
        as_of: Exclusive end of what is known.
    """
    said = [text for text in texts if text.strip()]
    made = style_fingerprint(said)
    start = datetime.combine(found.day, time(), tzinfo=UTC)
    few = f"{len(said)} answers with a text, at least {MIN_TEXTS} are needed"
    return {
        "fingerprint_key": found.key,
        "as_of": as_of,
        "fingerprint_date": found.day,
        "provider": found.writer.provider,
        "model": found.writer.model,
        "feature": found.writer.feature,
        "environment": found.writer.environment,
        "request_models": details_json(found.request_models),
        "n_answers": found.n_answers,
        "n_texts": len(said),
        "means": _by_habit(made.means) if made else None,
        "standard_errors": _by_habit(made.errors) if made else None,
        "fingerprint_hash": made.fingerprint_hash if made else None,
        "reason": None if made else few,
        "method": FINGERPRINT_METHOD,
        "method_version": FINGERPRINT_VERSION,
        "input_hash": found.input_hash(policy),
        "evidence_query": texts_query(
            found.writer.segment, Window(start, start + _ONE_DAY), None, is_canary=False
        ),
    }


def style_series(
    rows: Iterable[Mapping[str, Any]], policy: DriftPolicy, as_of: datetime
) -> list[StyleSeries]:
    """Return the series of every writer that answered lately, accepted changes behind it.

    Args:
        rows: Rows of ``judgement.style_fingerprints``, one a day and writer.
        policy: Which changes were accepted.
        as_of: Exclusive end of what is known.
    """
    by_writer: dict[Writer, list[Mapping[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["fingerprint_date"]):
        by_writer[writer_of(row)].append(row)
    since = (fingerprint_window(policy.fingerprints, as_of).ended_at - _IN_USE).date()
    return [
        _series(writer, found, policy, as_of)
        for writer, found in sorted(by_writer.items(), key=lambda item: item[0].segment)
        if found[-1]["fingerprint_date"] >= since
    ]


def writer_of(row: Mapping[str, Any]) -> Writer:
    """Return the writer that a row names."""
    return Writer(row["feature"], row["environment"], row["provider"], row["model"])


def _series(
    writer: Writer, rows: Sequence[Mapping[str, Any]], policy: DriftPolicy, as_of: datetime
) -> StyleSeries:
    """Put one writer's days together."""
    asked = tuple(sorted({name for row in rows for name in json.loads(row["request_models"])}))
    first = _first_day(writer, asked, policy, as_of)
    known = [row for row in rows if first is None or row["fingerprint_date"] >= first]
    days = tuple(
        StyleDay(row["fingerprint_date"], int(row["n_answers"]), made)
        for row in known
        if (made := _fingerprint(row)) is not None
    )
    return StyleSeries(writer, asked, days, len(known) - len(days))


def _first_day(
    writer: Writer, asked: Sequence[str], policy: DriftPolicy, as_of: datetime
) -> date | None:
    """Return the day of the last accepted change, under any name of the model."""
    names: list[str | None] = [writer.model, *asked]
    rule, where = policy.reference, (writer.feature, writer.environment)
    starts = [rule.accepted_at(*where, name, as_of) for name in names]
    return max((start.date() for start in starts if start is not None), default=None)


def _by_habit(values: Sequence[float]) -> str:
    """Return numbers as JSON by the name of their habit."""
    return details_json(dict(zip(FEATURE_NAMES, values, strict=True)))


def _fingerprint(row: Mapping[str, Any]) -> Fingerprint | None:
    """Return the fingerprint of a row; None without one, or where it is of other habits."""
    if row["means"] is None or row["method_version"] != FINGERPRINT_VERSION:
        return None
    means, errors = json.loads(row["means"]), json.loads(row["standard_errors"])
    if set(means) != set(FEATURE_NAMES):
        return None
    return Fingerprint(
        tuple(means[name] for name in FEATURE_NAMES),
        tuple(errors[name] for name in FEATURE_NAMES),
        int(row["n_texts"]),
        row["fingerprint_hash"],
    )
