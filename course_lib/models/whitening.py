"""A small, fast network for CIFAR-10: a whitening layer, then groups of convolutions with identity initialisation."""

from itertools import pairwise

import torch
from torch import nn

from course_lib.models.classifier import Classifier, scaled


class Group(nn.Module):
    """Two convolutions, the first followed by max-pooling; with ``depth`` 3 another one, and a skip over the last two.

    Takes (N, C, H, W), returns (N, width, H/2, W/2).
    """

    def __init__(self, in_channels: int, width: int, depth: int):
        super().__init__()
        sizes = [in_channels] + [width] * depth
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1, bias=False) for before, after in pairwise(sizes)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width, momentum=0.4) for _ in range(depth))
        self.pool, self.activation = nn.MaxPool2d(2), nn.GELU()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        first, *others = self.convolutions
        maps = skipped = self.activation(self.norms[0](self.pool(first(images))))
        for convolution, norm in zip(others, self.norms[1:], strict=True):
            maps = norm(convolution(maps))
            has_skip = len(others) > 1 and convolution is others[-1]
            maps = self.activation(maps + skipped if has_skip else maps)
        return maps


class Whitened(Classifier):
    """A network for images (N, C, 32, 32); output logits (N, num_classes).

    Source: Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, 2024, section 3; this one has no trained scale in
    its batch norms either.
    """

    def __init__(self, widths: tuple[int, ...], depth: int, num_classes: int, in_channels: int):
        super().__init__()
        whitening = nn.Conv2d(in_channels, 2 * 4 * in_channels, 2)
        groups = [Group(*pair, depth) for pair in pairwise([whitening.out_channels, *widths])]
        self.features = nn.Sequential(whitening, nn.GELU(), *groups)
        self.pool = nn.MaxPool2d(3)
        self.classifier = nn.Linear(widths[-1], num_classes, bias=False)
        for layer in self.features[2:].modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.weight.requires_grad_(False)
            if isinstance(layer, nn.Conv2d):  # the first filters copy the input channels
                nn.init.dirac_(layer.weight.data[: layer.in_channels])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.pool(self.features(images)).flatten(1)) / 9

    @property
    def whitening(self) -> nn.Conv2d:
        """The first layer."""
        return self.features[0]

    def whiten(self, images: torch.Tensor, smallest: float = 5e-4) -> None:
        """Set the first filters so that their outputs on ``images``, normalised (N, C, H, W), are uncorrelated.

        They are the principal components of all 2×2 patches, each divided by its standard deviation, and their
        negatives. They are frozen; their biases are trained. ``smallest`` is added to each variance.
        """
        filters = self.whitening.weight
        patches = images.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, filters[0].numel())
        variances, components = torch.linalg.eigh(torch.cov(patches.T.cpu().double()))
        whitened = (components / (variances + smallest).sqrt()).T.flip(0).reshape(-1, *filters.shape[1:])
        filters.data.copy_(torch.cat([whitened, -whitened]))
        filters.requires_grad_(False)
        nn.init.zeros_(self.whitening.bias)


def whitened(
    num_classes: int = 10,
    in_channels: int = 3,
    widths: tuple[int, ...] = (64, 256, 256),
    depth: int = 2,
    width: float = 1.0,
) -> Whitened:
    """Build the network; call :meth:`Whitened.whiten` on training images before training it.

    Args:
        widths: channels of the three groups.
        depth: convolutions in a group, 2 or 3.
        width: factor on the channels of all groups.

    Raises: ValueError for another depth, another number of groups, or a width not above 0.
    """
    if depth not in (2, 3) or len(widths) != 3:
        raise ValueError(f"there are three groups of 2 or 3 convolutions, not {len(widths)} of {depth}")
    return Whitened(tuple(scaled(channels, width) for channels in widths), depth, num_classes, in_channels)
