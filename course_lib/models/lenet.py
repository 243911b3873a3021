"""LeNet-5: two convolutions, each followed by pooling, then three linear layers."""

import torch
from torch import nn

from course_lib.models.classifier import Classifier


class LeNet5(Classifier):
    """LeNet-5 for images of (N, C, side, side); output logits (N, num_classes).

    The comments give the paper's names and, for 28 × 28 grey images, the shapes.
    Source: LeCun, Bottou, Bengio and Haffner, 1998, section II.B.
    """

    def __init__(
        self,
        in_channels: int,
        side: int,
        num_classes: int,
        activation: type[nn.Module],
        pool: type[nn.Module],
    ):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, kernel_size=5, padding=2),  # C1: 6×28×28
            activation(),
            pool(2),  # S2: 6×14×14
            nn.Conv2d(6, 16, kernel_size=5),  # C3: 16×10×10
            activation(),
            pool(2),  # S4: 16×5×5
        )
        left = (side // 2 - 4) // 2
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * left * left, 120),  # C5
            activation(),
            nn.Linear(120, 84),  # F6
            activation(),
            nn.Linear(84, num_classes),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(images))


def lenet5(num_classes: int = 10, in_channels: int = 1, image_size: int = 28, form: str = "modern") -> LeNet5:
    """Build LeNet-5, in one of two forms with the same 61,706 parameters (for MNIST).

    Args:
        image_size: side of the image in pixels, at least 12.
        form: ``"1998"``, tanh and average pooling; ``"modern"``, ReLU and max-pooling.

    The 1998 form differs from the paper in four places: C3 sees all six maps where the paper's sees chosen ones (2,416
    parameters, not 1,516); pooling has no weights of its own; tanh is not rescaled; and the output is ten logits with
    cross-entropy, where the paper compares with drawn patterns. The 28 × 28 images are padded as the paper pads them,
    to 32 × 32, by C1.

    Raises: ValueError for another form, or images that the two poolings would shrink to nothing.
    """
    forms = {"1998": (nn.Tanh, nn.AvgPool2d), "modern": (nn.ReLU, nn.MaxPool2d)}
    if form not in forms:
        raise ValueError(f"form must be '1998' or 'modern', not {form!r}")
    if image_size < 12:
        raise ValueError(f"LeNet-5 needs images of at least 12×12 pixels, not {image_size}×{image_size}")
    return LeNet5(in_channels, image_size, num_classes, *forms[form])
