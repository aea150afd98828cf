"""What every embedding runtime gives, how far it may stray from torch."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from include.freezeline.adapters.embedding_cache import Float32Array

MIN_COSINE = 0.99
# What a runtime is tried on: plain, long (cut at the model's limit), of other scripts, odd.
PROBES = (
    "Refunds are paid back to the card within five working days.",
    "OK.",
    "The deployment failed because the container ran out of memory; restart it with 2 GiB.",
    "def mean(values):\n    return sum(values) / len(values)",
    "- check the invoice\n- confirm the address\n- send the parcel again, at no cost to you",
    "Das Paket wurde am 3. Mai zugestellt. 请稍后再试。 Où est ma commande ?",
    '{"status": "escalated", "reason": null, "scores": [0.25, 0.75]}',
    "I am sorry, but I cannot help with that request. " * 40,
)


class EmbeddingRuntime(Protocol):
    """Turns texts into L2-normalised float32 rows.

    Attributes:
        name: Runtime and precision, such as ``openvino bf16``; part of the cache key.
    """

    name: str

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Return one row per text."""
        ...


def cosines(rows: Float32Array, reference: Float32Array) -> Float32Array:
    """Return the cosine of each row with its reference; NaN where a row is no number."""
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(reference, axis=1)
    return np.asarray((rows * reference).sum(axis=1) / lengths, dtype=np.float32)
