"""EfficientNet-Lite0: the smallest EfficientNet, without what is slow on a phone."""

import math

import torch
from torch import nn
from torch.nn import functional

from course_lib.models.classifier import Classifier
from course_lib.models.mobilenet import initialise

# Table 1 of the paper. Per row: kernel size, expansion, output channels, repeats, stride of the first block.
STAGES = (
    (3, 1, 16, 1, 1),
    (3, 6, 24, 2, 2),
    (5, 6, 40, 2, 2),
    (3, 6, 80, 3, 2),
    (5, 6, 112, 3, 1),
    (5, 6, 192, 4, 2),
    (3, 6, 320, 1, 1),
)


class SameConv2d(nn.Conv2d):
    """A convolution that pads as TensorFlow's "same": the output has ⌈side / stride⌉ rows and columns.

    Of an odd number of padded rows the bottom gets one more, of columns the right. With a stride of 2 on an even side
    torch's padding differs, and weights that were trained with one padding need it.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows, columns = (
            max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
            for side, stride, kernel in zip(x.shape[-2:], self.stride, self.kernel_size, strict=True)
        )
        x = functional.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
        return super().forward(x)


class Block(nn.Module):
    """MobileNetV2's inverted residual with a kernel of 3 or 5: expand, depthwise convolution, project.

    EfficientNet's own has a squeeze-and-excitation step and the swish activation; Lite has neither.
    Source: Tan and Le, 2019, section 4, and the Lite variant that its authors published in 2020.
    """

    def __init__(self, in_channels: int, channels: int, kernel_size: int, stride: int, expansion: int):
        super().__init__()
        self.skip = stride == 1 and in_channels == channels
        wide = in_channels * expansion
        layers = [_conv_bn_relu6(in_channels, wide, kernel_size=1)] if expansion != 1 else []
        self.conv = nn.Sequential(
            *layers,
            _conv_bn_relu6(wide, wide, kernel_size, stride, groups=wide),
            nn.Conv2d(wide, channels, kernel_size=1, bias=False),
            _batch_norm(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.skip else self.conv(x)


def _conv_bn_relu6(
    in_channels: int, channels: int, kernel_size: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    kind, padding = (nn.Conv2d, kernel_size // 2) if stride == 1 else (SameConv2d, 0)
    convolution = kind(in_channels, channels, kernel_size, stride, padding, groups=groups, bias=False)
    return nn.Sequential(convolution, _batch_norm(channels), nn.ReLU6(inplace=True))


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    """With the constants of the TensorFlow original; its momentum of 0.99 is 0.01 in torch's terms."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class EfficientNetLite(Classifier):
    """EfficientNet-Lite0 for images (N, C, side, side); output logits (N, num_classes).

    The side is divided by 32 on the way, so it can be any from 32 on; 224 is the intended one. ``features`` and
    ``classifier`` are named as in torchvision's MobileNetV2: the stem is ``features.0``, the 16 blocks are
    ``features.1`` to ``features.16``, the last convolution is ``features.17``. The original drops whole blocks at
    random while it trains; this one does not. Source: Tan and Le, 2019, table 1 and its Lite variant of 2020.
    """

    def __init__(self, num_classes: int, in_channels: int, dropout: float):
        super().__init__()
        layers: list[nn.Module] = [_conv_bn_relu6(in_channels, 32, kernel_size=3, stride=2)]
        channels_in = 32
        for kernel_size, expansion, channels, repeats, stride in STAGES:
            for number in range(repeats):
                layers.append(Block(channels_in, channels, kernel_size, stride if number == 0 else 1, expansion))
                channels_in = channels
        self.features = nn.Sequential(*layers, _conv_bn_relu6(channels_in, 1280, kernel_size=1))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(1280, num_classes))
        self.apply(initialise)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.features(images)
        return self.classifier(maps.mean(dim=(2, 3)))


def efficientnet_lite0(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.2) -> EfficientNetLite:
    """EfficientNet-Lite0: 4,652,008 parameters for 1000 classes.

    Args:
        num_classes: number of logits.
        in_channels: 1 for grey images, 3 for colour.
        dropout: probability with which a feature is zeroed before the linear layer during training.
    """
    return EfficientNetLite(num_classes, in_channels, dropout)
