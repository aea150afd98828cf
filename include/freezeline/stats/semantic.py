"""Paired semantic score of answers to the same prompts, with a sign-flip test.

The score is 1 - mean cosine between the current answer and a reference answer to the same
prompt. Two answers of one unchanged model also differ, so the score is compared with the same
score between two reference answers: with reference answers a and b and current answer c,
D = d(c, a) - d(b, a). Exchanging b and c changes only the sign of D.

Source: Fisher 1935 (randomisation of paired differences). Null hypothesis: given the first
reference answer, the current answer and the second reference answer are exchangeable.
"""

import numpy as np

from include.freezeline.stats.permutation import Float32Array
from include.freezeline.stats.result import FloatArray, StatResult, insufficient

METHOD = "paired_semantic_sign_flip"


def paired_semantic_score(
    current: Float32Array,
    reference: Float32Array,
    replicate: Float32Array,
    *,
    seed: int,
    n_flips: int = 9999,
    min_pairs: int = 8,
) -> StatResult:
    """Score current answers against reference answers to the same prompts.

    Args:
        current: L2-normalised embeddings of the current answers, one row per pair.
        reference: A reference answer to the same prompt.
        replicate: Another, independent reference answer to the same prompt.
        seed: Seed of the random signs.
        n_flips: Random sign vectors.
        min_pairs: Fewer pairs are insufficient evidence.
    """
    n_pairs = len(current)
    if not len(current) == len(reference) == len(replicate):
        message = "current, reference and replicate need one row per pair each"
        raise ValueError(message)
    if n_pairs < min_pairs:
        reason = f"{n_pairs} pairs, at least {min_pairs} are needed"
        return insufficient(METHOD, reason, n_pairs, n_pairs)
    if not all(np.isfinite(rows).all() for rows in (current, reference, replicate)):
        return insufficient(METHOD, "embeddings with missing numbers", n_pairs, n_pairs)
    across = cosine_distances(current, reference)
    within = cosine_distances(replicate, reference)
    excess = across - within
    rng = np.random.default_rng(seed)
    return StatResult(
        value=float(across.mean()),
        interval=_bootstrap_interval(across, rng),
        p_value=sign_flip_p_value(excess, rng, n_flips),
        n_reference=n_pairs,
        n_current=n_pairs,
        method=METHOD,
        seed=seed,
        details={
            "excess_score": float(excess.mean()),
            "excess_interval_score": list(_bootstrap_interval(excess, rng)),
            "reference_score": float(within.mean()),
            "n_flips": n_flips,
        },
    )


def cosine_distances(left: Float32Array, right: Float32Array) -> FloatArray:
    """Return 1 - cosine of each pair of L2-normalised rows."""
    cosines = np.einsum("ij,ij->i", left.astype(np.float64), right.astype(np.float64))
    return np.asarray(1.0 - cosines)


def sign_flip_p_value(differences: FloatArray, rng: np.random.Generator, n_flips: int) -> float:
    """Return the one-sided p-value that the mean difference is above 0."""
    signs = rng.choice(np.array([-1.0, 1.0]), size=(n_flips, len(differences)))
    null = signs @ differences
    tolerance = 1e-9 * float(np.abs(differences).sum())
    return float((1 + int((null >= differences.sum() - tolerance).sum())) / (1 + n_flips))


def _bootstrap_interval(
    values: FloatArray, rng: np.random.Generator, n_draws: int = 999
) -> tuple[float, float]:
    """Return the 95% percentile bootstrap interval of the mean."""
    draws = rng.choice(values, size=(n_draws, len(values))).mean(axis=1)
    return float(np.quantile(draws, 0.025)), float(np.quantile(draws, 0.975))
