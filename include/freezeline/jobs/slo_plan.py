"""What the SLO files as they are now would decide on the published night; nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.freezeline.adapters.snapshots import open_snapshot
from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.config import config_dir
from include.freezeline.errors import WarehouseError
from include.freezeline.freeze.flag import Flag, Judged, Past, plan_flag
from include.freezeline.jobs.decide import load_past
from include.freezeline.jobs.decide_events import Known, Subject, load_events
from include.freezeline.reports.queries import latest_as_of
from include.freezeline.settings import Settings
from include.freezeline.slo.catalogue import load_slos
from include.freezeline.slo.evaluation import evaluate
from include.freezeline.slo.feeds import find_silence
from include.freezeline.slo.wording import explain


@dataclass(frozen=True, slots=True)
class PlannedSlo:
    """One SLO on one subject.

    Attributes:
        slo_name: The SLO.
        feature: Feature judged.
        environment: Environment judged.
        change: ``new`` where the published night did not judge it, ``same`` or ``changed`` where
            the verdict is the published one or another.
        verdict: What the files say now.
        published_verdict: What the published night says; None when new.
        state: State the SLO alone would have asked for.
        consumed_ratio: Share of the budget surely spent; None without events.
        reason: The verdict in words.
    """

    slo_name: str
    feature: str
    environment: str
    change: str
    verdict: str
    published_verdict: str | None
    state: str
    consumed_ratio: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class SloPlan:
    """The whole preview.

    Attributes:
        as_of: The published night.
        slos: Every SLO with events, worst first within a subject.
        flags: ``feature (environment)``, the published state and the planned one.
        without_events: SLOs that would judge nothing.
        removed: SLOs that the published night judged and no file defines.
    """

    as_of: datetime
    slos: tuple[PlannedSlo, ...]
    flags: tuple[tuple[str, str, str], ...]
    without_events: tuple[str, ...]
    removed: tuple[str, ...]


def plan_slos(settings: Settings) -> SloPlan:
    """Evaluate the SLO files on the published night, from the states of the night before.

    Raises:
        ConfigError: A file is wrong, or its SQL does not fit its mart.
        WarehouseError: Nothing is published yet.
    """
    slos = load_slos(config_dir(settings))
    with open_snapshot(settings) as warehouse:
        as_of = latest_as_of(warehouse)
        if as_of is None:
            message = "the snapshot holds no decided night (run the nightly DAG, or `make demo`)"
            raise WarehouseError(message)
        known = load_events(warehouse, slos, as_of)
        past = load_past(warehouse, as_of - timedelta(microseconds=1))
        now = load_past(warehouse, as_of)
        published = _published_verdicts(warehouse, as_of)
    subjects = sorted({*known.by_subject, *now}, key=lambda item: (item.feature, item.environment))
    flags = [_plan(subject, known, as_of, past) for subject in subjects]
    defined = {slo.name for slo in slos}
    return SloPlan(
        as_of=as_of,
        slos=tuple(_planned(each, flag, published) for flag in flags for each in flag.judged),
        flags=_compare(flags, now),
        without_events=known.slos_without_events,
        removed=tuple(sorted({name for name, *_ in published} - defined)),
    )


def _plan(subject: Subject, known: Known, as_of: datetime, past: dict[Subject, Past]) -> Flag:
    """Plan one flag as that night would have."""
    remembered = past[subject].memory if subject in past else ()
    evaluations = [
        evaluate(
            source.slo,
            source.events,
            subject.feature,
            subject.environment,
            as_of,
            silence=find_silence(source.slo, known.fact_arrivals, as_of),
            with_worst=False,
        )
        for source in known.sources(subject, remembered).values()
    ]
    return plan_flag(subject.feature, subject.environment, as_of, evaluations, past.get(subject))


def _planned(judged: Judged, flag: Flag, published: dict[tuple[str, str, str], str]) -> PlannedSlo:
    """Return one SLO of a planned flag beside what was published."""
    evaluation = judged.evaluation
    before = published.get((evaluation.slo.name, flag.feature, flag.environment))
    verdict = evaluation.verdict
    consumed = evaluation.budget.consumed if evaluation.has_events else None
    return PlannedSlo(
        slo_name=evaluation.slo.name,
        feature=flag.feature,
        environment=flag.environment,
        change="new" if before is None else "same" if before == verdict else "changed",
        verdict=verdict,
        published_verdict=before,
        state=judged.state,
        consumed_ratio=None if consumed is None else float(consumed),
        reason=explain(evaluation),
    )


def _compare(
    flags: Sequence[Flag], published: dict[Subject, Past]
) -> tuple[tuple[str, str, str], ...]:
    """Return every flag with its published and its planned state."""
    compared = []
    for flag in flags:
        before = published.get(Subject(flag.feature, flag.environment))
        name = f"{flag.feature} ({flag.environment})"
        compared.append((name, "none" if before is None else before.state, flag.state))
    return tuple(compared)


def _published_verdicts(warehouse: Warehouse, as_of: datetime) -> dict[tuple[str, str, str], str]:
    """Return the published verdict by SLO, feature and environment."""
    rows = warehouse.rows(
        "select slo_name, feature, environment, verdict from judgement.slo_windows where as_of = ? "
        "qualify row_number() over (partition by slo_window_key order by revision desc) = 1",
        [as_of],
    )
    return {(row["slo_name"], row["feature"], row["environment"]): row["verdict"] for row in rows}
