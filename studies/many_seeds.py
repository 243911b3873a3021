"""How seeds scatter: two networks of LeNet's size with forty seeds, and chapter 7's modified networks with ten.

The modified networks train at a constant and at a falling rate. They learn from a tenth of the digits, so that forty
runs take an hour on two slow cores.
"""

from functools import partial

from course_lib import models
from course_lib.training import constant, cosine
from course_tools.studies.plan import Planned
from studies.lenet_fair import lenet5_strided

SEEDS = 40
SEEDS_OF_THE_MODIFIED = 10
SMALL = {"LeNet-5, modern": models.lenet5, "LeNet-5, strided": lenet5_strided}
MODIFIED = {
    "modified VGG": partial(models.vgg_small, 10, 1),
    "modified ResNet": partial(models.resnet_small, 10, 1, 0.5),
}


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch on the sample."""
    quick = size == "quick"
    recipe = {"epochs": 1 if quick else 3, "batch_size": 128, "learning_rate": 1e-3, "precision": "auto"}
    runs = [Planned(name, seed, build, "mnist", recipe, sample=quick) for name, build in SMALL.items()]
    if seed < SEEDS_OF_THE_MODIFIED:
        longer = recipe | {"epochs": 1 if quick else 10}
        runs += [
            Planned(f"{name}, {words}", seed, build, "mnist", longer | {"schedule": schedule}, quick, 0.1)
            for name, build in MODIFIED.items()
            for words, schedule in (("constant rate", constant), ("falling rate", cosine))
        ]
    return runs
