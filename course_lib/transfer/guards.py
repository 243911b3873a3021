"""One line a bug: each guard is silent where all is well, and names the rung of the ladder where it is not."""

import math
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.analysis import receptive_field
from course_lib.data import Split
from course_lib.errors import CourseError
from course_lib.models.backbones import IMAGENET_MEAN, IMAGENET_STD

NEAR = 20.0  # grey levels of 255: resizing there and back changes a digit by 13 at most, another digit differs by 40
STILL = 0.1  # share of its length by which the weights of a pretrained layer may move in the first steps
RIM = 0.05  # pixels may lie so far outside of what ImageNet's normalisation makes of 0 and 255


def one_image_each(digits: Split, prepared: Split) -> None:
    """Each prepared image, shrunk again, is the digit under the same number: it was not refilled with others.

    Args:
        digits: grey, (N, 1, H, W), uint8.
        prepared: (N, C, side, side), uint8; the brightest channel counts.
    """
    size = digits.images.shape[2:]
    for number, (digit, image) in enumerate(zip(digits.images, prepared.images, strict=True)):
        grey = image.amax(dim=0, keepdim=True).float()[None]
        shrunk = F.interpolate(grey, size=size, mode="bilinear", antialias=True)[0]
        far = (shrunk - digit.float()).abs().mean().item()
        if far > NEAR:
            raise CourseError(
                f"rung 1, refilled images: image {number} is not the digit under that number, {far:.0f} grey levels "
                "apart on average: np.resize refills a shape; interpolate instead."
            )


def three_equal_channels(images: torch.Tensor) -> None:
    """A grey picture is the same in red, green and blue. ``images``: (N, C, H, W), before normalisation."""
    if images.shape[1] != 3 or not (images[:, :1] == images).all():
        said = "differ" if images.shape[1] == 3 else f"are {images.shape[1]}"
        raise CourseError(
            f"rung 2, grey not repeated: the channels of a grey picture should be three equal ones, and these {said}: "
            "use images.expand(-1, 3, -1, -1)."
        )


def normalised(images: torch.Tensor) -> None:
    """Pixels lie where ImageNet's mean and standard deviation bring black and white. ``images``: a batch, (N, 3, H, W),
    float, as the network gets it."""
    black = min(-mean / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True))
    white = max((1 - mean) / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True))
    low, high = images.min().item(), images.max().item()
    if low >= 0 or low < black - RIM or high > white + RIM:
        raise CourseError(
            f"rung 3, not normalised: pixels go from {low:.2f} to {high:.2f}, and the backbone expects {black:.2f} to "
            f"{white:.2f}: scale to [0, 1], take IMAGENET_MEAN off, divide by IMAGENET_STD."
        )


def snapshot(network: nn.Module) -> dict[str, torch.Tensor]:
    """A copy of every parameter and buffer, to compare with later."""
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


def movement(before: Mapping[str, torch.Tensor], network: nn.Module) -> dict[str, float]:
    """How far the weights of each layer of ``network.features`` moved, as a share of their length before."""
    now = network.state_dict()
    learned = [name for name, _ in network.named_parameters() if name.startswith("features") and "weight" in name]
    return {name: ((now[name].cpu() - before[name]).norm() / before[name].norm()).item() for name in learned}


def still_near_the_start(before: Mapping[str, torch.Tensor], network: nn.Module, at_most: float = STILL) -> None:
    """After the first few steps the pretrained weights are still pretrained ones.

    Args:
        before: a :func:`snapshot` of the network with its pretrained weights.
        network: the same network, some ten steps later.
        at_most: the share of its length by which a layer may have moved.
    """
    name, moved = max(movement(before, network).items(), key=lambda item: item[1])
    if not moved <= at_most:  # NaN, too
        raise CourseError(
            f"rung 4, everything at 0.001: {name} has moved by {moved:.0%} of its length, so what it had learned is "
            f"going: take a smaller learning rate (more than {at_most:.0%} in the first steps is too fast)."
        )


def frozen_at_the_best_cut(accuracies: Mapping[str, float], images: int) -> None:
    """No earlier layer gives a head more to work with than the last one.

    Args:
        accuracies: by cut, from the first to the last, the accuracy of a head on frozen features up to there.
        images: how many each was judged by.
    """
    *_, (last, reached) = accuracies.items()
    best = max(accuracies, key=accuracies.get)
    noise = math.sqrt(sum(one * (1 - one) / images for one in (reached, accuracies[best])))
    if accuracies[best] - reached > 2 * noise:
        raise CourseError(
            f"rung 5, frozen too much: a head on {best} reaches {accuracies[best]:.1%}, on {last} {reached:.1%}: the "
            "layers between are about something else; train them, or cut them off."
        )


def statistics_stand_still(before: Mapping[str, torch.Tensor], network: nn.Module) -> None:
    """The batch norms' means and variances are what they were. ``before``: a :func:`snapshot`."""
    for name, now in network.named_buffers():
        if now.is_floating_point() and not torch.equal(now.cpu(), before[name]):
            raise CourseError(
                f"rung 6, statistics updated: {name} changed, though its layer should be frozen: requires_grad_(False) "
                "does not stop a batch norm; keep it in evaluation mode."
            )


def sees_no_more_than_the_image(features: nn.Module, side: int) -> None:
    """A unit of the last layer looks at a part of the image: else the backbone is too deep for it."""
    field = int(receptive_field(features, (3, side, side))["receptive field"].iloc[-1])
    if field > side:
        raise CourseError(
            f"rung 7, too large a backbone: a unit of its last layer looks at {field} × {field} pixels, and the image "
            f"has {side} × {side}: try a shorter backbone."
        )


def better_than_from_scratch(accuracy: float, scratch: float, images: int) -> None:
    """Transfer is worth its cost: it beats a small network from scratch by more than chance.

    Args:
        accuracy: of the transferred network, in [0, 1].
        scratch: of the small network, on the same images.
        images: how many.
    """
    noise = math.sqrt(sum(one * (1 - one) / images for one in (accuracy, scratch)))
    if accuracy - scratch <= 2 * noise:
        raise CourseError(
            f"rung 8, no need to transfer: {accuracy:.2%} is not clearly better than the {scratch:.2%} of a small "
            "network from scratch: take the small one."
        )


def look_at_inputs(digits: Split, prepared: Split, count: int = 100) -> None:
    """The three guards of rungs 1 to 3, on the first ``count`` images."""
    first = range(min(count, len(digits)))
    some, ready = digits.select(first), prepared.select(first)
    one_image_each(some, ready)
    three_equal_channels(ready.images)
    normalised(ready.normalize(ready.images))
