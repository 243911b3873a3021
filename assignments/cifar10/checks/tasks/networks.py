"""What parts that ask for a network have in common: its parameters are set from the question, its replies are compared.

A question brings a row of numbers, and the worker fills a network's parameters with them, one after another, in the
order of ``parameters()``. So a question is small however large the network is, and says nothing about its layers.
"""

import math
from collections.abc import Collection
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from checks.messages import type_of
from checks.tasks.part import Draw

Shapes = list[list[int]]
_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)  # of narrower ones torch computes nothing
_ROW = 509  # a prime: channels, rows of a weight and images do not repeat each other


class Numbers:
    """The numbers of a question, float32, from the first to the last and over again."""

    def __init__(self, row: torch.Tensor):
        self._row, self._taken = row, 0

    def take(self, *shape: int) -> torch.Tensor:
        """The next numbers, as a tensor of this shape."""
        places = torch.arange(self._taken, self._taken + math.prod(shape)) % len(self._row)
        self._taken += len(places)
        return self._row[places].reshape(shape)


def row_of_numbers(draw: Draw) -> torch.Tensor:
    """What :class:`Numbers` begins with: as much above 0 as below, or all sums over many inputs would have one sign."""
    row = draw.normal(_ROW)
    return row - row.mean()


def shapes_of(network: nn.Module) -> Shapes:
    """The shape of every parameter, in order."""
    return [list(parameter.shape) for parameter in network.parameters()]


def fill(
    network: nn.Module, numbers: Numbers, positive: Collection[int] = (), kernel: list[list[float]] | None = None
) -> None:
    """Set the parameters, then the running statistics of norms.

    Args:
        network: any module.
        numbers: what to set them to; weights are scaled with their number of inputs, so that signals keep their size.
        positive: places of parameters that get no negative number; -1 is the last one.
        kernel: a 3 × 3 pattern that every window of a convolution's weight is a multiple of.
    """
    parameters = list(network.parameters())
    chosen = {place % len(parameters) for place in positive if parameters}
    with torch.no_grad():
        for place, parameter in enumerate(parameters):
            values = numbers.take(*parameter.shape) * _scale(parameter)
            values = values.abs() if place in chosen else values
            if kernel is not None and parameter.ndim == 4:
                values = 3 * values[..., :1, :1] * torch.tensor(kernel)  # 3: one weight in place of nine
            parameter.copy_(values)
        for norm in network.modules():
            if isinstance(norm, _BatchNorm) and norm.running_mean is not None:
                norm.running_mean.copy_(0.3 * numbers.take(*norm.running_mean.shape))
                norm.running_var.copy_(0.5 + numbers.take(*norm.running_var.shape).abs())


def _scale(parameter: torch.Tensor) -> float:
    if parameter.ndim < 2:
        return 0.5
    return math.sqrt(2 / max(1, math.prod(parameter.shape[1:])))


def not_a_network(reply: Any, function: str) -> str | None:
    """What to say of a reply ``{"returned": …}``, which stands for anything but an ``nn.Module``."""
    if not isinstance(reply, dict) or set(reply) != {"returned"}:
        return None
    return f"{function} should return an nn.Module; it returned {type_of(reply['returned'])}."


def wrong_shapes(expected: Shapes, reply: Any) -> str | None:
    """Which parameter has another shape than it should have, in one sentence; None where all are right."""
    if not _are_shapes(reply):
        return "The shapes of the network's parameters could not be read."
    other = [place for place, (want, got) in enumerate(zip(expected, reply, strict=False)) if got != want]
    if len(reply) != len(expected):
        where = f"; number {other[0] + 1} is the first that differs" if other else ""
        return f"The network has {len(reply)} weights and biases, and should have {len(expected)}{where}."
    if other:
        want, got = tuple(expected[other[0]]), tuple(reply[other[0]])
        return f"Of the network's {len(reply)} weights and biases, number {other[0] + 1} has shape {got}, not {want}."
    return None


def _are_shapes(reply: Any) -> bool:
    return isinstance(reply, list) and all(
        isinstance(shape, list) and len(shape) < 9 and all(type(size) is int and 0 <= size < 2**40 for size in shape)
        for shape in reply
    )


def unreadable(shape: torch.Size, reply: Any) -> str | None:
    """Why a reply cannot be logits of this shape; None where it can."""
    if not isinstance(reply, torch.Tensor) or reply.dtype not in _FLOATS or reply.shape != shape:
        what = type_of(reply)
        if isinstance(reply, torch.Tensor):
            what += f" and type {str(reply.dtype).removeprefix('torch.')}"
        return f"The network should give logits of shape {tuple(shape)}, floating point; it gave {what}."
    if not reply.isfinite().all():
        return "The logits hold NaN or infinity."
    return None


def wrong_logits(expected: torch.Tensor, reply: Any) -> str | None:
    """What is wrong with logits, in one sentence; None where they are right within the rounding of other machines."""
    if problem := unreadable(expected.shape, reply):
        return problem
    want, got = expected.double(), reply.double()
    size = max(1.0, want.abs().max().item())
    if torch.allclose(got, want, rtol=1e-3, atol=1e-4 * size):
        return None
    for name, form in (("probabilities", torch.softmax), ("logarithms of probabilities", torch.log_softmax)):
        if torch.allclose(got, form(want, dim=1), rtol=1e-3, atol=1e-4):
            return f"These are {name}: a network gives its logits, and the loss does the rest."
    return "The shapes of all parameters are right, and the logits are not."
