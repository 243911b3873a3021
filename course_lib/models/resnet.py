"""ResNet: blocks that learn what to add to their input; and the plain network that they are compared with."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.models.classifier import Classifier, scaled


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions, and the input added to what they make. Source: He et al., 2016, figure 2.

    Where the shape changes, a 1 × 1 convolution brings the input into the new one (the paper's option B). With
    ``skip=False`` nothing is added: a block of the plain network.
    """

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int, skip: bool):
        super().__init__()
        self.skip = skip
        self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = _projection(in_channels, channels, stride) if skip else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = self.relu(self.bn1(self.conv1(x)))
        made = self.bn2(self.conv2(made))
        if self.skip:
            made = made + (x if self.downsample is None else self.downsample(x))
        return self.relu(made)


class Bottleneck(nn.Module):
    """1 × 1 to fewer channels, 3 × 3, 1 × 1 to four times as many, and the input added.

    The stride is the 3 × 3 convolution's, as in torchvision; in the paper it is the first 1 × 1's.
    Source: He et al., 2016, figure 5.
    """

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int, skip: bool):
        super().__init__()
        self.skip = skip
        wide = channels * self.expansion
        self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, wide, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(wide)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _projection(in_channels, wide, stride) if skip else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = self.relu(self.bn1(self.conv1(x)))
        made = self.relu(self.bn2(self.conv2(made)))
        made = self.bn3(self.conv3(made))
        if self.skip:
            made = made + (x if self.downsample is None else self.downsample(x))
        return self.relu(made)


class Conv2d(nn.Conv2d):
    """A convolution of 1 × 1 with a stride that drops the pixels it does not read, and then has no stride: equal sums.

    In its strided form oneDNN writes the gradient of fewer than 16 channels beyond its memory where channels lie last.
    """

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        rows, columns = self.stride
        return F.conv2d(images[:, :, ::rows, ::columns], self.weight, self.bias)


def _projection(in_channels: int, channels: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and in_channels == channels:
        return None
    kind = Conv2d if in_channels < 16 else nn.Conv2d
    return nn.Sequential(
        kind(in_channels, channels, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(channels)
    )


class ResNet(Classifier):
    """A ResNet from its block and the number of blocks in each of four stages.

    Images (N, C, side, side), output logits (N, num_classes). Layers are named and initialised as in torchvision.
    Source: He, Zhang, Ren and Sun, 2016, table 1; the CIFAR stem after its section 4.2.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        counts: Sequence[int],
        *,
        in_channels: int = 3,
        num_classes: int = 1000,
        width: float = 1.0,
        stem: str = "imagenet",
        skip: bool = True,
    ):
        super().__init__()
        if stem not in ("imagenet", "cifar"):
            raise ValueError(f"stem must be 'imagenet' or 'cifar', not {stem!r}")
        channels = scaled(64, width)
        if stem == "imagenet":
            self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=7, stride=2, padding=3, bias=False)
        else:
            self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if stem == "imagenet" else nn.Identity()
        for stage, count in enumerate(counts):
            blocks, stage_channels = [], scaled(64 * 2**stage, width)
            for number in range(count):
                stride = 2 if stage > 0 and number == 0 else 1
                blocks.append(block(channels, stage_channels, stride, skip))
                channels = stage_channels * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.stages = len(counts)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, num_classes)
        self.apply(_initialise)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        for stage in range(self.stages):
            maps = getattr(self, f"layer{stage + 1}")(maps)
        return self.fc(torch.flatten(self.avgpool(maps), 1))


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


def resnet18(num_classes: int = 1000, in_channels: int = 3, width: float = 1.0, *, stem: str = "imagenet") -> ResNet:
    """ResNet-18: two basic blocks a stage. ``stem="cifar"`` (3 × 3, stride 1, no pool) suits images of 28 or 32."""
    return ResNet(BasicBlock, (2, 2, 2, 2), num_classes=num_classes, in_channels=in_channels, width=width, stem=stem)


def resnet34(num_classes: int = 1000, in_channels: int = 3, width: float = 1.0, *, stem: str = "imagenet") -> ResNet:
    """ResNet-34: 3, 4, 6 and 3 basic blocks. ``stem`` as in :func:`resnet18`."""
    return ResNet(BasicBlock, (3, 4, 6, 3), num_classes=num_classes, in_channels=in_channels, width=width, stem=stem)


def resnet50(num_classes: int = 1000, in_channels: int = 3, width: float = 1.0, *, stem: str = "imagenet") -> ResNet:
    """ResNet-50: 3, 4, 6 and 3 bottleneck blocks. ``stem`` as in :func:`resnet18`."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes=num_classes, in_channels=in_channels, width=width, stem=stem)


def plain34(num_classes: int = 1000, in_channels: int = 3, width: float = 1.0, *, stem: str = "imagenet") -> ResNet:
    """ResNet-34 without its skips, batch norm kept: the paper's plain network. ``stem`` as in :func:`resnet18`."""
    options = {"num_classes": num_classes, "in_channels": in_channels, "width": width, "stem": stem}
    return ResNet(BasicBlock, (3, 4, 6, 3), skip=False, **options)


def resnet_small(num_classes: int = 10, in_channels: int = 1, width: float = 1.0, *, stem: str = "cifar") -> ResNet:
    """A ResNet for small images: one basic block a stage, a stem of 3 × 3 with stride 1 and no pool."""
    return ResNet(BasicBlock, (1, 1, 1, 1), num_classes=num_classes, in_channels=in_channels, width=width, stem=stem)
