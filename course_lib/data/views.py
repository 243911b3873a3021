"""Several views of each image, so that a network's answers about them can be averaged.

Each function takes a batch (N, C, H, W) and returns a list of such batches: give it to ``predict`` or ``evaluate`` as
``views``. An accuracy that was averaged like this is told with the name of the function.
"""

import torch
from torch.nn import functional as F


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
