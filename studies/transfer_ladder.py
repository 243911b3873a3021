"""VGG-16 transferred to digits with one bug at a time, and without; the input bugs against four ways to train.

After a question and its answer (sources D). The rungs learn from 10,000 training digits and are judged by 1,000 test
digits, the grid learns from fewer: with backward passes through VGG-16 that is what two cores finish. VGG-16 runs have
one seed there, the small networks more. ``full`` takes all digits, and three seeds of everything.
"""

from dataclasses import replace

from course_lib.transfer.cases import CUT_RUNS, GRID, Choices, runs
from course_tools.studies.plan import TransferRun

SEEDS = 5
JOBS = 1  # one after another: a rung's seconds mean something, and VGG-16 is in memory once
SEEDS_OF = {"LeNet from scratch": 5, "right-sized backbone": 3}
DIGITS = {"quick": (200, 100, 100), "cpu": (10_000, 1_000, 1_000), "full": (48_000, 10_000, 10_000)}


def grid(size: str, seed: int) -> list[TransferRun]:
    """The runs of one seed. ``quick``: networks without trained weights, on enlarged digits of 32 × 32."""
    digits, judged_by, in_grid = DIGITS[size]
    large = 3 if size == "full" else 1
    ladder = {name: one for name, one in runs().items() if seed < max(large, SEEDS_OF.get(name, 1))}
    others = GRID | CUT_RUNS if seed < large else {}
    counts = dict.fromkeys(ladder, digits) | dict.fromkeys(others, in_grid)
    chosen = ladder | others
    quick = size == "quick"
    return [
        TransferRun(
            name,
            seed,
            in_small(chosen[name]) if quick else chosen[name],
            count,
            judged_by,
            sample=quick,
            options={"epochs": 2} if quick else {},
        )
        for name, count in counts.items()
    ]


def in_small(choices: Choices) -> Choices:
    """The same choices for networks that need no file and next to no time."""
    if choices.backbone == "none":
        return choices
    backbone = "mobilenet-v2, untrained" if "mobilenet" in choices.backbone else "vgg16, narrow and untrained"
    return replace(choices, backbone=backbone, side=32)
