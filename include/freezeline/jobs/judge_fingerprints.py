"""Keep the daily fingerprints of style up to date, and ask since when they are others."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime

from include.freezeline.adapters.warehouse import Warehouse
from include.freezeline.contracts.judgement import STYLE_FINGERPRINTS
from include.freezeline.drift.findings import Judged
from include.freezeline.drift.fingerprints import (
    AnswersOfDay,
    fingerprint_row,
    fingerprint_window,
    is_news,
    style_series,
)
from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.style_changes import judge_style_changes
from include.freezeline.jobs.fingerprint_reads import (
    load_answer_days,
    load_fingerprints,
    load_texts,
)

Progress = Callable[[str], None]


def judge_fingerprints(
    warehouse: Warehouse, policy: DriftPolicy, as_of: datetime, tell: Progress
) -> list[Judged]:
    """Write the fingerprints of new and changed days, and judge the series they make.

    Args:
        warehouse: Open for writing, with its judgement tables.
        policy: Which days, how many texts, and what matters.
        as_of: Exclusive end of what is known.
        tell: Told what is being done.
    """
    if not policy.fingerprints.is_enabled:
        return []
    n_written = write_fingerprints(warehouse, policy, as_of)
    window = fingerprint_window(policy.fingerprints, as_of)
    stored = load_fingerprints(warehouse, window, as_of)
    series = style_series(stored.values(), policy, as_of)
    tell(f"fingerprints: {n_written} of {len(stored)} days are new, {len(series)} series asked")
    return judge_style_changes(series, policy, as_of)


def write_fingerprints(warehouse: Warehouse, policy: DriftPolicy, as_of: datetime) -> int:
    """Write the fingerprints of days without one, and of days whose answers came late or changed.

    Texts are read of those days only, one day at a time.

    Args:
        warehouse: Open for writing, with its judgement tables.
        policy: Which days, and how many texts.
        as_of: Exclusive end of what is known.

    Returns:
        How many rows said something new.
    """
    rule = policy.fingerprints
    window = fingerprint_window(rule, as_of)
    stored = load_fingerprints(warehouse, window, as_of)
    news = [
        found
        for found in load_answer_days(warehouse, window)
        if is_news(found, stored.get(found.key), rule)
    ]
    rows = []
    for day, found in sorted(_by_day(news).items()):
        texts = load_texts(warehouse, day, rule.max_texts)
        rows += [fingerprint_row(each, texts.get(each.writer, ()), rule, as_of) for each in found]
    return warehouse.append_revisions(STYLE_FINGERPRINTS, rows)


def _by_day(news: Sequence[AnswersOfDay]) -> dict[date, list[AnswersOfDay]]:
    """Return what is to be computed by its day."""
    found: dict[date, list[AnswersOfDay]] = defaultdict(list)
    for each in news:
        found[each.day].append(each)
    return found
