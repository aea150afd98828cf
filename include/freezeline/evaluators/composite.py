"""One score of an answer out of several: a weighted mean of how good each evaluator finds it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.freezeline.evaluators.interface import Evaluator, Score

NAME = "composite"
VERSION = "2"
_MIN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Part:
    """An evaluator's scores with their weight.

    Attributes:
        evaluator: Who scored.
        weight: Its weight in the mean; 0 leaves it out.
        scores: Its scores by call key.
    """

    evaluator: Evaluator
    weight: float
    scores: Mapping[str, Score]


def composite_scores(call_keys: Sequence[str], parts: Sequence[Part]) -> list[Score]:
    """Return the weighted mean of goodness per answer; 1 is good.

    An evaluator that cannot score an answer is left out of its mean, and the reason says who was.
    Where less than half of the weight is left, the mean would be of something else: no value. One
    that does not apply, such as a format where none is promised, is not missed.
    """
    counted = [part for part in parts if part.weight > 0.0]
    return [_composite(key, counted) for key in call_keys]


def _composite(call_key: str, parts: Sequence[Part]) -> Score:
    """Return the composite score of one answer."""
    parts = [p for p in parts if not (score := p.scores.get(call_key)) or score.applies]
    known = [
        (part, value)
        for part in parts
        if (score := part.scores.get(call_key)) and (value := score.value) is not None
    ]
    total, have = sum(part.weight for part in parts), sum(part.weight for part, _ in known)
    missing = sorted({p.evaluator.name for p in parts} - {p.evaluator.name for p, _ in known})
    without = f"; without {', '.join(missing)}" if missing else ""
    if total == 0.0 or have < _MIN_SHARE * total:
        return Score(call_key, None, f"less than half of the weights can be scored{without}")
    goods = [(part, 1.0 - value if part.evaluator.is_high_bad else value) for part, value in known]
    mean = sum(part.weight * good for part, good in goods) / have
    worst = min(goods, key=lambda each: each[1])
    reason = f"worst: {worst[0].evaluator.name} {worst[1]:.2f}{without}"
    return Score(call_key, min(1.0, max(0.0, mean)), reason)
