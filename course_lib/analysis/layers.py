"""A network as a table: output shape, parameters, multiply-adds, memory and receptive field of each layer."""

import pandas as pd
from torch import nn

from course_lib.analysis.tracing import trace

COLUMNS = [
    *("type", "output shape", "parameters", "multiply-adds", "activations (MB)"),
    *("receptive field", "jump"),
]
TYPES = {"parameters": int, "multiply-adds": int, "activations (MB)": float}


def count_parameters(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def count_multiply_adds(model: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Number of multiply-adds that one image of shape (C, H, W) takes, in convolutions and matrix products.

    Raises: ValueError naming the layer where the image does not fit.
    """
    return trace(model, input_shape).multiply_adds


def layer_table(model: nn.Module, input_shape: tuple[int, ...]) -> pd.DataFrame:
    """Table of the layers that one image passes through in ``model``.

    Args:
        model: any network; its mode, its weights and its statistics stay as they are.
        input_shape: shape of one image, (C, H, W).

    Returns: a row for each innermost layer in the order of running, indexed by its name, and a last row ``total``.
        ``output shape`` is without the batch dimension; ``multiply-adds`` are for one image; ``activations (MB)`` are
        10⁶ bytes of one image's output, 0 for a layer that works in place; ``receptive field`` and ``jump`` are in
        pixels, None for a vector or where a unit sees the whole image, or ``unknown``. Work outside of any innermost
        layer has a row ``elsewhere``.
    Raises: ValueError naming the layer at which the input stops fitting.
    """
    traced = trace(model, input_shape)
    rows = [
        [
            step.name,
            step.type,
            "×".join(map(str, step.shape)),
            step.parameters,
            step.multiply_adds,
            step.activation_bytes / 1e6,
            step.field,
            step.jump,
        ]
        for step in traced.steps
    ]
    parameters = traced.parameters - sum(step.parameters for step in traced.steps)
    multiply_adds = traced.multiply_adds - sum(step.multiply_adds for step in traced.steps)
    if parameters or multiply_adds:
        rows.append(["elsewhere", "", "", parameters, multiply_adds, 0.0, None, None])
    held = sum(step.activation_bytes for step in traced.steps) / 1e6
    rows.append(["total", "", "", traced.parameters, traced.multiply_adds, held, None, None])
    return pd.DataFrame(rows, columns=["layer", *COLUMNS], dtype=object).set_index("layer").astype(TYPES)
