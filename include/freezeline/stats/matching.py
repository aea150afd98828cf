"""Which answers are read, in which order, and which prompts both windows have.

Rows are read in an order that says nothing about the windows: sums of floating-point numbers depend
on where a row stands, and if reference answers stood first, ties that differ in the last digits
would tell the windows apart.

Answers to a prompt that both windows have are compared with each other. Each window having every
prompt once is a balanced design, and freely permuted labels are not: they would be compared with too
wide a null distribution, or too narrow a one (Rosenbaum 2002, matched pairs). Inside a prompt the
permutation is exact; with one answer in each window it is a sign flip.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from include.freezeline.stats.calendar_words import without_dates
from include.freezeline.stats.permutation import shared_strata
from include.freezeline.stats.result import BoolArray, IntArray

MAX_ROWS = 1000
# In larger groups of answers to one prompt no single one weighs much on another.
_FEW = 8
_DIGITS = re.compile(r"\d+")
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Matching:
    """Groups inside which labels are permuted.

    Attributes:
        strata: Group of each row.
        twins: Number of the prompt of a row whose prompt few rows of both windows have, -1 for
            others.
    """

    strata: IntArray
    twins: IntArray

    @property
    def are_twins(self) -> BoolArray:
        """Which pairs of rows answer one prompt that few rows have; shape (rows, rows)."""
        same = self.twins[:, None] == self.twins[None, :]
        return np.asarray(same & (self.twins >= 0)[:, None], dtype=np.bool_)


def reading_order(
    texts: Sequence[str],
    prompts: Sequence[str] | None,
    is_current: BoolArray,
    strata: IntArray,
    seed: int,
) -> IntArray:
    """Return the rows that are read, in an order that says nothing about the windows.

    All of them, or 1,000 of a window that has more: every so many-th by stratum and hash, so that
    strata keep their shares. Depends on what the rows say alone, and not on their order.

    Args:
        texts: The answers.
        prompts: What was asked; None when unknown.
        is_current: Which rows belong to the current window.
        strata: Group of each row.
        seed: Another one draws other rows.
    """
    asked = prompts if prompts is not None else [""] * len(texts)
    hashes = np.array([_hash(seed, p, t) for p, t in zip(asked, texts, strict=True)], np.uint64)
    kept = []
    for side in (False, True):
        rows = np.flatnonzero(is_current == side)
        rows = rows[np.lexsort((hashes[rows], strata[rows]))]
        if len(rows) > MAX_ROWS:
            places = (np.arange(MAX_ROWS) + 0.5) * len(rows) / MAX_ROWS
            rows = rows[places.astype(np.int64)]
        kept.append(rows)
    chosen = np.concatenate(kept)
    return chosen[np.argsort(hashes[chosen], kind="stable")].astype(np.int64)


def pairs_in_order(columns: Sequence[Sequence[str]], seed: int) -> IntArray:
    """Return the rows of pairs or triples that are read, at most 1,000.

    The order depends on the texts of a row alone, and not on which of them came first.

    Args:
        columns: Texts of each kind, one per row.
        seed: Another one draws other rows.
    """
    hashes = [_hash(seed, "", "\0".join(sorted(row))) for row in zip(*columns, strict=True)]
    order = np.argsort(np.array(hashes, dtype=np.uint64), kind="stable")
    return np.asarray(order[:MAX_ROWS], dtype=np.int64)


def _hash(seed: int, prompt: str, text: str) -> int:
    """Return what orders a row."""
    joined = f"{seed}\0{prompt}\0{text}".encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest(), "big")


def match_prompts(
    prompts: Sequence[str] | None, is_current: BoolArray, strata: IntArray
) -> Matching:
    """Return strata in which answers to a prompt that both windows have are a group of their own.

    Prompts that differ in dates, numbers, case, spaces and punctuation alone count as one where the other
    window has none that is equal.

    Args:
        prompts: What was asked; None when unknown.
        is_current: Which rows belong to the current window.
        strata: Given groups; only rows of one of them are ever compared.
    """
    twins = np.full(len(strata), -1, dtype=np.int64)
    if prompts is None or len(set(prompts)) < 2:
        return Matching(strata, twins)
    groups = np.full(len(strata), -1, dtype=np.int64)
    for keys in (list(prompts), [_folded(prompt) for prompt in without_dates(prompts)]):
        open_rows = np.flatnonzero(groups < 0)
        numbers = _numbers(strata[open_rows], [keys[i] for i in open_rows])
        is_shared = shared_strata(is_current[open_rows], numbers, 1)
        groups[open_rows[is_shared]] = numbers[is_shared] + groups.max() + 1
    sizes = np.bincount(groups + 1, minlength=1)
    twins = np.where((groups >= 0) & (sizes[groups + 1] <= _FEW), groups, -1)
    names = np.stack([strata, groups], axis=1)
    return Matching(np.unique(names, axis=0, return_inverse=True)[1].reshape(-1), twins)


def _numbers(strata: IntArray, keys: Sequence[str]) -> IntArray:
    """Return a number for every stratum and key."""
    found: dict[tuple[int, str], int] = {}
    pairs = zip(strata.tolist(), keys, strict=True)
    return np.array([found.setdefault(pair, len(found)) for pair in pairs], dtype=np.int64)


def _folded(prompt: str) -> str:
    """Return a dateless prompt without what a counter or a client changes of it."""
    plain = unicodedata.normalize("NFKC", prompt).casefold()
    return " ".join(_WORDS.findall(_DIGITS.sub("0", plain)))
