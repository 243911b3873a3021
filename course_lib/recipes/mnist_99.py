"""99 % of MNIST in a few seconds on two CPU cores.

Three things make it short. The network halves the image with strides instead of pooling, so it computes mostly on small
feature maps. Batch norm allows ten times the usual learning rate. One cycle of the rate, up and then down to zero,
converges in two epochs, after which a constant rate still fluctuates.

Epochs, batch, rate and widths were chosen on validation images.
"""

from functools import partial

import torch
from torch import nn

from course_lib.data import Split
from course_lib.models import Classifier
from course_lib.training import History, fit, one_cycle, set_seed

DATA, TARGET, VIEWS = "mnist", 0.99, None
WIDTHS = (16, 48, 64)


class Strided(Classifier):
    """Convolutions of stride 2, each with batch norm and ReLU, and one linear layer: 28 → 14 → 7 → 4 pixels a side."""

    def __init__(self, num_classes: int = 10, in_channels: int = 1):
        super().__init__()
        layers: list[nn.Module] = []
        for kernel, width in zip((5, 3, 3), WIDTHS, strict=True):
            convolution = nn.Conv2d(in_channels, width, kernel, stride=2, padding=kernel // 2, bias=False)
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
            in_channels = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(WIDTHS[-1] * 4 * 4, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(images).flatten(1))


def train(images: Split, val: Split | None = None, *, seed: int = 0, **options) -> tuple[nn.Module, History]:
    """Train on ``images`` (N, 1, 28, 28); ``options`` are for ``fit``."""
    set_seed(seed)
    model = Strided(len(images.classes))
    recipe = {
        "epochs": 2,
        "batch_size": 128,
        "learning_rate": 0.015,
        "optimizer": partial(torch.optim.AdamW, weight_decay=0.01),
        "schedule": one_cycle,
        "precision": "auto",
    }
    return model, fit(model, images, val, seed=seed, **recipe | options)
