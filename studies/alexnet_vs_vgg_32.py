"""AlexNet, VGG-16, VGG-16 with batch norm and VGG8 on 5 % of CIFAR-10, with torch's and with He's first weights.

The networks of a student report (sources E), at half the width and for 32 × 32 pixels: 2,250 photographs, ten epochs,
Adam at a constant 0.001, batches of 128, three seeds. Accuracies after epochs 1, 2 and 10 stand beside the report's.
"""

from functools import partial

from torch import nn

from course_lib import models
from course_tools.studies.changes import with_he_weights, with_torch_weights
from course_tools.studies.plan import Planned
from studies.vgg_vs_resnet import RECIPE

SEEDS = 3
WEIGHTS = {"torch's weights": with_torch_weights, "He's weights": with_he_weights}


def network(kind: str, weights: str, width: float) -> nn.Module:
    """One of the four networks for photographs of 32 × 32."""
    head = {"pooled": 1, "hidden": (512, 512)}
    built = {
        "AlexNet": partial(models.alexnet, 10, 3, width, stem="small"),
        "VGG-16": partial(models.vgg16, 10, 3, width, **head),
        "VGG-16 with batch norm": partial(models.vgg16_bn, 10, 3, width, **head),
        "VGG8": partial(models.vgg8, 10, 3, width),
    }[kind]()
    return WEIGHTS[weights](built)


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample."""
    quick = size == "quick"
    recipe = RECIPE | {"epochs": 1} if quick else RECIPE
    return [
        Planned(
            f"{kind}, {weights}",
            seed,
            partial(network, kind=kind, weights=weights, width=1 / 16 if quick else 0.5),
            "cifar10",
            recipe,
            sample=quick,
            fraction=1.0 if quick else 0.05,
        )
        for kind in ("AlexNet", "VGG-16", "VGG-16 with batch norm", "VGG8")
        for weights in WEIGHTS
    ]
