"""Segments of made-up answers and an embedder without a model."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.segments import Segment, SegmentTexts, TextRow
from include.freezeline.drift.windows import Window
from include.freezeline.stats.permutation import Float32Array
from include.freezeline.stats.vocabulary import word_counts
from tests.unit.stats.texts import answer_text, prompt_text

AS_OF = datetime(2026, 10, 14, tzinfo=UTC)
FIRST_DAY = datetime(2026, 9, 1, tzinfo=UTC)
SEGMENT = Segment("code-helper", "production", "gpt-4.1-mini")
SHIPPED = {
    "version": 1,
    "seed": 7,
    "segments": {"dimensions": ["feature", "environment", "model"]},
    "window": "2d",
    "reference": {"days": 14, "moves": "when_prompt_version_is_new"},
    "sustained": {"windows": 3, "at_least": 2},
    "false_discovery": {"level": 0.01},
    "sampling": {"max_texts": 80, "max_embedded": 20},
    "permutations": {"screen": 199, "refine": 1999},
    "questions": {
        "semantic_shift": {"min_current": 50, "min_effect": 0.57},
        "semantic_shift_paired": {"min_current": 8, "min_effect": 0.02},
        "output_divergence": {"min_current": 50, "min_effect": 0.02},
    },
    "causes": {
        "level": 0.01,
        "min_share_change": 0.1,
        "min_rank_shift": 0.1,
        "max_rows": 200,
    },
}
POLICY = DriftPolicy.model_validate(SHIPPED)


def fake_embed(texts: Sequence[str]) -> Float32Array:
    """Return hashed words, which is enough to tell styles apart."""
    counts = word_counts(texts, 64) + 0.1
    return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), dtype=np.float32)


def day_rows(
    day: datetime,
    *,
    n_calls: int,
    n_canaries: int = 0,
    version: str = "v1",
    is_other_model: bool = False,
    seed: int = 0,
) -> list[TextRow]:
    """Return one day of organic and probe answers."""
    rng = np.random.default_rng([seed, day.toordinal()])
    rows = []
    for i in range(n_calls + n_canaries):
        topic = int(rng.integers(3)) if i < n_calls else (i - n_calls) % 3
        # A model answers a probe in much the same words every day.
        is_variant = bool(rng.random() < 0.03)
        writer = rng if i < n_calls else np.random.default_rng([i - n_calls, is_variant])
        asker = rng if i < n_calls else np.random.default_rng([i - n_calls])
        rows.append(
            TextRow(
                call_key=f"{seed}-{day:%m%d}-{version}-{i:04d}",
                called_at=day + timedelta(minutes=i),
                prompt_version=version,
                is_retrieval_empty=None,
                canary_id=None if i < n_calls else f"probe-{i - n_calls}",
                prompt=prompt_text(topic, asker),
                answer=answer_text(topic, writer, is_other_model=is_other_model),
            )
        )
    return rows


def segment_texts(
    shifted_days: frozenset[int] = frozenset(),
    *,
    n_calls: int = 40,
    n_canaries: int = 12,
    version: str = "v1",
    seed: int = 0,
) -> SegmentTexts:
    """Return a segment whose last days (0 is the newest) may be written by another model."""
    reference = [
        row
        for day in range(14)
        for row in day_rows(
            FIRST_DAY + timedelta(days=day), n_calls=8, n_canaries=n_canaries, seed=seed
        )
    ]
    recent = [
        row
        for age in range(6)
        for row in day_rows(
            AS_OF - timedelta(days=age + 1),
            n_calls=n_calls,
            n_canaries=n_canaries,
            version=version,
            is_other_model=age in shifted_days,
            seed=seed,
        )
    ]
    references = {"v1": Window(FIRST_DAY, FIRST_DAY + timedelta(days=14))}
    return SegmentTexts(SEGMENT, references, tuple(reference), tuple(recent))
