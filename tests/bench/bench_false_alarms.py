"""How many false alarms a month does a quiet house get?

``python -m tests.bench.bench_false_alarms [--nights N] [--segments N] [--quick]`` judges night after
night of made-up answers in which no model changed: the mix of topics differs from day to day, each
segment keeps its one reference, and the windows of consecutive nights share a day. Everything is
the product's own: plans, the statistics of all drift questions, false-discovery control,
sustained rule. Before that, the same decisions are made on p-values drawn under the null for 20
quarters, with effects that are always large enough, with the sustained rule and without it. Printed are warnings and breaches a month of 30 nights, with Garwood's exact 95%
interval. Fails when there is more than one run of nights with a breach a month.

The texts, windows and permutations are smaller than a real night's, so that the whole fits into
some minutes; p-values are exact at any size. The refining permutations are as many as the number
of questions needs, or no p-value could be small enough for a false alarm.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from include.freezeline.drift.night import decide_night, judge_drift
from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.questions import QUESTIONS
from include.freezeline.drift.segments import Segment, SegmentTexts, TextRow
from include.freezeline.drift.windows import Window
from include.freezeline.stats.permutation import Float32Array
from tests.unit.drift.quiet_nights import (
    NIGHTS_A_MONTH,
    DrawnAnswers,
    empty_segments,
    episodes,
    nights,
    poisson_interval,
)
from tests.unit.drift.worlds import FIRST_DAY, SHIPPED, fake_embed
from tests.unit.stats.texts import answer_text, prompt_text

REFERENCE_DAYS, RECENT_DAYS = 14, 6
N_ORGANIC, N_PROBES = 26, 6
MOST_A_MONTH = 1.0
_TOLD = 10
_QUARTER_NIGHTS = 90
_POLICY = {
    **SHIPPED,
    "sampling": {"max_texts": 52, "max_embedded": 12},
    "permutations": {"screen": 99, "refine": 19_999},
}


class CachedEmbedder:
    """Embeds a text once, as the product's own cache does."""

    def __init__(self) -> None:
        """Start empty."""
        self._known: dict[str, Float32Array] = {}

    def __call__(self, texts: Sequence[str]) -> Float32Array:
        """Return a row per text."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if fresh:
            self._known.update(zip(fresh, fake_embed(fresh), strict=True))
        return np.stack([self._known[text] for text in texts])


def quiet_day(segment: int, day: int) -> list[TextRow]:
    """Return a day of a segment: the same model as ever, another mix of topics."""
    rng = np.random.default_rng([segment, day])
    mix = rng.dirichlet([10.0, 10.0, 10.0])
    at = FIRST_DAY + timedelta(days=day)
    rows = []
    for i in range(N_ORGANIC + N_PROBES):
        is_probe = i >= N_ORGANIC
        topic = i % 3 if is_probe else int(rng.choice(3, p=mix))
        asked = np.random.default_rng([segment, i]) if is_probe else rng
        rows.append(
            TextRow(
                call_key=f"{segment:02d}-{day:03d}-{i:02d}",
                called_at=at + timedelta(minutes=i),
                prompt_version="v1",
                is_retrieval_empty=None,
                canary_id=f"probe-{i - N_ORGANIC}" if is_probe else None,
                prompt=prompt_text(topic, asked),
                answer=answer_text(topic, rng),
            )
        )
    return rows


def night_of(segment: int, days: Sequence[list[TextRow]], as_of_day: int) -> SegmentTexts:
    """Return what a night reads of a segment, in sampling order."""
    window = Window(FIRST_DAY, FIRST_DAY + timedelta(days=REFERENCE_DAYS))
    reference = _by_turns(days[:REFERENCE_DAYS])
    recent = _by_turns(days[as_of_day - RECENT_DAYS : as_of_day])
    name = Segment(f"feature-{segment:02d}", "production", "m")
    return SegmentTexts(name, {"v1": window}, reference, recent)


def _by_turns(days: Sequence[list[TextRow]]) -> tuple[TextRow, ...]:
    """Spread the first rows over the days."""
    return tuple(row for rows in zip(*days, strict=True) for row in rows)


def policy_asking(names: Sequence[str]) -> DriftPolicy:
    """Return the policy that asks these questions alone."""
    policy = DriftPolicy.model_validate(_POLICY)
    asked = {
        name: question.model_copy(update={"is_enabled": name in names})
        for name, question in policy.questions
    }
    return policy.model_copy(update={"questions": policy.questions.model_copy(update=asked)})


def count_alarms(n_nights: int, n_segments: int, names: Sequence[str]) -> tuple[Counter[str], int]:
    """Judge the nights; return verdicts counted, and runs of nights with a breach by question."""
    policy, embed = policy_asking(names), CachedEmbedder()
    n_days = REFERENCE_DAYS + RECENT_DAYS + n_nights
    worlds = [[quiet_day(s, day) for day in range(n_days)] for s in range(n_segments)]
    counts: Counter[str] = Counter()
    breaches: dict[tuple[str, str], list[int]] = defaultdict(list)
    for night in range(n_nights):
        as_of_day = REFERENCE_DAYS + RECENT_DAYS + night
        as_of: datetime = FIRST_DAY + timedelta(days=as_of_day)
        texts = [night_of(s, world, as_of_day) for s, world in enumerate(worlds)]
        for judged in judge_drift(texts, policy, as_of, embed):
            counts[judged.verdict] += 1
            if judged.verdict == "breach":
                finding = judged.finding
                breaches[finding.segment.feature, finding.question].append(night)
                print(f"  night {night}: {judged.reason}")
        if night % _TOLD == _TOLD - 1:
            print(f"  {night + 1} nights: {dict(sorted(counts.items()))}", flush=True)
    return counts, sum(episodes(found) for found in breaches.values())


def count_drawn(n_quarters: int, n_segments: int, windows: int, at_least: int) -> tuple[int, int]:
    """Decide nights on drawn p-values; return breach rows, and runs of nights with a breach."""
    rule = {"sustained": {"windows": windows, "at_least": at_least}}
    policy, segments = DriftPolicy.model_validate({**_POLICY, **rule}), empty_segments(n_segments)
    n_rows = n_runs = 0
    for seed in range(n_quarters):
        ask = DrawnAnswers(seed, FIRST_DAY)
        breaches: dict[tuple[str, str], list[int]] = defaultdict(list)
        for night, as_of in enumerate(nights(FIRST_DAY, _QUARTER_NIGHTS)):
            for judged in decide_night(segments, policy, as_of, ask):
                if judged.verdict == "breach":
                    finding = judged.finding
                    breaches[finding.segment.feature, finding.question].append(night)
        n_rows += sum(len(found) for found in breaches.values())
        n_runs += sum(episodes(found) for found in breaches.values())
    return n_rows, n_runs


def _line(what: str, n: int, n_months: float) -> str:
    """Return a count as a rate with its interval."""
    lower, upper = (end / n_months for end in poisson_interval(n))
    return f"{what:28} {n:4d}   {n / n_months:.2f} a month ({lower:.2f} to {upper:.2f})"


def main() -> int:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nights", type=int, default=90)
    parser.add_argument("--segments", type=int, default=50)
    parser.add_argument("--questions", nargs="+", choices=QUESTIONS, default=list(QUESTIONS))
    parser.add_argument("--quick", action="store_true", help="3 nights, 10 segments")
    given = parser.parse_args()
    n_nights, n_segments = (3, 10) if given.quick else (given.nights, given.segments)
    n_quarters = 1 if given.quick else 20
    n_months = n_quarters * _QUARTER_NIGHTS / NIGHTS_A_MONTH
    for windows, at_least in ((3, 2), (1, 1)):
        n_rows, n_runs = count_drawn(n_quarters, 50, windows, at_least)
        print(
            f"drawn p-values, {n_quarters} quarters of 90 nights, 50 segments, {len(QUESTIONS)} questions, "
            f"{at_least} of {windows} windows"
        )
        print(_line("breach rows", n_rows, n_months))
        print(_line("runs of nights with a breach", n_runs, n_months), flush=True)
    started = time.process_time()
    counts, n_episodes = count_alarms(n_nights, n_segments, given.questions)
    n_months = n_nights / NIGHTS_A_MONTH
    n_asked = sum(counts.values())
    print(
        f"{n_nights} nights, {n_segments} segments, {n_asked} answers, {dict(sorted(counts.items()))}"
    )
    print(_line("breach rows", counts["breach"], n_months))
    print(_line("runs of nights with a breach", n_episodes, n_months))
    print(_line("warning rows", counts["warning"], n_months))
    print(f"{time.process_time() - started:.0f} CPU seconds")
    return 1 if n_episodes / n_months > MOST_A_MONTH else 0


if __name__ == "__main__":
    sys.exit(main())
