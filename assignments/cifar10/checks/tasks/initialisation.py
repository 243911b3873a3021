"""The last part of task 5: weights with which a deep plain VGG can begin to learn.

Several draws are judged together, by the mean of their logarithms: a single one can be unlucky, a right rule is not.
"""

import math
from typing import Any

import torch
from torch import nn

from checks.tasks.networks import Layers, copies, filled, network_of
from checks.tasks.part import Draw, Question

_BEFORE = 0.125  # every weight, before the function is called
_SIDE, _IMAGES, _CLASSES, _UNITS = 8, 4, 10, 64
# From the images to the first convolution, from there to the last, and on to the logits: how strong may it become?
_FIRST, _THROUGH, _MOST_IN_HEAD = (1 / 10, 10.0), (1 / 30, 10.0), 30.0
_SLANT = 0.25  # the most that the mean of a layer's weights may be, in standard deviations


def questions_on_weights(draw: Draw) -> list[Question]:
    """One network of changing width, and a deep one."""
    narrow, wide = draw.one_of((16, 20)), draw.one_of((40, 44))
    return [
        {"aspect": "depth", "layers": _vgg([narrow] * 6 + [2 * narrow] * 6), "draws": 3},
        {"aspect": "depth", "layers": _vgg([wide] * 20), "draws": 3},
    ]


def _vgg(widths: list[int]) -> Layers:
    convolutions, channels = [], 3
    for width in widths:
        convolutions.append(["block", ["conv", channels, width], ["relu"]])
        channels = width
    head = [["flatten"], ["linear", channels * 4, _UNITS], ["relu"], ["linear", _UNITS, _CLASSES]]
    return [["block", *convolutions, ["pool", _SIDE // 2]], ["block", *head]]


def answer_weights(function: Any, question: Question) -> list[list[torch.Tensor]]:
    """The parameters of each network after the function had it. Biases are as PyTorch draws them, weights all alike."""
    drawn = []
    for _ in range(question["draws"]):
        network = network_of(question["layers"])
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.ndim > 1:
                    parameter.fill_(_BEFORE)
        function(network)
        drawn.append(copies(network.parameters()))
    return drawn


def judge_weights(question: Question, expected: Any, reply: Any) -> str | None:
    """Each layer's weights by themselves, then the signal's way through all."""
    drawn = reply if isinstance(reply, list) else []
    networks = [filled(question["layers"], parameters) for parameters in drawn]
    if len(networks) != question["draws"] or None in networks:
        return "The network's weights are NaN, infinite, or no longer of their shape and type."
    for network in networks:
        if hint := _wrong_layer(network):
            return hint
    return _wrong_signal([_strengths(network) for network in networks])


def _wrong_layer(network: nn.Module) -> str | None:
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    depth = sum(isinstance(layer, nn.Conv2d) for layer in layers)
    for i, layer in enumerate(layers):
        name = f"Convolution {i + 1} of {depth}" if i < depth else f"Linear layer {i + 1 - depth}"
        weight = layer.weight.detach()
        if (weight == _BEFORE).all():
            return f"{name} has its old weights. All are to be drawn again, in place, in blocks within blocks too."
        if len(torch.unique(weight.flatten(1), dim=0)) < len(weight):
            return f"{name} has units with equal weights. They compute the same, get the same gradient, stay alike."
        if weight.mean().abs() > _SLANT * weight.std():
            return f"{name}: the weights have mean {weight.mean():.3g}. There should be as much above 0 as below."
        if layer.bias.abs().max() > 1e-6:
            return f"{name} has biases that are not 0, and the task asks for 0: a bias says nothing about the image."
    return None


def _strengths(network: nn.Module) -> list[float]:
    """The standard deviation of each layer's output, for images of standard deviation 1."""
    from course_lib.analysis import watch  # here, for it brings pandas, and a worker should not wait for that

    generator = torch.Generator().manual_seed(0)
    images = torch.randn(_IMAGES, 3, _SIDE, _SIDE, generator=generator)
    network.train()  # watch notes passes in training mode alone
    with watch(network) as seen, torch.no_grad():
        network(images)
    return seen.table()["activation std"].tolist()


def _wrong_signal(strengths: list[list[float]]) -> str | None:
    """What is wrong with the signal, of which each network has one strength for each layer; the last two are linear."""
    first = _mean([one[0] for one in strengths])
    through = _mean([one[-3] / (one[0] or math.inf) for one in strengths])
    head = _mean([one[-1] / (one[-3] or math.inf) for one in strengths])
    depth = len(strengths[0]) - 2
    if not _FIRST[0] <= first <= _FIRST[1]:
        return (
            f"The first convolution turns images of strength 1 into a signal of {first:.2g}. It has fewer inputs than "
            "the others: the spread of a layer's weights has to follow from the number of its inputs."
        )
    if not through >= _THROUGH[0]:
        return (
            f"The signal dies: of the first convolution's, {through:.1g} times as much is left in the last of {depth}. "
            "Half of the mean square is lost in each ReLU. How large must the weights be to make up for that?"
        )
    if not through <= _THROUGH[1]:
        return (
            f"The signal explodes: it is {through:.1g} times as strong in the last of {depth} convolutions as in the "
            "first. How many numbers does one output of a convolution add up: channels, and what else?"
        )
    if not head <= _MOST_IN_HEAD:
        return (
            f"The convolutions are right, and the linear layers make the signal {head:.2g} times as strong. Their "
            "weights follow the same rule."
        )
    return None


def _mean(values: list[float]) -> float:
    """The geometric mean; NaN where a value is NaN or infinite."""
    return math.exp(sum(math.log(max(value, 1e-45)) for value in values) / len(values))
