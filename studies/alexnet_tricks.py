"""AlexNet's tricks one at a time, in a network that has learned for long enough to need them.

A quarter of the width, 10,000 photographs, 30 epochs, five seeds. `alexnet-start` settled torch's first weights and a
rate of 0.001, for ReLU and for tanh. The base has ReLU, overlapping pools, dropout, flips and crops; each other network
differs from it in one thing. Judged on validation images: who is ahead is what is asked.
"""

from functools import cache, partial

import torch
from torch import nn

from course_lib import data, models
from course_lib.training import one_cycle
from course_tools.studies.changes import exchange
from course_tools.studies.plan import Planned

SEEDS = 5
IMAGES = 10_000
RECIPE = {"epochs": 30, "batch_size": 128, "learning_rate": 1e-3, "schedule": one_cycle, "precision": "auto"}


def network(change: str, width: float) -> nn.Module:
    """AlexNet for 32 × 32 with one trick changed."""
    built = models.alexnet(10, width=width, stem="small", dropout=0.0 if change == "no dropout" else 0.5)
    if change == "tanh":
        exchange(built, nn.ReLU, nn.Tanh)
    elif change == "pools that tile":
        exchange(built, nn.MaxPool2d, partial(nn.MaxPool2d, 2, stride=2))
    elif change == "with LRN":
        norm = partial(nn.LocalResponseNorm, 5, alpha=5e-4, beta=0.75, k=2.0)
        layers = list(built.features)
        built.features = nn.Sequential(*layers[:2], norm(), *layers[2:5], norm(), *layers[5:])
    return built


@cache
def _light() -> tuple[torch.Tensor, torch.Tensor]:
    """Variances (3,) of the principal colours of pixels in [0, 1], and directions (3, 3) for normalised ones."""
    split = data.load("cifar10").train
    pixels = split.images.permute(1, 0, 2, 3).flatten(1).double() / 255
    variances, directions = torch.linalg.eigh(torch.cov(pixels))
    return variances.float(), (directions / torch.tensor(split.std, dtype=torch.float64)[:, None]).float()


def other_light(images: torch.Tensor) -> torch.Tensor:
    """Flips, crops, and the paper's change of colour. Source: Krizhevsky et al., 2012, section 4.1."""
    variances, directions = _light()
    shift = (0.1 * torch.randn(len(images), 3) * variances) @ directions.T
    return data.flip_and_crop(images) + shift[:, :, None, None]


AUGMENTATIONS = {"no flips": data.random_crop, "no crops": data.random_flip, "with light": other_light}
CHANGES = ("base", "tanh", "pools that tile", "no dropout", "with LRN", *AUGMENTATIONS)


def grid(size: str, seed: int) -> list[Planned]:
    """The runs of one seed. ``quick``: one epoch of narrow networks on the sample."""
    quick = size == "quick"
    recipe = RECIPE | {"epochs": 1} if quick else RECIPE
    return [
        Planned(
            change,
            seed,
            partial(network, change=change, width=0.125 if quick else 0.25),
            "cifar10",
            recipe | {"augment": AUGMENTATIONS.get(change, data.flip_and_crop)},
            sample=quick,
            fraction=1.0 if quick else IMAGES / 45_000,
            judge="validation",
        )
        for change in CHANGES
    ]
