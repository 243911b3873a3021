"""The course's networks as windows that slide over maps: what the receptive-field figure computes with."""

import json
import operator
from collections.abc import Callable
from functools import partial

import torch
from torch import fx, nn

from course_lib import models

_WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
_HEADS = (nn.AdaptiveAvgPool2d, nn.Flatten, nn.Linear)
IMAGE = -1  # the place of the image in a step's ``inputs``

# By name: the network's builder, which takes a width, and the side of its images.
NETWORKS: dict[str, tuple[Callable[..., nn.Module], int]] = {
    "LeNet-5": (lambda width: models.lenet5(), 28),
    "AlexNet": (models.alexnet, 224),
    "AlexNet, small": (partial(models.alexnet, stem="small"), 28),
    "VGG-11": (models.vgg11, 224),
    "VGG-16": (models.vgg16, 224),
    "VGG-19": (models.vgg19, 224),
    "VGG8": (models.vgg8, 32),
    "MiniVGG": (models.minivgg, 28),
    "VGG, small": (models.vgg_small, 28),
    "ResNet-18": (models.resnet18, 224),
    "ResNet-34": (models.resnet34, 224),
    "ResNet-50": (models.resnet50, 224),
    "Plain-34": (models.plain34, 224),
    "ResNet-18, CIFAR stem": (partial(models.resnet18, stem="cifar"), 32),
    "ResNet, small": (models.resnet_small, 28),
}


def build(name: str) -> nn.Module:
    """A network of :data:`NETWORKS`, as narrow as it gets; torch's random numbers stay where they are."""
    with torch.random.fork_rng(devices=[]):
        return NETWORKS[name][0](width=1 / 64)


class _Tracer(fx.Tracer):
    """Follows ``forward``, but looks into no window, also where it is a kind of torch's of our own."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, _WINDOWS) or super().is_leaf_module(module, name)


def window_steps(model: nn.Module) -> list[dict]:
    """The convolutions, pools and sums of ``model`` in the order of running, up to its head, from its live ``forward``.

    Each has a ``name``, a ``type``, and ``inputs``, places in this list or :data:`IMAGE`. A window has ``kernel``,
    ``stride``, ``padding`` and ``dilation``. A sum has type ``"add"`` and the name of the block that it ends. Layers
    that work on each place alone, such as ReLU and batch norm, are left out.
    """
    steps, places = [], {}
    for node in _Tracer().trace(model).nodes:
        layer = model.get_submodule(node.target) if node.op == "call_module" else None
        if node.op == "placeholder":
            places[node] = IMAGE
        elif isinstance(layer, _WINDOWS):
            settings = {
                "kernel": _side(layer.kernel_size),
                "stride": _side(layer.stride),
                "padding": _side(layer.padding),
                "dilation": _side(getattr(layer, "dilation", 1)),
            }
            step = {"name": node.target, "type": type(layer).__name__, "inputs": [places[node.args[0]]]}
            places[node] = len(steps)
            steps.append(step | settings)
        elif node.target is operator.add:
            inputs = [places[other] for other in node.args]  # the branch, then the shortcut
            places[node] = len(steps)
            steps.append({"name": steps[inputs[0]]["name"].rpartition(".")[0], "type": "add", "inputs": inputs})
        elif layer is not None and not isinstance(layer, _HEADS):
            places[node] = places[node.args[0]]
        else:
            break
    return steps


def networks_table() -> bytes:
    """JSON: by name, the ``side`` of a network's images and its ``steps``."""
    table = {name: {"side": side, "steps": window_steps(build(name))} for name, (_, side) in NETWORKS.items()}
    return json.dumps(table, separators=(",", ":")).encode()


def _side(value: int | tuple[int, int]) -> int:
    first, second = (value, value) if isinstance(value, int) else value
    if first != second:
        raise ValueError(f"the figure draws square windows, not {first}×{second}")
    return first
