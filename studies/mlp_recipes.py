"""Chapter 1's perceptron by four recipes, each the one before with a change: epochs, a falling rate, dropout.

Adam at 0.001, batches of 128, all digits, five seeds, judged on validation images: the choice that chapter 1 makes.
190 epochs take 9 minutes of the slower machine, 67 G multiply-adds a second.
"""

from functools import partial

from course_lib import models
from course_lib.training import constant, cosine
from course_tools.studies.plan import Planned

SEEDS = 5
RECIPES = {
    "two epochs": (2, constant, 0.0),
    "twelve epochs": (12, constant, 0.0),
    "and a falling rate": (12, cosine, 0.0),
    "and dropout": (12, cosine, 0.2),
}


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch on the sample."""
    quick = size == "quick"
    return [
        Planned(
            name,
            seed,
            partial(models.mlp, dropout=dropout),
            "mnist",
            {"epochs": 1 if quick else epochs, "batch_size": 128, "learning_rate": 1e-3, "schedule": schedule},
            sample=quick,
            judge="validation",
        )
        for name, (epochs, schedule, dropout) in RECIPES.items()
    ]
