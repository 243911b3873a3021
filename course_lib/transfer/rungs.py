"""The ladder of bugs, one a rung, and the grid of input bugs against training modes."""

from dataclasses import dataclass, replace

from course_lib.transfer.choices import Choices


@dataclass(frozen=True)
class Rung:
    """One bug alone, what it breaks, and the guard in :mod:`course_lib.transfer.guards` that sees it.

    ``beside`` is the mended run to compare with, a name in ``MENDED``.
    """

    choices: Choices
    breaks: str
    guard: str
    beside: str


CUTS = ("vgg16 blocks 1-2", "vgg16 blocks 1-3", "vgg16 blocks 1-4", "vgg16")  # of a backbone, from early to late
RIGHT = Choices()
FROZEN = Choices(trained="head")  # the standard recipe: keep the convolutions, replace the head
MOBILE = Choices(backbone="mobilenet-v2", trained="head")
# A unit of block 3 looks at 44 × 44 pixels: so large are the images. What is left of them, 5 × 5 places, is no more
# than a head can take as it is.
RIGHT_SIZED = Choices(backbone="vgg16 blocks 1-3", side=44, trained="all", head="flatten")
SCRATCH = Choices(backbone="none", side=28)

MENDED = {
    "frozen backbone": FROZEN,
    "nothing wrong": RIGHT,
    "everything at a small rate": Choices(trained="all"),
    "MobileNetV2, statistics kept": MOBILE,
    "right-sized backbone": RIGHT_SIZED,
    "LeNet from scratch": SCRATCH,
}
LADDER = {
    "refilled images": Rung(
        replace(FROZEN, resize="refill"),
        "an image holds several digits, and none of them belongs to its label",
        "one_image_each",
        "frozen backbone",
    ),
    "grey not repeated": Rung(
        replace(FROZEN, channels="one"),
        "two of the three channels that the filters were made for are empty",
        "three_equal_channels",
        "frozen backbone",
    ),
    "not normalised": Rung(
        replace(FROZEN, normalise=False),
        "pixels are some sixty times as large as those that the filters were made for",
        "normalised",
        "frozen backbone",
    ),
    "everything at 0.001": Rung(
        Choices(trained="all", learning_rate=1e-3),
        "the first steps take the pretrained weights away from where they were any good",
        "still_near_the_start",
        "everything at a small rate",
    ),
    "frozen too much": Rung(
        FROZEN,
        "the last layers are about photographs, and may not learn about digits",
        "frozen_at_the_best_cut",
        "nothing wrong",
    ),
    "statistics updated": Rung(
        replace(MOBILE, freeze_batch_norm=False),
        "frozen weights get inputs of another scale than those that they were trained with",
        "statistics_stand_still",
        "MobileNetV2, statistics kept",
    ),
    "too large a backbone": Rung(
        RIGHT,
        "a unit of the last layer looks at more than the whole image: most of the work is for nothing",
        "sees_no_more_than_the_image",
        "right-sized backbone",
    ),
    "no need to transfer": Rung(
        RIGHT_SIZED,
        "a network that began with nothing may do as well",
        "better_than_from_scratch",
        "LeNet from scratch",
    ),
}

INPUTS = {
    "right images": {},
    "refilled": {"resize": "refill"},
    "grey not repeated": {"channels": "one"},
    "not normalised": {"normalise": False},
}
MODES = {
    "head": {"trained": "head"},
    "last blocks": {"trained": "last blocks"},
    "all, small rate": {"trained": "all"},
    "all at 0.001": {"trained": "all", "learning_rate": 1e-3},
}


def cell_name(images: str, mode: str) -> str:
    """What a record calls a cell of the grid: ``grid: refilled, head``."""
    return f"grid: {images}, {mode}"


GRID = {
    cell_name(images, mode): replace(RIGHT, **wrong, **trained)
    for images, wrong in INPUTS.items()
    for mode, trained in MODES.items()
}


def cut_name(backbone: str) -> str:
    """What a record calls a head on a part of a frozen backbone: ``cut: vgg16 blocks 1-3``."""
    return f"cut: {backbone}"


CUT_RUNS = {cut_name(backbone): Choices(backbone=backbone, trained="head") for backbone in CUTS}


def runs() -> dict[str, Choices]:
    """All choices of the ladder that are trained, by the name of their record: mended ones first, then the bugs."""
    bugs = {name: rung.choices for name, rung in LADDER.items()}
    return MENDED | {name: choices for name, choices in bugs.items() if choices not in MENDED.values()}
