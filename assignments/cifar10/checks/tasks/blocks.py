"""Task 3: VGG from a list of blocks, and its parameters counted without it.

Questions on logits come with images and kernels that let one idea show at a time. A window that sees its centre alone
does not know padding; on an even image all pools agree, and on a pattern that repeats, all places do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from checks.messages import type_of
from checks.tasks.networks import (
    Numbers,
    fill,
    not_a_network,
    row_of_numbers,
    shapes_of,
    wrong_logits,
    wrong_shapes,
)
from checks.tasks.part import Draw, Part, Question, Task

Blocks = list[list[int]]
_IMAGES, _COLOURS, _CLASSES = 3, 3, 10
_CENTRE = [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
_RING = [[-0.05, -0.05, -0.05], [-0.05, 1.0, -0.05], [-0.05, -0.05, -0.05]]  # what lies outside the image is missed
_ALL = list(range(100))  # places of parameters: more than any network here has
_COUNTED = ("conv", "norm", "linear")


def _about(blocks: Blocks, batch_norm: bool, in_channels: int = _COLOURS, num_classes: int = _CLASSES) -> Question:
    return {"blocks": blocks, "batch_norm": batch_norm, "in_channels": in_channels, "num_classes": num_classes}


def _questions_on_networks(draw: Draw) -> list[Question]:
    return [*_on_shapes(draw), *_on_plain_logits(draw), *_on_norms(draw), *_on_whole_networks(draw)]


def _on_shapes(draw: Draw) -> list[Question]:
    one, two, three = draw.whole(4, 6), draw.whole(7, 9), draw.whole(10, 12)
    asked = [
        ("one", _about([[1, one]], False)),
        ("in_channels", _about([[1, one]], False, in_channels=draw.one_of((1, 2, 4)))),
        ("num_classes", _about([[1, one]], False, num_classes=draw.whole(3, 9))),
        ("convs", _about([[draw.whole(2, 4), two]], False)),
        ("chain", _about([[1, one], [draw.whole(2, 3), three], [1, two]], False)),
    ]
    return [{"aspect": aspect, "asked": "shapes", **about} for aspect, about in asked]


def _on_logits(draw: Draw, aspect: str, about: Question, images: torch.Tensor, **more: Any) -> Question:
    plain = {"training": False, "positive": [], "kernel": None}
    numbers = {"numbers": row_of_numbers(draw), "images": images}
    return {"aspect": aspect, "asked": "logits", **about, **numbers, **plain, **more}


def _on_plain_logits(draw: Draw) -> list[Question]:
    one, two = draw.whole(6, 8), draw.whole(6, 8)
    even = draw.normal(_IMAGES, _COLOURS, 1, 1).expand(-1, -1, 8, 8)  # one colour, everywhere
    checked = draw.normal(_IMAGES, _COLOURS, 2, 2).repeat(1, 1, 4, 4)

    def any_image(side: int) -> torch.Tensor:
        return draw.normal(_IMAGES, _COLOURS, side, side)

    def ask(aspect: str, blocks: Blocks, images: torch.Tensor, **more: Any) -> Question:
        return _on_logits(draw, aspect, _about(blocks, False), images, **more)

    ring = {"kernel": _RING, "positive": _ALL}
    return [
        ask("relu", [[1, one]], even, kernel=_CENTRE),
        ask("relu", [[2, one]], even, kernel=_CENTRE),
        ask("pool", [[1, one]], checked, kernel=_CENTRE),
        ask("padding", [[1, one]], even[..., :4, :4].abs(), **ring),
        ask("global", [[1, one]], any_image(4)),
        ask("global", [[1, two]], any_image(draw.one_of((6, 8)))),
        ask("once", [[draw.whole(2, 3), one]], any_image(8)),
        ask("odd", [[1, one]], any_image(2 * draw.whole(2, 4) + 1)),
        ask("random", [[1, one], [1, two]], any_image(4), training=True),
    ]


def _on_norms(draw: Draw) -> list[Question]:
    one, two = draw.whole(4, 6), draw.whole(7, 9)
    simple, longer = _about([[1, one]], True), _about([[1, one], [2, two]], True)
    images = draw.normal(_IMAGES, _COLOURS, 6, 6)
    return [
        {"aspect": "norm", "asked": "shapes", **simple},
        {"aspect": "norm", "asked": "shapes", **longer},
        _on_logits(draw, "statistics", simple, images.abs(), positive=_ALL),
        _on_logits(draw, "order", simple, images),
        _on_logits(draw, "order", longer, images),
        _on_logits(draw, "training", simple, images, training=True),
        _on_logits(draw, "training", longer, images, training=True),
    ]


def _on_whole_networks(draw: Draw) -> list[Question]:
    asked = []
    for batch_norm in (False, True):
        blocks = [[draw.whole(1, 2), draw.whole(3, 5)], [draw.whole(2, 3), draw.whole(6, 8)], [1, draw.whole(4, 6)]]
        about = _about(blocks, batch_norm, draw.whole(1, 4), draw.whole(3, 12))
        for side, training in ((8, True), (2 * draw.whole(4, 6) + 1, False), (2 * draw.whole(5, 7), False)):
            images = draw.normal(_IMAGES, about["in_channels"], side, side)
            asked.append(_on_logits(draw, "stack", about, images, training=training))
    return asked


def _answer_network(function: Any, question: Question) -> Any:
    network = function(*_arguments(question))
    if not isinstance(network, nn.Module):
        return {"returned": network}
    if question["asked"] == "shapes":
        return shapes_of(network)
    fill(network, Numbers(question["numbers"]), question["positive"], question["kernel"])
    network.train(question["training"])
    with torch.no_grad():
        return network(question["images"])


def _arguments(question: Question) -> tuple:
    return question["blocks"], question["batch_norm"], question["in_channels"], question["num_classes"]


_NETWORK_HINTS = {
    "one": "A convolution has a weight and a bias, and behind the last block each channel is one number for the linear "
    "layer.",
    "in_channels": "How many channels the first convolution takes is an argument: images can be grey.",
    "num_classes": "How many logits there are is an argument.",
    "convs": "The first number of a block says how many convolutions it has; all of them give the block's channels.",
    "chain": "A block's first convolution takes the channels that the block in front of it gives, and the others take "
    "the block's own.",
    "relu": "What follows each convolution, also the last one of a block?",
    "pool": "The pool of a block keeps the largest number of each window.",
    "padding": "A convolution with padding 1 gives a map as large as the one it takes.",
    "global": "Behind the last block each channel becomes one number: the mean over all places of its map.",
    "once": "A block has one pool, behind its last convolution.",
    "odd": "A side may be odd: then a pool leaves out the window that does not fit whole.",
    "random": "In training a network without batch norm should give the same logits as in evaluation: this head has no "
    "dropout.",
    "norm": "With batch norm, each convolution is followed by a norm with a weight and a bias for every channel.",
    "statistics": "In evaluation a norm uses its running mean and variance, not those of the batch.",
    "order": "Does the norm see what the convolution gives, or what ReLU has left of it?",
    "training": "In training a norm uses the mean and the variance of the batch.",
    "stack": "Short lists of blocks are right. Follow the channels through a longer one, block by block.",
}


def _judge_network(question: Question, expected: Any, reply: Any) -> str | None:
    if problem := not_a_network(reply, "build_vgg"):
        return problem
    aspect = question["aspect"]
    if question["asked"] == "logits":
        problem, hint = wrong_logits(expected, reply), _NETWORK_HINTS[aspect]
    else:
        problem, hint = wrong_shapes(expected, reply), _hint_on_shapes(aspect, expected, reply)
    return f"{_said(question)}: {problem} {hint}" if problem else None


def _hint_on_shapes(aspect: str, expected: list, reply: Any) -> str:
    too_many = isinstance(reply, list) and len(reply) > len(expected)
    if aspect == "one" and too_many:
        return "Without batch_norm there is no norm, and the head is one linear layer."
    if aspect == "norm" and too_many:
        return "A norm has a bias of its own: what would one in front of it, in the convolution, do?"
    return _NETWORK_HINTS[aspect]


def _questions_on_counts(draw: Draw) -> list[Question]:
    def channels() -> int:
        return 9 * draw.whole(2, 6) + draw.whole(1, 8)  # no multiple of 9: a count without biases would be one

    one, two, three = channels(), channels(), channels()
    vgg16 = [[2, 64], [2, 128], [3, 256], [3, 512], [3, 512]]
    longer = [[1, one], [draw.whole(2, 3), two], [1, three]]
    asked = [("one", _about([[1, one]], False))]
    asked += [("in_channels", _about([[1, one]], False, channels)) for channels in (1, draw.whole(4, 8))]
    asked += [
        ("num_classes", _about([[1, one]], False, num_classes=draw.whole(11, 99))),
        ("convs", _about([[2, two]], False)),
        ("convs", _about([[draw.whole(3, 4), two]], False)),
        ("chain", _about(longer, False)),
        ("norm", _about([[1, one]], True)),
        ("norm", _about([[2, two]], True)),
        ("norm", _about(longer, True, draw.whole(1, 4), draw.whole(2, 99))),
        ("whole", _about(vgg16, False, num_classes=1000)),
        ("whole", _about(vgg16, True, draw.whole(1, 4), draw.whole(2, 99))),
    ]
    return [{"aspect": aspect, **about} for aspect, about in asked]


def _answer_count(function: Any, question: Question) -> Any:
    with _no_layers():
        return function(*_arguments(question))


@contextmanager
def _no_layers() -> Iterator[None]:
    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("count by arithmetic, without building a layer")

    kept, nn.Module.__init__ = nn.Module.__init__, refuse
    try:
        yield
    finally:
        nn.Module.__init__ = kept


_COUNT_HINTS = {
    "conv": "How many numbers does one filter hold?",
    "linear": "The linear layer has a weight for each pair of a channel and a class, and a bias for each class.",
    "norm": "A norm has a weight and a bias for each channel, and there is a norm behind every convolution.",
    "no norm": "Without batch norm there are no norms to count.",
    "area": "A filter of 3 × 3 has nine weights for each channel that it takes.",
    "biases": "Without batch norm each filter has a bias too.",
    "in_channels": "A filter of the first convolution takes in_channels channels.",
    "convs": "The first convolution of a block takes what comes in, and the others take the block's own channels.",
    "chain": "A block's first convolution takes the channels that the block in front of it gives.",
    "beside": "Beside a norm a convolution has no bias.",
    "running": "The running mean and variance are measured, not trained: they are no parameters.",
}


def _judge_count(question: Question, expected: Any, reply: Any) -> str | None:
    if not isinstance(reply, dict) or set(reply) != set(_COUNTED):
        found = f"a dictionary with {len(reply)} keys" if isinstance(reply, dict) else type_of(reply)
        return f"count_parameters should return a dictionary with the keys conv, norm and linear; it returned {found}."
    for name in _COUNTED:
        if type(reply[name]) is not int or abs(reply[name]) > 10**15:
            return f"Each count should be an int, and no larger than the network; {name} is {type_of(reply[name])}."
    for name in _COUNTED:
        want, got = expected[name], reply[name]
        if want != got:
            hint = _COUNT_HINTS[_why_off(name, question, want, got)]
            return f"{_said(question)}: {name} should be {want:,}, not {got:,}. {hint}"
    return None


def _why_off(name: str, question: Question, want: int, got: int) -> str:
    """The hint to a wrong count: what the numbers give away, else what the question is about."""
    if name == "norm" and not question["batch_norm"]:
        return "no norm"
    if name == "norm":
        return "running" if got == 2 * want else "norm"
    if name == "linear":
        return "linear"
    if question["aspect"] == "norm":
        return "beside" if got > want else "conv"
    if question["aspect"] == "one":
        return "biases" if got and got % 9 == 0 else "area" if got < want / 3 else "conv"
    return question["aspect"] if question["aspect"] in _COUNT_HINTS else "conv"


def _said(question: Question) -> str:
    """The question in a few words: ``[[1, 16], [2, 32]] with batch norm, in_channels 3, num_classes 10``."""
    norm = "with" if question["batch_norm"] else "without"
    side = f", images of side {question['images'].shape[-1]}" if "images" in question else ""
    mode = ", in training" if question.get("training") else ""
    sizes = f"in_channels {question['in_channels']}, num_classes {question['num_classes']}"
    return f"{question['blocks']} {norm} batch norm, {sizes}{side}{mode}"


TASK = Task(
    number=3,
    title="VGG from a list of blocks",
    parts=(
        Part(
            function="build_vgg",
            points=9,
            questions=_questions_on_networks,
            answer=_answer_network,
            judge=_judge_network,
        ),
        Part(
            function="count_parameters",
            points=5,
            questions=_questions_on_counts,
            answer=_answer_count,
            judge=_judge_count,
        ),
    ),
)
