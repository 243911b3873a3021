"""Diagrams of a network, drawn from the live model: the units of a perceptron, the blocks of a convnet."""

import math
from itertools import pairwise

from torch import nn

from course_lib.analysis.layers import layer_table
from course_lib.plots.figure import BLUE, GREEN, INK, ORANGE, DescribedFigure, finish, new_figure
from course_lib.plots.volumes import CONVOLUTION, INPUT, KIND_COLOURS, POOLING, Chain, chain_of_volumes

_MOST_DOTS = 14


def unit_diagram(model: nn.Module, input_shape: tuple[int, int, int]) -> DescribedFigure:
    """Draw a perceptron as columns of units: the pixels, each hidden layer, the logits.

    A column shows at most 14 of its units, with dots where some are left out; its height grows with the logarithm of
    their number, which is printed above it. The number of parameters is printed between two columns.
    """
    table = layer_table(model, input_shape)
    linear = table[table["type"] == "Linear"]
    widths = [math.prod(input_shape), *(int(shape) for shape in linear["output shape"])]
    names = ["pixels", *(f"units in hidden layer {number}" for number in range(1, len(linear))), "logits"]
    colours = [BLUE, *([GREEN] * (len(linear) - 1)), ORANGE]

    figure, axes = new_figure(width=8, height=4.2)
    axes.set_axis_off()
    axes.set(xlim=(-0.35, len(widths) - 0.65), ylim=(-0.75, 0.8))
    columns = []
    for place, width in enumerate(widths):
        dots = min(_MOST_DOTS, width)
        half = 0.5 * math.log(width + 1) / math.log(max(widths) + 1)
        step = 2 * half / max(1, dots - 1)
        places = [(place, half - row * step) for row in range(dots)]
        columns.append([dot for dot in places if dots == width or abs(dot[1]) > 1.2 * step])
    for before, after in pairwise(columns):
        for start in before:
            for end in after:
                axes.plot(*zip(start, end, strict=True), color="#9a9a9a", linewidth=0.25, zorder=1)
    for place, (column, width, name, colour) in enumerate(zip(columns, widths, names, colours, strict=True)):
        axes.scatter(*zip(*column, strict=True), s=42, color=colour, edgecolors="white", linewidths=0.6, zorder=2)
        if len(column) < width:
            axes.text(place, 0, "⋮", ha="center", va="center", color=colour, fontsize=22)
        number, label = f"{width:,}", name.replace(" in ", "\nin ")
        axes.text(place, 0.6, f"{number} {label}", ha="center", va="bottom", color=INK, fontsize=11)
    for place, parameters in enumerate(linear["parameters"]):
        axes.text(place + 0.5, -0.66, f"{parameters:,}\nparameters", ha="center", va="center", color=INK, fontsize=11)
    path = ", then ".join(f"{width:,} {name}" for width, name in zip(widths, names, strict=True))
    total = int(table["parameters"].iloc[-1])
    return finish(
        figure,
        f"A fully connected network drawn as columns of units: {path}. Every unit is joined to every unit of the next "
        f"column, with {total:,} parameters in all, {int(linear['parameters'].iloc[0]):,} of them in the first layer.",
    )


def channel_progression(model: nn.Module, input_shape: tuple[int, int, int]) -> DescribedFigure:
    """Draw the side of the maps and the number of channels from block to block: two rows of bars.

    A block is all layers with maps of one size. Its channels are those of its widest layer.

    Raises: ValueError naming the layer at which the image stops fitting, or where no layer makes maps.
    """
    chain = chain_of_volumes(model, input_shape)
    groups = chain.groups()
    if len(groups) == 1:
        raise ValueError(f"{type(model).__name__} has no convolution and no pooling, so it makes no maps")
    sides = [chain.volumes[group[0]].height for group in groups]
    channels = [max(chain.volumes[place].channels for place in group) for group in groups]
    names = ["image", *(_layers_in(chain, group) for group in groups[1:])]
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
    blocks = [
        f"{name.replace(chr(10), ' and ')}: {count:,} of {side}×{side}"
        for name, side, count in zip(names, sides, channels, strict=True)
    ]
    alt = (
        f"Bars for {type(model).__name__}, block by block: the side of the maps goes from {sides[0]} to {sides[-1]}, "
        f"the channels from {channels[0]} to {channels[-1]:,}. {'; '.join(blocks)}."
    )
    described = finish(figure, alt)
    for axes in (upper, lower):
        axes.spines["left"].set_visible(False)
        axes.tick_params(bottom=False)
    return described


def _layers_in(chain: Chain, group: list[int]) -> str:
    """Kinds and numbers of a block's layers, in order, a line each."""
    kinds = [chain.volumes[place].kind for place in group]
    words = {CONVOLUTION: "conv.", POOLING: "pool"}
    counts = {words[kind]: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    return "\n".join(word if number == 1 else f"{number} {word}" for word, number in counts.items())
