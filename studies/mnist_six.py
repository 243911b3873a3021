"""The six chapters' networks under one recipe, that of the tutorial which the course began with.

Five epochs, batches of 128, Adam at a constant 0.001, pixels scaled to [0, 1] and nothing else. Each chapter trains its
network by a recipe of its own; here nothing but the network differs.
"""

from functools import partial

from course_lib import models
from course_tools.studies.plan import Planned

SEEDS = 5


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: a quarter of these widths, on the sample."""
    quick = size == "quick"
    shrink = 0.25 if quick else 1.0
    recipe = {"epochs": 2 if quick else 5, "batch_size": 128, "learning_rate": 1e-3, "precision": "auto"}
    networks = {
        "perceptron": models.mlp,
        "LeNet-5, modern": models.lenet5,
        "AlexNet, small": partial(models.alexnet, 10, 1, 0.25 * shrink, stem="small"),
        "VGG8-BN, half width": partial(models.vgg8_bn, 10, 1, 0.5 * shrink),
        "MiniVGG": partial(models.minivgg, 10, 1, shrink),
        "ResNet, small": partial(models.resnet_small, 10, 1, 0.25 * shrink),
    }
    return [
        Planned(
            name,
            seed,
            build,
            "mnist",
            recipe,
            sample=quick,
            side=32 if "VGG8" in name else None,  # five pools need 32 pixels
            normalised=False,
        )
        for name, build in networks.items()
    ]
