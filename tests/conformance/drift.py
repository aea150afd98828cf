"""Judge two sets of answers with the product's own statistics.

``python -m tests.conformance.drift --reference a.jsonl --current b.jsonl [--paired] [--seed N]``
reads lines of ``{"prompt": ..., "response": ...}`` and prints the verdict as JSON. ``score`` gives
the p-value alone.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.freezeline.stats.combination import AnswerSample, conditional_combination_test
from include.freezeline.stats.paired import paired_combination_test
from include.freezeline.stats.prompts import topic_strata
from include.freezeline.stats.result import StatResult

Embed = Callable[[list[str]], NDArray[np.float32]]
MIN_ORGANIC = 50
LEVEL = 0.05


def score(
    reference_texts: Sequence[str],
    current_texts: Sequence[str],
    reference_prompts: Sequence[str] | None = None,
    current_prompts: Sequence[str] | None = None,
    *,
    paired: bool = False,
    embed: Embed | None = None,
    seed: int = 0,
) -> float:
    """Return the p-value that both windows were answered alike; 1 when it cannot be computed.

    Args:
        reference_texts: Answers of the reference window.
        current_texts: Answers of the current window; with ``paired``, to the same prompts in order.
        reference_prompts: What was asked.
        current_prompts: What was asked.
        paired: Whether row i of both answers one prompt.
        embed: Turns texts into L2-normalised rows; helps to compare like prompts.
        seed: Seed of the permutations.
    """
    prompts = None
    if reference_prompts is not None and current_prompts is not None:
        prompts = [*reference_prompts, *current_prompts]
    result = compare(reference_texts, current_texts, prompts, paired=paired, embed=embed, seed=seed)
    return 1.0 if result.p_value is None else result.p_value


def compare(
    reference: Sequence[str],
    current: Sequence[str],
    prompts: Sequence[str] | None = None,
    *,
    paired: bool = False,
    embed: Embed | None = None,
    seed: int = 0,
) -> StatResult:
    """Return the whole result of the test that fits the windows."""
    if paired:
        vectors = (embed(list(reference)), embed(list(current))) if embed else None
        return paired_combination_test(reference, current, seed=seed, embeddings=vectors)
    texts = [*reference, *current]
    sample = AnswerSample(
        texts=texts,
        is_current=np.arange(len(texts)) >= len(reference),
        prompts=prompts,
        embeddings=embed(texts) if embed and texts else None,
        prompt_embeddings=embed(list(prompts)) if embed and prompts else None,
        strata=topic_strata(prompts) if prompts else None,
    )
    return conditional_combination_test(sample, seed=seed)


def verdict(result: StatResult, *, paired: bool) -> dict[str, Any]:
    """Return the result as a row that a reader understands."""
    smallest = min(result.n_reference, result.n_current)
    reason = result.reason
    if reason is None and not paired and smallest < MIN_ORGANIC:
        reason = f"{smallest} answers in the smaller window, at least {MIN_ORGANIC} are needed"
    is_shifted = result.p_value is not None and result.p_value <= LEVEL
    return {
        "verdict": "insufficient_evidence" if reason else "breach" if is_shifted else "ok",
        "reason": reason,
        "p_value": result.p_value,
        "recognised_ratio": result.value,
        "recognised_interval": result.interval,
        "n_reference": result.n_reference,
        "n_current": result.n_current,
        "method": result.method,
        "seed": result.seed,
        "details": dict(result.details),
    }


def read_lines(path: Path) -> tuple[list[str], list[str]]:
    """Return the prompts and the answers of a file.

    Raises:
        ValueError: A line is not what it should be; says which.
    """
    prompts, answers = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            prompts.append(str(row["prompt"]))
            answers.append(str(row["response"]))
        except (ValueError, TypeError, KeyError) as error:
            message = f'{path}:{number}: expected {{"prompt": ..., "response": ...}} ({error})'
            raise ValueError(message) from error
    return prompts, answers


def main(arguments: list[str]) -> int:
    """Print the verdict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--current", type=Path, required=True)
    parser.add_argument("--paired", action="store_true", help="row i of both answers one prompt")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    try:
        (prompts, reference), (more, current) = map(read_lines, (given.reference, given.current))
        result = compare(
            reference, current, [*prompts, *more], paired=given.paired, seed=given.seed
        )
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(verdict(result, paired=given.paired), indent=2, default=float))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
