"""The fast runtime: a converted model on OpenVINO, several times torch's speed on a CPU."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.freezeline.adapters.embedding_cache import Float32Array
from include.freezeline.adapters.embedding_export import GRAPH, TOKENISER, Portable
from include.freezeline.adapters.embedding_int8 import GROUP_SIZE, quantise_weights
from include.freezeline.adapters.embedding_precision import (
    cpu_flags,
    has_bf16,
    has_vnni,
    n_usable_cpus,
)
from include.freezeline.adapters.embedding_torch import go_offline

_STEP_TOKENS = 8
_BATCH_TOKENS = 1024
_MAX_STREAMS = 8
# What 8-bit weights add evens out over the tokens of a text, and very short ones have too few.
_SHORT_TOKENS = 16
Tokens = list[int]


def runtime_name(precision: str) -> str:
    """Return the name of the runtime in a precision, which is part of the cache key."""
    return f"openvino {precision}" + (f"/{_hint(precision)}" if precision == "int8" else "")


class OpenVinoRuntime:
    """Runs a converted model in batches of texts of like length.

    The row of a text depends on the text alone, not on what shares its batch: a batch is filled up
    to a length that each of its texts has by itself, and every row of a product is summed in the
    same order.

    Attributes:
        name: Runtime and precision.
    """

    def __init__(self, portable: Portable, precision: str) -> None:
        """Load and compile the model.

        Args:
            portable: The model's files.
            precision: ``f32``, ``bf16`` or ``int8``; the last is for texts of more than 16 tokens.
        """
        go_offline()
        from openvino import Core
        from tokenizers import Tokenizer

        self.name = runtime_name(precision)
        self._pad_id = portable.pad_id
        # Without instructions for 8-bit products, OpenVINO sums those of one text in another order.
        is_alone = precision == "int8" and not has_vnni(cpu_flags())
        self._batch_tokens = 1 if is_alone else _BATCH_TOKENS
        self._tokeniser = Tokenizer.from_file(str(portable.folder / TOKENISER))
        self._tokeniser.no_padding()
        self._tokeniser.enable_truncation(portable.max_tokens)
        core = Core()
        graph = core.read_model(portable.folder / GRAPH)
        self._queue = self._short = _queue(core, graph, precision)
        if precision == "int8":
            quantise_weights(graph)
            self._queue = _queue(core, graph, precision)

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Return one normalised row per text."""
        encoded = self._tokeniser.encode_batch_fast(list(texts))
        tokens = [each.ids for each in encoded]
        rows: dict[int, Float32Array] = {}

        def collect(request: Any, batch: tuple[list[int], NDArray[np.int64]]) -> None:
            places, mask = batch
            vectors = _pooled(request.get_output_tensor(0).data, mask)
            rows.update(zip(places, vectors, strict=True))

        for queue in (self._queue, self._short):
            queue.set_callback(collect)
        for places, length in _batches(tokens, self._batch_tokens):
            ids, mask = _matrix([tokens[place] for place in places], length, self._pad_id)
            queue = self._short if length <= _SHORT_TOKENS else self._queue
            # Copied, not shared: a shared array has to outlive the request.
            queue.start_async({"input_ids": ids, "attention_mask": mask}, (places, mask))
        self._queue.wait_all()
        self._short.wait_all()
        return np.stack([rows[place] for place in range(len(tokens))])


def _queue(core: Any, graph: Any, precision: str) -> Any:
    """Compile a graph; one thread a stream, so that no thread waits for another."""
    from openvino import AsyncInferQueue

    n_streams = min(_MAX_STREAMS, n_usable_cpus())
    options = {
        "INFERENCE_PRECISION_HINT": _hint(precision),
        "NUM_STREAMS": n_streams,
        "INFERENCE_NUM_THREADS": n_streams,
        # Pinned threads of two processes would share a core and leave others idle.
        "ENABLE_CPU_PINNING": False,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP_SIZE if precision == "int8" else 0,
    }
    return AsyncInferQueue(core.compile_model(graph, "CPU", options), n_streams)


def _hint(precision: str) -> str:
    """Return the precision of all that is no 8-bit product."""
    if precision == "int8":
        return "bf16" if has_bf16(cpu_flags()) else "f32"
    return precision


def _batches(tokens: Sequence[Tokens], batch_tokens: int) -> Iterator[tuple[list[int], int]]:
    """Yield places of texts of one padded length, and that length, the longest first.

    Args:
        tokens: Of each text.
        batch_tokens: About how many go together; a text that has more goes alone.
    """
    by_length: dict[int, list[int]] = {}
    for place, ids in enumerate(tokens):
        by_length.setdefault(-(-len(ids) // _STEP_TOKENS) * _STEP_TOKENS, []).append(place)
    for length, places in sorted(by_length.items(), reverse=True):
        size = max(1, batch_tokens // max(length, 1))
        for start in range(0, len(places), size):
            yield places[start : start + size], length


def _matrix(
    batch: Sequence[Tokens], length: int, pad_id: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return token ids and mask of a batch, filled up to a length."""
    ids = np.full((len(batch), length), pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return ids, mask


def _pooled(hidden: Float32Array, mask: NDArray[np.int64]) -> Float32Array:
    """Return the mean of the token vectors of each text, of length 1."""
    weights = mask.astype(np.float32)[:, None, :]
    sums = np.matmul(weights, hidden)[:, 0, :]
    # The length takes the number of tokens out again, so the sum does as well as the mean.
    lengths = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return np.asarray(sums / lengths, dtype=np.float32)
