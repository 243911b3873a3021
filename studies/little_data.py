"""How accuracy grows with the number of images: 5, 10, 25 and 100 % of CIFAR-10's training images, ten epochs each.

After a student report (sources E) that compared AlexNet with VGG at 5 and 10 %. Adam at a constant 0.001 and batches of
128; the report does not state its own. ``cpu`` runs the networks for 32 × 32 pixels, ``full`` also those for 224 × 224.
"""

from functools import partial

from course_lib import models
from course_tools.studies.plan import Planned
from studies.vgg_vs_resnet import RECIPE

SEEDS = 3
FRACTIONS = (0.05, 0.10, 0.25, 1.0)


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed, smallest data first. ``quick``: one epoch of narrow networks, on halves of the sample."""
    quick = size == "quick"
    recipe = RECIPE | {"epochs": 1} if quick else RECIPE
    shrink, side = (0.25, 64) if quick else (1.0, 224)
    networks = {
        "VGG8, half width": (partial(models.vgg8, 10, 3, 0.5 * shrink), None),
        "AlexNet, half width": (partial(models.alexnet, 10, 3, 0.5 * shrink, stem="small"), None),
    }
    if size != "cpu":
        networks |= {
            "AlexNet, 224 × 224": (partial(models.alexnet, 10, 3, shrink), side),
            "VGG-16, 224 × 224": (partial(models.vgg16, 10, 3, shrink / 4 if quick else 1.0), side),
            "VGG-16 with batch norm, 224 × 224": (partial(models.vgg16_bn, 10, 3, shrink / 4 if quick else 1.0), side),
            "VGG8, 224 × 224": (partial(models.vgg8, 10, 3, shrink), side),
        }
    return [
        Planned(f"{name}, {part:.0%}", seed, build, "cifar10", recipe, sample=quick, fraction=part, side=enlarged)
        for part in (FRACTIONS if not quick else (0.5, 1.0))
        for name, (build, enlarged) in networks.items()
    ]
