"""Task 4: one step of training, and a small batch learned by heart."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from checks.messages import type_of
from checks.tasks.comparison import are_close, is_number
from checks.tasks.networks import Layers, Numbers, copies, fill, filled, network_of, row_of_numbers
from checks.tasks.part import Draw, Part, Question, Task

_SIDE, _CLASSES = 5, 4
_LEFT_BEHIND = 0.5  # every entry of the gradients where an earlier batch left some


def _plain(channels: int) -> Layers:
    return [["conv", 1, channels], ["relu"], ["flatten"], ["linear", channels * _SIDE**2, _CLASSES]]


def _with_norm(channels: int) -> Layers:
    return [["conv without bias", 1, channels], ["norm", channels], *_plain(channels)[1:]]


def _questions_on_step(draw: Draw) -> list[Question]:
    def ask(aspect: str, layers: Callable[[int], Layers], *batches: dict, **options: float) -> Question:
        return {
            "aspect": aspect,
            "layers": layers(draw.whole(2, 3)),
            "numbers": row_of_numbers(draw),
            "batches": list(batches),
            "optimizer": "Adam" if "eps" in options else "SGD",
            "options": options,
        }

    return [
        # With a learning rate of 0 it makes no difference when the loss was taken.
        *[ask("logits", _plain, _same_images(draw), lr=0.0) for _ in range(2)],
        *[ask("batch", _plain, _batch(draw), lr=0.0) for _ in range(2)],
        *[ask("step", _plain, _batch(draw), lr=0.2) for _ in range(2)],
        *[ask("mode", _with_norm, _batch(draw), lr=0.2) for _ in range(2)],
        ask("left behind", _plain, _batch(draw), lr=0.2),
        ask("momentum", _plain, _batch(draw), _batch(draw), lr=0.1, momentum=0.9),
        # eps is large here: with the usual 1e-8, a gradient that is rounding alone would move a weight by lr.
        ask("adam", _plain, _batch(draw), _batch(draw), lr=0.03, eps=1e-2),
    ]


def _batch(draw: Draw) -> dict[str, torch.Tensor]:
    count = 2 * draw.whole(3, 4)
    return {"images": draw.normal(count, 1, _SIDE, _SIDE), "labels": draw.labels(count, _CLASSES)}


def _same_images(draw: Draw) -> dict[str, torch.Tensor]:
    count = 2 * draw.whole(3, 4)
    labels = torch.full((count,), draw.whole(0, _CLASSES - 1))
    return {"images": draw.normal(1, 1, _SIDE, _SIDE).repeat(count, 1, 1, 1), "labels": labels}


def _start(question: Question) -> nn.Sequential:
    network = network_of(question["layers"])
    fill(network, Numbers(question["numbers"]))
    return network


def _take_steps(function: Any, question: Question) -> list[dict[str, Any]]:
    """What each call returned, and what it left: parameters, buffers, gradients, steps of the given optimizer."""
    network, taken = _start(question), []
    optimizer = getattr(torch.optim, question["optimizer"])(network.parameters(), **question["options"])
    optimizer.register_step_post_hook(lambda *_: taken.append(1))
    if question["aspect"] == "left behind":
        for parameter in network.parameters():
            parameter.grad = torch.full_like(parameter, _LEFT_BEHIND)
    steps = []
    for batch in question["batches"]:
        network.eval()
        taken.clear()
        loss = function(network, optimizer, batch["images"], batch["labels"])
        left = {"parameters": copies(network.parameters()), "buffers": copies(network.buffers())}
        gradients = [parameter.grad for parameter in network.parameters()]
        are_there = any(gradient is not None and bool(gradient.any()) for gradient in gradients)
        steps.append({"loss": loss, **left, "gradients": are_there, "taken": len(taken)})
    return steps


_HINTS = {
    "logits": "All images of this batch are the same one, so the loss is that of a single image. What does "
    "cross-entropy take in PyTorch, logits or probabilities?",
    "batch": "Every image of the batch counts, and each counts the same.",
    "step": "The loss is that of the batch before the step, while the weights are still as they were.",
    "mode": "This network has batch norm. Which statistics does it use while it learns, and which of the network's two "
    "modes makes it use them? The network came in the other one.",
    "left behind": "Gradients of another batch were there when the function was called, and they went into this step.",
    "momentum": "Momentum is what an optimizer remembers of earlier steps. Did the one that was given make this step, "
    "or another one that remembers nothing?",
    "adam": "Adam remembers earlier gradients, and counts its steps. Did the optimizer that was given make this step, "
    "and just once?",
}
_KEEPS_ALL = (
    "A loss that is still a tensor holds on to all that it was computed from: a list of such losses fills the memory."
)
_SUM = (
    "That is the sum over the batch. The mean stays the same size whatever the batch's, so the learning rate need not "
    "change with it."
)


def _judge_step(question: Question, expected: Any, reply: Any) -> str | None:
    if not isinstance(reply, list) or len(reply) != len(expected) or any(type(step) is not dict for step in reply):
        return "What train_step did could not be read."
    for i, (want, got) in enumerate(zip(expected, reply, strict=True)):
        hint = _wrong_loss(question, want["loss"], got.get("loss"))
        if question["aspect"] == "mode":
            hint = _wrong_buffers(want["buffers"], got.get("buffers")) or hint
        if not hint and question["options"]["lr"]:
            hint = _wrong_weights(question, want["parameters"], got, first=i == 0)
        if hint:
            return hint
    return None


def _wrong_loss(question: Question, want: float, got: Any) -> str | None:
    if type(got) is not float:
        hint = f"train_step should return a Python float; it returned {type_of(got)}."
        return f"{hint} {_KEEPS_ALL}" if isinstance(got, torch.Tensor) else hint
    if _near(want, got):
        return None
    start = f"The loss should be {want:.4g}, and is {got:.4g}."
    if _near(len(question["batches"][0]["labels"]) * want, got):
        return f"{start} {_SUM}"
    if _near(-want, got):
        return f"{start} The sign is wrong."
    return f"{start} {_HINTS[question['aspect']]}"


def _near(want: float, got: float) -> bool:
    return is_number(got) and abs(want - got) < 1e-3 * abs(want) + 1e-4


def _wrong_buffers(want: list[torch.Tensor], got: Any) -> str | None:
    """A norm's buffers are its running mean, its running variance and the number of batches it has seen."""
    if are_close(want, got):
        return None
    seen = got[-1] if isinstance(got, list) and got else None
    if isinstance(seen, torch.Tensor) and seen.shape == () and seen.dtype == torch.int64 and seen.item() > 1:
        return f"Batch norm has seen {seen.item()} batches. Send the images through the network once."
    return f"The running statistics of batch norm should have moved with the batch. {_HINTS['mode']}"


def _wrong_weights(question: Question, want: list[torch.Tensor], got: dict[str, Any], first: bool) -> str | None:
    parameters, taken = got.get("parameters"), got.get("taken")
    if are_close(want, parameters):
        return None
    before = copies(_start(question).parameters())
    if first and are_close(before, parameters, 0.0, 1e-7):
        if got.get("gradients") is True:
            return "The weights did not move. The gradients are there, and nobody used them to make a step."
        return (
            "The weights did not move, and there are no gradients. What computes them, does it reach the weights, and "
            "does anything clear them before the step?"
        )
    if taken == 0:
        return "The weights moved, but the optimizer that was given took no step. It knows how, and is the one to use."
    if type(taken) is int and 1 < taken < 10**6:
        return f"The optimizer took {taken} steps. One call is one step."
    count = len(question["batches"][0]["labels"])
    further = [start + count * (end - start) for start, end in zip(before, want, strict=True)]
    if first and question["optimizer"] == "SGD" and are_close(further, parameters):
        return f"The step is {count} times too long, and {count} images are in the batch. {_SUM}"
    if question["aspect"] == "step":
        return (
            "The loss is right and the weights went somewhere else. The gradient is that of the loss that you return, "
            "the mean over the whole batch, and the step is the optimizer's alone."
        )
    return f"The weights are not where they should be. {_HINTS[question['aspect']]}"


_BY_HEART, _ENOUGH = 16, 0.05  # images, and the mean cross-entropy that is low enough


def _questions_on_heart(draw: Draw) -> list[Question]:
    asked = []
    for side in (6, 8):
        channels, classes = draw.whole(6, 10), draw.whole(4, 8)
        head = [["flatten"], ["linear", channels * side**2 // 4, classes]]
        layers = [["conv", 1, channels], ["relu"], ["pool", 2], *head]
        numbers = row_of_numbers(draw)
        batch = {"images": draw.normal(_BY_HEART, 1, side, side), "labels": draw.labels(_BY_HEART, classes)}
        asked.append({"aspect": "by heart", "layers": layers, "numbers": numbers, "batches": [batch]})
    return asked


def _learn(function: Any, question: Question) -> dict[str, Any]:
    network = _start(question)
    batch = question["batches"][0]
    function(network, batch["images"].clone(), batch["labels"].clone())
    return {"parameters": copies(network.parameters())}


def _judge_heart(question: Question, expected: Any, reply: Any) -> str | None:
    network = filled(question["layers"], reply.get("parameters") if isinstance(reply, dict) else None)
    if network is None:
        return "The network's weights are NaN, infinite, or no longer of their shape. NaN comes of steps too large."
    start = _start(question)
    if are_close(copies(start.parameters()), copies(network.parameters()), 0.0, 1e-7):
        return "The weights of the network that was given have not changed. Was another network trained, or a copy?"
    begun, ended, right = _loss_of(start, question)[0], *_loss_of(network, question)
    if right == _BY_HEART and ended < _ENOUGH:
        return None
    start = f"{right} of {_BY_HEART} images are right. The mean cross-entropy went from {begun:.3g} to {ended:.3g}"
    if not ended < begun:
        return f"{start}: it did not fall. Does each step go down the gradient, and is it short enough?"
    if ended > 0.8 * begun:
        return f"{start}: it has hardly moved. How far does one step go? Is the learning rate large enough?"
    return f"{start}, and should be below {_ENOUGH}: it was still falling. What decides when to stop?"


def _loss_of(network: nn.Module, question: Question) -> tuple[float, int]:
    """The mean cross-entropy of the batch, and how many of its images are right."""
    images, labels = (question["batches"][0][name] for name in ("images", "labels"))
    with torch.no_grad():
        logits = network(images)
    return F.cross_entropy(logits, labels).item(), int((logits.argmax(1) == labels).sum())


TASK = Task(
    number=4,
    title="One training step",
    parts=(
        Part("train_step", 10, _questions_on_step, _take_steps, _judge_step),
        Part("memorise", 4, _questions_on_heart, _learn, _judge_heart, compares=False),
    ),
)
