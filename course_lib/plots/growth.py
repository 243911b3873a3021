"""What grows and what shrinks with depth: the receptive field, the channels, the side of the maps."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from torch import nn

from course_lib.plots.figure import DescribedFigure, finish, new_figure
from course_lib.plots.kinds import CONVOLUTION, INPUT, KIND_COLOURS, POOLING, QUIET, kind_of
from course_lib.plots.labels import label_points
from course_lib.plots.volumes import Chain, chain_of_volumes
from course_lib.plots.wording import counted


def receptive_growth(fields: Mapping[str, pd.DataFrame], image_side: int | None = None) -> DescribedFigure:
    """Draw the receptive field over depth, counted in convolutions and pools: a line a network.

    A filled mark is a convolution, a white one a pool. A horizontal line shows the side of the image.

    Args:
        fields: what :func:`course_lib.analysis.receptive_field` returned, by the network's name. A convolution on a
            skip sees less than the layer before it, and is left out.
        image_side: in pixels.
    """
    figure, axes = new_figure(width=7, height=4)
    said, ends = [], []
    for place, (name, frame) in enumerate(fields.items()):
        seen = frame.dropna(subset=["receptive field"])
        sizes = seen["receptive field"].astype(int).to_numpy()
        main = sizes >= np.maximum.accumulate(sizes)
        depths, sizes = np.arange(1, main.sum() + 1), sizes[main]
        pools = np.array([kind_of(one) == POOLING for one in seen["type"]])[main]
        marker = "osD^vP"[place % 6]
        (line,) = axes.plot(depths, sizes, marker=marker, markersize=6, linewidth=1.5, label=name)
        style = {"marker": marker, "s": 30, "facecolors": "white", "edgecolors": line.get_color(), "zorder": 3}
        axes.scatter(depths[pools], sizes[pools], linewidths=1.4, **style)
        ends.append((int(depths[-1]), int(sizes[-1])))
        said.append(f"{name} ends at {sizes[-1]} pixels after {counted(len(sizes), 'layer')}")
    if image_side is not None:
        axes.axhline(image_side, color=QUIET, linestyle="--", linewidth=1, label=f"side of the image: {image_side}")
        said.append(f"a line marks the side of the image, {image_side} pixels")
    axes.set(xlabel="depth in convolutions (filled) and pools (white)", ylabel="receptive field in pixels")
    deepest, largest = max(depth for depth, _ in ends), max(size for _, size in ends)
    axes.set(xlim=(0.4, 1.07 * deepest + 0.4), ylim=(0, 1.08 * max(largest, image_side or 0)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside upper left", ncols=4, frameon=False, fontsize=10.5, columnspacing=1.3)
    label_points(axes, [str(size) for _, size in ends], ends, size=11)
    return finish(figure, f"Receptive field by depth, {counted(len(fields), 'line')}: {'; '.join(said)}.")


def channel_progression(model: nn.Module, input_shape: tuple[int, int, int]) -> DescribedFigure:
    """Draw how the side of the maps falls and the number of channels grows from block to block: two rows of bars.

    A block is everything that works on maps of one size. Its channels are those of its widest layer.

    Raises: ValueError naming the layer at which the image stops fitting, or where no layer makes maps.
    """
    chain = chain_of_volumes(model, input_shape)
    groups = chain.groups()
    if len(groups) == 1:
        raise ValueError(f"{type(model).__name__} has no convolution and no pooling, so it makes no maps")
    sides = [chain.volumes[group[0]].height for group in groups]
    channels = [max(chain.volumes[place].channels for place in group) for group in groups]
    names = ["image", *(_inside(chain, group) for group in groups[1:])]
    width = max(4.5, 1.05 * len(groups) + 0.6)
    figure, (upper, lower) = new_figure(2, 1, width=width, height=3.8, sharex=True)
    colours = [KIND_COLOURS[INPUT], *([KIND_COLOURS[CONVOLUTION]] * (len(groups) - 1))]
    for axes, values, title in ((upper, sides, "side of the maps"), (lower, channels, "channels")):
        axes.bar(range(len(groups)), values, width=0.62, color=colours)
        for place, value in enumerate(values):
            axes.text(place, value, f"{value:,}", ha="center", va="bottom", fontsize=11)
        axes.set_title(title, fontsize=11, loc="left", pad=12)
        axes.set(yticks=[], ylim=(0, 1.12 * max(values)))
    lower.set_xticks(range(len(groups)), names, fontsize=10)
    lower.tick_params(bottom=False)
    said = [
        f"{name.replace(chr(10), ' and ')}: {count:,} of {side}×{side}"
        for name, side, count in zip(names, sides, channels, strict=True)
    ]
    alt = (
        f"Bars for {type(model).__name__}, block by block: the side of the maps goes from {sides[0]} to {sides[-1]}, "
        f"the channels from {channels[0]} to {channels[-1]:,}. {'; '.join(said)}."
    )
    described = finish(figure, alt)
    for axes in (upper, lower):
        axes.spines["left"].set_visible(False)
        axes.tick_params(bottom=False)
    return described


def _inside(chain: Chain, group: list[int]) -> str:
    """What works on maps of one size, in the order in which it comes."""
    kinds = [chain.volumes[place].kind for place in group]
    words = {CONVOLUTION: "conv.", POOLING: "pool"}
    counts = {words[kind]: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    return "\n".join(word if number == 1 else f"{number} {word}" for word, number in counts.items())
