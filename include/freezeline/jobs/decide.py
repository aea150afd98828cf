"""Decide: evaluate every SLO at every midnight of an interval and move the freeze states."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.contracts.judgement import (
    FREEZE_FLAGS,
    FREEZE_OVERRIDES,
    FREEZE_TRANSITIONS,
    SLO_ATTRIBUTIONS,
    SLO_WINDOWS,
)
from include.freezeline.freeze.flag import Flag, Past, plan_flag
from include.freezeline.freeze.thaw import find_earliest_thaw
from include.freezeline.jobs.decide_events import Known, SloEvents, Subject, load_events
from include.freezeline.jobs.decide_rows import Row, attribution_rows, window_row
from include.freezeline.jobs.flag_rows import flag_row, read_past, transition_row
from include.freezeline.jobs.override_rows import override_event_rows
from include.freezeline.settings import Settings
from include.freezeline.slo.catalogue import load_slos
from include.freezeline.slo.evaluation import evaluate
from include.freezeline.slo.feeds import Arrivals, find_silence
from include.freezeline.slo.policy import load_freeze_rules
from include.freezeline.slo.windows import midnights, parse_duration

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DecideSummary:
    """What a decision run found and wrote.

    Attributes:
        n_evaluations: SLO evaluations made.
        n_breaches: Of them, at the final ``as_of``, breaches.
        n_transitions: State changes in the interval.
        n_rows_written: Rows appended; 0 when nothing new was learned.
        frozen: ``feature (environment)`` of releases that may not ship at the final ``as_of``.
        states: How many flags are in each state at the final ``as_of``.
        slos_without_events: SLOs that judged nothing; a wrong feature name looks like this.
    """

    n_evaluations: int
    n_breaches: int
    n_transitions: int
    n_rows_written: int
    frozen: tuple[str, ...]
    states: dict[str, int]
    slos_without_events: tuple[str, ...]


@dataclass(slots=True)
class _Rows:
    """Rows collected over the interval, how long flags hold, and the flags of its last night."""

    windows: list[Row] = field(default_factory=list)
    attributions: list[Row] = field(default_factory=list)
    transitions: list[Row] = field(default_factory=list)
    flags: list[Row] = field(default_factory=list)
    validity: timedelta = timedelta(0)
    overrides: list[Row] = field(default_factory=list)
    last: list[Flag] = field(default_factory=list)


def decide(
    settings: Settings,
    interval_start: datetime,
    as_of: datetime,
    progress: Progress | None = None,
) -> DecideSummary:
    """Evaluate each midnight in ``(interval_start, as_of]`` with that night's knowledge.

    The states continue from the last flags at or before ``interval_start``, so that running an
    interval again gives the same rows, and appends none when nothing new was learned.

    Args:
        settings: Where the warehouse and the SLO files are.
        interval_start: Start of the interval.
        as_of: Its exclusive end.
        progress: Told about each tenth night.

    Raises:
        ConfigError: An SLO file is wrong.
    """
    folder = config_dir(settings)
    slos = load_slos(folder)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
        known = load_events(warehouse, slos, as_of)
        past = load_past(warehouse, interval_start)
        nights = midnights(interval_start, as_of)
        rows = _Rows(validity=parse_duration(load_freeze_rules(folder).validity))
        for number, night in enumerate(nights, start=1):
            _decide_night(known, past, night, rows, is_last=night == as_of)
            if progress is not None and (number % 10 == 0 or night == as_of):
                progress(f"decided {number} of {len(nights)} nights")
        rows.overrides = override_event_rows(settings, as_of)
        n_written = _append(warehouse, rows)
    return _summarise(rows, known, as_of, n_written)


def load_past(warehouse: Warehouse, interval_start: datetime) -> dict[Subject, Past]:
    """Load what the last flags at or before the interval's start remember."""
    found = warehouse.rows(
        "select * from judgement.freeze_flags where as_of <= ? "
        "qualify row_number() over ("
        "partition by feature, environment order by as_of desc, revision desc) = 1",
        [interval_start],
    )
    return {Subject(row["feature"], row["environment"]): read_past(row) for row in found}


def _decide_night(
    known: Known, past: dict[Subject, Past], night: datetime, rows: _Rows, *, is_last: bool
) -> None:
    """Decide one night: every subject that was seen before it."""
    subjects = sorted(
        known.by_subject.keys() | past.keys(), key=lambda item: (item.feature, item.environment)
    )
    for subject in subjects:
        data_through = known.data_through(subject, night)
        if data_through is None and subject not in past:
            continue
        sources = known.sources(subject, past[subject].memory if subject in past else ())
        flag = _plan(subject, sources, night, past.get(subject), known.fact_arrivals)
        _collect(flag, sources, rows, with_attributions=is_last)
        thaw_at = find_earliest_thaw(flag, {name: s.events for name, s in sources.items()})
        rows.flags.append(flag_row(flag, thaw_at, data_through, rows.validity))
        before = past[subject].state if subject in past else "OPEN"
        if flag.state != before:
            rows.transitions.append(transition_row(flag, before))
        past[subject] = Past(flag.state, flag.since_at, flag.memory)
        if is_last:
            rows.last.append(flag)


def _plan(
    subject: Subject,
    sources: dict[str, SloEvents],
    night: datetime,
    past: Past | None,
    arrivals: Arrivals,
) -> Flag:
    """Evaluate a subject's SLOs and advance its flag."""
    evaluations = [
        evaluate(
            source.slo,
            source.events,
            subject.feature,
            subject.environment,
            night,
            silence=find_silence(source.slo, arrivals, night),
        )
        for source in sources.values()
    ]
    return plan_flag(subject.feature, subject.environment, night, evaluations, past)


def _collect(
    flag: Flag, sources: dict[str, SloEvents], rows: _Rows, *, with_attributions: bool
) -> None:
    """Collect window rows, and attributions of the last night and of every breach."""
    for judged in flag.judged:
        source = sources[judged.evaluation.slo.name]
        rows.windows.append(window_row(judged, source))
        if with_attributions or judged.evaluation.verdict == "breach":
            rows.attributions.extend(attribution_rows(judged.evaluation, source))


def _append(warehouse: Warehouse, rows: _Rows) -> int:
    """Append what is news, all or nothing, and return how many rows that was."""
    warehouse.execute("begin transaction")
    try:
        n_written = (
            warehouse.append_revisions(SLO_WINDOWS, rows.windows)
            + warehouse.append_revisions(SLO_ATTRIBUTIONS, rows.attributions)
            + warehouse.append_revisions(FREEZE_TRANSITIONS, rows.transitions)
            + warehouse.append_revisions(FREEZE_FLAGS, rows.flags)
            + warehouse.append_revisions(FREEZE_OVERRIDES, rows.overrides)
        )
    except BaseException:
        warehouse.execute("rollback")
        raise
    warehouse.execute("commit")
    return n_written


def _summarise(rows: _Rows, known: Known, as_of: datetime, n_written: int) -> DecideSummary:
    """Count what was decided."""
    final = [row for row in rows.windows if row["as_of"] == as_of]
    return DecideSummary(
        n_evaluations=len(rows.windows),
        n_breaches=sum(row["verdict"] == "breach" for row in final),
        n_transitions=len(rows.transitions),
        n_rows_written=n_written,
        frozen=tuple(
            f"{flag.feature} ({flag.environment})" for flag in rows.last if flag.is_frozen
        ),
        states=dict(sorted(Counter(flag.state for flag in rows.last).items())),
        slos_without_events=known.slos_without_events,
    )
