"""Weights of a graph as 8-bit numbers, each output with a scale of its own."""

from typing import Any

import numpy as np

# Activations of a token are scaled in groups of so many; measured in docs/decisions.
GROUP_SIZE = 128
_LARGEST = 127.0


def quantise_weights(graph: Any) -> None:
    """Replace the weights of the matrix products of an OpenVINO graph, in place.

    Symmetric and per output channel. OpenVINO multiplies such weights with activations that it
    quantises on the way, token by token, so that no calibration data is needed.

    Args:
        graph: An ``openvino.Model`` with float32 weights.
    """
    for node in graph.get_ops():
        if node.get_type_name() != "MatMul":
            continue
        weights = node.input_value(1).get_node()
        if weights.get_type_name() == "Constant" and len(weights.get_output_shape(0)) == 2:
            is_transposed = bool(node.get_attributes()["transpose_b"])
            node.input(1).replace_source_output(
                _quantised(weights.get_data(), is_transposed=is_transposed)
            )


def _quantised(values: Any, *, is_transposed: bool) -> Any:
    """Return the output of a node that multiplies whole numbers with their scales."""
    from openvino import opset13 as ops

    weights = np.asarray(values, dtype=np.float32)
    largest = np.abs(weights).max(axis=1 if is_transposed else 0, keepdims=True)
    scales = np.where(largest > 0.0, largest / _LARGEST, 1.0).astype(np.float32)
    numbers = np.round(weights / scales).astype(np.int8)
    return ops.multiply(
        ops.convert(ops.constant(numbers), np.float32), ops.constant(scales)
    ).output(0)
