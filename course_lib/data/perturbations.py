"""Splits made from others, to find out what a network knows: pixels in another order, digits in another place."""

from dataclasses import replace

import torch
from torch.nn import functional as F

from course_lib.data.splits import Split


def shuffle_pixels(split: Split, seed: int = 0) -> Split:
    """The same images, the pixels of all of them in one random order, which ``seed`` draws."""
    order = pixel_order(split.images[0, 0].numel(), seed).to(split.images.device)
    return replace(split, images=split.images.flatten(2)[..., order].view_as(split.images))


def pixel_order(pixels: int, seed: int = 0) -> torch.Tensor:
    """The order of :func:`shuffle_pixels`, (pixels,): where each pixel of the new image stood in the old one."""
    return torch.randperm(pixels, generator=torch.Generator().manual_seed(seed))


def shift_images(split: Split, right: int, down: int = 0) -> Split:
    """The same images, moved by whole pixels; zeros move in, and what leaves the frame is lost.

    Negative numbers move them left and up.
    """
    height, width = split.images.shape[2:]
    right, down = max(-width, min(width, right)), max(-height, min(height, down))
    return replace(split, images=F.pad(split.images, (right, -right, down, -down)))
