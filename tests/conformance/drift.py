"""Judge two sets of answers with the product's own statistics.

``python -m tests.conformance.drift --reference a.jsonl --current b.jsonl [--paired] [--seed N]``
reads lines of ``{"prompt": ..., "response": ...}`` and prints the verdict as JSON. With ``--paired``
answers to one prompt are put side by side; both files must ask the same. ``score`` gives the p-value
alone.
"""

import argparse
import json
import sys
from codecs import BOM_UTF8
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.freezeline.stats.calendar_words import without_dates
from include.freezeline.stats.combination import (
    METHOD,
    AnswerSample,
    conditional_combination_test,
)
from include.freezeline.stats.matching import reading_order
from include.freezeline.stats.paired import paired_combination_test
from include.freezeline.stats.permutation import shared_strata
from include.freezeline.stats.prompts import topic_strata
from include.freezeline.stats.result import StatResult, insufficient

Embed = Callable[[list[str]], NDArray[np.float32]]
MIN_ORGANIC = 50
_SEEDS = 2**62
# This share of a window's answers must be about topics that the other one has, too.
MIN_SHARED_RATIO = 0.5
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

    Raises:
        ValueError: Prompts of one window alone, another number of prompts than of answers, pairs of
            different prompts, or embeddings that are not a finite row per text.
    """
    prompts = None
    reference, current = _plain(reference_texts), _plain(current_texts)
    if (reference_prompts is None) != (current_prompts is None):
        message = "prompts of one window alone say nothing: give those of both, or none"
        raise ValueError(message)
    if reference_prompts is not None and current_prompts is not None:
        asked, asked_now = _plain(reference_prompts), _plain(current_prompts)
        _check_lengths("reference", reference, asked)
        _check_lengths("current", current, asked_now)
        prompts = [*asked, *asked_now]
    result = compare(reference, current, prompts, paired=paired, embed=embed, seed=seed)
    return 1.0 if result.p_value is None else result.p_value


def _check_lengths(window: str, texts: Sequence[str], prompts: Sequence[str]) -> None:
    """Raise when a window has not a prompt per answer."""
    if len(texts) != len(prompts):
        message = f"the {window} window has {len(texts)} answers and {len(prompts)} prompts"
        raise ValueError(message)


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
    first, second = _plain(reference), _plain(current)
    asked = None if prompts is None else _plain(prompts)
    # Any whole number is a seed; generators take those from 0 on.
    seed = int(seed) % _SEEDS
    if paired:
        if asked is not None and len(asked) == 2 * len(first):
            second = _side_by_side(asked[: len(first)], asked[len(first) :], second)
        rows = _embedded(embed, [*first, *second]) if embed and first else None
        vectors = None if rows is None else (rows[: len(first)], rows[len(first) :])
        return paired_combination_test(first, second, seed=seed, embeddings=vectors)
    return _compare_organic(first, second, asked, embed, seed)


def _compare_organic(
    first: list[str], second: list[str], prompts: list[str] | None, embed: Embed | None, seed: int
) -> StatResult:
    """Compare answers to different prompts inside topics that both windows have."""
    texts = [*first, *second]
    is_current = np.arange(len(texts)) >= len(first)
    if min(len(first), len(second)) == 0:
        reason = f"{len(first)} and {len(second)} answers: a window without any cannot be compared"
        return insufficient(METHOD, reason, len(first), len(second))
    # Before topics are found and anything is embedded, which cost more than the test.
    nothing = np.zeros(len(texts), dtype=np.int64)
    read = reading_order(texts, prompts, is_current, nothing, seed)
    texts, is_current = [texts[i] for i in read], is_current[read]
    prompts = [prompts[i] for i in read] if prompts else None
    strata = topic_strata(prompts) if prompts else np.zeros(len(texts), dtype=np.int64)
    is_kept = shared_strata(is_current, strata)
    n_left_out = [int((~is_kept & (is_current == side)).sum()) for side in (False, True)]
    if any(
        n > (1.0 - MIN_SHARED_RATIO) * (is_current == side).sum()
        for n, side in zip(n_left_out, (False, True), strict=True)
    ):
        reason = f"{n_left_out[0]} and {n_left_out[1]} answers are about topics that one window has alone"
        return insufficient(METHOD, reason, len(first), len(second))
    kept = np.flatnonzero(is_kept)
    texts = [texts[i] for i in kept]
    asked = [prompts[i] for i in kept] if prompts else None
    rows = _embedded(embed, [*texts, *without_dates(asked or ())]) if embed and texts else None
    sample = AnswerSample(
        texts=texts,
        is_current=is_current[kept],
        prompts=asked,
        embeddings=None if rows is None else rows[: len(texts)],
        prompt_embeddings=None if rows is None or not asked else rows[len(texts) :],
        strata=strata[kept],
    )
    result = conditional_combination_test(sample, seed=seed)
    sizes = {
        "n_left_out": n_left_out,
        "n_answers": [len(first), len(second)],
        "is_subsampled": len(read) < len(first) + len(second),
        "most_typical_rows": [
            int(read[kept[i]]) for i in result.details.get("most_typical_rows", ())
        ],
    }
    return replace(result, details={**result.details, **sizes})


def _plain(texts: Sequence[str]) -> list[str]:
    """Return texts without halves of characters, which a cut through an emoji leaves.

    Raises:
        ValueError: Not a sequence of texts.
    """
    found = list(texts)
    wrong = [each for each in found if not isinstance(each, str)]
    if isinstance(texts, str) or wrong:
        # The type alone: what somebody said belongs in no message.
        got = "one text" if isinstance(texts, str) else f"{type(wrong[0]).__name__} in it"
        message = f"expected a list of texts, got {got}"
        raise ValueError(message)
    return [each.encode("utf-8", "replace").decode("utf-8") for each in found]


def _embedded(embed: Embed, texts: list[str]) -> NDArray[np.float32]:
    """Return a row of length 1 per text; each distinct text is embedded once.

    Raises:
        ValueError: The rows are not as many, not finite, or zero.
    """
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    found: Any = embed(list(places))
    # Tensors that follow gradients, or of half precision, are no arrays.
    found = found.detach().cpu().float() if hasattr(found, "detach") else found
    rows = np.asarray(found, dtype=np.float64)
    if rows.ndim != 2 or len(rows) != len(places) or not np.isfinite(rows).all():
        message = f"embed must return a finite row per text: got shape {rows.shape} for {len(places)} texts"
        raise ValueError(message)
    lengths = np.linalg.norm(rows, axis=1)
    if rows.shape[1] == 0 or not lengths.all():
        message = (
            f"embed must return rows of length 1: got {rows.shape[1]} columns, or a row of zeros"
        )
        raise ValueError(message)
    unit = (rows / lengths[:, None]).astype(np.float32)
    return np.asarray(unit[[places[text] for text in texts]])


def _side_by_side(asked: list[str], others: list[str], answers: list[str]) -> list[str]:
    """Return the answers of the current window in the order of the reference's prompts.

    Raises:
        ValueError: The windows do not ask the same.
    """
    if asked == others:
        return answers
    if sorted(asked) != sorted(others):
        row = next(
            i for i, pair in enumerate(zip(asked, others, strict=True)) if len(set(pair)) > 1
        )
        message = f"row {row + 1} of the windows answers different prompts; pairs need the same in each row"
        raise ValueError(message)
    # Of replicas the first goes with the first.
    places: dict[str, list[int]] = defaultdict(list)
    for place, prompt in reversed(list(enumerate(others))):
        places[prompt].append(place)
    return [answers[places[prompt].pop()] for prompt in asked]


def verdict(result: StatResult, *, paired: bool) -> dict[str, Any]:
    """Return the result as a row that a reader understands."""
    left_out = result.details.get("n_left_out", (0, 0))
    smallest = min(result.n_reference + left_out[0], result.n_current + left_out[1])
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
    # Not splitlines: a text may hold any of the other line ends of Unicode.
    for number, line in enumerate(path.read_bytes().removeprefix(BOM_UTF8).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8"))
            prompts.append(_text(row, "prompt"))
            answers.append(_text(row, "response"))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            told = error.args[0] if isinstance(error, KeyError) else error
            message = f'{path}:{number}: expected {{"prompt": ..., "response": ...}} ({told})'
            raise ValueError(message) from error
    return prompts, answers


def _text(row: dict[str, Any], name: str) -> str:
    """Return a text of a row."""
    if not isinstance(row, dict):
        message = f"got {type(row).__name__}"
        raise TypeError(message)
    if name not in row:
        message = f"{name} is missing"
        raise KeyError(message)
    value = row[name]
    if not isinstance(value, str):
        # The type alone: what somebody said belongs in no message.
        message = f"{name} must be text, got {type(value).__name__}"
        raise TypeError(message)
    return value


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
