"""VGG-16 transferred to digits with one bug at a time, and without; the input bugs against four ways to train.

After a question and its answer (sources D). The rungs learn from 10,000 training digits, the grid and the cuts from
1,000: with backward passes through VGG-16 that is what two cores finish. All are compared on the same 1,000 validation
digits, and test digits stay closed. Where only a head is trained, on features that are computed once, five seeds cost
seconds more than one; where VGG-16 learns, there is one. ``full`` takes all digits, and three seeds at least.
"""

from dataclasses import replace

from course_lib.transfer.cases import CUT_RUNS, GRID, Choices, runs
from course_tools.studies.plan import TransferRun

SEEDS = 5
JOBS = 1  # one after another: a rung's seconds mean something, and VGG-16 is in memory once
SEEDS_OF = {"LeNet from scratch": 5, "right-sized backbone": 3}
SEEDS_OF_HEADS = 5
DIGITS = {"quick": (200, 100, 100), "cpu": (10_000, 1_000, 1_000), "full": (48_000, 10_000, 10_000)}


def grid(size: str, seed: int) -> list[TransferRun]:
    """The runs of one seed. ``quick``: networks without trained weights, on enlarged digits of 32 × 32."""
    digits, judged_by, in_grid = DIGITS[size]
    quick = size == "quick"
    chosen = {
        name: choices
        for name, choices in (runs() | GRID | CUT_RUNS).items()
        if seed < max(3 if size == "full" else 1, SEEDS_OF.get(name, 1), SEEDS_OF_HEADS if head_only(choices) else 1)
    }
    return [
        TransferRun(
            name,
            seed,
            in_small(choices) if quick else choices,
            in_grid if name in GRID | CUT_RUNS else digits,
            judged_by,
            sample=quick,
            options={"epochs": 2} if quick else {},
            judge="validation",
        )
        for name, choices in chosen.items()
    ]


def head_only(choices: Choices) -> bool:
    """Whether nothing below the head changes, so that its features are computed once for all seeds."""
    return choices.trained == "head" and choices.freeze_batch_norm and choices.backbone != "none"


def in_small(choices: Choices) -> Choices:
    """The same choices for networks that need no file and next to no time."""
    if choices.backbone == "none":
        return choices
    backbone = "mobilenet-v2, untrained" if "mobilenet" in choices.backbone else "vgg16, narrow and untrained"
    return replace(choices, backbone=backbone, side=32)
