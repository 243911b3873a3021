"""The page that compares our networks with torchvision's and with the papers': its tables, from the live models."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from course_lib import analysis, models
from course_lib.torchvision_fix import import_torchvision
from course_tools.publishing.tables import TablePage

NONE = "—"
_WORDS = ("network", "sides")  # the columns that hold no numbers
_UNIT = re.compile(r"(\d) ([GM]\b)")  # a number and its unit stay on one line
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Entry:
    """A network with its published numbers. ``stated`` are parameters, ``stated_work`` multiply-adds.

    ``shape`` is the image that the network is meant for, None where only its parameters are listed: batch norm and
    another number of classes change no shape. ``remark`` belongs to the parameters, ``work_remark`` to the work.
    """

    name: str
    shape: tuple[int, int, int] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    variant: str = ""
    stated: str = NONE
    stated_work: str = NONE
    remark: str = ""
    work_remark: str = ""

    @property
    def title(self) -> str:
        return f"`{self.name}`, {self.variant}" if self.variant else f"`{self.name}`"

    def build(self, **options: Any) -> nn.Module:
        """The network, on the device of the context."""
        return getattr(models, self.name)(**self.options | options)


IMAGENET, CIFAR, MNIST = (3, 224, 224), (3, 32, 32), (1, 28, 28)
TEN = {"num_classes": 10}
ENTRIES = [
    Entry("mlp", MNIST),
    Entry(
        "lenet5",
        MNIST,
        stated="60,000 (paper)",
        remark="Both numbers are right: [chapter 2](../notebooks/02-lenet) gets from one to the other, term by term.",
    ),
    Entry("alexnet", IMAGENET, remark="The later form, in one column and with fewer filters."),
    Entry(
        "alexnet",
        IMAGENET,
        {"form": "2012"},
        "2012",
        stated="60 M (paper, E)",
        remark="In one piece. What the paper counts is the next row.",
    ),
    Entry(
        "alexnet",
        IMAGENET,
        {"form": "2012", "groups": 2},
        "2012, two groups",
        stated="60 M (paper, E)",
        remark="The paper's own form: three of its convolutions are split over two GPUs.",
    ),
    Entry("vgg8", CIFAR, remark="E names such a network and does not define it; this one is ours."),
    Entry("vgg8_bn"),
    Entry("vgg11", IMAGENET, stated="133 M (paper)"),
    Entry("vgg11_bn"),
    Entry(
        "vgg16",
        IMAGENET,
        stated="138 M (paper, B, E)",
        stated_work="15.3 G",
        work_remark="15.35 G without the three linear layers.",
    ),
    Entry("vgg16", None, TEN, "10 classes"),
    Entry(
        "vgg16",
        None,
        TEN | {"in_channels": 1},
        "10 classes, grey",
        stated="⚠ 134,301,514 (A)",
        remark="What A prints for one input channel is the count for three, in the table above. With one, the first "
        "convolution has 640 parameters, not 1,792.",
    ),
    Entry("vgg16_bn"),
    Entry("vgg19", IMAGENET, stated="144 M (paper, E)", stated_work="19.6 G"),
    Entry("vgg19_bn"),
    Entry(
        "minivgg",
        MNIST,
        stated="29,773,354 (A)",
        remark="A's total is right; of the three linear terms its summary prints ⚠ two only, 12,890,122 of 29,671,434.",
    ),
    Entry("vgg_small", MNIST, remark="After C's modified VGG, of which no count is given."),
    Entry("resnet18", IMAGENET, stated_work="1.8 G"),
    Entry("resnet34", IMAGENET, stated_work="3.6 G"),
    Entry("plain34", IMAGENET, stated_work="3.6 G", remark="`resnet34` without its skips, and so without projections."),
    Entry(
        "resnet50",
        IMAGENET,
        stated="about 25 M (B)",
        stated_work="3.8 G",
        work_remark="In the paper, the stages that halve the side begin with a 1 × 1 convolution of stride 2. In "
        "torchvision, and here, the 3 × 3 convolution behind it has the stride: the first one works on more places.",
    ),
    *(
        Entry(name, CIFAR, TEN | {"stem": "cifar"}, "CIFAR stem")
        for name in ("resnet18", "resnet34", "plain34", "resnet50")
    ),
    Entry("resnet_small", MNIST, remark="After C's modified ResNet, of which no count is given."),
    Entry("whitened", CIFAR, remark="After Jordan, 2024, for speed; its batch norms have no trained scale."),
    Entry(
        "mobilenet_v2",
        IMAGENET,
        stated="3.4 M (paper)",
        stated_work="0.3 G",
        remark="The paper gives a tenth of a million less than there is to count, here as in torchvision.",
    ),
    Entry(
        "efficientnet_lite0",
        IMAGENET,
        remark="Its weights come with a package; EfficientNet-B0 without what small devices cannot do.",
    ),
]


def convolutional_part(model: nn.Module) -> nn.Module | None:
    """The layers before the linear ones and the last, adaptive pool; None for a network without convolutions."""
    if not any(isinstance(layer, nn.Conv2d) for layer in model.modules()):
        return None
    if hasattr(model, "features"):
        return model.features
    names = [name for name, _ in model.named_children()]
    return nn.Sequential(*[getattr(model, name) for name in names[: names.index("avgpool")]])


def on_meta(entry: Entry) -> nn.Module:
    """The network in full width on the meta device, where its weights have shapes and no numbers."""
    with torch.device("meta"):
        return entry.build()


def parameters_of_torchvision(entry: Entry) -> int | None:
    """None where torchvision has no such network."""
    builder = getattr(import_torchvision().models, entry.name, None)
    if builder is None or set(entry.options) - set(TEN):
        return None
    with torch.device("meta"):
        return analysis.count_parameters(builder(**entry.options))


def sides(entry: Entry) -> list[int]:
    """The side of the image and of the convolutional part's feature maps, each once."""
    part = convolutional_part(on_meta(entry))
    steps = analysis.trace(part, entry.shape).steps if part is not None else []
    return list(dict.fromkeys([entry.shape[1], *(step.shape[1] for step in steps)]))


def receptive_fields(entry: Entry) -> tuple[str, str]:
    """The receptive field of the convolutional part, in pixels: computed, and measured by the gradient."""
    part = convolutional_part(on_meta(entry))
    if part is None:
        return NONE, NONE
    # Few channels and grey images change no receptive field.
    narrow = {"lenet5": {}, "alexnet": {"width": 1 / 16}, "mobilenet_v2": {}, "efficientnet_lite0": {}}
    small = entry.build(in_channels=1, **narrow.get(entry.name, {"width": 1 / 64}))
    measured = analysis.receptive_field_by_gradient(convolutional_part(small))
    return f"{analysis.trace(part, entry.shape).steps[-1].field:,}", f"{measured:,}"


@cache
def tables() -> dict[str, str]:
    """The page's tables by name, in Markdown."""
    meant = [entry for entry in ENTRIES if entry.shape is not None]
    ours = {entry.title: f"{analysis.count_parameters(on_meta(entry)):,}" for entry in ENTRIES}
    torchvisions = {entry.title: parameters_of_torchvision(entry) for entry in ENTRIES}
    others = [entry for entry in ENTRIES if entry.stated != NONE or entry.remark or torchvisions[entry.title] is None]
    return {
        "torchvision": _table(
            ["network", "ours", "torchvision's"],
            [[title, ours[title], f"{count:,}"] for title, count in torchvisions.items() if count is not None],
        ),
        "sources": _table(
            ["network", "ours", "source's"],
            [[entry.title, ours[entry.title], entry.stated] for entry in others],
            [entry.remark for entry in others],
        ),
        "multiply-adds": _table(
            ["network", "ours", "paper's"],
            [
                [entry.title, _large(analysis.count_multiply_adds(on_meta(entry), entry.shape)), entry.stated_work]
                for entry in meant
            ],
            [entry.work_remark for entry in meant],
        ),
        "shapes": _table(
            ["network", "sides", "arithmetic", "gradient"],
            [
                [entry.title, " → ".join(str(side) for side in sides(entry)), *receptive_fields(entry)]
                for entry in meant
            ],
        ),
    }


def _large(value: int) -> str:
    return f"{value / 1e9:.2f} G" if value >= 1e8 else f"{value / 1e6:.2f} M"


def _table(headings: list[str], rows: list[list[str]], remarks: list[str] | None = None) -> str:
    """A Markdown table, numbers to the right; a remark's number stands behind the name of the network."""
    notes: list[str] = []
    lines = [
        f"| {' | '.join(headings)} |",
        f"|{''.join('---|' if heading in _WORDS else '---:|' for heading in headings)}",
    ]
    for (title, *cells), remark in zip(rows, remarks or [""] * len(rows), strict=True):
        if remark:
            notes.append(f"{len(notes) + 1}. {remark}")
            title += f" {str(len(notes)).translate(_RAISED)}"
        cells = [_UNIT.sub("\\1\u00a0\\2", cell) for cell in cells]
        lines.append(f"| {' | '.join([title, *cells])} |")
    return "\n".join([*lines, *(["", *notes] if notes else [])]) + "\n"


PAGE = TablePage(Path("book") / "conformance.md", "conformance", "course conformance", tables)
