"""EfficientNet-Lite0: the smallest EfficientNet, without what is slow on a phone."""

import math

import torch
from torch import nn
from torch.nn import functional

from course_lib.models.mobilenet import MobileNetV2

# Table 1 of the paper: kernel size, expansion, output channels, repeats, stride of the first block.
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


def _conv_bn_relu6(
    in_channels: int, channels: int, kernel_size: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    kind, padding = (nn.Conv2d, kernel_size // 2) if stride == 1 else (SameConv2d, 0)
    convolution = kind(in_channels, channels, kernel_size, stride, padding, groups=groups, bias=False)
    return nn.Sequential(convolution, _batch_norm(channels), nn.ReLU6(inplace=True))


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    """With the constants of the TensorFlow original; its momentum of 0.99 is 0.01 in torch's terms."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class EfficientNetLite(MobileNetV2):
    """EfficientNet-Lite0 for images (N, C, side, side); output logits (N, num_classes).

    Its blocks are MobileNetV2's, some with a kernel of 5: EfficientNet's own have a squeeze-and-excitation step and the
    swish activation, and Lite has neither. ``features.0`` is the stem, 1 to 16 are the blocks, 17 is the last
    convolution. The original drops whole blocks at random while it trains; this one does not.
    Source: Tan and Le, 2019, section 4 and table 1, and the Lite variant that its authors published in 2020.
    """

    def __init__(self, num_classes: int, in_channels: int):
        super().__init__(num_classes, in_channels, STAGES, _conv_bn_relu6, _batch_norm)


def efficientnet_lite0(num_classes: int = 1000, in_channels: int = 3) -> EfficientNetLite:
    """EfficientNet-Lite0: 4,652,008 parameters for 1000 classes."""
    return EfficientNetLite(num_classes, in_channels)
