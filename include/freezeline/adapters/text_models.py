"""Models that score pairs of texts and texts, when a setting names one; nothing is downloaded."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from include.freezeline.errors import ConfigError
from include.freezeline.evaluators.interface import PairModel, TextModel
from include.freezeline.settings import Settings

_BATCH_SIZE = 16
_LONGEST_TOKENS = 512


def open_entailment(settings: Settings) -> PairModel | None:
    """Return the model of ``FREEZELINE_ENTAILMENT_MODEL``; None when it names none.

    A cross-encoder of sentence-transformers with one output, or with a label "entailment" or
    "consistent" among several.

    Raises:
        ConfigError: It cannot be loaded or has no such label.
    """
    return _open_pairs(settings.entailment_model, "FREEZELINE_ENTAILMENT_MODEL")


def open_relevance(settings: Settings) -> PairModel | None:
    """Return the model of ``FREEZELINE_RELEVANCE_MODEL``; None when it names none.

    Raises:
        ConfigError: It cannot be loaded.
    """
    return _open_pairs(settings.relevance_model, "FREEZELINE_RELEVANCE_MODEL")


def open_toxicity(settings: Settings) -> TextModel | None:
    """Return the model of ``FREEZELINE_TOXICITY_MODEL``; None when it names none.

    A text classification model of transformers with a label that begins with "tox", or whose
    second of two labels is the toxic one.

    Raises:
        ConfigError: It cannot be loaded or has no such label.
    """
    name = settings.toxicity_model
    if not name:
        return None
    try:
        tokeniser, network = _load(name)
    except Exception as error:  # Whatever a library raises, the remedy is the same.
        raise ConfigError(_refusal("FREEZELINE_TOXICITY_MODEL", name, error)) from error
    column = _toxic_column(network, name)

    def rate(texts: Sequence[str]) -> Sequence[float]:
        return [float(row[column]) for row in _outputs(tokeniser, network, [(t,) for t in texts])]

    return rate


def _open_pairs(name: str | None, setting: str) -> PairModel | None:
    """Load a model of pairs."""
    if not name:
        return None
    try:
        tokeniser, network = _load(name)
    except Exception as error:  # Whatever a library raises, the remedy is the same.
        raise ConfigError(_refusal(setting, name, error)) from error
    column = _entailed_column(network, name, setting)

    def score(pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        return [float(row[column]) for row in _outputs(tokeniser, network, pairs)]

    return score


def _load(name: str) -> tuple[Any, Any]:
    """Load tokeniser and network from a folder or the local cache."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokeniser = AutoTokenizer.from_pretrained(name, local_files_only=True)
    network = AutoModelForSequenceClassification.from_pretrained(name, local_files_only=True)
    return tokeniser, network.eval()


def _outputs(tokeniser: Any, network: Any, rows: Sequence[tuple[str, ...]]) -> np.ndarray:
    """Return probabilities of the labels: softmax, or sigmoids of one or of several labels."""
    import torch

    is_exclusive = network.config.num_labels > 1 and not _is_multi_label(network)
    found = []
    for start in range(0, len(rows), _BATCH_SIZE):
        columns = [list(texts) for texts in zip(*rows[start : start + _BATCH_SIZE], strict=True)]
        batch = tokeniser(
            *columns,
            padding=True,
            truncation=True,
            max_length=min(_LONGEST_TOKENS, network.config.max_position_embeddings),
            return_tensors="pt",
        )
        with torch.no_grad():
            logits = network(**batch).logits
        found.append((torch.softmax(logits, -1) if is_exclusive else torch.sigmoid(logits)).numpy())
    return np.concatenate(found) if found else np.zeros((0, network.config.num_labels))


def _is_multi_label(network: Any) -> bool:
    """Whether several labels may hold at once."""
    return bool(network.config.problem_type == "multi_label_classification")


def _entailed_column(network: Any, name: str, setting: str) -> int:
    """Return the column of what is looked for."""
    labels = _labels(network)
    if len(labels) == 1:
        return 0
    for wanted in ("entail", "consistent", "relevant"):
        for place, label in labels.items():
            if label.startswith(wanted):
                return place
    message = f"{setting}: {name!r} has labels {sorted(labels.values())} (one must be entailment)"
    raise ConfigError(message)


def _toxic_column(network: Any, name: str) -> int:
    """Return the column of toxicity."""
    labels = _labels(network)
    for place, label in labels.items():
        if label.startswith("tox"):
            return place
    if len(labels) <= 2:
        return len(labels) - 1
    message = (
        f"FREEZELINE_TOXICITY_MODEL: {name!r} has labels {sorted(labels.values())} "
        "(one must begin with tox)"
    )
    raise ConfigError(message)


def _labels(network: Any) -> dict[int, str]:
    """Return the labels by place, in lower case."""
    return {int(place): str(label).lower() for place, label in network.config.id2label.items()}


def _refusal(setting: str, name: str, error: Exception) -> str:
    """Say what cannot be loaded and what to do."""
    return (
        f"{setting}: cannot load {name!r}: {type(error).__name__} (give the folder of a sequence "
        "classification model, or unset it)"
    )
