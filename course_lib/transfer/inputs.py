"""Preprocessing of images for a backbone that was trained on photographs: each step once right, once wrong."""

from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.data import Split, stratified_holdout
from course_lib.models import IMAGENET_MEAN, IMAGENET_STD
from course_lib.transfer.cases import Choices

DRAW_SEED = 0


def draw(split: Split, count: int, seed: int = DRAW_SEED) -> Split:
    """``count`` images of a split, every class in proportion, the same ones for a ``seed``; all where it has fewer.

    Raises: ValueError for a count below 1.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    if count >= len(split):
        return split
    _, kept = stratified_holdout(split.labels.numpy(), count, seed)
    return split.select(kept)


def prepare(split: Split, choices: Choices) -> Split:
    """Preprocess images for the network of ``choices``: uint8 (N, C, H, W) to uint8 (N, 3, side, side).

    C is 1, grey; 3 where ``choices.channels`` is ``"keep"``. Without a backbone they stay as they are.
    Raises: ValueError for another number of channels.
    """
    if choices.backbone == "none":
        return split
    kind, channels = ("coloured", 3) if choices.channels == "keep" else ("grey", 1)
    if split.images.ndim != 4 or split.images.shape[1] != channels:
        shape = "×".join(str(side) for side in split.images.shape[1:])
        raise ValueError(
            f"prepare takes {kind} images, (N, {channels}, H, W), for channels={choices.channels!r}, and each of these "
            f"is {shape}"
        )
    images = split.images
    if choices.channels != "keep":
        others = images if choices.channels == "repeat" else torch.zeros_like(images)
        images = torch.cat([images, others, others], dim=1)
    enlarge = interpolate if choices.resize == "interpolate" else refill
    mean, std = (IMAGENET_MEAN, IMAGENET_STD) if choices.normalise else ((0.0,) * 3, (1 / 255,) * 3)
    return replace(split, images=enlarge(images, choices.side), mean=mean, std=std)


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
