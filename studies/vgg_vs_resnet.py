"""VGG-16 against ResNet-34 on enlarged digits, and the small ones that were cut from them, on digits as they are.

The protocol of the report (sources C): ten epochs, batches of 128, Adam at a constant 0.001, 80 % of the training
images to learn from and 20 % for validation, the test images at the end. ``cpu`` leaves out the large networks: at the
speed that chapter 7 measures, one run of VGG-16 would keep a core busy for two days. ``full`` runs each VGG-16 once,
and the other large networks three times.
"""

from functools import partial

from course_lib import models
from course_tools.studies.plan import Planned

SEEDS = 5
LARGE_SEEDS = 3
RECIPE = {"epochs": 10, "batch_size": 128, "learning_rate": 1e-3, "precision": "auto"}


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: two epochs of narrow networks on the sample, 56 × 56 in place of 224 × 224."""
    quick = size == "quick"
    width, side = (1 / 16, 56) if quick else (1.0, 224)
    recipe = RECIPE | {"epochs": 2} if quick else RECIPE
    planned = partial(Planned, seed=seed, data="mnist", recipe=recipe, sample=quick)
    small = [
        planned("modified VGG", build=partial(models.vgg_small, 10, 1, 0.25 if quick else 1.0)),
        planned("modified ResNet", build=partial(models.resnet_small, 10, 1, 0.125 if quick else 0.5)),
    ]
    if size == "cpu":
        return small
    once = [
        planned("VGG-16", build=partial(models.vgg16, 10, 3, width), side=side, channels=3),
        planned("VGG-16 with batch norm", build=partial(models.vgg16_bn, 10, 3, width), side=side, channels=3),
    ]
    large = [planned("ResNet-34", build=partial(models.resnet34, 10, 3, width), side=side, channels=3)]
    if seed >= LARGE_SEEDS:
        return small
    if size == "full":  # and the modified ones in the forms that cost more
        small.append(planned("modified ResNet, full width", build=partial(models.resnet_small, 10, 1, 1.0)))
        small.append(planned("modified VGG, enlarged", build=partial(models.vgg_small, 10, 1), side=side))
    return small + (once if quick or seed == 0 else []) + large
