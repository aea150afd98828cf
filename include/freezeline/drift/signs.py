"""What can be seen to change with a verdict, and the test of each sign.

Calls of the window judged are compared with calls before it, column by column: shares of
categories by a permutation test, numbers by ranks, both inside prompt versions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from include.freezeline.drift.cause_shares import shares_result
from include.freezeline.hashing import stable_hash
from include.freezeline.stats.permutation import shared_strata
from include.freezeline.stats.proportions import difference_interval
from include.freezeline.stats.ranks import rank_shift_test
from include.freezeline.stats.result import (
    BoolArray,
    FloatArray,
    IntArray,
    StatResult,
    insufficient,
)
from include.freezeline.stats.vocabulary import topic_groups

Cause = Literal["prompt", "model", "retrieval", "input", "unknown"]
CAUSES: tuple[Cause, ...] = ("prompt", "model", "retrieval", "input")
_TOPICS = 8
# Groups of lengths: as fine as the calls allow, since long inputs differ among each other most.
_FEWEST_LENGTHS, _MOST_LENGTHS, _CALLS_A_LENGTH = 4, 12, 25
_MIN_CALLS = 20
_PERMUTATIONS, N_REFINED = 499, 4999


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that can be seen to change.

    Attributes:
        cause: What its change speaks for.
        name: In words.
        column: Column of the calls.
        kind: ``shares`` of categories, or ``ranks`` of numbers.
        given: Inside what it is compared: nothing, the prompt version, or prompt version and
            length of the input (a long prompt takes longer to read, whoever reads it).
    """

    cause: Cause
    name: str
    column: str
    kind: Literal["shares", "ranks"]
    given: Literal["nothing", "version", "version_and_length"] = "version"


SIGNS: tuple[Sign, ...] = (
    Sign("prompt", "prompt version", "prompt_version", "shares", "nothing"),
    Sign("prompt", "prompt text under its version", "prompt_hash", "shares"),
    Sign("model", "model asked for", "request_model", "shares"),
    Sign("model", "response model", "response_model", "shares"),
    Sign("model", "provider", "provider", "shares"),
    Sign("model", "fingerprint", "system_fingerprint", "shares"),
    Sign("model", "time to first token", "ttft_ms", "ranks", "version_and_length"),
    Sign("model", "time per output token", "tpot_ms", "ranks", "version_and_length"),
    Sign("retrieval", "empty retrievals", "is_retrieval_empty", "shares"),
    Sign("retrieval", "documents retrieved", "retrieved_document_count", "ranks"),
    Sign("retrieval", "best document score", "best_document_score", "ranks"),
    Sign("retrieval", "source of the first document", "document_source", "shares"),
    Sign("input", "topics of prompts", "topic", "shares"),
    Sign("input", "tenants", "tenant_key", "shares"),
    Sign("input", "tenant tiers", "tenant_tier", "shares"),
    Sign("input", "routes", "route", "shares"),
    Sign("input", "languages", "locale", "shares"),
    Sign("input", "length of the message", "input_text_chars", "ranks"),
    Sign("input", "input tokens", "input_tokens", "ranks"),
)


@dataclass(frozen=True, slots=True)
class CauseRows:
    """Calls before and in the window judged.

    Attributes:
        is_current: Which calls are in the window judged.
        columns: By column of :data:`SIGNS`, a value per call, None where it has none; ``prompt``
            are redacted texts, ``called_at`` is when, and ``symptom`` is what an anomaly question
            looked at.
    """

    is_current: BoolArray
    columns: Mapping[str, Sequence[Any]]


def sign_result(
    sign: Sign,
    rows: CauseRows,
    seed: int,
    *,
    n_refined: int = N_REFINED,
    inside: Sequence[Any] | None = None,
) -> StatResult:
    """Compare one column of the calls that have a value, inside what it is given.

    Args:
        sign: What is looked at.
        rows: Calls before and in the window.
        seed: Seed of the tests, with the column.
        n_refined: Permutations when the screening p-value is small.
        inside: Something else by call inside which calls are compared; nothing when None.
    """
    own_seed = int(stable_hash(seed, sign.column)[:7], 16)
    if sign.column == "topic":
        return _test_topics(sign, rows, own_seed, n_refined)
    values = rows.columns.get(sign.column, [None] * len(rows.is_current))
    method = f"{sign.kind}_of_calls"
    known = _known(sign, values)
    sizes = int((known & ~rows.is_current).sum()), int((known & rows.is_current).sum())
    if not known.any():
        return insufficient(method, "no call has a value", *sizes)
    strata = _strata(sign.given, rows)
    if inside is not None:
        strata = _crossed(strata, inside)
    keep = known.copy()
    keep[known] = shared_strata(rows.is_current[known], strata[known])
    labels, strata = rows.is_current[keep], strata[keep]
    n_fewest = min(int(labels.sum()), int((~labels).sum()))
    if n_fewest < _MIN_CALLS:
        reason = (
            f"{n_fewest} calls of a window are comparable inside prompt versions, at least "
            f"{_MIN_CALLS} of each are needed"
        )
        return insufficient(method, reason, *sizes)
    chosen = [value for value, kept in zip(values, keep, strict=True) if kept]
    if len(set(chosen)) == 1:
        return _unchanged(sign.kind, labels, method)
    size = {"n_permutations": _PERMUTATIONS, "n_refined": n_refined}
    if sign.kind == "ranks":
        numbers = np.array([float(value) for value in chosen])
        return rank_shift_test(numbers, labels, seed=own_seed, strata=strata, **size)
    return shares_result(chosen, labels, strata, seed=own_seed, **size)


def _known(sign: Sign, values: Sequence[Any]) -> BoolArray:
    """Return which calls can be compared.

    Where some calls have a category, none is one too: a fingerprint may vanish.
    """
    known = np.array([value is not None and value == value for value in values], dtype=np.bool_)
    is_category = sign.kind == "shares" and bool(known.any())
    return np.ones(len(values), dtype=np.bool_) if is_category else known


def _unchanged(kind: str, is_current: BoolArray, method: str) -> StatResult:
    """Return the result of calls that all have one value: known, and certainly no change."""
    n_current = int(is_current.sum())
    n_reference = len(is_current) - n_current
    if kind == "shares":
        value = 0.0
        interval = difference_interval(n_current, n_current, n_reference, n_reference)
    else:
        margin = 0.98 / math.sqrt(min(n_current, n_reference))  # as of a coin thrown so often
        value, interval = 0.5, (max(0.0, 0.5 - margin), min(1.0, 0.5 + margin))
    return StatResult(value, interval, 1.0, n_reference, n_current, method)


def _test_topics(sign: Sign, rows: CauseRows, seed: int, n_refined: int) -> StatResult:
    """Compare the shares of topics of prompts, of the calls whose text is kept."""
    texts = rows.columns.get("prompt", [])
    known = np.array([bool(text) for text in texts], dtype=np.bool_)
    if known.sum() < _TOPICS:
        return insufficient("shares_of_calls", "too few prompts are kept", 0, int(known.sum()))
    topics = topics_of(rows)
    part = CauseRows(
        rows.is_current[known],
        {"topic_number": [topic for topic, k in zip(topics, known, strict=True) if k],
         "prompt_version": [v for v, k in zip(rows.columns["prompt_version"], known, strict=True) if k]},
    )  # fmt: skip
    return sign_result(replace(sign, column="topic_number"), part, seed, n_refined=n_refined)


def topics_of(rows: CauseRows) -> list[str | None]:
    """Return the topic of each call's prompt; None where its text is not kept."""
    texts = rows.columns.get("prompt", [])
    known = [i for i, text in enumerate(texts) if text]
    topics: list[str | None] = [None] * len(rows.is_current)
    for i, group in zip(known, topic_groups([texts[i] for i in known], _TOPICS), strict=True):
        topics[i] = f"topic {group + 1}"
    return topics


def _crossed(strata: IntArray, values: Sequence[Any]) -> IntArray:
    """Return strata parted by the values of another column."""
    codes = np.unique(np.asarray([str(value) for value in values]), return_inverse=True)[1]
    return np.asarray(strata * (int(codes.max()) + 1) + codes, dtype=np.int64)


def _strata(given: str, rows: CauseRows) -> IntArray:
    """Number the groups inside which calls are compared."""
    n_rows = len(rows.is_current)
    if given == "nothing":
        return np.zeros(n_rows, dtype=np.int64)
    versions = [str(value) for value in rows.columns["prompt_version"]]
    codes = np.unique(np.asarray(versions, dtype=np.str_), return_inverse=True)[1].astype(np.int64)
    lengths = _lengths(rows)
    if given == "version" or lengths is None:
        return codes
    n_groups = min(max(n_rows // _CALLS_A_LENGTH, _FEWEST_LENGTHS), _MOST_LENGTHS)
    edges = np.nanquantile(lengths, np.linspace(0, 1, n_groups + 1)[1:-1])
    bins = np.where(np.isnan(lengths), n_groups, np.searchsorted(edges, lengths, side="right"))
    return np.asarray(codes * (n_groups + 1) + bins, dtype=np.int64)


def _lengths(rows: CauseRows) -> FloatArray | None:
    """Return the length of each input, in tokens or else in characters; None where nobody knows."""
    for column in ("input_tokens", "input_text_chars"):
        values = rows.columns.get(column, [])
        if any(value is not None for value in values):
            return np.array([np.nan if value is None else float(value) for value in values])
    return None
