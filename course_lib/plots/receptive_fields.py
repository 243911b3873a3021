"""Receptive fields: over depth, and of one large window against several small ones."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch import nn

from course_lib.plots.figure import BLUE, GREEN, INK, ORANGE, QUIET, DescribedFigure, finish, new_figure
from course_lib.plots.labels import counted, label_points
from course_lib.plots.volumes import POOLING, kind_of


def receptive_growth(fields: Mapping[str, pd.DataFrame], image_side: int | None = None) -> DescribedFigure:
    """Draw the receptive field over depth, counted in convolutions and pools: a line for each network.

    A filled marker is a convolution, a white one a pool. A horizontal line shows the side of the image.

    Args:
        fields: tables from :func:`course_lib.analysis.receptive_field`, by the network's name. A convolution on a skip
            sees less than the layer before it, and is left out, as is a field that is no number.
        image_side: in pixels.
    """
    figure, axes = new_figure(width=7, height=4)
    descriptions, ends = [], []
    for place, (name, frame) in enumerate(fields.items()):
        seen = frame[pd.to_numeric(frame["receptive field"], errors="coerce").notna()]
        sizes = seen["receptive field"].astype(int).to_numpy()
        main = sizes >= np.maximum.accumulate(sizes)
        depths, sizes = np.arange(1, main.sum() + 1), sizes[main]
        pools = np.array([kind_of(layer) == POOLING for layer in seen["type"]])[main]
        marker = "osD^vP"[place % 6]
        (line,) = axes.plot(depths, sizes, marker=marker, markersize=6, linewidth=1.5, label=name)
        style = {"marker": marker, "s": 30, "facecolors": "white", "edgecolors": line.get_color(), "zorder": 3}
        axes.scatter(depths[pools], sizes[pools], linewidths=1.4, **style)
        ends.append((int(depths[-1]), int(sizes[-1])))
        descriptions.append(f"{name} ends at {sizes[-1]} pixels after {counted(len(sizes), 'layer')}")
    if image_side is not None:
        axes.axhline(image_side, color=QUIET, linestyle="--", linewidth=1, label=f"side of the image: {image_side}")
        descriptions.append(f"a line marks the side of the image, {image_side} pixels")
    axes.set(xlabel="depth in convolutions (filled) and pools (white)", ylabel="receptive field in pixels")
    deepest, largest = max(depth for depth, _ in ends), max(size for _, size in ends)
    axes.set(xlim=(0.4, 1.07 * deepest + 0.4), ylim=(0, 1.08 * max(largest, image_side or 0)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style = {"ncols": 4, "frameon": False, "fontsize": 10.5, "columnspacing": 1.3}
    figure.legend(handles=axes.lines, loc="outside upper left", **style)
    label_points(axes, [str(size) for _, size in ends], ends, size=11)
    return finish(figure, f"Receptive field by depth, {counted(len(fields), 'line')}: {'; '.join(descriptions)}.")


def window_comparison() -> DescribedFigure:
    """Draw one window of 7×7 above a stack of three of 3×3 with the same receptive field, cell by cell.

    Sides, weights for one pair of channels and ReLUs are counted in real layers.
    Source: Simonyan and Zisserman, 2014, section 2.3.
    """
    options = {"bias": False, "device": "meta"}  # on meta no random weights are drawn
    stacks = {
        "One window of 7×7": [nn.Conv2d(1, 1, 7, **options), nn.ReLU()],
        "Three windows of 3×3": [nn.Conv2d(1, 1, 3, **options), nn.ReLU()] * 3,
    }
    figure, axes = new_figure(width=7.2, height=5.6)
    axes.set_axis_off()
    descriptions = []
    for row, (title, layers) in enumerate(stacks.items()):
        sides, windows, weights, relus = [7], [], 0, 0
        maps = torch.empty(1, 1, 7, 7, device="meta")
        for layer in layers:
            maps = layer(maps)
            if isinstance(layer, nn.Conv2d):
                sides.append(maps.shape[-1])
                windows.append(layer.kernel_size[0])
                weights += layer.weight.numel()
            relus += isinstance(layer, nn.ReLU)
        _draw_stack(axes, sides, windows, 11.5 * row)
        counts = f"{weights} weights, {relus} ReLU{'s' * (relus > 1)}"
        axes.text(0, 11.5 * row - 0.5, f"{title}: {counts}", va="bottom", fontsize=13, fontweight="bold")
        path = " to ".join(f"{side}×{side}" for side in sides)
        descriptions.append(f"{title}: {counts} for one pair of channels, the cells go from {path}")
    axes.set(xlim=(-0.2, 28.2), ylim=(20.2, -2.2), aspect="equal")
    alt = "Grids of cells, with the window that makes one cell of the next grid."
    return finish(figure, f"{alt} {'. '.join(descriptions)}.")


def _draw_stack(axes: Axes, sides: list[int], windows: list[int], top: float) -> None:
    """Draw grids from left to right, and the window that computes the first cell of each next grid."""
    middle, gap = top + sides[0] / 2, (28 - sum(sides)) / len(windows)
    left, colour = 0.0, None  # the colour of the last window
    for depth, side in enumerate(sides):
        corner = middle - side / 2
        for row, column in product(range(side), repeat=2):
            style = {"facecolor": "white", "edgecolor": "#8a8a8a", "linewidth": 0.8}
            axes.add_patch(Rectangle((left + column, corner + row), 1, 1, **style))
        if colour is not None:
            axes.add_patch(Rectangle((left, corner), 1, 1, facecolor=colour, edgecolor=colour, zorder=3.5))
        axes.text(left + side / 2, corner + side + 0.3, f"{side}×{side}", ha="center", va="top", fontsize=12)
        if depth < len(windows):
            window, colour = windows[depth], (BLUE, ORANGE, GREEN)[depth]
            axes.add_patch(Rectangle((left, corner), window, window, facecolor=colour, alpha=0.3, zorder=3))
            style = {"fill": False, "edgecolor": colour, "linewidth": 2.2, "zorder": 4}
            axes.add_patch(Rectangle((left, corner), window, window, **style))
            right, target = left + side + gap, middle - sides[depth + 1] / 2
            for start, end in ((corner, target), (corner + window, target + 1)):
                axes.plot([left + window, right], [start, end], color=colour, linewidth=1.2, zorder=5)
            axes.text(
                *(left + side + gap / 2, top + sides[0] + 0.3, f"{window}×{window} conv.\n+ ReLU"),
                **{"ha": "center", "va": "top", "fontsize": 12, "color": INK},
            )
        left += side + gap
