"""How a small AlexNet has to begin: first weights and rate, before any trick of it is judged.

Three starts, four rates, one seed, judged on validation images: torch's own weights; He's; and the paper's, a normal
of 0.01 with the biases of the second, fourth and fifth convolution and of the hidden linear layers at 1 (Krizhevsky et
al., 2012, section 5). ReLU and tanh, each with all of them, on 10,000 photographs for fifteen epochs.
"""

from functools import partial

from torch import nn

from course_lib import data, models
from course_lib.training import one_cycle
from course_tools.studies.changes import exchange, with_he_weights
from course_tools.studies.plan import Planned

SEEDS = 1
IMAGES = 10_000
RATES = (0.0005, 0.001, 0.002, 0.004)
RECIPE = {"epochs": 15, "batch_size": 128, "schedule": one_cycle, "augment": data.flip_and_crop, "precision": "auto"}


def start(width: float, weights: str, activation: str) -> nn.Module:
    """AlexNet for 32 × 32 with ``torch``, ``He`` or ``paper`` first weights, and ``ReLU`` or ``tanh``."""
    network = models.alexnet(10, width=width, stem="small")
    layers = [*network.features, *network.classifier]
    if weights == "He":
        with_he_weights(network)
    elif weights == "paper":
        convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
        linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
        ones = [convolutions[1], convolutions[3], convolutions[4], *linear[:-1]]
        for layer in convolutions + linear:
            nn.init.normal_(layer.weight, 0, 0.01)
            nn.init.constant_(layer.bias, 1.0 if layer in ones else 0.0)
    return exchange(network, nn.ReLU, nn.Tanh) if activation == "tanh" else network


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample, two rates."""
    quick = size == "quick"
    recipe = RECIPE | {"epochs": 1} if quick else RECIPE
    return [
        Planned(
            f"{activation}, {weights} weights, rate {rate:g}",
            seed,
            partial(start, width=0.125 if quick else 0.25, weights=weights, activation=activation),
            "cifar10",
            recipe | {"learning_rate": rate},
            sample=quick,
            fraction=1.0 if quick else IMAGES / 45_000,
            judge="validation",
        )
        for activation in ("ReLU", "tanh")
        for weights in ("torch", "He", "paper")
        for rate in (RATES[:2] if quick else RATES)
    ]
