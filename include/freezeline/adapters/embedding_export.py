"""From a sentence-transformers model to files that OpenVINO runs without torch."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from include.freezeline.adapters.embedding_cache import Float32Array
from include.freezeline.adapters.embedding_runtime import PROBES
from include.freezeline.adapters.embedding_torch import TorchRuntime, go_offline

GRAPH, TOKENISER, ABOUT = "model.xml", "tokenizer.json", "about.json"
_MODULES = (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
_REFERENCE_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Portable:
    """A model as files.

    Attributes:
        folder: Where they are.
        reason: Why there are none; None when there are.
        max_tokens: Texts are cut after so many tokens.
        pad_id: Token that fills a batch up.
        reference: What torch gives for the probe texts, a row each.
    """

    folder: Path
    reason: str | None
    max_tokens: int = 0
    pad_id: int = 0
    reference: Float32Array = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))


def why_not_portable(model: Any) -> str | None:
    """Return what of a model is more than a transformer with mean pooling; None if nothing is.

    Args:
        model: A sentence-transformers model.
    """
    names = [type(module).__name__ for module in model]
    if names not in _MODULES:
        return f"it is made of {', '.join(names)}"
    transformer, pooling = model[0], model[1]
    tokeniser = transformer.tokenizer
    problems = {
        "it pools by other means than the mean": pooling.get_config_dict()["pooling_mode"]
        != "mean",
        "it puts a prompt before each text": bool(model.default_prompt_name),
        "it cuts its vectors": model.truncate_dim is not None,
        "its transformer gives no token vectors of texts": (
            transformer.modality_config.get("text")
            != {"method": "forward", "method_output_name": "last_hidden_state"}
        ),
        "it has settings of its own for the tokeniser": bool(transformer.processing_kwargs),
        "its tokeniser is no fast one": not getattr(tokeniser, "is_fast", False),
        "its tokeniser fills up on the left": tokeniser.padding_side != "right",
        "it says nothing of its longest text": not model.max_seq_length,
    }
    return next((problem for problem, is_there in problems.items() if is_there), None)


def write_portable(torch_runtime: TorchRuntime, folder: Path) -> None:
    """Write a model's graph and tokeniser and what torch gives for the probe texts.

    Args:
        torch_runtime: The model.
        folder: An empty folder; gets a reason alone when the model is not portable.
    """
    model = torch_runtime.model
    reason = why_not_portable(model)
    about: dict[str, Any] = {"reason": reason}
    if reason is None:
        reference = torch_runtime.encode(PROBES).astype(np.float64)
        _write_graph(model[0], folder / GRAPH)
        tokeniser = model[0].tokenizer
        tokeniser.backend_tokenizer.save(str(folder / TOKENISER))
        about |= {
            "max_tokens": int(model.max_seq_length),
            "pad_id": int(tokeniser.pad_token_id or 0),
            "reference": np.round(reference, _REFERENCE_DIGITS).tolist(),
            "sizes": {path.name: path.stat().st_size for path in sorted(folder.iterdir())},
        }
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def read_portable(folder: Path) -> Portable | None:
    """Return the model of a folder; None when there is none or a file is not as it was written."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["reason"] is not None:
            return Portable(folder, str(about["reason"]))
        if _sizes(folder, about["sizes"]) != about["sizes"]:
            return None
        reference = np.asarray(about["reference"], dtype=np.float32)
        return Portable(folder, None, about["max_tokens"], about["pad_id"], reference)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _sizes(folder: Path, names: Mapping[str, int]) -> dict[str, int]:
    """Return the sizes in bytes of named files."""
    return {name: (folder / name).stat().st_size for name in names}


def _write_graph(transformer: Any, path: Path) -> None:
    """Write the graph from token ids and mask to token vectors, weights in float32."""
    go_offline()
    import openvino
    import torch
    from transformers.utils import logging as transformers_logging

    class TokenVectors(torch.nn.Module):  # type: ignore[misc]
        """The transformer's last layer and nothing else."""

        def __init__(self) -> None:
            super().__init__()
            self.network = transformer.auto_model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.network(
                input_ids=input_ids, attention_mask=attention_mask
            ).last_hidden_state

    example = {
        name: torch.ones((2, 8), dtype=torch.int64) for name in ("input_ids", "attention_mask")
    }
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        # Tracing warns of every Python condition on a shape; the check on probes is the proof.
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = openvino.convert_model(TokenVectors().eval(), example_input=example)
    finally:
        transformers_logging.set_verbosity(verbosity)
    openvino.save_model(graph, path, compress_to_fp16=False)
