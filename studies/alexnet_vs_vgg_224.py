"""AlexNet, VGG-16, VGG-16 with batch norm and VGG8 on 5 % of CIFAR-10 at 224 × 224: the experiment of a report itself.

The report is source E. 2,500 photographs (its text says 5,000), torch's first weights, ten epochs. Adam at a constant
0.001, batches of 128 and the VGG8 are ours. Accuracies after epochs 1, 2 and 10 stand beside the report's, on 500
validation images; the end is judged on 2,000 test images. The report judged on test images throughout.

One comparison was planned before the first run: VGG8 less AlexNet, with torch's weights, on test images.

In bfloat16: a log of the report shows half precision, too. ``full``, for a GPU, has five seeds, and the same networks
with He's first weights. ``cpu`` has one seed with torch's, as the report: at some 200 G multiply-adds a second 4 hours,
at the 67 G of the slower machine 12. VGG-16's two runs there are longer than those of other studies.
"""

from functools import partial

from torch import nn

from course_lib import models
from course_tools.studies.changes import WEIGHTS
from course_tools.studies.plan import Planned
from studies.vgg_vs_resnet import RECIPE

SEEDS = 5
JOBS = 1  # VGG-16 and its gradients take 10 GB
IMAGES = 2_500
NETWORKS = {
    "AlexNet": models.alexnet,
    "VGG-16": models.vgg16,
    "VGG-16 with batch norm": models.vgg16_bn,
    "VGG8": models.vgg8,
}


def network(kind: str, weights: str, width: float) -> nn.Module:
    """One of ``NETWORKS`` for photographs, with first weights from ``WEIGHTS``."""
    return WEIGHTS[weights](NETWORKS[kind](10, 3, width))


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample, 64 × 64, in any precision."""
    quick = size == "quick"
    if size == "cpu" and seed > 0:
        return []
    recipe = RECIPE | ({"epochs": 1} if quick else {"precision": "bfloat16"})
    return [
        Planned(
            f"{kind}, {weights}",
            seed,
            partial(network, kind=kind, weights=weights, width=1 / 16 if quick else 1.0),
            "cifar10",
            recipe,
            sample=quick,
            fraction=1.0 if quick else IMAGES / 45_000,
            side=64 if quick else 224,
            judged_by=(500, 2_000),
        )
        for kind in NETWORKS
        for weights in (["torch's weights"] if size == "cpu" else WEIGHTS)
    ]
