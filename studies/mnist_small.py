"""Small networks for digits: MiniVGG and three that keep less of it (chapter 5), and the small ResNet (chapter 6).

Those of chapter 5 share one recipe; the small ResNet has the rate that chapter 6 found on validation images. All is
fixed before the first run, and nothing is chosen afterwards, so the runs are judged on test images.
"""

from functools import partial

from course_lib import models
from course_lib.training import one_cycle
from course_tools.studies.plan import Planned

SEEDS = 5
COMMON = {"schedule": one_cycle, "precision": "auto"}
MINIVGG = COMMON | {"epochs": 2, "batch_size": 256, "learning_rate": 0.002}
RESNET = COMMON | {"epochs": 3, "batch_size": 128, "learning_rate": 0.008}


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch at a quarter of these widths, on the sample."""
    quick = size == "quick"
    width = 0.25 if quick else 1.0
    networks = {
        "MiniVGG": (partial(models.minivgg, width=width), MINIVGG),
        "vgg_small": (partial(models.vgg_small, width=width), MINIVGG),
        "no hidden layer": (partial(models.minivgg, width=width, hidden=()), MINIVGG),
        "smallest": (partial(models.minivgg, width=width / 4, hidden=()), MINIVGG),
        "ResNet, small": (partial(models.resnet_small, width=width / 4), RESNET),
    }
    return [
        Planned(name, seed, build, "mnist", recipe | ({"epochs": 1} if quick else {}), sample=quick)
        for name, (build, recipe) in networks.items()
    ]
