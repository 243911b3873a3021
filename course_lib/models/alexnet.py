"""AlexNet: five convolutions, three of them pooled, then three linear layers."""

import torch
from torch import nn

from course_lib.models.classifier import Classifier, scaled

CHANNELS = {
    "2012": (96, 256, 384, 384, 256),
    "torchvision": (64, 192, 384, 256, 256),
}


class AlexNet(Classifier):
    """AlexNet for images (N, C, side, side); output logits (N, num_classes).

    The comments give the shapes for 224 × 224 images and the paper's 96 channels; ``features`` and ``classifier`` are
    named as in torchvision. Source: Krizhevsky, Sutskever and Hinton, 2012, section 3.
    """

    def __init__(
        self, form: str, in_channels: int, num_classes: int, width: float, groups: int, stem: str, dropout: float
    ):
        super().__init__()
        c1, c2, c3, c4, c5 = (scaled(channels, width) for channels in CHANNELS[form])
        hidden = scaled(4096, width)
        if stem == "imagenet":
            conv1, side = nn.Conv2d(in_channels, c1, kernel_size=11, stride=4, padding=2), 6
        else:
            conv1, side = nn.Conv2d(in_channels, c1, kernel_size=5, padding=2), 2

        def norm() -> list[nn.Module]:
            """Section 3.3: k = 2, n = 5, α = 10⁻⁴, β = 0.75; torch divides α by n, so α here is n times the paper's."""
            return [nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)] if form == "2012" else []

        self.features = nn.Sequential(
            *(conv1, nn.ReLU(inplace=True), *norm(), nn.MaxPool2d(3, stride=2)),  # 96×55×55, then 96×27×27
            nn.Conv2d(c1, c2, kernel_size=5, padding=2, groups=groups),  # 256×27×27
            *(nn.ReLU(inplace=True), *norm(), nn.MaxPool2d(3, stride=2)),  # 256×13×13
            *(nn.Conv2d(c2, c3, kernel_size=3, padding=1), nn.ReLU(inplace=True)),  # 384×13×13
            *(nn.Conv2d(c3, c4, kernel_size=3, padding=1, groups=groups), nn.ReLU(inplace=True)),  # 384×13×13
            *(nn.Conv2d(c4, c5, kernel_size=3, padding=1, groups=groups), nn.ReLU(inplace=True)),  # 256×13×13
            nn.MaxPool2d(3, stride=2),  # 256×6×6
        )
        self.avgpool = nn.AdaptiveAvgPool2d(side)  # does nothing to images of the intended size
        drop = [nn.Dropout(dropout), nn.Dropout(dropout)]
        linear = [nn.Linear(c5 * side**2, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, num_classes)]
        if form == "2012":  # dropout follows the first two linear layers
            layers = [linear[0], nn.ReLU(inplace=True), drop[0], linear[1], nn.ReLU(inplace=True), drop[1], linear[2]]
        else:  # dropout comes before them
            layers = [drop[0], linear[0], nn.ReLU(inplace=True), drop[1], linear[1], nn.ReLU(inplace=True), linear[2]]
        self.classifier = nn.Sequential(*layers)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.avgpool(self.features(images))
        return self.classifier(torch.flatten(maps, 1))


def alexnet(
    num_classes: int = 1000,
    in_channels: int = 3,
    width: float = 1.0,
    *,
    form: str = "torchvision",
    groups: int = 1,
    stem: str = "imagenet",
    dropout: float = 0.5,
) -> AlexNet:
    """Build AlexNet in one of two forms.

    ``"torchvision"`` has 61,100,840 parameters; it follows Krizhevsky's later, one-column variant (One Weird Trick,
    2014). ``"2012"`` is the paper's, with 96 first filters and local response normalisation: 62,378,344 parameters, or
    60,965,224 with ``groups=2``, the split over two GPUs that the paper describes.

    Args:
        width: factor on all channels and hidden units.
        form: ``"torchvision"`` or ``"2012"``.
        groups: number of groups of the 2nd, 4th and 5th convolution.
        stem: first convolution: ``"imagenet"``, 11 × 11 with stride 4; ``"small"``, 5 × 5 with stride 1, for images of
            28 × 28.
        dropout: probability with which a hidden unit is zeroed during training.

    Raises: ValueError for another form or stem, or channels that the groups do not divide.
    """
    if form not in CHANNELS:
        raise ValueError(f"form must be '2012' or 'torchvision', not {form!r}")
    if stem not in ("imagenet", "small"):
        raise ValueError(f"stem must be 'imagenet' or 'small', not {stem!r}")
    if groups < 1:
        raise ValueError(f"groups must be at least 1, not {groups}")
    if any(scaled(channels, width) % groups for channels in CHANNELS[form]):
        raise ValueError(f"a width of {width} leaves channels that do not divide into {groups} groups")
    return AlexNet(form, in_channels, num_classes, width, groups, stem, dropout)
