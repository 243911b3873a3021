"""Augmentation of whole batches by rotation, scaling and elastic deformation, with bilinear interpolation.

As in :mod:`course_lib.data.augmentation`, each function takes a normalised batch of floats (N, C, H, W) and returns a
new one, and random numbers come from torch's global generator of that device. Interpolation is computed in float32 at
least; outside of an image there are zeros, the data set's mean.
"""

import torch
from torch.nn import functional as F


def random_rotation(images: torch.Tensor, degrees: float = 15.0) -> torch.Tensor:
    """Turn each image about its centre, by an angle drawn evenly from -``degrees`` to ``degrees``.

    Raises: ValueError for degrees outside 0 to 180.
    """
    if not 0 <= degrees <= 180:
        raise ValueError(f"degrees must be between 0 and 180, not {degrees}")
    drawn = degrees * (2 * torch.rand(len(images), device=images.device) - 1)  # counterclockwise
    x, y = _places(images)
    angle = torch.deg2rad(drawn)[:, None, None]
    return _sample(images, angle.cos() * x - angle.sin() * y, angle.sin() * x + angle.cos() * y)


def random_scale(images: torch.Tensor, least: float = 0.9, most: float = 1.1) -> torch.Tensor:
    """Scale each image about its centre, by a factor drawn evenly from ``least`` to ``most``.

    Raises: ValueError where ``least`` is not above 0, or ``most`` is below it.
    """
    if least <= 0:
        raise ValueError(f"least must be above 0, not {least}")
    if most < least:
        raise ValueError(f"most must not be below least, {least}, as {most} is")
    drawn = least + (most - least) * torch.rand(len(images), device=images.device)  # above 1 it magnifies
    x, y = _places(images)
    factor = drawn[:, None, None]
    return _sample(images, x / factor, y / factor)


def elastic(images: torch.Tensor, alpha: float = 34.0, sigma: float = 4.0) -> torch.Tensor:
    """Deform each image as if it were drawn on rubber: pixels move at random, and neighbours move alike.

    Each pixel draws a shift from -1 to 1 across, and one down. A Gaussian with a standard deviation of ``sigma`` pixels
    averages them over the neighbourhood (:func:`smooth`), which leaves a standard deviation of about 0.16 / ``sigma``.
    ``alpha``, in pixels, multiplies that. The default suits sides of 28 and 32 pixels: its shifts have a standard
    deviation of 1.4 pixels in the middle, and of 2.5 in the corners, where mirrored draws count twice.

    torchvision's ``ElasticTransform`` counts ``alpha`` in half pixels: 68 there is 34 here.

    Source: Simard, Steinkraus & Platt, 2003, section 2.
    Raises: ValueError for a negative alpha, and a sigma that is not above 0.
    """
    if alpha < 0:
        raise ValueError(f"alpha must be at least 0, not {alpha}")
    count, _, height, width = images.shape
    shifts = 2 * torch.rand(count, 2, height, width, device=images.device) - 1
    return warp(images, alpha * smooth(shifts, sigma).movedim(1, 3))


def smooth(fields: torch.Tensor, sigma: float) -> torch.Tensor:
    """Average ``fields``, float (..., H, W), with a Gaussian of ``sigma`` pixels; at its border a field is mirrored.

    The Gaussian ends after 4 × ``sigma`` pixels, as in torchvision's ``ElasticTransform``.

    Raises: ValueError for a sigma that is not above 0.
    """
    if sigma <= 0:
        raise ValueError(f"sigma must be above 0, not {sigma}")
    height, width = fields.shape[-2:]
    return _averages(height, sigma, fields) @ fields @ _averages(width, sigma, fields).T


def warp(images: torch.Tensor, displacement: torch.Tensor) -> torch.Tensor:
    """Fetch each pixel of image n from ``displacement[n]`` pixels away.

    ``displacement`` is float (N, H, W, 2): how far to the right, then how far down, the pixel's new value lies.
    """
    x, y = _places(images)
    return _sample(images, x + displacement[..., 0], y + displacement[..., 1])


def _places(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How far the columns, (W,), lie right of the centre, and the rows, (H, 1), below it, in pixels."""
    # Places further out than 128 pixels have no exact half in bfloat16; float64 images keep their precision.
    exact = torch.promote_types(images.dtype, torch.float32)
    height, width = images.shape[2:]
    x = torch.arange(width, dtype=exact, device=images.device) - (width - 1) / 2
    y = torch.arange(height, dtype=exact, device=images.device) - (height - 1) / 2
    return x, y[:, None]


def _sample(images: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The images at the places ``x`` pixels right of their centre and ``y`` below it, which broadcast to (N, H, W)."""
    height, width = images.shape[2:]
    # grid_sample counts from -1 to 1, from the outer edge of the first pixel to that of the last.
    grid = torch.stack(torch.broadcast_tensors(x * (2 / width), y * (2 / height)), dim=3)
    return F.grid_sample(images.to(grid.dtype), grid, align_corners=False).to(images.dtype)


def _averages(side: int, sigma: float, like: torch.Tensor) -> torch.Tensor:
    """The matrix (side, side) that averages a line of ``side`` pixels: row i holds the weights for its pixel i."""
    reach = int(4 * sigma + 0.5)
    step = torch.arange(-reach, reach + 1, device=like.device)
    weight = torch.exp(-0.5 * (step.to(like.dtype) / sigma) ** 2)
    pixel = torch.arange(side, device=like.device)
    # A place outside the line is mirrored at its first or last pixel, as often as it takes.
    period = max(2 * (side - 1), 1)
    place = (pixel[:, None] + step) % period
    place = torch.minimum(place, period - place)
    return ((place[:, :, None] == pixel) * (weight / weight.sum())[:, None]).sum(1)
