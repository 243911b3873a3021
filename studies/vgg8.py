"""VGG8 from He's first weights: rates with and without batch norm, and all photographs.

Rates: a quarter of the width, 8,000 photographs, four epochs at each rate, judged on validation images. All
photographs: with batch norm, at half the width, by the recipe that chapter 4 trains with, judged on test images.
"""

from functools import partial

from course_lib import data
from course_lib.training import one_cycle
from course_tools.studies.plan import Planned
from studies.vgg_trials import IMAGES, narrow

SEEDS = 5
RATES = (0.0005, 0.002, 0.008, 0.032, 0.128)
RECIPE = {"batch_size": 128, "schedule": one_cycle, "precision": "auto"}


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample."""
    quick = size == "quick"
    rates = [
        Planned(
            f"{'batch norm' if norm else 'no norm'} at {rate:g}",
            seed,
            partial(narrow, "8", "He's weights", 1 / 16 if quick else 0.25, norm),
            "cifar10",
            RECIPE | {"epochs": 1 if quick else 4, "learning_rate": rate},
            sample=quick,
            fraction=1.0 if quick else IMAGES / 45_000,
            judge="validation",
        )
        for norm in (False, True)
        for rate in RATES
    ]
    whole = Planned(
        "VGG8-BN, half width",
        seed,
        partial(narrow, "8", "He's weights", 1 / 16 if quick else 0.5),
        "cifar10",
        RECIPE | {"epochs": 1 if quick else 8, "learning_rate": 0.002, "augment": data.flip_and_crop},
        sample=quick,
    )
    return [*rates, whole]
