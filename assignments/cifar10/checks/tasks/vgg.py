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
from checks.tasks.comparison import not_a_network, whole_in, wrong_network
from checks.tasks.networks import reply_of, row_of_numbers
from checks.tasks.part import Draw, Part, Question, Task

Blocks = list[list[int]]
_IMAGES, _COLOURS, _CLASSES = 3, 3, 10
_CENTRE = [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
_RING = [[-0.05, -0.05, -0.05], [-0.05, 1.0, -0.05], [-0.05, -0.05, -0.05]]  # what lies outside the image is missed
_ALL = list(range(100))  # places of parameters: more than any network here has
_COUNTED = ("conv", "norm", "linear")


def _about(blocks: Blocks, batch_norm: bool, in_channels: int = _COLOURS, num_classes: int = _CLASSES) -> Question:
    return {"blocks": blocks, "batch_norm": batch_norm, "in_channels": in_channels, "num_classes": num_classes}


def _arguments(question: Question) -> tuple:
    return question["blocks"], question["batch_norm"], question["in_channels"], question["num_classes"]


def _questions_on_networks(draw: Draw) -> list[Question]:
    return [*_on_shapes(draw), *_on_plain_logits(draw), *_on_norms(draw), *_on_whole_networks(draw)]


def _shapes(aspect: str, about: Question) -> Question:
    return {"aspect": aspect, "asked": "shapes", **about}


def _logits(draw: Draw, aspect: str, about: Question, images: torch.Tensor, **more: Any) -> Question:
    plain = {"training": False, "positive": [], "kernel": None}
    numbers = {"numbers": row_of_numbers(draw), "images": images}
    return {"aspect": aspect, "asked": "logits", **about, **numbers, **plain, **more}


def _any_images(draw: Draw, side: int, channels: int = _COLOURS) -> torch.Tensor:
    return draw.normal(_IMAGES, channels, side, side)


def _on_shapes(draw: Draw) -> list[Question]:
    one, two, three = draw.whole(4, 6), draw.whole(7, 9), draw.whole(10, 12)
    return [
        _shapes("one", _about([[1, one]], False)),
        _shapes("in_channels", _about([[1, one]], False, in_channels=draw.one_of((1, 2, 4)))),
        _shapes("num_classes", _about([[1, one]], False, num_classes=draw.whole(3, 9))),
        _shapes("convs", _about([[draw.whole(2, 4), two]], False)),
        _shapes("chain", _about([[1, one], [draw.whole(2, 3), three], [1, two]], False)),
    ]


def _on_plain_logits(draw: Draw) -> list[Question]:
    one, two = draw.whole(6, 8), draw.whole(6, 8)
    even = draw.normal(_IMAGES, _COLOURS, 1, 1).expand(-1, -1, 8, 8)  # one colour, everywhere
    checked = draw.normal(_IMAGES, _COLOURS, 2, 2).repeat(1, 1, 4, 4)
    ring = {"kernel": _RING, "positive": _ALL}
    asked: list[tuple[str, Blocks, torch.Tensor, dict[str, Any]]] = [
        ("relu", [[1, one]], even, {"kernel": _CENTRE}),
        ("relu", [[2, one]], even, {"kernel": _CENTRE}),
        ("pool", [[1, one]], checked, {"kernel": _CENTRE}),
        ("padding", [[1, one]], even[..., :4, :4].abs(), ring),
        ("global", [[1, one]], _any_images(draw, 4), {}),
        ("global", [[1, two]], _any_images(draw, draw.one_of((6, 8))), {}),
        ("once", [[draw.whole(2, 3), one]], _any_images(draw, 8), {}),
        ("odd", [[1, one]], _any_images(draw, 2 * draw.whole(2, 4) + 1), {}),
        ("random", [[1, one], [1, two]], _any_images(draw, 4), {"training": True}),
    ]
    return [_logits(draw, aspect, _about(blocks, False), images, **more) for aspect, blocks, images, more in asked]


def _on_norms(draw: Draw) -> list[Question]:
    one, two = draw.whole(4, 6), draw.whole(7, 9)
    simple, longer = _about([[1, one]], True), _about([[1, one], [2, two]], True)
    images = _any_images(draw, 6)
    return [
        _shapes("norm", simple),
        _shapes("norm", longer),
        _logits(draw, "statistics", simple, images.abs(), positive=_ALL),
        _logits(draw, "order", simple, images),
        _logits(draw, "order", longer, images),
        _logits(draw, "training", simple, images, training=True),
        _logits(draw, "training", longer, images, training=True),
    ]


def _on_whole_networks(draw: Draw) -> list[Question]:
    asked = []
    for batch_norm in (False, True):
        blocks = [[draw.whole(1, 2), draw.whole(3, 5)], [draw.whole(2, 3), draw.whole(6, 8)], [1, draw.whole(4, 6)]]
        about = _about(blocks, batch_norm, draw.whole(1, 4), draw.whole(3, 12))
        for side, training in ((8, True), (2 * draw.whole(4, 6) + 1, False), (2 * draw.whole(5, 7), False)):
            images = _any_images(draw, side, about["in_channels"])
            asked.append(_logits(draw, "stack", about, images, training=training))
    return asked


def _answer_network(function: Any, question: Question) -> Any:
    return reply_of(function(*_arguments(question)), question, lambda _: question["images"])


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
_TOO_MANY_HINTS = {
    "one": "Without batch_norm there is no norm, and the head is one linear layer.",
    "norm": "A norm has a bias of its own: what would one in front of it, in the convolution, do?",
}


def _judge_network(question: Question, expected: Any, reply: Any) -> str | None:
    if problem := not_a_network(reply, "build_vgg"):
        return problem
    problem, hint = wrong_network(expected, reply), _NETWORK_HINTS[question["aspect"]]
    if question["asked"] == "shapes" and isinstance(reply, list) and len(reply) > len(expected):
        hint = _TOO_MANY_HINTS.get(question["aspect"], hint)
    return f"{_in_words(question)}: {problem} {hint}" if problem else None


def _questions_on_counts(draw: Draw) -> list[Question]:
    def channels() -> int:
        return 9 * draw.whole(2, 6) + draw.whole(1, 8)  # no multiple of 9: a count without biases would be one

    one, two, three = channels(), channels(), channels()
    vgg16 = [[2, 64], [2, 128], [3, 256], [3, 512], [3, 512]]
    longer = [[1, one], [draw.whole(2, 3), two], [1, three]]
    asked = [
        ("one", _about([[1, one]], False)),
        ("in_channels", _about([[1, one]], False, 1)),
        ("in_channels", _about([[1, one]], False, draw.whole(4, 8))),
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


@contextmanager
def _no_layers() -> Iterator[None]:
    """A context in which no layer can be built."""

    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("count by arithmetic, without building a layer")

    kept, nn.Module.__init__ = nn.Module.__init__, refuse
    try:
        yield
    finally:
        nn.Module.__init__ = kept


@_no_layers()
def _answer_count(function: Any, question: Question) -> Any:
    return function(*_arguments(question))


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
        what = type_of(reply)
        if isinstance(reply, dict):
            missing = [name for name in _COUNTED if name not in reply]
            what = f"one without {missing[0]}" if missing else f"one with {len(reply)} keys"
        return f"count_parameters should return a dictionary with the keys conv, norm and linear; it returned {what}."
    counts = {name: whole_in(reply[name]) for name in _COUNTED}
    for name, got in counts.items():
        if got is None or abs(got) > 10**15:
            return f"Each count should be an int, and no larger than the network; {name} is {type_of(reply[name])}."
    for name, got in counts.items():
        want = expected[name]
        if want != got:
            hint = _COUNT_HINTS[_why_off(name, question, want, got)]
            return f"{_in_words(question)}: {name} should be {want:,}, not {got:,}. {hint}"
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


def _in_words(question: Question) -> str:
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
        Part("build_vgg", 9, _questions_on_networks, _answer_network, _judge_network),
        Part("count_parameters", 5, _questions_on_counts, _answer_count, _judge_count),
    ),
)
