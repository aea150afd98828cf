"""What prompts explain of answers: their meaning, their words and their form.

A prompt settles what an answer is about, and much of how it is written: a short command gets a
short answer, a list asked for is a list. A change of what people ask must not look like a change
of the model, so answers are compared after removing what their prompts predict. On real model
versions the form of the prompt mattered most: with meaning alone a change of topics rejected in 24%
of quiet windows at the 5% level, with form too in 4 to 9% (docs/statistics.md).
"""

from collections.abc import Sequence

import numpy as np

from include.freezeline.stats.calendar_words import without_dates
from include.freezeline.stats.conditioning import gaussian_kernel, leave_one_out_smoother
from include.freezeline.stats.permutation import Float32Array
from include.freezeline.stats.proportions import auc_interval
from include.freezeline.stats.result import BoolArray, IntArray
from include.freezeline.stats.style import normal_scores, style_matrix, words_of
from include.freezeline.stats.vocabulary import tf_idf, topic_groups

_TEXTS_PER_TOPIC = 50
_MAX_TOPICS = 8
_TEXTS_PER_LENGTH = 100
_MAX_LENGTHS = 3
_LENGTH_ROUNDS = 20
MAX_STRATA = _MAX_TOPICS * _MAX_LENGTHS
_RARE = 0.03
# Surely above this the windows ask things too different for their answers to be compared.
MAX_TOLD_APART_RATIO = 0.7


def prompt_smoother(
    prompts: Sequence[str], embeddings: Float32Array | None = None
) -> Float32Array | None:
    """Return the matrix that predicts each row from the rows with like prompts.

    Args:
        prompts: One per answer.
        embeddings: L2-normalised embeddings of the prompts; their words alone are used when None.

    Returns:
        A matrix of shape (answers, answers); None when all prompts are equal and explain nothing.
    """
    if len(set(prompts)) < 2:
        return None
    plain = without_dates(prompts)
    words = tf_idf(plain, idf_floor=0.0)
    kernel = words @ words.T
    form = _form(plain)
    if form.shape[1]:
        kernel = kernel + gaussian_kernel(form)
    if embeddings is not None:
        kernel = kernel + embeddings @ embeddings.T
    return leave_one_out_smoother(np.asarray(kernel, dtype=np.float32))


def told_apart_ratio(
    smoother: Float32Array, is_current: BoolArray
) -> tuple[float, tuple[float, float]]:
    """Return how often a prompt of the current window looks newer than one of the reference.

    That is the area under the ROC curve of the window as predicted from the other rows' prompts, the
    propensity of Rosenbaum & Rubin 1983, with its 95% interval. 0.5 or less: both windows ask the same
    things. Near 1 no prompt of one window has a like in the other, and what their answers have not in
    common may be the prompts' doing.

    Args:
        smoother: Of ``prompt_smoother``.
        is_current: Which rows belong to the current window.
    """
    predicted = smoother @ is_current.astype(np.float32)
    return auc_interval(predicted[is_current], predicted[~is_current])


def strangers(prompts: Sequence[str], is_current: BoolArray) -> str | None:
    """Say that the windows' prompts are too different; None when they are not."""
    return too_strange(prompt_smoother(prompts), is_current)


def too_strange(smoother: Float32Array | None, is_current: BoolArray) -> str | None:
    """Say that the windows' prompts are too different; None when they are not, or all equal.

    Args:
        smoother: Of ``prompt_smoother``.
        is_current: Which rows belong to the current window.
    """
    if smoother is None:
        return None
    ratio, (surely, _) = told_apart_ratio(smoother, is_current)
    if surely <= MAX_TOLD_APART_RATIO:
        return None
    return (
        f"the windows ask different things: prompts alone tell {ratio:.0%} of pairs apart, "
        f"{surely:.0%} at least, and more than {MAX_TOLD_APART_RATIO:.0%} leave no answers to compare"
    )


def topic_strata(prompts: Sequence[str]) -> IntArray:
    """Return a number per prompt of its topic and length; more texts make more groups.

    At most eight topics and three lengths. Windows are not looked at, so permuting inside the groups
    stays exact.
    """
    n_topics = int(np.clip(len(prompts) // _TEXTS_PER_TOPIC, 1, _MAX_TOPICS))
    lengths = length_groups(
        prompts, int(np.clip(len(prompts) // _TEXTS_PER_LENGTH, 1, _MAX_LENGTHS))
    )
    return np.asarray(topic_groups(prompts, n_topics) * _MAX_LENGTHS + lengths, dtype=np.int64)


def length_groups(prompts: Sequence[str], n_groups: int) -> IntArray:
    """Return a number per prompt, from short to long: k-means on the logarithm of its words.

    Args:
        prompts: One per row.
        n_groups: Groups at most.
    """
    lengths = np.log1p([len(words_of(text)) for text in prompts])
    centres = np.unique(np.quantile(lengths, (np.arange(n_groups) + 0.5) / n_groups))
    groups = np.zeros(len(lengths), dtype=np.int64)
    for _ in range(_LENGTH_ROUNDS):
        groups = np.argmin(np.abs(lengths[:, None] - centres[None, :]), axis=1)
        counts = np.bincount(groups, minlength=len(centres))
        sums = np.bincount(groups, weights=lengths, minlength=len(centres))
        centres = np.where(counts > 0, sums / np.maximum(counts, 1), centres)
    return np.asarray(groups, dtype=np.int64)


def _form(prompts: Sequence[str]) -> Float32Array:
    """Return how prompts are written, without what hardly any of them shows."""
    style = style_matrix(prompts)
    usual = np.median(style, axis=0)
    is_shown = (style != usual).mean(axis=0) > _RARE
    return normal_scores(style[:, is_shown])
