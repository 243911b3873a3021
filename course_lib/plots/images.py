"""Grids of images, mistakes, filters and feature maps."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.data import Split
from course_lib.plots.figure import ORANGE, DescribedFigure, finish, new_figure
from course_lib.plots.labels import counted


def image_grid(split: Split, indices: Sequence[int], titles: Sequence[str] | None = None) -> DescribedFigure:
    """Draw the images at ``indices``, eight a row, under their class names or the given titles."""
    if titles is None:
        titles = [split.classes[split.labels[index]] for index in indices]
    figure = _grid(_pixels(split, indices), titles, cmap="gray_r", vmin=0, vmax=255)
    _frame(figure.axes[: len(indices)])  # where the picture ends: paper is white
    return finish(figure, f"{counted(len(indices), 'image')} from the {split.name} set, labelled {', '.join(titles)}.")


def _pixels(split: Split, indices: Sequence[int]) -> list:
    return [split.images[index].permute(1, 2, 0).cpu().numpy() for index in indices]


def mistake_grid(split: Split, mistakes: pd.DataFrame) -> DescribedFigure:
    """Draw the rows of :func:`course_lib.analysis.worst_mistakes`: image, true class, predicted class, confidence."""
    rows = list(mistakes.itertuples(index=False))
    comma = ", " if max((len(name) for name in split.classes), default=0) < 3 else "\n"  # long names need lines
    titles = [f"is {row.true}{comma}said {row.predicted}\n{_sure(row.confidence)}" for row in rows]
    figure = _grid(_pixels(split, mistakes["index"]), titles, cmap="gray_r", vmin=0, vmax=255)
    mistakes = "; ".join(f"a {row.true} taken for {row.predicted} ({_sure(row.confidence)})" for row in rows)
    return finish(figure, f"The {len(rows)} most confident mistakes on the {split.name} set: {mistakes}.")


def _sure(confidence: float) -> str:
    """Confidence in words; a softmax never gives 100 %, so it is not rounded to that."""
    return "over 99.9% sure" if confidence > 0.999 else f"{confidence:.1%} sure"


def weight_grid(weights: torch.Tensor, titles: Sequence[str] | None = None, what: str = "weights") -> DescribedFigure:
    """Draw weight maps (M, H, W) on one colour scale around zero: blue is negative, grey-white zero, red positive."""
    weights = weights.detach().cpu().float()
    limit = weights.abs().max().item()
    figure = _grid(list(weights.numpy()), titles, cmap="RdBu_r", vmin=-limit, vmax=limit)
    figure.colorbar(figure.axes[0].images[0], ax=figure.axes, shrink=0.8, aspect=30, label=what.split()[-1])
    return finish(
        figure,
        f"{len(weights)} maps of {what}, {weights.shape[1]} by {weights.shape[2]}, on one scale from "
        f"{-limit:.2f} (blue) through 0 (white) to {limit:.2f} (red).",
    )


def template_sum(image: torch.Tensor, weights: torch.Tensor, bias: float) -> DescribedFigure:
    """Draw what one hidden unit does: a normalised image times its weights, pixel by pixel, summed, plus a bias.

    Args:
        image: (H, W), as the network sees it.
        weights: (H, W), the unit's, laid out as the image is.
        bias: the unit's.
    """
    image, weights = image.detach().cpu().float(), weights.detach().cpu().float()
    products = image * weights
    total = products.sum().item() + float(bias)
    figure, panels = new_figure(1, 3, width=7.6, height=2.9)
    limits = [None, weights.abs().max().item(), products.abs().max().item()]
    titles = ["pixels x", "weights w", "products w · x"]
    for axes, values, limit, title in zip(panels, (image, weights, products), limits, titles, strict=True):
        colours = {"cmap": "gray_r"} if limit is None else {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
        axes.imshow(values.numpy(), **colours)
        axes.set_title(title, fontsize=12)
    for axes, sign in zip(panels[1:], "×=", strict=True):
        axes.text(-0.13, 0.5, sign, transform=axes.transAxes, fontsize=20, ha="center", va="center")
    result = f"sum of all products {products.sum():.2f}, plus bias {bias:+.2f}: z = {total:.2f}"
    unit = f"{result}, and ReLU passes on {max(0.0, total):.2f}".replace("-", "−")
    figure.supxlabel(unit, fontsize=12)
    for axes in panels:
        axes.set_axis_off()
    _frame(panels)
    return finish(figure, f"An image, the weights of one hidden unit, and their products; {unit}.")


def convolution_result(image: torch.Tensor, kernel: torch.Tensor, feature_map: torch.Tensor) -> DescribedFigure:
    """Draw an image, a kernel with its weights, and the feature map, which has the same scale as the image.

    A square marks one window, where the map is largest, and its number on the map.

    Args:
        image: (H, W), larger is darker.
        kernel: (h, w).
        feature_map: (H − h + 1, W − w + 1), without padding.
    """
    image, kernel, feature_map = (tensor.detach().cpu().float() for tensor in (image, kernel, feature_map))
    sides = [image.shape[1], 0.45 * image.shape[1], feature_map.shape[1]]
    figure, panels = new_figure(1, 3, width=7.6, height=3.1, width_ratios=sides)
    limit = feature_map.abs().max().item()
    panels[0].imshow(image.numpy(), cmap="gray_r")
    panels[1].imshow(kernel.numpy(), cmap="RdBu_r", vmin=-1.6 * kernel.abs().max(), vmax=1.6 * kernel.abs().max())
    shown = panels[2].imshow(feature_map.numpy(), cmap="RdBu_r", vmin=-limit, vmax=limit)
    for (row, column), weight in zip(np.ndindex(*kernel.shape), kernel.flatten().tolist(), strict=True):
        panels[1].text(column, row, f"{weight:g}".replace("-", "−"), ha="center", va="center", fontsize=12)
    row, column = divmod(feature_map.argmax().item(), feature_map.shape[1])
    (height, width), outline = kernel.shape, {"fill": False, "edgecolor": ORANGE, "linewidth": 2}
    panels[0].add_patch(Rectangle((column - 0.5, row - 0.5), width, height, **outline))
    panels[2].add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **outline))
    sizes = [" × ".join(str(side) for side in tensor.shape) for tensor in (image, kernel, feature_map)]
    titles = [f"image, {sizes[0]}", f"kernel, {sizes[1]}", f"feature map, {sizes[2]}"]
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, fontsize=11)
        axes.set_axis_off()
    _frame(panels)
    figure.colorbar(shown, ax=panels[2], shrink=0.7, aspect=16)
    largest = f"{feature_map.max():.1f}"
    return finish(
        figure,
        f"{titles[0]}, {titles[1]}, and {titles[2]}: red where the sum is positive, blue where it is negative. The "
        f"largest sum, {largest}, belongs to a window of {sizes[1]} in row {row}, column {column}.",
    )


def filter_grid(weights: torch.Tensor) -> DescribedFigure:
    """Draw the filters of a first convolution: (M, 3, H, W) in colour, (M, 1, H, W) as by :func:`weight_grid`.

    Each colour filter is scaled by its own largest weight, around zero, which is mid-grey. A colour shows the channels
    with positive weights, its opposite those with negative weights.

    Raises: ValueError where the filters have neither one channel nor three.
    """
    weights = weights.detach().cpu().float()
    if weights.ndim != 4 or weights.shape[1] not in (1, 3):
        shape = "×".join(str(side) for side in weights.shape)
        raise ValueError(f"filters of {shape} are no pictures: draw those of a first layer, with one channel or three")
    if weights.shape[1] == 1:
        return weight_grid(weights[:, 0], what="filter weights")
    largest = weights.abs().amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12)
    figure = _grid(list((0.5 + 0.5 * weights / largest).permute(0, 2, 3, 1).numpy()), None)
    energy = weights.square().sum(dim=(1, 2, 3)).clamp(min=1e-24)
    grey = 3 * weights.mean(dim=1).square().sum(dim=(1, 2)) / energy > 0.9
    return finish(
        figure,
        f"{len(weights)} colour filters, {weights.shape[2]} by {weights.shape[3]}, each scaled by its own largest "
        f"weight, with zero as mid-grey. {int(grey.sum())} are nearly grey (the three colours share over 90% of their "
        f"energy), {int((~grey).sum())} prefer a colour.",
    )


def feature_map_grid(maps: torch.Tensor, titles: Sequence[str] | None = None) -> DescribedFigure:
    """Draw feature maps (M, H, W) on one scale from the smallest value (white) to the largest (black)."""
    maps = maps.detach().cpu().float()
    low, high = maps.min().item(), maps.max().item()
    figure = _grid(list(maps.numpy()), titles, cmap="gray_r", vmin=low, vmax=high)
    _frame(figure.axes[: len(maps)])  # a map of zeros is white
    shape = f"{maps.shape[1]} by {maps.shape[2]}"
    return finish(figure, f"{len(maps)} feature maps, {shape}, on one scale from {low:.2f} to {high:.2f}.")


def _frame(panels: Sequence[Axes]) -> None:
    for axes in panels:
        axes.add_patch(
            Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, edgecolor="#aaaaaa", clip_on=False)
        )


def _grid(pixels: list, titles: Sequence[str] | None, **colours) -> DescribedFigure:
    columns = min(8, max(1, len(pixels)))
    rows = max(1, -(-len(pixels) // columns))
    lines = 0 if not titles else max(title.count("\n") + 1 for title in titles)
    figure, grid = new_figure(rows, columns, width=8, height=rows * (0.95 + 0.2 * lines), squeeze=False)
    for place, axes in enumerate(grid.flat):
        axes.set_axis_off()
        if place < len(pixels):
            image = pixels[place]
            axes.imshow(image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image, **colours)
            if titles:
                axes.set_title(titles[place], fontsize=8)
    return figure
