"""Guards: each raises CourseError for one bug, naming its rung of the ladder, and does nothing without the bug."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.data import Split
from course_lib.errors import CourseError
from course_lib.models import IMAGENET_MEAN, IMAGENET_STD

MAX_APART = 20.0  # grey levels of 255: resizing there and back changes a digit by 13 at most, others differ by 40
TOLERANCE = 0.05  # of normalised pixels outside of the range that 0 and 255 give


def one_image_each(digits: Split, prepared: Split) -> None:
    """Check that each prepared image, shrunk again, is the digit with the same index: it was not refilled with others.

    Args:
        digits: grey, (N, 1, H, W), uint8.
        prepared: (N, C, side, side), uint8; the brightest channel counts.
    """
    size = digits.images.shape[2:]
    for number, (digit, image) in enumerate(zip(digits.images, prepared.images, strict=True)):
        grey = image.amax(dim=0, keepdim=True).float()[None]
        shrunk = F.interpolate(grey, size=size, mode="bilinear", antialias=True)[0]
        apart = (shrunk - digit.float()).abs().mean().item()
        if apart > MAX_APART:
            raise CourseError(
                f"rung 1, refilled images: image {number} is not the digit under that number, {apart:.0f} grey levels "
                "apart on average: np.resize refills a shape; interpolate instead."
            )


def three_equal_channels(images: torch.Tensor) -> None:
    """Check that red, green and blue are equal. ``images``: (N, C, H, W), before normalisation."""
    if images.shape[1] != 3 or not (images[:, :1] == images).all():
        these = "differ" if images.shape[1] == 3 else f"are {images.shape[1]}"
        raise CourseError(
            f"rung 2, grey not repeated: the channels of a grey picture should be three equal ones, and these {these}: "
            "use images.expand(-1, 3, -1, -1)."
        )


def normalised(images: torch.Tensor) -> None:
    """Check that pixels are in the range of images normalised as for ImageNet. ``images``: float, (N, 3, H, W)."""
    black = min(-mean / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True))
    white = max((1 - mean) / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True))
    low, high = images.min().item(), images.max().item()
    if low >= 0 or low < black - TOLERANCE or high > white + TOLERANCE:
        raise CourseError(
            f"rung 3, not normalised: pixels go from {low:.2f} to {high:.2f}, and the backbone expects {black:.2f} to "
            f"{white:.2f}: scale to [0, 1], take IMAGENET_MEAN off, divide by IMAGENET_STD."
        )


def snapshot(network: nn.Module) -> dict[str, torch.Tensor]:
    """Copy of every parameter and buffer on the CPU, to compare with later."""
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


def movement(before: Mapping[str, torch.Tensor], network: nn.Module) -> dict[str, float]:
    """Relative change of the weights of each layer of ``network.features``, ‖after − before‖ / ‖before‖."""
    now = network.state_dict()
    weights = [name for name, _ in network.named_parameters() if name.startswith("features") and "weight" in name]
    return {name: ((now[name].cpu() - before[name]).norm() / before[name].norm()).item() for name in weights}


def statistics_stand_still(before: Mapping[str, torch.Tensor], network: nn.Module) -> None:
    """Check that the batch norms' means and variances did not change. ``before``: a :func:`snapshot`."""
    for name, now in network.named_buffers():
        if now.is_floating_point() and not torch.equal(now.cpu(), before[name]):
            raise CourseError(
                f"rung 6, statistics updated: {name} changed, though its layer should be frozen: requires_grad_(False) "
                "does not stop a batch norm; keep it in evaluation mode."
            )


def check_inputs(digits: Split, prepared: Split) -> None:
    """Run the guards of rungs 1 to 3 on the first 100 images."""
    first = range(min(100, len(digits)))
    digits, prepared = digits.select(first), prepared.select(first)
    one_image_each(digits, prepared)
    three_equal_channels(prepared.images)
    normalised(prepared.normalize(prepared.images))
