"""Change training images at random, a whole batch at a time, on the device where it lies.

Each function takes a normalised batch, float32 (N, C, H, W), and returns a new one; zero is the data set's mean. Chance
comes from torch's global generator of that device, which ``fit`` seeds and saves, so a resumed run draws the same.
"""

import torch
from torch.nn import functional as F


def random_flip(images: torch.Tensor) -> torch.Tensor:
    """Mirror each image left to right, with a chance of one half."""
    flipped = torch.rand(len(images), device=images.device) < 0.5
    return torch.where(flipped[:, None, None, None], images.flip(3), images)


def random_crop(images: torch.Tensor, padding: int = 4) -> torch.Tensor:
    """Pad each image with ``padding`` zeros on every side, and cut its old size out at a random place.

    Raises: ValueError for a negative padding.
    """
    if padding < 0:
        raise ValueError(f"padding must be at least 0, not {padding}")
    count, _, height, width = images.shape
    padded = F.pad(images, (padding,) * 4)
    top, left = torch.randint(2 * padding + 1, (2, count, 1), device=images.device)
    rows = (top + torch.arange(height, device=images.device))[:, None, :, None]
    columns = (left + torch.arange(width, device=images.device))[:, None, None, :]
    which = torch.arange(count, device=images.device)[:, None, None, None]
    channel = torch.arange(images.shape[1], device=images.device)[None, :, None, None]
    return padded[which, channel, rows, columns]


def flip_and_crop(images: torch.Tensor) -> torch.Tensor:
    """:func:`random_flip`, then :func:`random_crop` with 4 pixels. Source: He et al., 2016, section 4.2."""
    return random_crop(random_flip(images))
