"""What people usually ask of two windows of answers, beside ours; each says whether it alarms.

Rivals see embeddings, as the tools do that we know: a fixed threshold on the mean cosine, maximum
mean discrepancy and distance of centroids with permutations, Kolmogorov-Smirnov in every dimension
with Benjamini-Hochberg (alibi-detect), and a classifier in five folds with a binomial test; and a
fixed threshold on the divergence of words.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from include.freezeline.stats.combination import AnswerSample, conditional_combination_test
from include.freezeline.stats.divergence import kl_divergence
from include.freezeline.stats.mmd import mmd_test
from include.freezeline.stats.paired import paired_combination_test
from include.freezeline.stats.permutation import label_matrix, permutation_p_value
from include.freezeline.stats.prompts import topic_strata
from include.freezeline.stats.replicated import Triples, replicated_combination_test
from include.freezeline.stats.vocabulary import word_counts
from tests.bench.drift_worlds import Trial

LEVEL = 0.05
_N = 499


def ours(trial: Trial, seed: int) -> bool:
    """Conditional combination; of pairs the one that flips signs."""
    half = len(trial.texts) // 2
    if trial.is_paired:
        vectors = (trial.vectors[:half], trial.vectors[half:]) if trial.is_embedded else None
        result = paired_combination_test(
            trial.texts[:half], trial.texts[half:], seed=seed, embeddings=vectors, n_refined=_N
        )
    else:
        sample = AnswerSample(
            texts=trial.texts,
            is_current=trial.is_current,
            prompts=trial.prompts,
            embeddings=trial.vectors if trial.is_embedded else None,
            prompt_embeddings=trial.prompt_vectors if trial.is_embedded else None,
            strata=topic_strata(trial.prompts),
        )
        result = conditional_combination_test(sample, seed=seed, n_refined=_N)
    return result.p_value is not None and result.p_value <= LEVEL


def ours_with_replicates(trial: Trial, seed: int) -> bool:
    """The combination that also knows how far two answers of one model lie apart."""
    half = len(trial.texts) // 2
    vectors = None
    if trial.is_embedded and trial.replicate_vectors is not None:
        vectors = (trial.vectors[:half], trial.replicate_vectors, trial.vectors[half:])
    triples = Triples(trial.texts[:half], trial.replicates or [], trial.texts[half:], vectors)
    p_value = replicated_combination_test(triples, seed=seed, n_refined=_N).p_value
    return p_value is not None and p_value <= LEVEL


def fixed_cosine(trial: Trial, _seed: int) -> bool:
    """The textbook score 1 - mean cosine above 0.2; of pairs the cosine of each."""
    before, after = _sides(trial)
    if trial.is_paired:
        return bool(1.0 - np.einsum("ij,ij->i", before, after).mean() > 0.2)
    return bool(1.0 - (before @ after.T).mean() > 0.2)


def embedding_mmd(trial: Trial, seed: int) -> bool:
    """Maximum mean discrepancy with permutations."""
    p_value = mmd_test(*_sides(trial), seed=seed, n_permutations=_N).p_value
    return p_value is not None and p_value <= LEVEL


def centroid(trial: Trial, seed: int) -> bool:
    """Distance of the mean embeddings with permutations."""
    labels = label_matrix(trial.is_current, _N, np.random.default_rng(seed))
    distance = np.linalg.norm(labels.contrast @ trial.vectors, axis=1).astype(np.float64)
    return permutation_p_value(distance) <= LEVEL


def ks_with_bh(trial: Trial, _seed: int) -> bool:
    """Kolmogorov-Smirnov of every dimension of the embedding, Benjamini-Hochberg over them."""
    before, after = _sides(trial)
    p_values = [stats.ks_2samp(a, b, method="asymp").pvalue for a, b in zip(before.T, after.T, strict=True)]  # fmt: skip
    return bool(np.min(stats.false_discovery_control(p_values)) <= LEVEL)


def classifier(trial: Trial, seed: int) -> bool:
    """Logistic regression on embeddings in five folds; binomial test of its accuracy."""
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    model = LogisticRegression(max_iter=200)
    guessed = cross_val_predict(model, trial.vectors, trial.is_current, cv=folds)
    n_right = int((guessed == trial.is_current).sum())
    return bool(stats.binomtest(n_right, len(guessed), 0.5, alternative="greater").pvalue <= LEVEL)


def fixed_kl(trial: Trial, _seed: int) -> bool:
    """Divergence of words above 0.1 nats."""
    counts = word_counts(trial.texts, 4096).astype(np.float64)
    after, before = counts[trial.is_current].sum(0), counts[~trial.is_current].sum(0)
    return float(kl_divergence(after, before)) > 0.1


def _sides(trial: Trial) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the embeddings of both windows."""
    return trial.vectors[~trial.is_current], trial.vectors[trial.is_current]


OURS = "combination (ours)"
REPLICATED = "combination, two references (ours)"
METHODS: Mapping[str, Callable[[Trial, int], bool]] = {
    OURS: ours,
    REPLICATED: ours_with_replicates,
    "embedding MMD": embedding_mmd,
    "centroid": centroid,
    "KS with BH": ks_with_bh,
    "classifier": classifier,
    "1 - cosine > 0.2": fixed_cosine,
    "word KL > 0.1": fixed_kl,
}


def methods_for(trial: Trial) -> Mapping[str, Callable[[Trial, int], bool]]:
    """Return the methods that a trial has the data for."""
    if trial.replicates is not None:
        return METHODS
    return {name: method for name, method in METHODS.items() if name != REPLICATED}
