"""Whose memory was it? The tensors of a training step that have exactly a given size."""

import math
from collections.abc import Iterable

import pandas as pd
import torch
from torch import nn

from course_lib.analysis.tracing import Step, trace

COLUMNS = ["layer", "type", "what", "shape", "dtype", "precision", "batch", "held"]
INDEX_BYTES = 8  # max-pools keep int64 indices, whatever the precision
PRECISIONS = (torch.float32, torch.float16)


def tensors_of_size(
    model: nn.Module,
    input_shape: tuple[int, ...],
    size: int,
    batch_sizes: Iterable[int] = (16, 32, 64, 128, 256, 512),
    precisions: Iterable[torch.dtype] = PRECISIONS,
) -> pd.DataFrame:
    """List what a first training step of ``model`` allocates that takes exactly ``size`` bytes.

    Three things are looked at: the output of each layer, the indices that a max-pool keeps for its way back, and the
    float32 weights themselves (whose gradients, and averages in Adam, take as much again).

    Args:
        model: any network; nothing is computed, so it may be on the ``meta`` device.
        input_shape: shape of one image, (C, H, W).
        size: bytes, such as ``392 * 2**20``.
        batch_sizes: images a step to try.
        precisions: number formats of activations to try. Weights stay in float32, as under autocast.

    Returns: a row for each suspect, in the order of running: ``layer``, ``type``, ``what`` (``output``, ``indices`` or
        ``weights``), ``shape`` (without the batch), ``dtype``; ``precision`` and ``batch`` of the run in which it has
        that size (weights do not depend on them); and ``held``: bytes that the step holds just before it asks for that
        tensor, with weights and images, if every output is kept until the backward pass. Missing for weights.
    Raises: ValueError for a size below 1, or where the image does not fit.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1 byte, not {size}")
    steps = trace(model, input_shape).steps
    fixed = sum(one.numel() * one.element_size() for one in [*model.parameters(), *model.buffers()])
    rows = [
        [name.rpartition(".")[0], "", "weights", tuple(one.shape), _word(one.dtype), "any", None, None]
        for name, one in model.named_parameters()
        if one.numel() * one.element_size() == size
    ]
    for precision in precisions:
        for batch in batch_sizes:
            held = fixed + batch * math.prod(input_shape) * 4  # images come as float32
            for step in steps:
                for what, taken, dtype in _allocated(step, batch, precision):
                    if taken == size:
                        rows.append(
                            [step.name, step.type, what, step.shape, _word(dtype), _word(precision), batch, held]
                        )
                    held += taken
    found = pd.DataFrame(rows, columns=COLUMNS).astype({"batch": "Int64", "held": "Float64"})
    order = {step.name: place for place, step in enumerate(steps)}
    return found.sort_values("layer", key=lambda names: names.map(order), kind="stable").reset_index(drop=True)


def _allocated(step: Step, batch: int, precision: torch.dtype) -> list[tuple[str, int, torch.dtype]]:
    """What a layer asks for, in the order of asking: what it is, bytes, number format. Nothing where it is in place."""
    if not step.activation_bytes:
        return []
    numbers = batch * math.prod(step.shape)
    asked = [("output", numbers * precision.itemsize, precision)]
    if step.type.startswith("MaxPool"):
        asked.append(("indices", numbers * INDEX_BYTES, torch.int64))
    return asked


def _word(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
