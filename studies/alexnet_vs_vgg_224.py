"""AlexNet, VGG-16, VGG-16 with batch norm and VGG8 on 5 % of CIFAR-10 at 224 × 224: the experiment of a report itself.

The report is source E. 2,500 photographs (its text says 5,000), torch's first weights, ten epochs, one seed, as there.
Adam at a constant 0.001, batches of 128 and the VGG8 are ours. Accuracies after epochs 1, 2 and 10 stand beside the
report's, on 500 validation images; the end is judged on 2,000 test images. The report judged on test images throughout.

In bfloat16: a log of the report shows half precision, too. A processor with instructions for it does some 200 G
multiply-adds a second, which is 4 hours. The slower machine, 67 G, would take 12, and is refused. VGG-16's two runs,
106 minutes each, are longer than those of other studies, and go on from their checkpoints.
"""

from functools import partial

from torch import nn

from course_lib import models
from course_tools.studies.changes import with_torch_weights
from course_tools.studies.plan import Planned
from studies.vgg_vs_resnet import RECIPE

SEEDS = 1
JOBS = 1  # VGG-16 and its gradients take 10 GB
IMAGES = 2_500
NETWORKS = {
    "AlexNet": models.alexnet,
    "VGG-16": models.vgg16,
    "VGG-16 with batch norm": models.vgg16_bn,
    "VGG8": models.vgg8,
}


def network(kind: str, width: float) -> nn.Module:
    """One of ``NETWORKS`` for photographs, with torch's first weights."""
    return with_torch_weights(NETWORKS[kind](10, 3, width))


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample, 64 × 64, in any precision."""
    quick = size == "quick"
    recipe = RECIPE | ({"epochs": 1} if quick else {"precision": "bfloat16"})
    return [
        Planned(
            kind,
            seed,
            partial(network, kind=kind, width=1 / 16 if quick else 1.0),
            "cifar10",
            recipe,
            sample=quick,
            fraction=1.0 if quick else IMAGES / 45_000,
            side=64 if quick else 224,
            judged_by=(500, 2_000),
        )
        for kind in NETWORKS
    ]
