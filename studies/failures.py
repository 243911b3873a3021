"""How a deep network fails: slow to start, dead, or thrown about, by its first weights and its rate.

The plain VGG of chapter 9: 16 layers at a quarter of the width for 32 × 32 pixels, without dropout, with torch's and
with He's first weights at six rates, from too low to too high for both; and at the rate of the chapter, with torch's
weights, with batch norm, with a warm-up, and in float32. 2,250 photographs, ten epochs, batches of 128, Adam at a
constant rate but for the warm-up, five seeds, judged on 1,000 validation images. That is 29 minutes of the slower
machine, 67 G multiply-adds a second.

A record holds losses and accuracies, so it tells a network that learns from one that stays at ln 10. What tells the
three states apart are the gradients, and chapter 9 measures those.
"""

from functools import partial

from torch import nn

from course_lib import models
from course_tools.studies.changes import WEIGHTS
from course_tools.studies.plan import Planned
from studies.vgg_vs_resnet import RECIPE

SEEDS = 5
RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)


def warm_up(progress: float) -> float:
    """The rate's share at this share of the steps: it rises to its full height in the first 30 %."""
    return min(1.0, progress / 0.3)


def network(weights: str, batch_norm: bool, width: float) -> nn.Module:
    """The deep network of chapter 9, with ``torch's weights`` or ``He's weights``."""
    layers, options = models.CONFIGURATIONS["D"], {"pooled": 1, "hidden": (512, 512), "dropout": 0.0}
    return WEIGHTS[weights](models.VGG(layers, num_classes=10, width=width, batch_norm=batch_norm, **options))


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample, two rates."""
    quick = size == "quick"
    recipe = RECIPE | {"epochs": 1} if quick else RECIPE

    def planned(weights: str, rate: float, change: str = "", batch_norm: bool = False, **options) -> Planned:
        return Planned(
            f"deep, {weights}, rate {rate:g}{change}",
            seed,
            partial(network, weights=weights, batch_norm=batch_norm, width=1 / 16 if quick else 0.25),
            "cifar10",
            recipe | {"learning_rate": rate} | options,
            sample=quick,
            fraction=1.0 if quick else 0.05,
            judge="validation",
            judged_by=(1_000, 1_000),
        )

    return [
        *(planned(weights, rate) for weights in WEIGHTS for rate in (RATES[:2] if quick else RATES)),
        planned("torch's weights", 0.001, ", batch norm", batch_norm=True),
        planned("torch's weights", 0.001, ", warm-up", schedule=warm_up),
        planned("torch's weights", 0.001, ", float32", precision="float32"),
    ]
