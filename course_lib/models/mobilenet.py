"""MobileNetV2: inverted residual blocks that expand, convolve each channel by itself, and project."""

from collections.abc import Callable, Sequence

import torch
from torch import nn

from course_lib.models.classifier import Classifier

Stage = tuple[int, int, int, int, int]  # kernel size, expansion, output channels, repeats, stride of the first block

# Table 2 of the paper.
STAGES: Sequence[Stage] = (
    (3, 1, 16, 1, 1),
    (3, 6, 24, 2, 2),
    (3, 6, 32, 3, 2),
    (3, 6, 64, 4, 2),
    (3, 6, 96, 3, 1),
    (3, 6, 160, 3, 2),
    (3, 6, 320, 1, 1),
)


def conv_bn_relu6(in_channels: int, channels: int, kernel_size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution without bias, its batch norm, and min(max(0, x), 6)."""
    padding = kernel_size // 2
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, kernel_size, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """1 × 1 to ``expansion`` times the channels, a larger kernel on each channel alone, 1 × 1 back to few.

    The input is added where the shape stays. The last convolution has no ReLU, which would lose information in few
    channels. ``layer`` makes the other convolutions, as :func:`conv_bn_relu6`, and ``norm`` the last batch norm.

    Source: Sandler et al., 2018, section 3 and table 1.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        kernel_size: int,
        stride: int,
        expansion: int,
        layer: Callable[..., nn.Module] = conv_bn_relu6,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ):
        super().__init__()
        self.skip = stride == 1 and in_channels == channels
        wide = in_channels * expansion
        layers = [layer(in_channels, wide, kernel_size=1)] if expansion != 1 else []
        self.conv = nn.Sequential(
            *layers,
            layer(wide, wide, kernel_size, stride, groups=wide),
            nn.Conv2d(wide, channels, kernel_size=1, bias=False),
            norm(channels),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.skip else self.conv(x)


class MobileNetV2(Classifier):
    """MobileNetV2 for images (N, C, side, side); output logits (N, num_classes).

    The side is divided by 32 on the way, so it can be any from 32 on; 224 is the intended one. ``features`` and
    ``classifier`` are named and initialised as in torchvision. Source: Sandler et al., 2018, section 4.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        stages: Sequence[Stage] = STAGES,
        layer: Callable[..., nn.Module] = conv_bn_relu6,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    ):
        super().__init__()
        layers, before = [layer(in_channels, 32, kernel_size=3, stride=2)], 32
        for kernel_size, expansion, channels, repeats, first_stride in stages:
            for stride in (first_stride, *[1] * (repeats - 1)):
                layers.append(InvertedResidual(before, channels, kernel_size, stride, expansion, layer, norm))
                before = channels
        self.features = nn.Sequential(*layers, layer(before, 1280, kernel_size=1))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, num_classes))
        self.apply(_initialise)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.features(images)
        return self.classifier(maps.mean(dim=(2, 3)))


def _initialise(layer: nn.Module) -> None:
    """As torchvision does: He's normal for convolutions, a narrow normal for the linear layer, no bias."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out")
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, 0, 0.01)
        nn.init.zeros_(layer.bias)


def mobilenet_v2(num_classes: int = 1000, in_channels: int = 3) -> MobileNetV2:
    """MobileNetV2 at its full width: 3,504,872 parameters for 1000 classes."""
    return MobileNetV2(num_classes, in_channels)
