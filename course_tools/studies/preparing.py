"""What happens to images before a study's network sees them."""

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.data import Split, stratified_holdout
from course_lib.models import Classifier


class Resized(Classifier):
    """A network behind a resize: images (N, C, H, W) become (N, ``channels``, ``side``, ``side``) in each batch.

    A data set of images with 224 × 224 pixels would not fit into memory; a batch does. The resize is bilinear, and
    averages where it shrinks. A grey image is repeated where ``channels`` is 3.
    """

    def __init__(self, network: nn.Module, side: int, channels: int | None = None):
        super().__init__()
        self.network, self.side, self.channels = network, side, channels

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[2:] != (self.side, self.side):
            shrinks = self.side < images.shape[2]
            images = F.interpolate(images, size=(self.side, self.side), mode="bilinear", antialias=shrinks)
        if self.channels is not None:
            images = images.expand(-1, self.channels, -1, -1)
        return self.network(images)


def part_of(split: Split, fraction: float, seed: int) -> Split:
    """A share of a split, every class in proportion, drawn by ``seed``.

    Raises: ValueError for a fraction that is not in (0, 1].
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction must be above 0 and at most 1, not {fraction}")
    count = round(fraction * len(split))
    if count == len(split):
        return split
    _, kept = stratified_holdout(split.labels.numpy(), count, seed)
    return split.select(kept)
