"""What a landing run did, in numbers and in words."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.freezeline.landing.nights import LOW_VOLUME, SILENT, delivered_records
from include.freezeline.landing.plan import LandingPlan

_MAX_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """Counts of one source, or of all of them.

    Attributes:
        n_objects_landed: Objects of this run with rows in the lake.
        n_objects_empty: Objects of this run without a record.
        n_objects_quarantined: Objects of this run of which nothing could be read.
        n_objects_skipped: Objects that an earlier run landed unchanged.
        n_objects_not_due: Objects that arrive at or after ``as_of``.
        n_objects_vanished: Objects deleted between listing and reading; left for a later night.
        n_records: Records found by this run.
        n_landed: Of them, written to the lake.
        n_duplicates: Of them, repeats inside their object.
        n_quarantined: Of them, put aside with a reason.
        n_late: Landed records whose event date is before their object's arrival date.
        n_redactions: Values replaced in texts.
    """

    n_objects_landed: int = 0
    n_objects_empty: int = 0
    n_objects_quarantined: int = 0
    n_objects_skipped: int = 0
    n_objects_not_due: int = 0
    n_objects_vanished: int = 0
    n_records: int = 0
    n_landed: int = 0
    n_duplicates: int = 0
    n_quarantined: int = 0
    n_late: int = 0
    n_redactions: int = 0


@dataclass(frozen=True, slots=True)
class NightCounts:
    """What a source delivered in a night.

    Attributes:
        source_name: The source.
        night_as_of: End of the night.
        is_expected: Whether silence or low volume is an incident.
        n_objects: Objects that arrived.
        n_records: Records found in them.
        n_usable: Of them, those that were not put aside.
        n_usual: Median records of the nights before; None when too few are known.
        verdict: ok, silent, low_volume or insufficient_evidence.
    """

    source_name: str
    night_as_of: datetime
    is_expected: bool
    n_objects: int
    n_records: int
    n_usable: int
    n_usual: int | None
    verdict: str

    def sentence(self) -> str:
        """Say it in one line."""
        usual = "not yet known" if self.n_usual is None else f"{self.n_usual:,}"
        return (
            f"night before {self.night_as_of:%Y-%m-%d}: {self.source_name} delivered "
            f"{self.n_usable:,} usable of {self.n_records:,} records in {self.n_objects:,} "
            f"objects, usual {usual}: {self.verdict}"
        )


@dataclass(frozen=True, slots=True)
class LandSummary:
    """What a run did.

    Attributes:
        as_of: Exclusive end of what was known.
        total: Counts over all sources.
        by_source: Counts by source name, in name order.
        problems: First quarantined objects, "key: reason", in key order.
        nights: What each source delivered in the last full night, in name order.
    """

    as_of: datetime
    total: SourceCounts
    by_source: Mapping[str, SourceCounts]
    problems: tuple[str, ...]
    nights: tuple[NightCounts, ...]

    @property
    def silent_sources(self) -> tuple[NightCounts, ...]:
        """Expected sources without a usable record in the last full night."""
        return tuple(
            night for night in self.nights if night.is_expected and night.verdict == SILENT
        )

    @property
    def low_sources(self) -> tuple[NightCounts, ...]:
        """Expected sources with far fewer records than usual in the last full night."""
        return tuple(
            night for night in self.nights if night.is_expected and night.verdict == LOW_VOLUME
        )

    def lines(self) -> list[str]:
        """Return the summary as lines for people."""
        return [
            _sentence("landed", self.total),
            *(f"  {_sentence(name, counts)}" for name, counts in self.by_source.items()),
            *(f"  quarantined {problem}" for problem in self.problems),
            *(f"  {night.sentence()}" for night in self.nights if night.is_expected),
        ]


def summarise(
    as_of: datetime,
    plan: LandingPlan,
    ledger_rows: Sequence[Mapping[str, Any]],
    source_names: Iterable[str],
    nights: Iterable[Mapping[str, Any]],
) -> LandSummary:
    """Add up a plan and the ledger rows that carrying it out gave.

    Args:
        as_of: Exclusive end of what was known.
        plan: What was to be done.
        ledger_rows: Rows of the objects that were landed.
        source_names: All sources.
        nights: Rows of the last full night in the ledger of nights.
    """
    landed = {row["source_object"] for row in ledger_rows}
    vanished = Counter(due.source_name for due in plan.due if due.key not in landed)
    by_source = {
        name: _count(
            [row for row in ledger_rows if row["source_name"] == name],
            n_skipped=plan.n_skipped.get(name, 0),
            n_not_due=plan.n_not_due.get(name, 0),
            n_vanished=vanished[name],
        )
        for name in sorted(source_names)
    }
    total = _count(
        ledger_rows,
        n_skipped=sum(plan.n_skipped.values()),
        n_not_due=sum(plan.n_not_due.values()),
        n_vanished=vanished.total(),
    )
    told = tuple(_night(row) for row in nights)
    return LandSummary(as_of, total, by_source, _problems(ledger_rows), told)


def explain_silence(summary: LandSummary) -> str:
    """Say which expected sources delivered nothing usable, and what to do."""
    silent = [night.source_name for night in summary.silent_sources if not night.n_objects]
    parts = [f"nothing arrived from {', '.join(silent)}"] if silent else []
    parts += [
        f"nothing usable arrived from {night.source_name} ({night.n_objects:,} objects, "
        f"{night.n_records:,} records, all quarantined)"
        for night in summary.silent_sources
        if night.n_objects
    ]
    night_as_of = summary.silent_sources[0].night_as_of
    return (
        f"{', and '.join(parts)} in the day before {night_as_of:%Y-%m-%d %H:%M}Z (check the "
        "exporter; if it is meant to be silent, set expected: false in config/sources.yml)"
    )


def explain_low_volume(summary: LandSummary, ratios: Mapping[str, float]) -> str:
    """Say which expected sources delivered far less than usual, and what to do."""
    parts = [
        f"{night.source_name} delivered {night.n_usable:,} usable records, usually "
        f"{night.n_usual or 0:,}, at least {ratios[night.source_name]:.0%} of them expected"
        for night in summary.low_sources
    ]
    night_as_of = summary.low_sources[0].night_as_of
    return (
        f"{'; '.join(parts)}, in the day before {night_as_of:%Y-%m-%d %H:%M}Z (check the exporter "
        "and the quarantine; if it is meant to be so, lower least_volume_ratio in "
        "config/sources.yml)"
    )


def _night(row: Mapping[str, Any]) -> NightCounts:
    """Return the part of a row of the ledger of nights that a summary tells."""
    return NightCounts(
        source_name=row["source_name"],
        night_as_of=row["night_as_of"],
        is_expected=row["is_expected"],
        n_objects=row["object_count"],
        n_records=row["record_count"],
        n_usable=delivered_records(row),
        n_usual=row["usual_record_count"],
        verdict=row["verdict"],
    )


def _count(
    ledger_rows: Sequence[Mapping[str, Any]], *, n_skipped: int, n_not_due: int, n_vanished: int
) -> SourceCounts:
    """Add up ledger rows."""
    states = Counter(row["status"] for row in ledger_rows)

    def total(name: str) -> int:
        return sum(int(row[name]) for row in ledger_rows)

    return SourceCounts(
        n_objects_landed=states["landed"],
        n_objects_empty=states["empty"],
        n_objects_quarantined=states["quarantined"],
        n_objects_skipped=n_skipped,
        n_objects_not_due=n_not_due,
        n_objects_vanished=n_vanished,
        n_records=total("record_count"),
        n_landed=total("landed_count"),
        n_duplicates=total("duplicate_count"),
        n_quarantined=total("quarantined_count"),
        n_late=total("late_count"),
        n_redactions=total("redaction_count"),
    )


def _problems(ledger_rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Name the first quarantined objects."""
    bad = sorted(
        f"{row['source_object']}: {row['reason']}"
        for row in ledger_rows
        if row["status"] == "quarantined"
    )
    more = (f"and {len(bad) - _MAX_PROBLEMS} more",) if len(bad) > _MAX_PROBLEMS else ()
    return (*bad[:_MAX_PROBLEMS], *more)


def _sentence(name: str, counts: SourceCounts) -> str:
    """Say one source's counts in one line."""
    vanished = f"{counts.n_objects_vanished:,} vanished, " if counts.n_objects_vanished else ""
    return (
        f"{name}: {counts.n_objects_landed:,} objects ({counts.n_objects_skipped:,} known, "
        f"{counts.n_objects_not_due:,} not due, {vanished}{counts.n_objects_empty:,} empty, "
        f"{counts.n_objects_quarantined:,} quarantined), {counts.n_landed:,} of "
        f"{counts.n_records:,} records ({counts.n_duplicates:,} duplicates, "
        f"{counts.n_quarantined:,} quarantined, {counts.n_late:,} late), "
        f"{counts.n_redactions:,} values redacted"
    )
