"""Task 2: AlexNet from a table. Parameters and logits are compared, and dropout is judged by what it leaves."""

from typing import Any

import torch
from torch import nn

from checks.tasks.comparison import not_a_network, unreadable_logits, wrong_network
from checks.tasks.networks import reply_of, row_of_numbers
from checks.tasks.part import Draw, Part, Question, Task

Row = dict[str, Any]
_SIDE, _COLOURS, _CLASSES = 32, 3, 10
_IMAGES = 256  # in questions on dropout: 2,560 logits, enough to know a share within 0.06
_SURE = 6  # standard deviations: an honest share is never so far off


def _conv(channels: int, kernel: int, stride: int = 1, padding: int = 0, groups: int = 1) -> Row:
    window = {"kernel": kernel, "stride": stride, "padding": padding}
    return {"layer": "conv", "channels": channels, **window, "groups": groups}


def _pool(kernel: int, stride: int) -> Row:
    return {"layer": "pool", "kernel": kernel, "stride": stride}


def _linear(units: int, dropout: float = 0.0) -> Row:
    return {"layer": "linear", "units": units, "dropout": dropout}


def _about(table: list[Row], side: int = _SIDE, in_channels: int = _COLOURS, num_classes: int = _CLASSES) -> Question:
    return {"table": table, "side": side, "in_channels": in_channels, "num_classes": num_classes}


class _Ask:
    """Makes the questions of one part: first the parameters' shapes alone, then the logits too."""

    def __init__(self, draw: Draw, positive: list[int]):
        self.draw, self.positive = draw, positive

    def __call__(self, aspect: str, *table: Row, training: bool = False, **sizes: int) -> list[Question]:
        return [*self.shapes(aspect, *table, **sizes), *self.logits(aspect, *table, training=training, **sizes)]

    def shapes(self, aspect: str, *table: Row, **sizes: int) -> list[Question]:
        return [{"aspect": aspect, "asked": "shapes", **_about(list(table), **sizes)}]

    def logits(self, aspect: str, *table: Row, training: bool = False, **sizes: int) -> list[Question]:
        filled = {"training": training, "numbers": row_of_numbers(self.draw), "positive": self.positive}
        return [{"aspect": aspect, "asked": "logits", **_about(list(table), **sizes), **filled}]


def _questions_on_maps(draw: Draw) -> list[Question]:
    # Behind ReLU maps are positive. With a positive last layer so are logits, and what may follow it stays unseen here.
    ask = _Ask(draw, positive=[-2, -1])
    first, channels = _conv(draw.whole(4, 6), 3, padding=1), draw.whole(4, 6)
    even, odd, kept = 2 * draw.whole(5, 8), 2 * draw.whole(5, 8) + 1, _conv(channels, 3, padding=1)
    asked = [
        *ask("conv", first),
        *ask("in_channels", first, in_channels=draw.one_of((1, 2, 4))),
        *ask("num_classes", first, num_classes=draw.whole(3, 9)),
        *ask("side", first, side=draw.whole(9, 20)),
        *ask("chain", first, _conv(draw.whole(7, 9), 3, padding=1), side=draw.whole(7, 12)),
        *ask("padding", _conv(channels, 5, padding=draw.whole(0, 1)), side=even),
        *ask("padding", _conv(channels, 3, padding=draw.one_of((0, 2))), side=odd),
        *ask("stride", _conv(channels, 3, stride=2, padding=1), side=odd),
        *ask("stride", _conv(channels, 5, stride=draw.whole(3, 4), padding=2), side=draw.whole(16, 24)),
        *ask("pool", kept, _pool(2, 2), side=even),
    ]
    for kernel, stride, side in ((3, 2, odd), (3, 2, even), (4, draw.whole(2, 3), draw.whole(14, 18))):
        asked += ask("overlap", kept, _pool(kernel, stride), side=side)
    for groups in (2, 4):
        wide = groups * draw.whole(2, 3)
        asked += ask("groups", _conv(8, 3, padding=1), _conv(wide, 3, padding=1, groups=groups), side=draw.whole(6, 9))
    for _ in range(2):
        table = [
            *(_conv(2 * draw.whole(2, 3), 5, 2, draw.whole(1, 2)), _pool(3, draw.whole(1, 2))),
            *(_conv(2 * draw.whole(3, 4), 5, padding=2, groups=2), _pool(3, 2)),
            *(_conv(6, 3, padding=1), _conv(4, 3, padding=1, groups=2)),
        ]
        sizes = {"side": draw.whole(19, 26), "in_channels": draw.whole(1, 4), "num_classes": draw.whole(3, 12)}
        asked += ask("stack", *table, **sizes)
    return asked


def _questions_on_linear_layers(draw: Draw) -> list[Question]:
    # One convolution, whose output ReLU would not change: a mistake in the other part stays unseen here.
    ask, maps = _Ask(draw, positive=[0, 1]), _conv(2, 1)
    low, high = draw.one_of((0.2, 0.25, 0.3)), draw.one_of((0.7, 0.75, 0.8))
    both = (low, high) if draw.whole(0, 1) else (high, low)
    one, two = [_linear(draw.whole(12, 16))], [_linear(draw.whole(12, 16)), _linear(draw.whole(17, 20))]
    with_dropout = [_linear(12, draw.one_of((0.3, 0.5))), _linear(14, 0.5)]
    return [
        *ask("last", maps),
        *ask.shapes("units", maps, *one),
        *ask.shapes("units", maps, *two),
        *ask.logits("relu", maps, *one),
        *ask.logits("relu", maps, *two),
        *ask.logits("evaluation", maps, *with_dropout),
        *ask.logits("bare", maps, training=True),
        *[_question_on_dropout("dropped", share) for share in (low, high)],
        _question_on_dropout("each", *both),
        *ask.logits("bare", maps, *one, training=True),
    ]


def _question_on_dropout(aspect: str, *shares: float) -> Question:
    table = [_conv(1, 1), *[_linear(_CLASSES, share) for share in shares]]
    return {"aspect": aspect, "asked": "dropout", **_about(table)}


def _answer(function: Any, question: Question) -> Any:
    side, channels = question["side"], question["in_channels"]
    network = function(question["table"], side, channels, question["num_classes"])
    if question["asked"] == "dropout" and isinstance(network, nn.Module):
        return _through_dropout(network.train(), torch.zeros(_IMAGES, channels, side, side))

    def images(numbers):
        drawn = numbers.take(2, channels, side, side)
        return drawn.abs() if 0 in question["positive"] else drawn

    return reply_of(network, question, images)


@torch.no_grad()
def _through_dropout(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Logits where all features are 1, each hidden linear layer adds 1 to its inputs, and the last adds nothing."""
    parameters = list(network.parameters())
    for parameter in parameters:
        parameter.copy_(torch.eye(*parameter.shape)) if parameter.ndim == 2 else parameter.fill_(parameter.ndim == 1)
    parameters[-1].zero_()
    return network(images)


_HINTS = {
    "conv": "A convolution has a weight and a bias. Behind the last row the maps are flattened, and one linear layer "
    "gives the logits.",
    "relu behind conv": "What follows each convolution, before the next row?",
    "in_channels": "How many channels the first convolution takes is an argument: images can be grey.",
    "num_classes": "How many logits there are is an argument.",
    "side": "How many numbers reach the first linear layer depends on the side of the image.",
    "chain": "A convolution takes as many channels as the one before it gives.",
    "padding": "Padding is a number of its own in the row: not every convolution keeps the side.",
    "stride": "A convolution's window moves in steps of the row's stride, and fewer steps leave a smaller map.",
    "pool": "A pool keeps the largest number of each window, and has no padding.",
    "overlap": "A pool's kernel and stride are two numbers. Windows may overlap, there is no padding, and a window "
    "that does not fit whole is left out.",
    "groups": "In a grouped convolution each group of filters sees its own share of the channels, not all of them.",
    "stack": "Every kind of row alone is right. Follow channels and side through the whole table, row by row.",
    "last": "The last linear layer gives the logits as they are: some of them are negative.",
    "units": "A linear row has a weight and a bias, and takes all that comes before it.",
    "relu": "Two linear layers with nothing between them are as good as one. What stands behind each hidden one?",
    "evaluation": "These are logits in evaluation, with dropout in the table: what switches dropout off?",
    "dropped": "In training, some of a linear row's inputs should be missing.",
    "each": "Every linear row has a dropout of its own, in front of its own layer.",
    "bare": "This is training, with no dropout in the table, so nothing may be dropped, nor in front of "
    "the last layer.",
}


def _judge(question: Question, expected: Any, reply: Any) -> str | None:
    if problem := not_a_network(reply, "build_alexnet"):
        return problem
    aspect = question["aspect"]
    if question["asked"] == "dropout":
        problem = _wrong_dropout([row["dropout"] for row in question["table"][1:]], reply)
        return f"{problem} {_HINTS[aspect]}" if problem and aspect == "each" else problem
    problem = wrong_network(expected, reply)
    if aspect == "conv" and question["asked"] == "logits":
        aspect = "relu behind conv"
    return f"{_in_words(question)}: {problem} {_HINTS[aspect]}" if problem else None


def _in_words(question: Question) -> str:
    """The question in a few words: ``conv 4, kernel 3, padding 1; pool, kernel 3, stride 2; side 32, …``."""
    usual, rows = {"stride": 1, "padding": 0, "groups": 1, "dropout": 0}, []
    for row in question["table"]:
        size = row.get("channels", row.get("units", ""))
        numbers = [f"{row['layer']} {size}".strip()]
        for name in ("kernel", "stride", "padding", "groups", "dropout"):
            if name in row and (row["layer"] == "pool" or row[name] != usual.get(name)):
                numbers.append(f"{name} {row[name]}")
        rows.append(", ".join(numbers))
    sizes = "Side {side}, in_channels {in_channels}, num_classes {num_classes}".format(**question)
    return f"{'; '.join(rows)}. {sizes}"


def _wrong_dropout(shares: list[float], reply: Any) -> str | None:
    """What dropout does in training. A unit is 1 where its input was dropped, and more where it was kept."""
    if problem := unreadable_logits((_IMAGES, _CLASSES), reply):
        return problem
    reply = reply.double()
    if _near(reply, 1.0 + len(shares)).all():
        return f"With dropout {shares[0]:g}, nothing was dropped in training. {_HINTS['dropped']}"
    if _near(reply, 0.0).any():
        return (
            "Some units of a hidden linear layer are 0 in training although their bias is 1. Dropout belongs in "
            "front of the layer, where it drops inputs, and not behind it."
        )
    dropped = _near(reply, 1.0)
    if _is_unlikely(dropped, shares[-1]):
        return (
            f"With dropout {shares[-1]:g}, {dropped.double().mean():.0%} of a layer's inputs were dropped. The number "
            "is the share that is dropped, not the one that is kept."
        )
    if (dropped.all(dim=1) | ~dropped.any(dim=1)).all():
        return "All inputs of an image were dropped together, or none. Each one is dropped or kept on its own."
    outcomes = _outcomes(shares)
    units = {value: _near(reply, value) for value in outcomes}
    if not torch.stack(list(units.values())).any(dim=0).all():
        return (
            "The right share is dropped, but what is kept has the wrong size. In training it is enlarged, so that the "
            "sum stays what it is in evaluation."
        )
    if any(_is_unlikely(units[value], chance) for value, chance in outcomes.items()):
        return "Two linear rows together drop another share than the table says."
    return None


def _near(reply: torch.Tensor, value: float) -> torch.Tensor:
    return (reply - value).abs() < 0.01


def _is_unlikely(hits: torch.Tensor, chance: float) -> bool:
    count = hits.numel()
    return abs(hits.sum().item() - count * chance) > _SURE * (count * chance * (1 - chance)) ** 0.5


def _outcomes(shares: list[float]) -> dict[float, float]:
    """What a unit of the last hidden layer can be, and how probable it is."""
    outcomes = {1.0: 1.0}
    for share in shares:
        kept = {1 + value / (1 - share): chance * (1 - share) for value, chance in outcomes.items()}
        outcomes = {1.0: share, **kept}
    return outcomes


TASK = Task(
    number=2,
    title="AlexNet from a table",
    parts=(
        Part("build_alexnet", 8, _questions_on_maps, _answer, _judge),
        Part("build_alexnet", 6, _questions_on_linear_layers, _answer, _judge, key="build_alexnet, classifier"),
    ),
)
