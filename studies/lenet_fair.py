"""The perceptron, LeNet-5 in both forms and a LeNet-5 without pooling, on equal terms.

Same digits, epochs, schedule and batches, no dropout. Each network tries the same seven rates on validation images with
one seed, and is judged with five seeds at the best of them. The twin without pooling has LeNet's layers and parameters:
its convolutions take steps of two instead.
"""

from functools import partial

from torch import nn

from course_lib import models
from course_lib.training import one_cycle
from course_tools.studies.plan import Planned

SEEDS = 5
RATES = (0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016)
RECIPE = {"epochs": 8, "batch_size": 128, "schedule": one_cycle, "precision": "auto"}
# The rate with the highest validation accuracy of the runs that are named after rates; the lower one of a tie.
BEST = {"perceptron": 0.002, "LeNet-5, 1998": 0.008, "LeNet-5, modern": 0.004, "LeNet-5, strided": 0.008}


def lenet5_strided() -> nn.Module:
    """LeNet-5, modern form, with convolutions of stride 2 in place of pools: 61,706 parameters as well."""
    network = models.lenet5()
    for place, layer in enumerate(network.features):
        if isinstance(layer, nn.Conv2d):
            layer.stride = (2, 2)
        elif isinstance(layer, nn.MaxPool2d):
            network.features[place] = nn.Identity()
    return network


NETWORKS = {
    "perceptron": models.mlp,
    "LeNet-5, 1998": partial(models.lenet5, form="1998"),
    "LeNet-5, modern": models.lenet5,
    "LeNet-5, strided": lenet5_strided,
}


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch on the sample."""
    quick = size == "quick"
    recipe = RECIPE | {"epochs": 1} if quick else RECIPE

    def planned(name: str, network: str, rate: float, judge: str) -> Planned:
        return Planned(
            name, seed, NETWORKS[network], "mnist", recipe | {"learning_rate": rate}, sample=quick, judge=judge
        )

    tried = [
        planned(f"{name}, rate {rate:g}", name, rate, "validation") for name in NETWORKS for rate in RATES if seed == 0
    ]
    return tried + [planned(name, name, rate, "test") for name, rate in BEST.items()]
