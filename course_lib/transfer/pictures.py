"""One plot a bug: the picture that would have shown it."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from course_lib.data import Split
from course_lib.plots.figure import BLUE, GREY, INK, ORANGE, DescribedFigure, finish, new_figure
from course_lib.plots.wording import counted, listed, percent

SERIES = ((BLUE, "o"), (ORANGE, "s"), (GREY, "^"))


def batch_as_seen(
    prepared: Split, count: int = 6, digit_side: int | None = None, rows: int | None = None
) -> DescribedFigure:
    """Draw the first images of a batch in colour, as the network gets them before normalisation, under their labels.

    Args:
        prepared: uint8 images (N, 3, side, side).
        count: how many.
        digit_side: of the digits that images were refilled with: a line is drawn where each begins. None draws none.
        rows: draw so many rows of pixels only, from the top; None draws all.
    """
    count, side = min(count, len(prepared)), prepared.images.shape[-1]
    rows = min(rows or side, side)
    figure, axes = new_figure(1, count, width=8, height=8 / count * rows / side + 0.4, squeeze=False)
    for number, one in enumerate(axes[0]):
        one.imshow(prepared.images[number, :, :rows].permute(1, 2, 0).cpu().numpy(), interpolation="nearest")
        one.set_title(f"label {prepared.classes[prepared.labels[number]]}", fontsize=9)
        one.set_axis_off()
        for start in range(digit_side**2, rows * side, digit_side**2) if digit_side else ():
            row, column = divmod(start, side)
            lines = [(row - 0.5, column - 0.5, side - 0.5), (row + 0.5, -0.5, column - 0.5)]
            for height, left, right in lines[: 2 if column else 1]:
                one.plot([left, right], [height, height], color=ORANGE, linewidth=0.9)
    labels = listed([str(prepared.classes[label]) for label in prepared.labels[:count]])
    held = ""
    if digit_side:
        held = f" Lines show where one digit ends and the next begins: {side**2 / digit_side**2:g} in each image."
    top = f", their first {rows} rows" if rows < side else ""
    said = f"{counted(count, 'image')} of {side} × {side} as the network gets them{top}, labelled {labels}."
    return finish(figure, said + held)


def channel_pictures(prepared: Split, number: int = 0) -> DescribedFigure:
    """Draw red, green and blue of one image side by side, on one scale from 0 to 255."""
    figure, axes = new_figure(1, 3, width=6, height=2.4)
    means = []
    for name, channel, one in zip(("red", "green", "blue"), prepared.images[number].cpu(), axes, strict=True):
        one.imshow(channel.numpy(), cmap="gray", vmin=0, vmax=255)
        one.set_title(f"{name}: mean {channel.float().mean():.0f}", fontsize=10)
        one.set_axis_off()
        means.append(f"{name} {channel.float().mean():.0f}")
    return finish(figure, f"The three channels of one image, on one scale. Mean grey levels: {listed(means)}.")


def pixel_histogram(batches: Mapping[str, torch.Tensor], expected: tuple[float, float]) -> DescribedFigure:
    """Draw how pixel values are spread in batches as networks get them, beside the range that a backbone expects.

    Args:
        batches: by name, float images (N, C, H, W).
        expected: lowest and highest value that the backbone was trained with.
    """
    figure, axes = new_figure(1, len(batches), width=8, height=2.8, squeeze=False)
    said = []
    for (name, batch), one in zip(batches.items(), axes[0], strict=True):
        values = batch.float().flatten().cpu().numpy()
        one.axvspan(*expected, color=GREY, alpha=0.3, linewidth=0)
        one.hist(values, bins=40, color=BLUE, weights=np.full(len(values), 1 / len(values)))
        one.set_yscale("log")
        one.set(title=name, xlabel="pixel value", ylabel="share of pixels")
        said.append(f"{name}: from {values.min():.2f} to {values.max():.2f}, mean {values.mean():.2f}")
    low, high = expected
    return finish(figure, f"Histograms of pixel values. {'; '.join(said)}. Expected (grey): {low:.2f} to {high:.2f}.")


def weight_movement(moved: Mapping[str, Mapping[str, float]], at_most: float) -> DescribedFigure:
    """Draw how far each pretrained layer has moved, as a share of its length, a line a run.

    Args:
        moved: by run, what :func:`course_lib.transfer.movement` found.
        at_most: the guard's limit, drawn as a line.
    """
    figure, axes = new_figure(width=8, height=3.2)
    said = []
    for (name, layers), (colour, marker) in zip(moved.items(), SERIES, strict=False):
        values = list(layers.values())
        axes.plot(range(1, len(values) + 1), values, color=colour, marker=marker, markersize=4, label=name)
        said.append(f"{name}: at most {percent(max(values))}")
    axes.axhline(at_most, color=INK, linestyle="--", linewidth=1, label="guard's limit")
    axes.set_yscale("log")
    axes.set(xlabel="layer with weights, first to last", ylabel="moved by, share of length")
    axes.legend(frameon=False)
    limit = f"The guard allows {percent(at_most)}."
    return finish(figure, f"How far the weights of each layer moved. {'; '.join(said)}. {limit}")


def statistics_drift(before: Mapping[str, torch.Tensor], network: nn.Module) -> DescribedFigure:
    """Draw how far the batch norms' running variances moved, layer by layer, as a factor.

    ``before`` is a :func:`course_lib.transfer.snapshot` from before training. Raises ValueError where there is none.
    """
    factors = [
        (now.cpu() / before[name].clamp(min=1e-12)).clamp(min=1e-12).log().mean().exp().item()
        for name, now in network.named_buffers()
        if name.endswith("running_var")
    ]
    if not factors:
        raise ValueError("this network has no batch norm whose statistics could drift")
    figure, axes = new_figure(width=8, height=2.8)
    axes.axhline(1, color=INK, linestyle="--", linewidth=1)
    axes.plot(range(1, len(factors) + 1), factors, color=ORANGE, marker="o", markersize=4)
    axes.set_yscale("log")
    axes.set(xlabel="batch norm, first to last", ylabel="variance, after / before")
    low, high = min(factors), max(factors)
    still = (
        "All stand still at 1." if low == high == 1 else f"They lie between {low:.3g} and {high:.3g}; 1 is unchanged."
    )
    return finish(
        figure, f"By which factor the running variances of {len(factors)} batch norms changed, on average. {still}"
    )
