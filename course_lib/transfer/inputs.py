"""Preprocessing of grey digits for a backbone that expects colour images: each step once right, once wrong."""

from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.data import Split, stratified_holdout
from course_lib.models import IMAGENET_MEAN, IMAGENET_STD
from course_lib.transfer.cases import Choices

DRAW_SEED = 0


def draw(split: Split, count: int) -> Split:
    """``count`` images of a split, every class in proportion, the same ones at every call; all where it has fewer.

    Raises: ValueError for a count below 1.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    if count >= len(split):
        return split
    _, kept = stratified_holdout(split.labels.numpy(), count, DRAW_SEED)
    return split.select(kept)


def prepare(digits: Split, choices: Choices) -> Split:
    """Preprocess grey digits (N, 1, H, W) for the network of ``choices``: uint8 images (N, 3, side, side).

    Without a backbone they stay as they are. Raises: ValueError for images that are not grey.
    """
    if choices.backbone == "none":
        return digits
    if digits.images.ndim != 4 or digits.images.shape[1] != 1:
        shape = "×".join(str(side) for side in digits.images.shape[1:])
        raise ValueError(f"prepare takes grey images, (N, 1, H, W), and each of these is {shape}")
    grey = digits.images
    others = grey if choices.channels == "repeat" else torch.zeros_like(grey)
    colour = torch.cat([grey, others, others], dim=1)
    enlarge = interpolate if choices.resize == "interpolate" else refill
    mean, std = (IMAGENET_MEAN, IMAGENET_STD) if choices.normalise else ((0.0,) * 3, (1 / 255,) * 3)
    return replace(digits, images=enlarge(colour, choices.side), mean=mean, std=std)


def interpolate(images: torch.Tensor, side: int) -> torch.Tensor:
    """uint8 (N, C, H, W) to (N, C, side, side), bilinear, with antialiasing where it shrinks."""
    if images.shape[2:] == (side, side):
        return images.contiguous()
    options = {"size": (side, side), "mode": "bilinear", "antialias": side < images.shape[2]}
    return torch.cat([F.interpolate(part.float(), **options).round().byte() for part in images.split(500)])


def refill(images: torch.Tensor, side: int) -> torch.Tensor:
    """uint8 (N, C, H, W) to (N, C, side, side) with ``np.resize``, which fills the new shape from the flattened array.

    Each image gets (side / H)² digits. After the last digit the first one follows again.
    """
    pixels = images.permute(0, 2, 3, 1).numpy()  # (N, H, W, C)
    refilled = np.resize(pixels, (len(pixels), side, side, pixels.shape[3]))
    return torch.from_numpy(refilled).permute(0, 3, 1, 2).contiguous()
