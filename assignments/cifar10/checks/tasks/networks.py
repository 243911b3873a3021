"""Small networks for questions: built from a description, filled with a question's numbers, read back from a reply.

A description is a list of layers, and a layer a list: its kind, then its arguments. A question brings a row of numbers,
and the worker sets a network's parameters to them, in the order of ``parameters()``. So a question is small however
large the network is, and gives nothing away about a network that the student builds.
"""

import math
from collections.abc import Callable, Collection, Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from checks.tasks.comparison import are_close, are_like
from checks.tasks.part import Draw, Question

Layers = list[list[Any]]
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
    """What :class:`Numbers` begins with. Its mean is 0, or all sums over many inputs would have one sign."""
    row = draw.normal(_ROW)
    return row - row.mean()


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
            scale = 0.5 if parameter.ndim < 2 else math.sqrt(2 / max(1, math.prod(parameter.shape[1:])))
            values = numbers.take(*parameter.shape) * scale
            values = values.abs() if place in chosen else values
            if kernel is not None and parameter.ndim == 4:
                values = 3 * values[..., :1, :1] * torch.tensor(kernel)  # 3: one weight in place of nine
            parameter.copy_(values)
        for norm in network.modules():
            if isinstance(norm, _BatchNorm) and norm.running_mean is not None:
                norm.running_mean.copy_(0.3 * numbers.take(*norm.running_mean.shape))
                norm.running_var.copy_(0.5 + numbers.take(*norm.running_var.shape).abs())


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


def copies(tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """The tensors as they are now."""
    return [tensor.detach().clone() for tensor in tensors]


def state_of(network: nn.Module) -> dict[str, list]:
    """What a function that only looks at a network should leave as it was."""
    modules = list(network.modules())
    hooks = [(module, name) for module in modules for name in vars(module) if name.endswith("_hooks")]
    return {
        "hooks": [len(getattr(module, name, ())) for module, name in hooks],
        "mode": [module.training for module in modules],
        "weights": copies(network.state_dict().values()),
        "frozen": [parameter.requires_grad for parameter in network.parameters()],
        "layers": [str(network), *[sorted(vars(module)) for module in modules]],
    }


def hint_on_changes(network: nn.Module, left: Any, hints: dict[str, str]) -> str | None:
    """The first hint, by its key in :func:`state_of`, where ``left``, a reply, is not the state that the network has.

    The worker only describes what a function left: what it was before, and whether the two are equal, is found here.
    """
    before, left = state_of(network), left if isinstance(left, dict) else {}
    for name, hint in hints.items():
        want, got = before[name], left.get(name)
        if not (are_close(want, got, 0.0, 0.0) if name == "weights" else want == got):
            return hint
    return None


def filled(layers: Layers, parameters: Any) -> nn.Sequential | None:
    """The network of a description with the parameters of a reply; None where they do not fit or are not finite."""
    network = network_of(layers)
    wanted = list(network.parameters())
    if not isinstance(parameters, list) or len(parameters) != len(wanted):
        return None
    for parameter, values in zip(wanted, parameters, strict=True):
        if not are_like(parameter, values) or not values.isfinite().all():
            return None
        parameter.data.copy_(values)
    return network


def reply_of(network: Any, question: Question, images: Callable[[Numbers], torch.Tensor]) -> Any:
    """What a student's network replies: the shapes of its parameters, or its logits once it is filled.

    ``images`` makes the images for the logits; it may take numbers that the parameters have left.
    """
    if not isinstance(network, nn.Module):
        return {"returned": network}
    if question["asked"] == "shapes":
        return [list(parameter.shape) for parameter in network.parameters()]
    numbers = Numbers(question["numbers"])
    fill(network, numbers, question["positive"], question.get("kernel"))
    network.train(question["training"])
    with torch.no_grad():
        return network(images(numbers))
