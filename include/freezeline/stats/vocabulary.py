"""Texts as rows of word columns: which words occur, how often, and how alike texts are."""

import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from include.freezeline.stats.calendar_words import without_dates
from include.freezeline.stats.permutation import Float32Array
from include.freezeline.stats.result import IntArray
from include.freezeline.stats.style import words_of

_MAX_COLUMNS = 800
_HASH_COLUMNS = 4096
_POWER_ROUNDS = 10
_MIN_TOLD, _MIN_TOLD_RATIO = 20, 0.1


def stable_bucket(value: str, n_buckets: int) -> int:
    """Return a bucket of a string that is the same on every machine and run."""
    return zlib.crc32(value.encode()) % n_buckets


def word_presence(
    texts: Sequence[str], max_columns: int = _MAX_COLUMNS, min_texts: int = 5
) -> tuple[Float32Array, list[str]]:
    """Return a 0/1 matrix of the words that at least ``min_texts`` texts contain.

    The most frequent words win when there are more than ``max_columns``; ties go by spelling.
    """
    bags = [set(words_of(text)) for text in texts]
    frequency = Counter(word for bag in bags for word in bag)
    eligible = [word for word, n in frequency.items() if min_texts <= n < len(texts)]
    names = sorted(eligible, key=lambda word: (-frequency[word], word))[:max_columns]
    position = {name: column for column, name in enumerate(names)}
    matrix = np.zeros((len(texts), len(names)), dtype=np.float32)
    for row, bag in enumerate(bags):
        matrix[row, [position[word] for word in bag if word in position]] = 1.0
    return matrix, names


def told_words(presence: Float32Array) -> IntArray:
    """Return the columns of words so common that a verdict may name them: they tell of nobody.

    Verdicts outlive texts and their erasure, so a word that a few answers hold, such as a name,
    stands in none.

    Args:
        presence: Of ``word_presence``.
    """
    least = max(_MIN_TOLD, _MIN_TOLD_RATIO * len(presence))
    return np.flatnonzero(presence.sum(axis=0) >= least)


def tf_idf(
    texts: Sequence[str], n_columns: int = _HASH_COLUMNS, *, idf_floor: float = 1.0
) -> Float32Array:
    """Return L2-normalised hashed tf-idf rows; an empty text is a row of zeros.

    Args:
        texts: One per row.
        n_columns: Buckets that words are hashed into.
        idf_floor: Weight of a word that every text has: 1 keeps style words, 0 leaves topics.
    """
    counts = np.zeros((len(texts), n_columns), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in words_of(text):
            counts[row, stable_bucket(word, n_columns)] += 1.0
    document_frequency = (counts > 0).sum(axis=0)
    idf = np.log((1.0 + len(texts)) / (1.0 + document_frequency)) + idf_floor
    weighted = np.log1p(counts) * idf.astype(np.float32)
    length = np.linalg.norm(weighted, axis=1, keepdims=True)
    return np.asarray(weighted / np.where(length > 0, length, 1.0), dtype=np.float32)


def bucket_counts(values: Sequence[str], n_buckets: int) -> Float32Array:
    """Return one-hot rows of the hashed values."""
    matrix = np.zeros((len(values), n_buckets), dtype=np.float32)
    for row, value in enumerate(values):
        matrix[row, stable_bucket(value, n_buckets)] = 1.0
    return matrix


def word_counts(texts: Sequence[str], n_buckets: int) -> Float32Array:
    """Return hashed word counts per text."""
    matrix = np.zeros((len(texts), n_buckets), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in words_of(text):
            matrix[row, stable_bucket(word, n_buckets)] += 1.0
    return matrix


def length_bins(texts: Sequence[str], n_bins: int = 16) -> Float32Array:
    """Return one-hot rows of the word count on a half-octave scale."""
    matrix = np.zeros((len(texts), n_bins), dtype=np.float32)
    for row, text in enumerate(texts):
        position = int(2.0 * np.log2(1.0 + len(words_of(text))))
        matrix[row, min(position, n_bins - 1)] = 1.0
    return matrix


def topic_groups(texts: Sequence[str], n_groups: int, n_rounds: int = 10) -> IntArray:
    """Return a topic number per text: spherical k-means on tf-idf, deterministic.

    Groups are split one by one along their leading direction (Steinbach, Karypis & Kumar 2000,
    bisecting k-means); labels of windows are not looked at, so permuting them inside the groups
    stays exact.
    """
    rows = tf_idf(without_dates(texts), idf_floor=0.0)
    groups = np.zeros(len(rows), dtype=np.int64)
    for _ in range(1, n_groups):
        groups = _settle(rows, _split_worst(rows, groups), n_rounds)
    return groups


def _split_worst(rows: Float32Array, groups: IntArray) -> IntArray:
    """Split the group with the largest spread along its leading direction."""
    centres = _centres(rows, groups)
    distance = 1.0 - np.einsum("ij,ij->i", rows, centres[groups])
    worst = int(np.argmax(np.bincount(groups, weights=distance)))
    inside = np.flatnonzero(groups == worst)
    # The leading direction inside the group, by power iteration from a fixed start.
    centred = rows[inside] - rows[inside].mean(axis=0)
    direction = centred[int(np.argmax(np.einsum("ij,ij->i", centred, centred)))]
    for _ in range(_POWER_ROUNDS):
        direction = (centred @ direction) @ centred
        direction = direction / (float(np.linalg.norm(direction)) or 1.0)
    split = groups.copy()
    split[inside[centred @ direction > 0]] = groups.max() + 1
    return split


def _settle(rows: Float32Array, groups: IntArray, n_rounds: int) -> IntArray:
    """Move every text to its nearest centre until nothing moves; emptied groups disappear."""
    for _ in range(n_rounds):
        moved = np.argmax(rows @ _centres(rows, groups).T, axis=1)
        moved = np.unique(moved, return_inverse=True)[1]
        if np.array_equal(moved, groups):
            break
        groups = np.asarray(moved, dtype=np.int64)
    return groups


def _centres(rows: Float32Array, groups: IntArray) -> Float32Array:
    """Return the unit mean of each group."""
    sums = np.stack([rows[groups == g].sum(axis=0) for g in range(int(groups.max()) + 1)])
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.where(length > 0, length, 1.0), dtype=np.float32)
