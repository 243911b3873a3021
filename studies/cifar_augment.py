"""Which augmentation helps the modified VGG on CIFAR-10 in 28 × 28, one at a time.

The report (sources C) suggested rotation, scaling, cropping and elastic deformation, and tried none of them. Same
protocol as in :mod:`studies.vgg_vs_resnet`; `augment-all` tries two on all images.
"""

from functools import partial

from course_lib import data, models
from course_tools.studies.plan import Planned
from studies.vgg_vs_resnet import RECIPE

SEEDS = 5
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
    part = 0.2 if size == "cpu" else 1.0
    return [
        Planned(
            f"augmented by {name}",
            seed,
            build,
            "cifar10",
            recipe | {"augment": augment},
            sample=quick,
            fraction=part,
            side=28,
        )
        for name, augment in AUGMENTATIONS.items()
    ]
