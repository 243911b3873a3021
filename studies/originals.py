"""VGG-16 and ResNet-34 on digits of 56 × 56: the report's networks at a sixteenth of its pixels.

Its protocol otherwise: three channels, ten epochs, batches of 128, Adam at a constant 0.001. An hour of the slower
machine, 67 G multiply-adds a second, holds ten epochs of VGG-16 with 7,500 digits, so all networks get 7,500. The two
VGG-16 are run once; ResNet-34 and the modified networks, which are compared, with five seeds.
"""

from functools import partial

from course_lib import models
from course_tools.studies.plan import Planned
from studies.vgg_vs_resnet import RECIPE

SEEDS = 5
JOBS = 1  # VGG-16 and its gradients take 3 GB
IMAGES = 7_500
SIDE = 56


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample."""
    quick = size == "quick"
    width, half = (1 / 16, 1 / 32) if quick else (1.0, 0.5)
    recipe = RECIPE | {"epochs": 1} if quick else RECIPE
    planned = partial(
        Planned, seed=seed, data="mnist", recipe=recipe, sample=quick, fraction=1.0 if quick else IMAGES / 48_000
    )
    once = [
        planned("VGG-16", build=partial(models.vgg16, 10, 3, width), side=SIDE, channels=3),
        planned("VGG-16 with batch norm", build=partial(models.vgg16_bn, 10, 3, width), side=SIDE, channels=3),
    ]
    compared = [
        planned("ResNet-34", build=partial(models.resnet34, 10, 3, width), side=SIDE, channels=3),
        planned("modified VGG", build=partial(models.vgg_small, 10, 1, width)),
        planned("modified VGG, enlarged", build=partial(models.vgg_small, 10, 1, width), side=SIDE),
        planned("modified ResNet", build=partial(models.resnet_small, 10, 1, half)),
        planned("modified ResNet, full width", build=partial(models.resnet_small, 10, 1, width)),
    ]
    return (once if seed == 0 else []) + compared
