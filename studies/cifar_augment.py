"""The modified VGG on CIFAR-10 in 28 × 28, and which augmentation helps it, one at a time.

The report (sources C) found the network at 55 %, and suggested rotation, scaling, cropping and elastic deformation. It
tried none of them. Same protocol as in :mod:`studies.vgg_vs_resnet`.
"""

from functools import partial

from course_lib import data, models
from course_tools.studies.plan import Planned
from studies.vgg_vs_resnet import RECIPE

SEEDS = 3
AUGMENTATIONS = {
    "nothing": None,
    "rotation": data.random_rotation,
    "scaling": data.random_scale,
    "cropping": data.random_crop,
    "elastic": data.elastic,
    "flipping": data.random_flip,  # not on the report's list: left and right mean nothing to these ten classes
}


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``cpu`` compares the augmentations on a fifth of the images, ``full`` on all of them."""
    quick = size == "quick"
    recipe = RECIPE | {"epochs": 2} if quick else RECIPE
    build = partial(models.vgg_small, 10, 3, 0.25 if quick else 1.0)
    planned = partial(Planned, seed=seed, build=build, data="cifar10", sample=quick, side=28)
    whole = planned("modified VGG, CIFAR-10", recipe=recipe)
    part = 0.2 if size == "cpu" else 1.0
    return [
        whole,
        *(
            planned(f"augmented by {name}", recipe=recipe | {"augment": augment}, fraction=part)
            for name, augment in AUGMENTATIONS.items()
        ),
    ]
