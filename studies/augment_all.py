"""Augmentation where a network overfits: chapter 7's modified VGG on all photographs, resized to 28 × 28.

Nothing, rotation, and flips with crops; three seeds, ten epochs at a constant rate as in `cifar-augment`, judged on
test images once each.
"""

from functools import partial

from course_lib import data, models
from course_tools.studies.plan import Planned
from studies.vgg_vs_resnet import RECIPE

SEEDS = 3
AUGMENTATIONS = {"nothing": None, "rotation": data.random_rotation, "flips and crops": data.flip_and_crop}


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of a narrow network on the sample."""
    quick = size == "quick"
    recipe = RECIPE | {"epochs": 1} if quick else RECIPE
    build = partial(models.vgg_small, 10, 3, 0.25 if quick else 1.0)
    return [
        Planned(f"augmented by {name}", seed, build, "cifar10", recipe | {"augment": augment}, sample=quick, side=28)
        for name, augment in AUGMENTATIONS.items()
    ]
