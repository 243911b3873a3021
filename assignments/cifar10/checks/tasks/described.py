"""Small networks from a description that a question can hold, and the tensors that come back of them.

A description is a list of layers, and a layer a list: its kind, and then what the kind takes.
"""

from typing import Any

import torch
from torch import nn

Layers = list[list[Any]]


class Backwards(nn.Module):
    """Its layers are registered from the last to the first: an image passes them in the order of the description."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.layers = nn.ModuleList(reversed(layers))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        for layer in reversed(self.layers):
            images = layer(images)
        return images


_KINDS = {
    "conv": lambda inputs, outputs, kernel=3: nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2),
    "conv without bias": lambda inputs, outputs: nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
    "norm": nn.BatchNorm2d,
    "relu": nn.ReLU,
    "relu in place": lambda: nn.ReLU(inplace=True),
    "pool": nn.MaxPool2d,
    "average": nn.AdaptiveAvgPool2d,
    "flatten": nn.Flatten,
    "linear": nn.Linear,
}


def network_of(layers: Layers) -> nn.Sequential:
    """The network that a description describes; ``["block", layer, …]`` and ``["backwards", layer, …]`` may nest."""
    return nn.Sequential(*[_layer(*layer) for layer in layers])


def _layer(kind: str, *rest: Any) -> nn.Module:
    if kind in ("block", "backwards"):
        return (nn.Sequential if kind == "block" else Backwards)(*[_layer(*layer) for layer in rest])
    return _KINDS[kind](*rest)


def copies(tensors: Any) -> list[torch.Tensor]:
    """The tensors as they are now."""
    return [tensor.detach().clone() for tensor in tensors]


def is_number(value: Any) -> bool:
    """Whether a reply is an ordinary float, neither NaN nor infinite."""
    return type(value) is float and abs(value) < 1e300


def are_close(
    want: list[torch.Tensor] | torch.Tensor, reply: Any, relative: float = 1e-3, absolute: float = 1e-4
) -> bool:
    """Whether a reply holds the same numbers, within the rounding of other machines. It may be anything."""
    if isinstance(want, list):
        return (
            isinstance(reply, list)
            and len(reply) == len(want)
            and all(are_close(one, other, relative, absolute) for one, other in zip(want, reply, strict=True))
        )
    return is_like(want, reply) and torch.allclose(reply.double(), want.double(), rtol=relative, atol=absolute)


def is_like(want: torch.Tensor, reply: Any) -> bool:
    """Whether a reply is a tensor of the same shape and type."""
    return isinstance(reply, torch.Tensor) and reply.shape == want.shape and reply.dtype == want.dtype


def filled(layers: Layers, parameters: Any) -> nn.Sequential | None:
    """The network of a description with the parameters of a reply; None where they do not fit or are not finite."""
    network = network_of(layers)
    wanted = list(network.parameters())
    if not isinstance(parameters, list) or len(parameters) != len(wanted):
        return None
    if not all(is_like(one, other) for one, other in zip(wanted, parameters, strict=True)):
        return None
    if not all(parameter.isfinite().all() for parameter in parameters):
        return None
    with torch.no_grad():
        for parameter, values in zip(wanted, parameters, strict=True):
            parameter.copy_(values)
    return network
