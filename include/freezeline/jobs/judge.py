"""Judge the night: drift, divergence and anomalies become verdict rows; answers are evaluated."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from include.freezeline.adapters.embeddings import open_embedder
from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.contracts.judgement import ROOT_CAUSES, VERDICT_EXAMPLES, VERDICTS
from include.freezeline.drift.anomalies import ask_anomaly
from include.freezeline.drift.anomaly_night import decide_anomalies
from include.freezeline.drift.anomaly_policy import AnomalyPolicy, load_anomaly_policy
from include.freezeline.drift.findings import Judged
from include.freezeline.drift.hourly import ask_hourly
from include.freezeline.drift.night import judge_drift
from include.freezeline.drift.policy import load_drift_policy
from include.freezeline.drift.segments import Embedder
from include.freezeline.drift.verdicts import example_rows, verdict_row
from include.freezeline.jobs.evaluate import evaluate_answers
from include.freezeline.jobs.judge_causes import load_causes
from include.freezeline.jobs.judge_columns import check_columns
from include.freezeline.jobs.judge_fingerprints import judge_fingerprints
from include.freezeline.jobs.judge_hourly import load_hourly
from include.freezeline.jobs.judge_reads import load_segments, load_series
from include.freezeline.settings import Settings

Progress = Callable[[str], None]
_VERDICT_ORDER = ("breach", "warning", "ok", "insufficient_evidence")


@dataclass(frozen=True, slots=True)
class JudgeSummary:
    """What the judge found.

    Attributes:
        n_by_verdict: Verdict rows of the night by verdict.
        n_written: Rows that said something new.
        n_embedded: Texts that were not in the embedding cache.
        breaches: Reasons of the breaches.
        warnings: Reasons of the warnings.
    """

    n_by_verdict: Mapping[str, int]
    n_written: int
    n_embedded: int
    breaches: tuple[str, ...]
    warnings: tuple[str, ...]

    def describe(self) -> str:
        """Return the summary as one sentence."""
        counts = ", ".join(f"{self.n_by_verdict.get(v, 0)} {v}" for v in _VERDICT_ORDER)
        return f"{sum(self.n_by_verdict.values())} questions answered: {counts}"


def judge(
    settings: Settings,
    as_of: datetime,
    progress: Progress | None = None,
    embed: Embedder | None = None,
) -> JudgeSummary:
    """Answer every drift, divergence and anomaly question as of a time.

    Args:
        settings: Where warehouse, policies and caches are.
        as_of: Exclusive end of what is known.
        progress: Told what is being done.
        embed: Turns texts into vectors; the model of the settings when None.

    Raises:
        ConfigError: A policy is wrong, or names a column that a mart lacks.
    """
    tell = progress or (lambda _message: None)
    folder = config_dir(settings)
    drift_policy, anomaly_policy = load_drift_policy(folder), load_anomaly_policy(folder)
    packaged = open_embedder(settings, progress)
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        check_columns(warehouse, anomaly_policy)
        warehouse.ensure_judgement_tables()
        segments = load_segments(warehouse, drift_policy, as_of)
        judged = judge_drift(segments, drift_policy, as_of, embed or packaged, tell)
        judged += judge_fingerprints(warehouse, drift_policy, as_of, tell)
        n_questions = len(anomaly_policy.questions) + len(anomaly_policy.hourly.questions)
        tell(f"anomalies: {n_questions} questions")
        judged += _judge_anomalies(warehouse, anomaly_policy, as_of)
        n_written = warehouse.append_revisions(
            VERDICTS, [verdict_row(each, as_of) for each in judged]
        )
        examples = [row for each in judged for row in example_rows(each, as_of)]
        warehouse.append_revisions(VERDICT_EXAMPLES, examples)
        tell("causes of warnings and breaches")
        causes = load_causes(warehouse, judged, drift_policy.causes, anomaly_policy, as_of)
        warehouse.append_revisions(ROOT_CAUSES, list(causes))
        evaluated = evaluate_answers(warehouse, settings, as_of, embed or packaged, tell)
    tell(evaluated.describe())
    return _summary(judged, n_written, packaged.n_computed)


def _judge_anomalies(warehouse: Warehouse, policy: AnomalyPolicy, as_of: datetime) -> list[Judged]:
    """Ask every anomaly question about every series, whose days and hours end at a midnight (UTC)."""
    as_of = as_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    findings = [
        ask_anomaly(question, series, policy, as_of)
        for question in policy.questions
        for series in load_series(warehouse, question, policy, as_of)
    ]
    findings += [
        ask_hourly(question, hours, policy.hourly, as_of)
        for question, hours in load_hourly(warehouse, policy.hourly, as_of)
    ]
    return decide_anomalies(findings, policy)


def _summary(judged: Sequence[Judged], n_written: int, n_embedded: int) -> JudgeSummary:
    """Count verdicts and list what needs attention."""
    reasons = {
        verdict: tuple(f"{j.finding.question}: {j.reason}" for j in judged if j.verdict == verdict)
        for verdict in ("breach", "warning")
    }
    return JudgeSummary(
        n_by_verdict=dict(sorted(Counter(j.verdict for j in judged).items())),
        n_written=n_written,
        n_embedded=n_embedded,
        breaches=reasons["breach"],
        warnings=reasons["warning"],
    )
