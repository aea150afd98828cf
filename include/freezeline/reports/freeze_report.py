"""Build the freeze report of a night from the warehouse: rows in, typed model out.

The first sentence is the verdict. What could not be judged is shown as such, next to what was.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from include.freezeline.reports import queries, sentences
from include.freezeline.reports.model import (
    SCHEMA_VERSION,
    Completeness,
    FailedCheck,
    FeatureReport,
    Finding,
    Findings,
    Flag,
    FreezeReport,
    LandedSource,
    Override,
    Policy,
    QuarantineReason,
    Restatement,
    ThawRule,
    Transition,
)
from include.freezeline.reports.queries import Reader, Row
from include.freezeline.reports.slo_status import load_slo


def build_report(reader: Reader, as_of: datetime, policy: Policy | None = None) -> FreezeReport:
    """Build the report of a night.

    Args:
        reader: The warehouse or a snapshot of it.
        as_of: Exclusive end of what the report knows; later nights are ignored.
        policy: The freeze rules to explain; the house defaults when None.
    """
    rules = policy or Policy()
    features = _features(reader, as_of, rules)
    return FreezeReport(
        schema_version=SCHEMA_VERSION,
        as_of=as_of,
        headline=sentences.headline(features),
        is_any_frozen=any(item.flag is not None and item.flag.is_frozen for item in features),
        features=features,
        policy=rules,
        night=load_completeness(reader, as_of),
        checks_run_count=queries.checks_run(reader, as_of),
        failed_checks=tuple(_failed_check(row) for row in queries.failed_checks(reader, as_of)),
        restatements=tuple(_restatement(row) for row in queries.restatements(reader, as_of)),
    )


def with_overrides(report: FreezeReport, live: Sequence[Mapping[str, Any]]) -> FreezeReport:
    """Return a report that shows overrides.

    Args:
        report: The report.
        live: Granting rows of the log of overrides that are in force.
    """
    features = tuple(
        replace(item, overrides=_overrides(live, (item.feature, item.environment)))
        for item in report.features
    )
    return replace(report, features=features)


def with_actions(report: FreezeReport, actions: Sequence[Mapping[str, Any]]) -> FreezeReport:
    """Return a report that says what may help, under what happens next.

    Args:
        report: The report.
        actions: Rows of ``judgement.recommended_actions`` of its night.
    """
    features = []
    for item in report.features:
        mine = [
            sentences.action(row)
            for row in actions
            if (row["feature"], row["environment"]) == (item.feature, item.environment)
        ]
        features.append(replace(item, what_next=(*item.what_next, *mine)))
    return replace(report, features=tuple(features))


def load_completeness(reader: Reader, as_of: datetime) -> Completeness | None:
    """Load what the last night landed; None when the warehouse has no ledger."""
    rows = queries.landed_by_source(reader, as_of)
    if rows is None:
        return None
    night = max((row["night_as_of"] for row in rows), default=None)
    reasons = queries.quarantine_reasons(reader, night) if night is not None else []
    sources = tuple(_landed_source(row) for row in rows)
    return Completeness(
        night_as_of=night,
        is_current=night == as_of,
        sentence=sentences.completeness(sources, night, as_of),
        sources=sources,
        quarantine=tuple(
            QuarantineReason(row["reason"], row["record_count"], row["object_count"])
            for row in reasons
        ),
    )


def load_flag(row: Row, as_of: datetime) -> Flag:
    """Turn a row of the flags table into the report's flag; stale when it expired by ``as_of``."""
    return Flag(
        state=row["state"],
        is_frozen=row["is_frozen"],
        since_at=row["since_at"],
        slo_name=row["slo_name"],
        reason=row["reason"],
        earliest_thaw_at=row["earliest_thaw_at"],
        data_through_at=row["data_through_at"],
        evaluated_at=row["evaluated_at"],
        valid_until_at=row["valid_until_at"],
        is_stale=row["valid_until_at"] <= as_of,
        thaw_rule=_thaw_rule(row),
    )


def _thaw_rule(flag: Row) -> ThawRule | None:
    """Return the numbers of the SLO that decided; flags of the first release have none."""
    slos = json.loads(flag["evaluations_json"]).get("slos", [])
    for slo in slos:
        if slo["slo_id"] == flag["slo_name"] and "min_frozen_h" in slo:
            return ThawRule(**{name: slo[name] for name in ThawRule.__dataclass_fields__})
    return None


def _features(reader: Reader, as_of: datetime, policy: Policy) -> tuple[FeatureReport, ...]:
    """Build every subject that has a flag, an SLO window or a verdict; frozen ones first."""
    flags = {_subject(row): load_flag(row, as_of) for row in queries.current_flags(reader, as_of)}
    windows = queries.slo_windows(reader, as_of)
    verdicts = queries.night_verdicts(reader, as_of)
    changes = queries.transitions(reader, as_of)
    subjects = sorted(
        {*flags, *map(_subject, windows), *map(_subject, verdicts)},
        key=lambda subject: (_severity(flags.get(subject)), subject),
    )
    built = []
    for subject in subjects:
        slos = tuple(load_slo(reader, row) for row in windows if _subject(row) == subject)
        flag = flags.get(subject)
        built.append(
            FeatureReport(
                feature=subject[0],
                environment=subject[1],
                sentence=sentences.feature_verdict(*subject, flag, slos),
                flag=flag,
                slos=slos,
                findings=_findings([row for row in verdicts if _subject(row) == subject]),
                transitions=tuple(_transition(row) for row in changes if _subject(row) == subject),
                what_next=sentences.what_next(flag, slos, policy),
            )
        )
    return tuple(built)


def _overrides(live: Sequence[Mapping[str, Any]], subject: tuple[str, str]) -> tuple[Override, ...]:
    """Return a subject's overrides."""
    feature, environment = subject
    return tuple(
        Override(
            **{name: row[name] for name in _OVERRIDE_TEXTS},
            created_at=datetime.fromisoformat(row["created_at"]),
            expires_at=datetime.fromisoformat(row["expires_at"]),
        )
        for row in live
        if row["environment"] == environment and feature in row["features"]
    )


_OVERRIDE_TEXTS = ("override_id", "change_ref", "reason", "requested_by", "approved_by")


def _subject(row: Row) -> tuple[str, str]:
    """Return feature and environment."""
    return row["feature"], row["environment"]


def _severity(flag: Flag | None) -> int:
    """Return the order of states in the report; never decided comes before OPEN."""
    order = {"FROZEN": 0, "RECOVERING": 1, "WARNING": 2, "OPEN": 4}
    return 3 if flag is None else order.get(flag.state, 0)


def _findings(rows: Sequence[Row]) -> Findings:
    """Count ok verdicts and list the others."""
    found = [Finding(**{name: row[name] for name in _FINDING_COLUMNS}) for row in rows]
    return Findings(
        ok_count=sum(item.verdict == "ok" for item in found),
        raised=tuple(item for item in found if item.verdict in {"breach", "warning"}),
        insufficient=tuple(item for item in found if item.verdict == "insufficient_evidence"),
    )


_FINDING_COLUMNS = tuple(Finding.__dataclass_fields__)


def _transition(row: Row) -> Transition:
    """Turn a row into a change of state."""
    return Transition(**{name: row[name] for name in Transition.__dataclass_fields__})


def _landed_source(row: Row) -> LandedSource:
    """Turn a row into what a source delivered."""
    return LandedSource(**{name: row[name] for name in LandedSource.__dataclass_fields__})


def _failed_check(row: Row) -> FailedCheck:
    """Turn a row into a failed expectation."""
    return FailedCheck(**{name: row[name] for name in FailedCheck.__dataclass_fields__})


def _restatement(row: Row) -> Restatement:
    """Turn a row into a restatement."""
    return Restatement(**{name: row[name] for name in Restatement.__dataclass_fields__})
