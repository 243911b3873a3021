"""Augmentation of whole batches on their device by flips, shifts and cutout, and views for test-time augmentation.

Each function takes a normalised batch of floats (N, C, H, W) and returns a new one; zero is the data set's mean. Random
numbers come from torch's global generator of that device, which ``fit`` seeds and saves, so a resumed run draws the
same. :mod:`course_lib.data.warping` has the augmentations that interpolate. ``mirrored`` and ``mirrored_and_shifted``
return a list of batches, whose predictions ``predict`` and ``evaluate`` average (``views=``).
"""

import torch
from torch.nn import functional as F


def random_flip(images: torch.Tensor) -> torch.Tensor:
    """Mirror each image left to right, with a chance of one half."""
    flipped = torch.rand(len(images), device=images.device) < 0.5
    return torch.where(flipped[:, None, None, None], images.flip(3), images)


def random_crop(images: torch.Tensor, padding: int = 4, mode: str = "constant") -> torch.Tensor:
    """Pad each image with ``padding`` pixels on every side, and crop to the old size at a random place.

    ``mode`` is what the new pixels are: zeros ("constant"), or the image mirrored at its border ("reflect").

    Raises: ValueError for a negative padding, one that is too wide to reflect, and an unknown mode.
    """
    if padding < 0:
        raise ValueError(f"padding must be at least 0, not {padding}")
    if mode not in ("constant", "reflect"):
        raise ValueError(f'mode must be "constant" or "reflect", not {mode!r}')
    height, width = images.shape[2:]
    if mode == "reflect" and padding >= min(height, width):
        raise ValueError(f"padding must be less than the shorter side, {min(height, width)}, not {padding}")
    padded = F.pad(images, (padding,) * 4, mode=mode)
    top, left = torch.randint(2 * padding + 1, (2, len(images)), device=images.device)
    # All windows, (N, C, tops, lefts, H, W), are a view. Picking one of each image copies whole rows, not pixels.
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    return windows[torch.arange(len(images), device=images.device), :, top, left]


def random_translate(images: torch.Tensor, pixels: int = 2) -> torch.Tensor:
    """Shift each image by whole pixels, from -``pixels`` to ``pixels`` down and as many across; zeros move in.

    These are the shifts of :func:`random_crop` with that padding, and the same draws.

    Raises: ValueError for negative pixels.
    """
    if pixels < 0:
        raise ValueError(f"pixels must be at least 0, not {pixels}")
    return random_crop(images, padding=pixels)


def cutout(images: torch.Tensor, size: int = 8) -> torch.Tensor:
    """Set a square of ``size`` × ``size`` pixels to zero, around a random pixel of each image.

    Near the border a part of the square lies outside, so fewer pixels are lost. An even square has no middle pixel: it
    reaches one pixel further up and left. Source: DeVries & Taylor, 2017, section 3.

    Raises: ValueError for a size below 1.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, not {size}")
    count, _, height, width = images.shape
    row = torch.randint(height, (count,), device=images.device)
    column = torch.randint(width, (count,), device=images.device)
    rows = _within(height, row, size)[:, None, :, None]
    columns = _within(width, column, size)[:, None, None, :]
    return torch.where(rows & columns, 0, images)


def flip_and_crop(images: torch.Tensor) -> torch.Tensor:
    """:func:`random_flip`, then :func:`random_crop` with 4 pixels. Source: He et al., 2016, section 4.2."""
    return random_crop(random_flip(images))


def mirrored(images: torch.Tensor) -> list[torch.Tensor]:
    """The images, and the images mirrored left to right."""
    return [images, images.flip(3)]


def mirrored_and_shifted(images: torch.Tensor) -> list[torch.Tensor]:
    """Both of :func:`mirrored` at their place, and shifted by one pixel up left and down right: six views.

    Those at their place are there twice, so they count for half. Source: Jordan, 2024, section 3.5.
    """
    height, width = images.shape[2:]
    padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
    shifted = [padded[:, :, start : start + height, start : start + width] for start in (0, 2)]
    return [view for batch in (images, images, *shifted) for view in mirrored(batch)]


def _within(side: int, middle: torch.Tensor, size: int) -> torch.Tensor:
    """Which of ``side`` places belong to the ``size`` ones around ``middle`` (N,), as bool (N, side)."""
    place = torch.arange(side, device=middle.device)
    first = middle[:, None] - size // 2
    return (place >= first) & (place < first + size)
