"""The perceptron of chapter 1 with three optimisers, at a constant and at a falling rate, each at a rate of its own.

Plain gradient descent, with momentum 0.9, and Adam; eight epochs of all digits, batches of 128, no dropout. Each of the
six tries seven rates on validation images with one seed, and is judged with five seeds on test images at the best of
them. That is 11 minutes of the slower machine, 67 G multiply-adds a second.
"""

from functools import partial

import torch

from course_lib import models
from course_lib.training import constant, cosine
from course_tools.studies.plan import Planned

SEEDS = 5
RECIPE = {"epochs": 8, "batch_size": 128, "precision": "auto"}
SCHEDULES = {"constant rate": constant, "falling rate": cosine}
OPTIMIZERS = {
    "SGD": torch.optim.SGD,
    "SGD with momentum": partial(torch.optim.SGD, momentum=0.9),
    "Adam": torch.optim.Adam,
}
RATES = {
    "SGD": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    "SGD with momentum": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
    "Adam": (0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03),
}
# The rate with the highest validation accuracy of the runs that are named after rates; the lower one of a tie.
BEST: dict[str, float] = {
    "SGD, constant rate": 0.3,
    "SGD, falling rate": 0.3,
    "SGD with momentum, constant rate": 0.01,
    "SGD with momentum, falling rate": 0.1,
    "Adam, constant rate": 0.0003,
    "Adam, falling rate": 0.003,
}


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch on the sample, two rates."""
    quick = size == "quick"

    def planned(name: str, recipe_name: str, rate: float, judge: str) -> Planned:
        optimizer, _, schedule = recipe_name.rpartition(", ")
        recipe = RECIPE | {"optimizer": OPTIMIZERS[optimizer], "schedule": SCHEDULES[schedule], "learning_rate": rate}
        recipe |= {"epochs": 1} if quick else {}
        return Planned(name, seed, models.mlp, "mnist", recipe, sample=quick, judge=judge)

    tried = [
        planned(f"{optimizer}, {schedule}, rate {rate:g}", f"{optimizer}, {schedule}", rate, "validation")
        for optimizer in OPTIMIZERS
        for schedule in SCHEDULES
        for rate in (RATES[optimizer][:2] if quick else RATES[optimizer])
        if seed == 0
    ]
    return tried + [planned(name, name, rate, "test") for name, rate in BEST.items()]
