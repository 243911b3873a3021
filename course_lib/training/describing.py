"""A recipe by name: what ``fit`` was asked to do, in words and numbers that a record can hold."""

from collections.abc import Callable

import torch
from torch import nn

from course_lib.analysis.layers import count_multiply_adds
from course_lib.data import Split


def describe_optimizer(optimizer: torch.optim.Optimizer) -> str:
    """Name and settings of an optimiser in one line, the learning rate left out: the schedule owns that."""
    plain = int | float | tuple
    settings = {key: value for key, value in optimizer.defaults.items() if key != "lr" and isinstance(value, plain)}
    return f"{type(optimizer).__name__}({', '.join(f'{key}={value}' for key, value in sorted(settings.items()))})"


def name_of(function: Callable) -> str:
    """How a record calls a function; of a ``functools.partial`` the settings are part of the name."""
    if hasattr(function, "func"):
        settings = ", ".join(f"{key}={value}" for key, value in sorted(function.keywords.items()))
        return f"{name_of(function.func)}({settings})"
    return getattr(function, "__name__", type(function).__name__)


def cost_of_an_image(model: nn.Module, split: Split) -> int | None:
    """Multiply-adds of one image; None for a network that cannot be traced, which can still be trained."""
    try:
        return count_multiply_adds(model, split.images.shape[1:])
    except (RuntimeError, ValueError, TypeError):
        return None
