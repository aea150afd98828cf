"""Read the events of every SLO from the marts, once."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import numpy as np
import pandas as pd

from include.freezeline.adapters.warehouse import SqlError, Warehouse
from include.freezeline.errors import ConfigError
from include.freezeline.slo.catalogue import Slo
from include.freezeline.slo.events import NEVER_US, BoolArray, Events, IntArray, whole_weights
from include.freezeline.slo.feeds import Arrivals
from include.freezeline.slo.windows import from_us, to_us

DIMENSIONS = ("prompt_version", "request_model", "tenant_key", "route")
NO_VALUE = "(none)"


@dataclass(frozen=True, slots=True)
class Subject:
    """A feature in an environment."""

    feature: str
    environment: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """One attribute of every row of a relation, as codes into its sorted values."""

    name: str
    codes: IntArray
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SloEvents:
    """One SLO's events of one subject, with the dimensions of their relation."""

    slo: Slo
    events: Events
    dimensions: tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Everything to decide on.

    Attributes:
        by_subject: SLOs with events, by subject; subjects and SLOs in name order.
        arrivals: Times and arrival times of all rows of a subject, by relation, for its data's end.
        slos: Every SLO that is defined.
        fact_arrivals: When objects of each fact that an SLO depends on landed.
    """

    by_subject: dict[Subject, tuple[SloEvents, ...]]
    arrivals: dict[Subject, list[Events]]
    slos: tuple[Slo, ...]
    fact_arrivals: Arrivals

    @property
    def slos_without_events(self) -> tuple[str, ...]:
        """Names of SLOs that no subject has an event for."""
        found = {item.slo.name for items in self.by_subject.values() for item in items}
        return tuple(slo.name for slo in self.slos if slo.name not in found)

    def sources(self, subject: Subject, remembered: Collection[str]) -> dict[str, SloEvents]:
        """Return a subject's SLOs with their events.

        An SLO that judged the subject before and is still defined comes without events when it
        has none any more (purged, or no row fits its conditions): no data holds its state, only
        a deleted SLO file lets it thaw.
        """
        found = {item.slo.name: item for item in self.by_subject.get(subject, ())}
        nothing = np.empty(0, dtype=np.int64)
        silent = {
            slo.name: SloEvents(slo, Events.of(nothing, nothing), ())
            for slo in self.slos
            if slo.name in remembered
            and slo.name not in found
            and slo.feature in {"*", subject.feature}
        }
        return dict(sorted({**found, **silent}.items()))

    def data_through(self, subject: Subject, as_of: datetime) -> datetime | None:
        """Return the latest event of a subject known before ``as_of``, of any relation."""
        known = [each.known_at(to_us(as_of)).at_us for each in self.arrivals.get(subject, ())]
        latest = [int(at_us[-1]) for at_us in known if len(at_us)]
        return from_us(max(latest)) if latest else None


def load_events(warehouse: Warehouse, slos: Sequence[Slo], as_of: datetime) -> Known:
    """Load the events of all SLOs that were known before ``as_of``.

    Raises:
        ConfigError: A condition of an SLO is not valid SQL on its mart.
    """
    by_subject: dict[Subject, list[SloEvents]] = {}
    arrivals: dict[Subject, list[Events]] = {}
    ordered = sorted(slos, key=lambda slo: (*_clocks(slo), slo.name))
    for (relation, at_column, arrived_column), group in groupby(ordered, key=_clocks):
        wanted = list(group)
        clocks = (at_column, arrived_column)
        frame, names = _read_relation(warehouse, relation, clocks, wanted, as_of)
        dimensions = tuple(_encode(frame, name) for name in names)
        for subject, is_subject in _subjects(frame):
            never = np.full(int(is_subject.sum()), NEVER_US, dtype=np.int64)
            arrivals.setdefault(subject, []).append(
                Events.of(_ints(frame, "at_us")[is_subject], never, _arrived(frame)[is_subject])
            )
            for number, slo in enumerate(wanted):
                events = _slo_events(frame, number, slo, subject, is_subject)
                if events is not None:
                    by_subject.setdefault(subject, []).append(SloEvents(slo, events, dimensions))
    return Known(
        {
            subject: tuple(sorted(by_subject[subject], key=lambda item: item.slo.name))
            for subject in sorted(by_subject, key=lambda s: (s.feature, s.environment))
        },
        arrivals,
        tuple(slos),
        load_fact_arrivals(warehouse, slos, as_of),
    )


def _clocks(slo: Slo) -> tuple[str, str, str]:
    """Return relation, time of the event and when it became known: what is read together."""
    return slo.relation, slo.event_at_column, slo.arrived_at_column


def load_fact_arrivals(warehouse: Warehouse, slos: Sequence[Slo], as_of: datetime) -> Arrivals:
    """Load when objects of the facts landed; quarantined and empty ones brought no outcome.

    Without the ledger's mart nothing is known to have landed, so their SLOs hold.
    """
    facts = sorted({slo.fact for slo in slos if slo.fact is not None})
    is_known = warehouse.rows(
        "select 1 from information_schema.tables "
        "where table_schema = 'marts' and table_name = 'fct_landed_objects'"
    )
    if not facts or not is_known:
        return {}
    landed = warehouse.rows(
        "select source_name, arrived_at from marts.fct_landed_objects "
        "where status = 'landed' and arrived_at < ? order by arrived_at",
        [as_of],
    )
    return {
        fact: tuple(row["arrived_at"] for row in landed if row["source_name"] == fact)
        for fact in facts
    }


def _read_relation(
    warehouse: Warehouse,
    relation: str,
    clocks: tuple[str, str],
    slos: Sequence[Slo],
    as_of: datetime,
) -> tuple[pd.DataFrame, list[str]]:
    """Read times, dimensions and every SLO's conditions of a relation."""
    at_column, arrived_column = clocks
    try:
        found = {row["column_name"] for row in warehouse.rows(f"describe {relation}")}
    except SqlError as error:
        raise _bad_condition(slos[0], error) from None
    names = [name for name in DIMENSIONS if name in found]
    columns = [
        "feature",
        "environment",
        f"epoch_us({at_column}) as at_us",
        f"epoch_us({arrived_column}) as arrived_us",
        # A row may stand for several calls, where the source samples; not every mart is of calls.
        f"{'coalesce(sample_weight, 1)' if 'sample_weight' in found else '1'}::double as weight",
        *names,
    ]
    for number, slo in enumerate(slos):
        known_at = slo.bad_known_at_column or arrived_column
        columns += [
            f"coalesce(({slo.is_event_sql}), false) as is_event_{number}",
            f"coalesce(({slo.is_bad_sql}), false) as is_bad_{number}",
            f"coalesce(epoch_us({known_at}), epoch_us({arrived_column})) as known_us_{number}",
        ]
    sql = (
        f"select {', '.join(columns)} from {relation} "
        f"where feature is not null and {at_column} < ? and {arrived_column} < ? "
        "order by at_us, arrived_us"
    )
    try:
        return warehouse.query(sql, [as_of, as_of]), names
    except SqlError as error:
        raise _find_bad_condition(warehouse, slos, error) from None


def _find_bad_condition(warehouse: Warehouse, slos: Sequence[Slo], error: Exception) -> ConfigError:
    """Find the SLO whose condition cannot be evaluated."""
    for slo in slos:
        known_at = slo.bad_known_at_column or slo.arrived_at_column
        try:
            warehouse.rows(
                f"select {slo.event_at_column}, {known_at} from {slo.relation} "
                f"where ({slo.is_event_sql}) and ({slo.is_bad_sql}) limit 0"
            )
        except SqlError as cause:
            return _bad_condition(slo, cause)
    return _bad_condition(slos[0], error)


def _bad_condition(slo: Slo, error: Exception) -> ConfigError:
    """Name the SLO file and what the warehouse said about it."""
    first_line = str(error).splitlines()[0]
    return ConfigError(
        f"slos/{slo.name}.yml: spec.indicator: its conditions do not fit {slo.relation}: "
        f"{first_line} (correct the column names; `freezeline slo show {slo.name}` prints them)"
    )


def _subjects(frame: pd.DataFrame) -> Iterator[tuple[Subject, BoolArray]]:
    """Yield the subjects of a relation and which rows are theirs."""
    environment = frame["environment"].fillna(NO_VALUE)
    keys = frame["feature"].astype(str) + "\0" + environment.astype(str)
    codes, values = pd.factorize(keys, sort=True)
    for number, value in enumerate(values):
        feature, name = str(value).split("\0")
        yield Subject(feature, name), np.asarray(codes == number, dtype=np.bool_)


def _slo_events(
    frame: pd.DataFrame, number: int, slo: Slo, subject: Subject, is_subject: BoolArray
) -> Events | None:
    """Return an SLO's events of a subject; None when it does not judge it or has none."""
    if not slo.judges(subject.feature):
        return None
    is_event = is_subject & frame[f"is_event_{number}"].to_numpy(dtype=np.bool_)
    if not is_event.any():
        return None
    is_bad = frame[f"is_bad_{number}"].to_numpy(dtype=np.bool_)
    known_us = np.where(is_bad, _ints(frame, f"known_us_{number}"), NEVER_US)
    rows = np.flatnonzero(is_event)
    at_us = _ints(frame, "at_us")[rows]
    weights = whole_weights(frame["weight"].to_numpy(dtype=np.float64)[rows], at_us)
    return Events.of(at_us, known_us[rows], _arrived(frame)[rows], rows, weights)


def _encode(frame: pd.DataFrame, name: str) -> Dimension:
    """Encode a dimension as codes; an absent value is a value of its own."""
    codes, values = pd.factorize(frame[name].fillna(NO_VALUE).astype(str), sort=True)
    return Dimension(name, np.asarray(codes, dtype=np.int64), tuple(str(v) for v in values))


def _ints(frame: pd.DataFrame, name: str) -> IntArray:
    """Return a column as exact integers."""
    return frame[name].to_numpy(dtype=np.int64)


def _arrived(frame: pd.DataFrame) -> IntArray:
    """Return when each row became known."""
    return _ints(frame, "arrived_us")
