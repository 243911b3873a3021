"""VGG: blocks of 3 × 3 convolutions, each block closed by a pool that halves the side."""

from collections.abc import Sequence

import torch
from torch import nn

from course_lib.models.classifier import Classifier, scaled

Configuration = Sequence[int | str]

# A number is a 3 × 3 convolution with that many channels, "M" a max-pool. Letters as in the paper's table 1.
CONFIGURATIONS: dict[str, Configuration] = {
    "8": [64, "M", 128, "M", 256, "M", 512, "M", 512, "M"],
    "A": [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "D": [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"],
    "E": [64, 64, "M", 128, 128, "M", *([256] * 4), "M", *([512] * 4), "M", *([512] * 4), "M"],
    "mini": [32, 32, "M", 64, 64, 64, "M"],
    "small": [32, 32, "M", 64, 64, "M", 128, 128, "M"],
}


class VGG(Classifier):
    """A VGG from its configuration list; images (N, C, side, side), output logits (N, num_classes).

    ``features``, ``avgpool`` and ``classifier`` are named and initialised as in torchvision. Source: Simonyan and
    Zisserman, 2014, section 2.1; batch norm after Ioffe and Szegedy, 2015; initialisation after He et al., 2015.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        in_channels: int = 3,
        num_classes: int = 1000,
        width: float = 1.0,
        batch_norm: bool = False,
        pooled: int = 7,
        hidden: Sequence[int] = (4096, 4096),
        dropout: float = 0.5,
    ):
        super().__init__()
        layers: list[nn.Module] = []
        for entry in configuration:
            if entry == "M":
                layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            else:
                channels = scaled(entry, width)
                layers.append(nn.Conv2d(in_channels, channels, kernel_size=3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(channels))
                layers.append(nn.ReLU(inplace=True))
                in_channels = channels
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(pooled)  # does nothing to images of the intended size
        features, head = in_channels * pooled**2, []
        for units in hidden:
            head += [nn.Linear(features, scaled(units, width)), nn.ReLU(inplace=True), nn.Dropout(dropout)]
            features = scaled(units, width)
        self.classifier = nn.Sequential(*head, nn.Linear(features, num_classes))
        self.apply(_initialise)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.avgpool(self.features(images))
        return self.classifier(torch.flatten(maps, 1))


def _initialise(layer: nn.Module) -> None:
    """As torchvision does: He's normal for convolutions, a narrow normal for linear layers, no bias."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, 0, 0.01)
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.zeros_(layer.bias)


def vgg11(num_classes: int = 1000, in_channels: int = 3, width: float = 1.0, **options) -> VGG:
    """VGG-11, the paper's configuration A: 8 convolutions, 3 linear layers. ``options`` go to :class:`VGG`."""
    return VGG(CONFIGURATIONS["A"], num_classes=num_classes, in_channels=in_channels, width=width, **options)


def vgg11_bn(num_classes: int = 1000, in_channels: int = 3, width: float = 1.0, **options) -> VGG:
    """VGG-11 with a batch norm after each convolution."""
    return vgg11(num_classes, in_channels, width, batch_norm=True, **options)


def vgg16(num_classes: int = 1000, in_channels: int = 3, width: float = 1.0, **options) -> VGG:
    """VGG-16, configuration D: 13 convolutions, 3 linear layers. ``options`` go to :class:`VGG`.

    With 10 classes and one input channel it has 134,300,362 parameters.
    """
    return VGG(CONFIGURATIONS["D"], num_classes=num_classes, in_channels=in_channels, width=width, **options)


def vgg16_bn(num_classes: int = 1000, in_channels: int = 3, width: float = 1.0, **options) -> VGG:
    """VGG-16 with a batch norm after each convolution."""
    return vgg16(num_classes, in_channels, width, batch_norm=True, **options)


def vgg19(num_classes: int = 1000, in_channels: int = 3, width: float = 1.0, **options) -> VGG:
    """VGG-19, configuration E: one more convolution in each of blocks 3, 4 and 5. ``options`` go to :class:`VGG`."""
    return VGG(CONFIGURATIONS["E"], num_classes=num_classes, in_channels=in_channels, width=width, **options)


def vgg19_bn(num_classes: int = 1000, in_channels: int = 3, width: float = 1.0, **options) -> VGG:
    """VGG-19 with a batch norm after each convolution."""
    return vgg19(num_classes, in_channels, width, batch_norm=True, **options)


def vgg8(num_classes: int = 10, in_channels: int = 3, width: float = 1.0, **options) -> VGG:
    """A VGG for images of 32 × 32: one convolution a block, then 512-512-classes.

    Not in the paper. The side goes 32, 16, 8, 4, 2, 1, so the head has 0.5 million parameters and not 120.
    """
    options = {"pooled": 1, "hidden": (512, 512)} | options
    return VGG(CONFIGURATIONS["8"], num_classes=num_classes, in_channels=in_channels, width=width, **options)


def vgg8_bn(num_classes: int = 10, in_channels: int = 3, width: float = 1.0, **options) -> VGG:
    """:func:`vgg8` with a batch norm after each convolution."""
    return vgg8(num_classes, in_channels, width, batch_norm=True, **options)


def minivgg(num_classes: int = 10, in_channels: int = 1, width: float = 1.0, **options) -> VGG:
    """Two VGG blocks for images of 28 × 28, under the full 4096-4096 head: 29,773,354 parameters.

    The side goes 28, 14, 7, just what the head of VGG-16 expects.
    """
    return VGG(CONFIGURATIONS["mini"], num_classes=num_classes, in_channels=in_channels, width=width, **options)


def vgg_small(num_classes: int = 10, in_channels: int = 1, width: float = 1.0, **options) -> VGG:
    """A VGG that fits its images of 28 × 28: three blocks from 32 channels on, one hidden layer of 256."""
    options = {"pooled": 3, "hidden": (256,)} | options
    return VGG(CONFIGURATIONS["small"], num_classes=num_classes, in_channels=in_channels, width=width, **options)
