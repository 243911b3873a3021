"""The multilayer perceptron: flatten the image, then linear layers with ReLU between them."""

from collections.abc import Sequence

import torch
from torch import nn

from course_lib.models.classifier import Classifier


class MLP(Classifier):
    """A multilayer perceptron for images.

    Every hidden unit is joined to every pixel, near or far: the network does
    not know that its input is a picture. Input (N, C, H, W), output logits
    (N, num_classes).

    Source: Rumelhart, Hinton and Williams, 1986; ReLU after Glorot, Bordes and
    Bengio, 2011; dropout after Srivastava et al., 2014.
    """

    def __init__(
        self,
        in_features: int,
        hidden: Sequence[int],
        num_classes: int,
        dropout: float,
    ):
        super().__init__()
        self.flatten = nn.Flatten()
        layers: list[nn.Module] = []
        for width in hidden:
            layers += [nn.Linear(in_features, width), nn.ReLU()]
            if dropout > 0:
                layers.append(nn.Dropout(dropout))
            in_features = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(in_features, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(self.flatten(images)))


def mlp(
    num_classes: int = 10,
    in_channels: int = 1,
    image_size: int = 28,
    hidden: Sequence[int] = (512, 256),
    dropout: float = 0.0,
) -> MLP:
    """Build a multilayer perceptron for square images.

    Args:
        image_size: side of the image in pixels.
        hidden: width of each hidden layer; an empty sequence gives a linear classifier.
        dropout: probability with which a hidden activation is zeroed during training.

    Returns: an :class:`MLP` for inputs of shape (N, in_channels, image_size, image_size).
    """
    return MLP(in_channels * image_size**2, hidden, num_classes, dropout)
