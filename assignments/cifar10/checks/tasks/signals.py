"""Task 5: how strong signals and gradients are in each convolution. Its last part is in :mod:`.initialisation`."""

import math
from functools import partial
from typing import Any

import torch
from torch import nn

from checks.messages import type_of
from checks.tasks.comparison import list_in, not_items, number_in
from checks.tasks.initialisation import answer_weights, judge_weights, questions_on_weights
from checks.tasks.networks import Layers, Numbers, fill, hint_on_changes, network_of, row_of_numbers, state_of
from checks.tasks.part import Draw, Part, Question, Task

_NEAR = 4e-3  # relative: with and without Bessel's correction, on the fewest numbers asked about


def _questions_on_chance(draw: Draw) -> list[Question]:
    return [{"aspect": "chance", "classes": classes} for classes in (10, draw.whole(2, 9), draw.whole(20, 1000))]


def _judge_chance(question: Question, expected: Any, reply: Any) -> str | None:
    loss = number_in(reply)
    if loss is None:
        return f"chance_loss should return a float; it returned {type_of(reply)}."
    if _near(loss, expected):
        return None
    hint = "A network that knows nothing gives every class the same probability. What is the cross-entropy then?"
    if _near(loss, -expected):
        hint = "A loss is never below 0: what stands in front of the logarithm?"
    if _near(loss, expected / math.log(10)) or _near(loss, expected / math.log(2)):
        hint = "PyTorch's cross-entropy uses the natural logarithm."
    return f"For {question['classes']} classes, {loss:.4g} is not right. {hint}"


def _near(reply: float, expected: float, relative: float = _NEAR) -> bool:
    return abs(reply - expected) <= relative * abs(expected)


_SIDE, _CLASSES, _IMAGES = 6, 4, 12


def _head(channels: int, side: int = _SIDE) -> Layers:
    return [["flatten"], ["linear", channels * side**2, _CLASSES]]


def _networks(draw: Draw) -> dict[str, Layers]:
    """Networks that differ in one thing each; all take images with 2 channels and give 4 logits."""
    a, b, c = draw.whole(5, 7), draw.whole(5, 7), draw.whole(5, 7)
    conv, second, third = ["conv", 2, a], ["conv", a, b], ["conv", b, c]
    relu, place = ["relu"], ["relu in place"]
    deep = ["block", ["block", conv, place], ["block", ["block", second, place], third, place]]
    return {
        "one": [conv, *_head(a)],
        "hidden": [conv, ["flatten"], ["linear", a * _SIDE**2, 5], relu, ["linear", 5, _CLASSES]],
        "relu": [conv, relu, second, relu, third, *_head(c)],
        "in place": [conv, place, second, place, *_head(b)],
        "blocks": [deep, ["pool", 2], *_head(c, _SIDE // 2)],
        "order": [["backwards", conv, place, second, place, third, place], *_head(c)],
    }


def _asked(draw: Draw, aspect: str, layers: Layers, modes: str) -> Question:
    return {
        "aspect": aspect,
        "layers": layers,
        "numbers": row_of_numbers(draw),
        # Weak beside the biases: each channel has a mean of its own, and a variance is far from its root.
        "images": 0.3 * draw.normal(_IMAGES, 2, _SIDE, _SIDE),
        "labels": draw.labels(_IMAGES, _CLASSES),
        "modes": modes,
    }


def _questions_on_signal(draw: Draw) -> list[Question]:
    networks = _networks(draw)
    modes = {"one": "training", "relu": "evaluation", "in place": "training", "blocks": "mixed", "order": "evaluation"}
    asked = [_asked(draw, aspect, networks[aspect], mode) for aspect, mode in modes.items()]
    # Bright images through positive weights: the signal is nowhere near 0, and each image's has a size of its own.
    sizes = torch.linspace(0.5, 1, _IMAGES).reshape(-1, 1, 1, 1)
    asked[0] |= {"images": sizes * (1 + asked[0]["images"]), "positive": [0, 1]}
    return asked


def _questions_on_gradient(draw: Draw) -> list[Question]:
    networks = _networks(draw)
    # Bright images of one class, averaged: the entries of the one filter's gradient are about equal.
    layers = [["conv without bias", 2, 1], ["average", 1], ["flatten"], ["linear", 1, _CLASSES]]
    level = _asked(draw, "level", layers, "mixed")
    level["images"] = 1 + level["images"] / 3
    level["labels"] = torch.full((_IMAGES,), draw.whole(0, _CLASSES - 1))
    modes = {"one": "training", "hidden": "evaluation", "relu": "training", "blocks": "mixed"}
    asked = [_asked(draw, aspect, networks[aspect], mode) for aspect, mode in modes.items()]
    return [level, *asked, _asked(draw, "left behind", networks["blocks"], "training")]


def _asked_about(question: Question) -> nn.Sequential:
    network = network_of(question["layers"])
    fill(network, Numbers(question["numbers"]), question.get("positive", ()))
    for module in network.modules():
        module.train(question["modes"] != "evaluation")
    if question["modes"] == "mixed":
        network[0].eval()
    if question["aspect"] == "left behind":
        for parameter in network.parameters():
            parameter.grad = torch.full_like(parameter, 2.0)
    return network


def _measure(names: tuple[str, ...], function: Any, question: Question) -> dict[str, Any]:
    """What the function returned for what the question has under these names, and how it left the network."""
    network = _asked_about(question)
    values = function(network, *(question[name] for name in names))
    return {"values": values, "left": state_of(network)}


_CHANGES = {
    "hooks": "A hook was left in the network, and will run in every later pass. What takes a hook out again?",
    "mode": "The network was left in another mode than the one that it came in, or part of it was.",
    "weights": "The network's weights are not what they were. To measure is not to train.",
    "frozen": "Which parameters want gradients is not what it was.",
    "layers": "The network's layers, or what they hold, are not what they were.",
}


def _judge_values(function: str, hints: dict[str, str], question: Question, expected: Any, reply: Any) -> str | None:
    reply = reply if isinstance(reply, dict) else {}
    values, want = list_in(reply.get("values"), number_in), expected["values"]
    if values is None:
        what = not_items(reply.get("values"), number_in)
        return f"{function} should return a list of floats; it returned {what}."
    start, aspect = _NETWORKS[question["aspect"]], question["aspect"]
    if len(values) != len(want):
        which = "more" if len(values) > len(want) else "nested" if aspect in _NESTED else "fewer"
        return f"{start}: {len(values)} in the list, where there should be {len(want)}. {hints[which]}"
    for i, (wanted, value) in enumerate(zip(want, values, strict=True)):
        if not _near(value, wanted):
            hint = _why(question, hints, want, values) or hints[aspect]
            return f"{start}: in convolution {i + 1}, expected {wanted:.4g}, got {value:.4g}. {hint}"
    hint = hint_on_changes(_asked_about(question), reply.get("left"), _CHANGES)
    return f"The numbers are right. {hint}" if hint else None


def _why(question: Question, hints: dict[str, str], want: list[float], values: list[float]) -> str | None:
    """The hint where one mistake explains every number, whatever the question is about."""
    weights = [weight for weight in network_of(question["layers"]).parameters() if weight.ndim == 4]
    by_mistake = {
        "order": (sorted(values), sorted(want)),
        "square": (values, [wanted * wanted for wanted in want]),
        "sum": (values, [len(question["labels"]) * wanted for wanted in want]),
        "length": (values, [wanted * math.sqrt(weight.numel()) for wanted, weight in zip(want, weights, strict=True)]),
    }
    return next((hints[name] for name, pair in by_mistake.items() if name in hints and _all_near(*pair)), None)


def _all_near(values: list[float], others: list[float]) -> bool:
    return all(_near(value, other, _NEAR / 4) for value, other in zip(values, others, strict=True))


_NETWORKS = {
    "one": "One convolution and a linear layer",
    "hidden": "One convolution and two linear layers",
    "relu": "Three convolutions, ReLU between them",
    "in place": "Two convolutions, each with a ReLU in place",
    "blocks": "Three convolutions in blocks within blocks",
    "order": "Three convolutions, the last one defined first",
    "level": "One filter on bright images",
    "left behind": "A network that holds gradients of another batch",
}
_NESTED = ("blocks", "order", "left behind")
_SIGNAL_HINTS = {
    "more": "Only convolutions are asked about: no linear layer, no pool, no ReLU.",
    "fewer": "Every nn.Conv2d gives one number.",
    "nested": "Convolutions may lie in blocks, and these in blocks.",
    "square": "That is the variance, and the standard deviation has the unit of the signal itself.",
    "order": "The numbers are right and their order is not: they come in the order in which an image passes.",
    "one": "It is the standard deviation over all numbers of the output: images, channels and places together.",
    "relu": "The signal is what leaves the convolution, before ReLU has cut half of it off.",
    "in place": "A ReLU in place writes into the tensor that it was given, which is the convolution's output. When do "
    "you take the number: before the next layer has run, or after?",
    "blocks": "Convolutions may lie in blocks, and these in blocks.",
}
_GRADIENT_HINTS = {
    "more": "One number a convolution, about its weight alone: no bias, no linear layer.",
    "fewer": "Every nn.Conv2d gives one number.",
    "nested": "Convolutions may lie in blocks, and these in blocks.",
    "square": "That is the mean square, and its root is still to be taken.",
    "sum": "That is the gradient of the sum over the batch. The loss is the mean.",
    "length": "That is the length of the gradient. It grows with the number of weights: divide by their number before "
    "the root is taken.",
    "order": "The numbers are right and their order is not: the first convolution comes first.",
    "one": "Square every entry of the gradient by the convolution's weight, bias left out. Then mean, then root.",
    "level": "Square every entry of the gradient, take the mean, then the root: that is a distance from 0. The "
    "standard deviation is one from the mean, and hides a gradient whose entries are all alike.",
    **dict.fromkeys(
        ("hidden", "relu", "blocks"),
        "It is the gradient of this batch's mean cross-entropy, by the convolution's weight.",
    ),
    "left behind": "Older gradients were in the network, and PyTorch adds new ones to what it finds.",
}


_answer_signal = partial(_measure, ("images",))
_answer_gradient = partial(_measure, ("images", "labels"))
_judge_signal = partial(_judge_values, "signal_strength", _SIGNAL_HINTS)
_judge_gradient = partial(_judge_values, "gradient_strength", _GRADIENT_HINTS)

TASK = Task(
    number=5,
    title="Why a plain VGG stays at ln 10",
    parts=(
        Part("chance_loss", 2, _questions_on_chance, lambda loss_of, q: loss_of(q["classes"]), _judge_chance),
        Part("signal_strength", 4, _questions_on_signal, _answer_signal, _judge_signal),
        Part("gradient_strength", 3, _questions_on_gradient, _answer_gradient, _judge_gradient),
        Part("initialise", 5, questions_on_weights, answer_weights, judge_weights, compares=False),
    ),
)
