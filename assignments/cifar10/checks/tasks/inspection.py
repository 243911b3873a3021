"""Task 7: the filters, the maps and the mistakes of a network, ready to be shown."""

from collections import OrderedDict
from typing import Any

import torch
from torch import nn

from checks.messages import type_of
from checks.tasks.comparison import are_close, are_floats, list_in, not_items, whole_in
from checks.tasks.networks import Numbers, fill, hint_on_changes, row_of_numbers, state_of
from checks.tasks.part import Draw, Part, Question, Task


def _questions_on_picture(draw: Draw) -> list[Question]:
    side = draw.whole(4, 5)

    def filters(count: int) -> torch.Tensor:
        """Filters of very different size, each with a level and a range of its own in every channel."""
        scales = torch.tensor([0.1, 3.0, 0.5, 1.5] * 2)[:count].reshape(-1, 1, 1, 1)
        channels = torch.tensor([1.0, 0.5, 0.3]).reshape(1, 3, 1, 1)
        levels = torch.tensor([-1.0, 0.0, 1.5]).reshape(1, 3, 1, 1)
        return scales * (draw.normal(count, 3, side, side) * channels + levels)

    flat = filters(3)
    flat[1] = draw.whole(1, 9) / 8
    columns = draw.whole(2, 3)
    asked = (
        ("one", filters(1), 1),
        ("own", filters(2), 2),
        ("rows", filters(6), columns),
        ("unfilled", filters(2 * columns - 1), columns),
        ("few", filters(2), draw.whole(3, 4)),
        ("flat", flat, 3),
    )
    return [{"aspect": aspect, "weights": weights, "columns": columns} for aspect, weights, columns in asked]


def _answer_picture(function: Any, question: Question) -> Any:
    weights = question["weights"].clone()
    return {"picture": function(weights, question["columns"]), "left": weights}


_PICTURE_HINTS = {
    "one": "One filter, so the picture is that filter: its smallest weight becomes 0 and its largest 1, taken over all "
    "three channels together, and a row of the filter stays a row of the picture.",
    "own": "Each filter is stretched by its own smallest and largest weight, however large those of other filters are.",
    "rows": "Filters are laid out as text is written: the first row is filled from left to right, then the second.",
    "unfilled": "Places of the last row that no filter fills are white, 1.0.",
    "few": "The picture is as many tiles wide as columns says, also where there are fewer filters. Places "
    "without one are white.",
    "flat": "The weights of one filter are all equal, so largest minus smallest is 0. The task asks for grey, 0.5.",
}


def _judge_picture(question: Question, expected: Any, reply: Any) -> str | None:
    reply = reply if isinstance(reply, dict) else {}
    picture = reply.get("picture")
    if not are_floats(picture):
        return f"filter_picture should return a tensor of floats; it returned {type_of(picture)}."
    expected = expected["picture"].double()
    if picture.shape != expected.shape:
        return _wrong_shape(question, picture, tuple(expected.shape))
    picture = picture.double()
    if not _close(picture, expected):
        return _wrong_pixels(question, picture, expected)
    if not are_close([question["weights"]], [reply.get("left")], 0.0, 0.0):
        return "The picture is right, but the weights are not what they were: work on a copy, or nothing in place."
    return None


def _wrong_shape(question: Question, picture: torch.Tensor, wanted: tuple[int, ...]) -> str:
    shape, got = tuple(picture.shape), type_of(picture)
    columns, side, (height, width, _) = question["columns"], question["weights"].shape[2], wanted
    rows = (height + 1) // (side + 1)
    mistakes = {
        (3, height, width): "The three colours come last, so that imshow can show it.",
        (height + 2, width + 2, 3): "White lines lie between tiles only, not around the picture.",
        (rows * side, columns * side, 3): "Between two tiles lies one white pixel.",
    }
    hint = "How many tiles, and how many lines between them, lie along each side?"
    if question["aspect"] in ("few", "unfilled"):
        hint = _PICTURE_HINTS[question["aspect"]]
    asked = f"Weights {tuple(question['weights'].shape)}, columns {columns}"
    return f"{asked}: expected shape {wanted}, got {got}. {mistakes.get(shape, hint)}"


def _wrong_pixels(question: Question, picture: torch.Tensor, expected: torch.Tensor) -> str:
    side = question["weights"].shape[2]
    between = torch.zeros(expected.shape[:2], dtype=torch.bool)
    between[side :: side + 1] = True
    between[:, side :: side + 1] = True
    if question["aspect"] == "own" and _close(picture[~between], expected[~between]):
        return "The tiles are right, but the line between two of them is not white, 1.0."
    if question["aspect"] == "one" and _close(picture.transpose(0, 1), expected):
        return "The picture is transposed: a row of the filter should be a row of the picture."
    return f"The picture has the right shape and wrong pixels. {_PICTURE_HINTS[question['aspect']]}"


def _close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-3, atol=2e-3)  # float16 will do for a picture


class _Shortcut(nn.Module):
    """Does more than to call its modules one after another, although that would work too."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.middle = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Conv2d(4, 2, 3, padding=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.first(images).tanh()
        return self.last(maps + self.middle(maps)).mean(dim=(2, 3))


def _network(kind: str) -> nn.Module:
    """A small network: ``plain``, ``nested``, ``shortcut``, ``norm`` or ``in place``."""
    if kind == "shortcut":
        return _Shortcut()
    if kind == "plain":
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 5, 3, padding=1), nn.AdaptiveAvgPool2d(1))
    layers = OrderedDict(conv1=nn.Conv2d(3, 4, 3, padding=1))
    if kind == "norm":
        layers |= {"norm1": nn.BatchNorm2d(4), "drop1": nn.Dropout(0.5)}
    layers |= {"relu1": nn.ReLU(inplace=kind == "in place"), "conv2": nn.Conv2d(4, 3, 3, stride=2)}
    return nn.Sequential(OrderedDict(features=nn.Sequential(layers), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten()))


def _questions_on_maps(draw: Draw) -> list[Question]:
    asked = (  # aspect, network, name, modules that are in training mode
        ("output", "plain", "2", "none"),
        ("dotted", "nested", "features.conv2", "none"),
        ("forward", "shortcut", "middle", "none"),
        ("mode", "norm", "features.conv2", "all"),
        ("in place", "in place", "features.conv1", "none"),
        ("own modes", "norm", "features.norm1", "some"),
    )
    return [
        {
            "aspect": aspect,
            "network": network,
            "name": name,
            "training": training,
            "numbers": row_of_numbers(draw),
            "images": draw.normal(3, 3, draw.whole(7, 8), 9),
        }
        for aspect, network, name, training in asked
    ]


def _asked_about(question: Question) -> nn.Module:
    network = _network(question["network"]).train(question["training"] != "none")
    fill(network, Numbers(question["numbers"]))
    if question["training"] == "some":
        network.features.norm1.eval()
    return network


def _answer_maps(function: Any, question: Question) -> Any:
    network = _asked_about(question)
    maps = function(network, question["name"], question["images"])
    left = {name: value for name, value in state_of(network).items() if name in ("mode", *_CHANGES)}
    return {"maps": maps, "gradient": bool(getattr(maps, "requires_grad", False)), "left": left}


_MAPS_HINTS = {
    "output": "What is asked for is what the module gives, not what it takes, and nothing that comes behind it.",
    "dotted": "A name such as features.conv2 leads through modules within modules: network.named_modules() knows it.",
    "forward": "What a network does is written in its forward, and this one does more than to call its modules one "
    "after another. Let it run, and listen to the one module.",
    "mode": "The network was in training mode, and its batch norm and dropout should work as in evaluation.",
    "in place": "A ReLU with inplace=True stands behind this module and overwrites what it gave. What do you have to "
    "keep?",
    "own modes": "The maps of a norm are asked for, in evaluation mode.",
}


def _judge_maps(question: Question, expected: Any, reply: Any) -> str | None:
    reply = reply if isinstance(reply, dict) else {}
    maps, wanted, name = reply.get("maps"), expected["maps"], question["name"]
    if not are_floats(maps):
        return f"maps_of should return a tensor of floats, (N, C, H, W); it returned {type_of(maps)}."
    start, hint = f'The maps of "{name}"', _MAPS_HINTS[question["aspect"]]
    if maps.shape != wanted.shape:
        return f"{start} should have shape {tuple(wanted.shape)}; they are {type_of(maps)}. {hint}"
    if not torch.allclose(maps.double(), wanted.double(), rtol=1e-3, atol=1e-4):
        return f"{start} have the right shape and wrong numbers. {hint}"
    hints = {"mode": _MODE_HINTS[question["training"]], **_CHANGES}
    hint = hint_on_changes(_asked_about(question), reply.get("left"), hints)
    if reply.get("gradient") is not False:
        hint = "They require gradients: while you keep them, the whole graph stays in memory."
    return f"{start} are right. {hint}" if hint else None


_MODE_HINTS = {
    "none": "The network was in evaluation mode, and is not any more: put back the mode in which you found it.",
    "all": "The network was in training mode, and is not any more: put back the mode in which you found it.",
    "some": "Not every module is in the mode in which it was: the norm was in evaluation mode, as when it is frozen, "
    "and all others in training mode.",
}
_CHANGES = {
    "hooks": "A hook is left in the network and will run at every later call. Remove it.",
    "weights": "The network's weights or its running statistics are not what they were.",
}


# An image: the probability of the predicted class, of the true class (None: they are one class), and a level that is
# added to all its logits.
Image = tuple[float, float | None, float]
_CLASSES = 5


def _questions_on_mistakes(draw: Draw) -> list[Question]:
    def ask(aspect: str, count: int, *images: Image, mixed: bool = True) -> Question:
        # The first image is right, and the network is not sure of it.
        order = draw.normal(len(images)).argsort().tolist() if mixed else range(len(images))
        images = [(0.4, None, 0.0), *(images[i] for i in order)]
        logits, labels = zip(*(_image(draw, *image) for image in images), strict=True)
        return {"aspect": aspect, "count": count, "logits": torch.stack(logits), "labels": torch.tensor(labels)}

    def right(*sure: float) -> list[Image]:
        return [(probability, None, 0.0) for probability in sure]

    agree = [(0.9, 0.02, 0.0), (0.75, 0.08, 0.0), (0.6, 0.15, 0.0)]  # whatever one ranks by
    return [
        ask("wrong", 1, (0.7, 0.1, 0.0), *right(0.97, 0.9, 0.8, 0.95)),
        ask("order", 3, *agree, *right(0.5, 0.6)),
        ask("probability", 3, *[(p, t, 4.0 * i) for i, (p, t, _) in enumerate(agree)], *right(0.7, 0.8)),
        ask("predicted", 3, (0.62, 0.3, 0.0), (0.55, 0.15, 0.0), (0.48, 0.01, 0.0), *right(0.7)),
        ask("few", 2, *[(p / 10, 0.05, 0.0) for p in (5, 6, 7, 8, 9)], *right(0.9), mixed=False),
        ask("more", draw.whole(4, 6), *agree[1:], *right(0.9, 0.8, 0.6, 0.5)),
        ask("none", 3, *right(0.9, 0.8, 0.6, 0.5)),
    ]


def _image(draw: Draw, probability: float, of_true: float | None, level: float) -> tuple[torch.Tensor, int]:
    """Logits and label of one image."""
    predicted = draw.whole(0, _CLASSES - 1)
    true = predicted if of_true is None else (predicted + draw.whole(1, _CLASSES - 1)) % _CLASSES
    probability += 0.01 * draw.whole(-2, 2)
    named = {true: of_true, predicted: probability} if of_true is not None else {predicted: probability}
    rest = (1 - sum(named.values())) / (_CLASSES - len(named))
    chances = torch.tensor([named.get(one, rest) for one in range(_CLASSES)])
    return chances.log() + level, true


_MISTAKE_HINTS = {
    "wrong": "Only wrong predictions are asked for: a right one is no mistake, however sure the network was.",
    "order": "These are the mistakes; the one of which the network was most sure comes first.",
    "probability": "A large logit is not yet a large probability: what counts is how far it lies above the others of "
    "its image.",
    "predicted": "Mistakes are ranked by the probability of the class that was predicted, and by nothing else.",
    "few": "count says how many to give: the most confident of all mistakes, wherever they lie.",
    "more": "There are fewer mistakes than count: all of them are asked for, and nothing else.",
    "none": "There is no mistake here, so the list is empty.",
}


def _judge_mistakes(question: Question, expected: Any, reply: Any) -> str | None:
    places = list_in(reply, whole_in)
    if places is None:
        return f"worst_mistakes should return a list of ints; it returned {not_items(reply, whole_in)}."
    if places == expected:
        return None
    hint = _MISTAKE_HINTS[question["aspect"]]
    if question["aspect"] == "wrong" and places == [0]:
        hint = "That is a place among the mistakes; asked for is the place of the image among all images."
    got = str(places)[:60] if all(0 <= i < len(question["labels"]) for i in places) else "places that no image has"
    return f"Expected {expected}, got {got}. {hint}"


def _answer_mistakes(function: Any, question: Question) -> Any:
    return function(question["logits"], question["labels"], question["count"])


TASK = Task(
    number=7,
    title="Looking inside",
    parts=(
        Part("filter_picture", 3, _questions_on_picture, _answer_picture, _judge_picture),
        Part("maps_of", 4, _questions_on_maps, _answer_maps, _judge_maps),
        Part("worst_mistakes", 3, _questions_on_mistakes, _answer_mistakes, _judge_mistakes),
    ),
)
