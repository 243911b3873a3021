"""How accuracy grows with the number of images: 5, 10, 25 and 100 % of CIFAR-10's training images, ten epochs each.

After a student report (sources E) that compared AlexNet with VGG at 5 and 10 %. Adam at a constant 0.001 and batches of
128; the report does not state its own. At 5 % two suspects are tried: the first weights, and the number of steps. The
report enlarged its images to 224 × 224: that is the study ``alexnet-vs-vgg-224``.
"""

from collections.abc import Callable
from functools import partial

from torch import nn

from course_lib import models
from course_tools.studies.changes import with_he_weights
from course_tools.studies.plan import Planned
from studies.vgg_vs_resnet import RECIPE

SEEDS = 5
FRACTIONS = (0.05, 0.10, 0.25, 1.0)
NETWORKS = {"VGG8": models.vgg8, "AlexNet": partial(models.alexnet, stem="small")}


def with_he(name: str, *arguments) -> nn.Module:
    """The network of that name, with He's first weights in all layers."""
    return with_he_weights(NETWORKS[name](*arguments))


def vgg8_with_he_head(*arguments) -> nn.Module:
    """VGG8 with He's first weights in its linear layers, which else have weights of one size, 0.01."""
    network = models.vgg8(*arguments)
    with_he_weights(network.classifier)
    return network


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed, smallest data first. ``quick``: one epoch of narrow networks, on halves of the sample."""
    quick = size == "quick"
    recipe = RECIPE | {"epochs": 1} if quick else RECIPE
    arguments = (10, 3, 0.125 if quick else 0.5)
    networks = {f"{name}, half width": partial(network, *arguments) for name, network in NETWORKS.items()}
    fractions = (0.5, 1.0) if quick else FRACTIONS

    def planned(name: str, build: Callable[[], nn.Module], part: float, **other) -> Planned:
        name = f"{name}, {part:.0%}"
        return Planned(name, seed, build, "cifar10", recipe | other, sample=quick, fraction=part)

    runs = [planned(name, build, part) for part in fractions for name, build in networks.items()]
    at_5 = {f"{name}, half width, He's weights": partial(with_he, name, *arguments) for name in NETWORKS}
    at_5["VGG8, half width, He's weights in its head"] = partial(vgg8_with_he_head, *arguments)
    runs += [planned(name, build, fractions[0]) for name, build in at_5.items()]
    longer = {name: build for name, build in (networks | at_5).items() if not name.endswith("He's weights")}
    for name, build in longer.items():
        runs.append(planned(f"{name}, three times the steps", build, fractions[0], epochs=3 * recipe["epochs"]))
    return runs
