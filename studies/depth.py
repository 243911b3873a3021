"""Does depth help? VGG8, VGG-13 and VGG-16, with and without batch norm, and one network with wide windows.

The wide network has one 5 × 5 where VGG-13 has two 3 × 3: the comparison of the VGG paper (section 2.3). He's first
weights in all layers, the same 14,000 photographs for fifteen epochs, a quarter of the width, the head of VGG8. Work
and parameters grow with depth. Each network tries rates on validation images with one seed, and is judged on test
images with five seeds at the best of them.

Planned before the first run, without batch norm and with it: VGG-13 less VGG8, VGG-16 less VGG8, VGG-13 less the wide
network; and VGG-16 with batch norm less without. Seven comparisons, one family.
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
# More where the best of these was at an edge.
WIDER = {"VGG8": (0.016,), "VGG8, batch norm": (0.016,), "VGG-16": (0.00025,), "VGG-16, batch norm": (0.016,)}
# The rate with the highest validation accuracy of the runs that are named after rates; the lower one of a tie.
BEST: dict[str, float] = {
    "VGG8": 0.008,
    "VGG8, batch norm": 0.008,
    "VGG-13": 0.002,
    "VGG-13, batch norm": 0.004,
    "VGG-16": 0.0005,
    "VGG-16, batch norm": 0.008,
    "wide windows": 0.004,
    "wide windows, batch norm": 0.002,
}
RECIPE = {"epochs": 15, "batch_size": 128, "schedule": one_cycle, "augment": data.flip_and_crop, "precision": "auto"}
VGG13 = (64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")  # the paper's configuration B
CONFIGURATIONS = {
    "VGG8": models.CONFIGURATIONS["8"],
    "VGG-13": VGG13,
    "VGG-16": models.CONFIGURATIONS["D"],
    "wide windows": models.CONFIGURATIONS["8"],
}
NETWORKS = [kind + norm for kind in CONFIGURATIONS for norm in ("", ", batch norm")]


def network(name: str, width: float) -> nn.Module:
    """One of ``NETWORKS`` for 32 × 32 photographs, with He's first weights."""
    kind, _, norm = name.partition(", ")
    options = {"num_classes": 10, "pooled": 1, "hidden": (512, 512), "batch_norm": bool(norm)}
    built = models.VGG(CONFIGURATIONS[kind], width=width, **options)
    if kind == "wide windows":
        for place, layer in enumerate(built.features):
            if isinstance(layer, nn.Conv2d):
                built.features[place] = nn.Conv2d(layer.in_channels, layer.out_channels, kernel_size=5, padding=2)
    return with_he_weights(built)


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample."""
    quick = size == "quick"

    def planned(name: str, network_name: str, rate: float, judge: str) -> Planned:
        return Planned(
            name,
            seed,
            partial(network, network_name, 1 / 16 if quick else 0.25),
            "cifar10",
            RECIPE | {"learning_rate": rate} | ({"epochs": 1} if quick else {}),
            sample=quick,
            fraction=1.0 if quick else IMAGES / 45_000,
            judge=judge,
        )

    rates = {name: (*RATES, *WIDER.get(name, ())) for name in NETWORKS}
    tried = [planned(f"{name}, rate {rate:g}", name, rate, "validation") for name in NETWORKS for rate in rates[name]]
    judged = [planned(name, name, rate, "test") for name, rate in BEST.items()]
    return (tried if seed == 0 else []) + judged
