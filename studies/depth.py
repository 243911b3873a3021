"""Does depth help, on equal terms? VGG8, VGG-11 and VGG-16, with and without batch norm, and one shallow network.

He's first weights in all layers, the same 14,000 photographs for fifteen epochs, at a quarter of the width, under the
head of VGG8. The shallow network has VGG8's channels and one window of 5 × 5 a block. Each network tries the same five
rates on validation images with one seed, and is judged with five seeds at the best of them.
"""

from functools import partial

from torch import nn

from course_lib import data, models
from course_lib.training import one_cycle
from course_tools.studies.changes import with_he_weights
from course_tools.studies.plan import Planned

SEEDS = 5
IMAGES = 14_000
RATES = (0.0005, 0.001, 0.002, 0.004, 0.008)
# The rate with the highest validation accuracy of the runs that are named after rates; the lower one of a tie.
BEST: dict[str, float] = {}
RECIPE = {"epochs": 15, "batch_size": 128, "schedule": one_cycle, "augment": data.flip_and_crop, "precision": "auto"}
CONFIGURATIONS = {"VGG8": "8", "VGG-11": "A", "VGG-16": "D", "shallow, 5 × 5": "8"}


def network(kind: str, batch_norm: bool, width: float) -> nn.Module:
    """One of ``CONFIGURATIONS`` for 32 × 32 photographs, with He's first weights."""
    layers = models.CONFIGURATIONS[CONFIGURATIONS[kind]]
    built = models.VGG(layers, num_classes=10, width=width, batch_norm=batch_norm, pooled=1, hidden=(512, 512))
    if kind == "shallow, 5 × 5":
        for place, layer in enumerate(built.features):
            if isinstance(layer, nn.Conv2d):
                built.features[place] = nn.Conv2d(layer.in_channels, layer.out_channels, kernel_size=5, padding=2)
    return with_he_weights(built)


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample."""
    quick = size == "quick"
    recipe = RECIPE | {"epochs": 1} if quick else RECIPE

    def planned(name: str, network_name: str, rate: float, judge: str) -> Planned:
        kind, _, norm = network_name.partition(", with ")
        return Planned(
            name,
            seed,
            partial(network, kind=kind, batch_norm=bool(norm), width=1 / 16 if quick else 0.25),
            "cifar10",
            recipe | {"learning_rate": rate},
            sample=quick,
            fraction=1.0 if quick else IMAGES / 45_000,
            judge=judge,
        )

    names = [kind + norm for kind in CONFIGURATIONS for norm in ("", ", with batch norm")]
    tried = [planned(f"{name}, rate {rate:g}", name, rate, "validation") for name in names for rate in RATES]
    judged = [planned(name, name, rate, "test") for name, rate in BEST.items()]
    return (tried if seed == 0 else []) + judged
