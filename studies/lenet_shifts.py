"""What the perceptron and five LeNets make of moved digits, and two of them of shuffled ones.

The networks, rates and recipe are those of the study ``lenet-fair``, and two more LeNets complete the table of two
activations by two ways to pool. Each is trained on digits in their place, and evaluated on the test digits moved to the
right by 0 to 6 pixels. The perceptron and the modern LeNet are also trained and evaluated on digits whose pixels are
shuffled. What lacks a rate tries the same seven on validation images with one seed.
"""

from functools import partial

from torch import nn

from course_lib import models
from course_tools.studies.plan import Planned
from studies import lenet_fair
from studies.lenet_fair import NETWORKS, RATES, RECIPE

SEEDS = 5
MOVED = (0, 1, 2, 3, 4, 5, 6)
MIXED = {
    "LeNet-5, tanh and maximum": partial(models.LeNet5, 1, 28, 10, activation=nn.Tanh, pool=nn.MaxPool2d),
    "LeNet-5, ReLU and average": partial(models.LeNet5, 1, 28, 10, activation=nn.ReLU, pool=nn.AvgPool2d),
}
SHUFFLED = {f"{name}, shuffled": NETWORKS[name] for name in ("perceptron", "LeNet-5, modern")}
WIDER = {"LeNet-5, ReLU and average": (0.032,)}  # its best of the seven lay at the edge
# The rate with the highest validation accuracy of the runs that are named after rates; the lower one of a tie.
BEST = lenet_fair.BEST | {
    "LeNet-5, tanh and maximum": 0.002,
    "LeNet-5, ReLU and average": 0.016,
    "perceptron, shuffled": 0.004,
    "LeNet-5, modern, shuffled": 0.008,
}


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch on the sample, two rates."""
    quick = size == "quick"
    networks = NETWORKS | MIXED | SHUFFLED
    recipe = RECIPE | {"epochs": 1} if quick else RECIPE

    def planned(name: str, network: str, rate: float, **options) -> Planned:
        shuffled = network in SHUFFLED
        build, options = networks[network], options | {"sample": quick, "shuffled": shuffled}
        return Planned(name, seed, build, "mnist", recipe | {"learning_rate": rate}, **options)

    tried = [
        planned(f"{name}, rate {rate:g}", name, rate, judge="validation")
        for name in MIXED | SHUFFLED
        for rate in (RATES[2:4] if quick else (*RATES, *WIDER.get(name, ())))
        if seed == 0
    ]
    moved = {name: {} if name in SHUFFLED else {"moved": MOVED} for name in BEST}
    return tried + [planned(name, name, rate, **moved[name]) for name, rate in BEST.items()]
