"""Sentence embeddings, computed once per distinct text and kept by content hash.

Any sentence-transformers model name or folder works; the default are the MiniLM weights that
come as a Python package, so nothing is downloaded. A runtime is loaded only when a text is not
in the cache.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from include.freezeline.adapters.embedding_cache import EmbeddingCache, Float32Array, text_hash
from include.freezeline.adapters.embedding_choice import RuntimeChoice
from include.freezeline.adapters.embedding_runtime import EmbeddingRuntime
from include.freezeline.settings import Settings

_SAVE_EVERY = 256
_FILE_NAME = "embeddings.sqlite"
# Where torch computes, the last digits depend on which texts share a batch.
_DIGITS = 5


class Choice(Protocol):
    """Model and runtime, named before they are loaded."""

    @property
    def model(self) -> str:
        """The model; another one of the same name has another."""
        ...

    @property
    def expected(self) -> str:
        """The name of the runtime that will probably be opened."""
        ...

    def open(self) -> EmbeddingRuntime:
        """Load the runtime."""
        ...


class SentenceEmbedder:
    """Callable that turns texts into L2-normalised float32 rows.

    Attributes:
        n_computed: Texts that were not in the cache so far.
    """

    def __init__(
        self,
        choice: Choice,
        cache: EmbeddingCache,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        """Set up without loading the model.

        Args:
            choice: Model and runtime.
            cache: Where vectors are kept.
            progress: Told how far a long batch is.
        """
        self._choice = choice
        self._cache = cache
        self._progress = progress or (lambda _message: None)
        self._runtime: EmbeddingRuntime | None = None
        self.n_computed = 0

    def __call__(self, texts: Sequence[str]) -> Float32Array:
        """Return one row per text, all of one runtime; equal texts are computed once."""
        # Halves of characters, which a cut through an emoji leaves, are no text to a tokenizer.
        texts = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        hashes = [text_hash(text) for text in texts]
        variant = self._variant()
        known = self._cache.load(variant, sorted(set(hashes)))
        missing = {key: text for key, text in zip(hashes, texts, strict=True) if key not in known}
        if missing:
            self._opened()
        if self._variant() != variant:
            return self(texts)
        known.update(self._compute(missing))
        return np.stack([known[key] for key in hashes]).astype(np.float32)

    def _variant(self) -> str:
        """Return what vectors are kept under beside the hash of their text."""
        runtime = self._runtime.name if self._runtime else self._choice.expected
        return f"{self._choice.model} {runtime}"

    def _compute(self, missing: dict[str, str]) -> dict[str, Float32Array]:
        """Embed unknown texts in order of length, saving as it goes."""
        # Neighbours of like length waste little padding; the key settles ties.
        ordered = sorted(missing, key=lambda key: (len(missing[key]), key))
        computed: dict[str, Float32Array] = {}
        for start in range(0, len(ordered), _SAVE_EVERY):
            part = ordered[start : start + _SAVE_EVERY]
            self._progress(f"embedding texts: {start} of {len(ordered)}")
            rows = self._encode([missing[key] for key in part])
            block = dict(zip(part, rows, strict=True))
            self._cache.save(self._variant(), block)
            computed.update(block)
        self.n_computed += len(ordered)
        return computed

    def _encode(self, texts: list[str]) -> Float32Array:
        """Run the model; rounded, so that nights repeat."""
        return np.asarray(np.round(self._opened().encode(texts), _DIGITS), dtype=np.float32)

    def _opened(self) -> EmbeddingRuntime:
        """Return the runtime, loading it first."""
        if self._runtime is None:
            self._runtime = self._choice.open()
        return self._runtime


def open_embedder(
    settings: Settings, progress: Callable[[str], None] | None = None
) -> SentenceEmbedder:
    """Return the embedder of the settings; cheap, the model loads with the first new text."""
    cache = EmbeddingCache(settings.cache_dir / _FILE_NAME)
    choice = RuntimeChoice(settings, progress or (lambda _message: None))
    return SentenceEmbedder(choice, cache, progress)


def forget_texts(settings: Settings, texts: Iterable[str], *, is_trial: bool = False) -> int:
    """Delete the vectors of texts, whatever model made them; return how many there were.

    Args:
        settings: Where the cache is.
        texts: The texts.
        is_trial: Whether only to count.
    """
    hashes = sorted({text_hash(text) for text in texts})
    return EmbeddingCache(settings.cache_dir / _FILE_NAME).forget(hashes, is_trial=is_trial)
