"""Diagrams of a network: a small one with all its numbers, and the blocks of a convnet, drawn from the live model."""

from collections.abc import Sequence
from itertools import product

import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from torch import nn
from torch.nn import functional as F

from course_lib.plots.figure import BLUE, INK, DescribedFigure, finish, new_figure
from course_lib.plots.volumes import CONVOLUTION, INPUT, KIND_COLOURS, POOLING, Chain, chain_of_volumes

DERIVATIVE = "#a85a00"  # the palette's orange, dark enough for letters


def backpropagation_graph(x: float, w: Sequence[float], v: Sequence[float], target: float) -> DescribedFigure:
    """Draw a network of four weights with all its numbers: forward above each node, derivatives of the loss below it.

    It is h = ReLU(w x) for two hidden units, y = v₁ h₁ + v₂ h₂, and the loss L = (y − target)² / 2. The derivatives are
    autograd's.
    """
    weights = [torch.tensor(float(value), requires_grad=True) for value in (*w, *v)]
    hidden = [(weight * x).relu() for weight in weights[:2]]
    y = weights[2] * hidden[0] + weights[3] * hidden[1]
    loss = (y - target) ** 2 / 2
    slopes = [slope.item() for slope in torch.autograd.grad(loss, [*weights, *hidden, y])]
    names = ["w₁", "w₂", "v₁", "v₂"]
    places = {"x": (0, 0), "h₁": (2, 0.9), "h₂": (2, -0.9), "y": (4, 0), "L": (5.6, 0)}
    values = dict(zip(places, [x, *(unit.item() for unit in hidden), y.item(), loss.item()], strict=True))
    derivatives = dict(zip(["h₁", "h₂", "y", "L"], [*slopes[4:], 1.0], strict=True))
    edges = [("x", "h₁"), ("x", "h₂"), ("h₁", "y"), ("h₂", "y")]

    figure, axes = new_figure(width=7.4, height=3.9)
    axes.set_axis_off()
    axes.set(xlim=(-0.6, 6.2), ylim=(-1.75, 1.75))
    for start, end in [*edges, ("y", "L")]:
        axes.annotate(
            *("", places[end], places[start]),
            arrowprops={"arrowstyle": "-|>", "color": "#777777", "shrinkA": 19, "shrinkB": 19, "linewidth": 1.3},
        )
    for (start, end), name, weight, slope in zip(edges, names, weights, slopes, strict=False):
        (left, low), (right, high) = places[start], places[end]
        middle, height = (left + right) / 2, (low + high) / 2
        style = {"ha": "center", "fontsize": 12, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.5}}
        axes.text(
            middle, height + 0.05, f"{name} = {weight.item():g}".replace("-", "−"), va="bottom", color=BLUE, **style
        )
        axes.text(middle, height - 0.05, f"∂L/∂{name} = {slope:g}", va="top", color=DERIVATIVE, **style)
    for name, (left, height) in places.items():
        axes.scatter(left, height, s=900, facecolor="white", edgecolor=INK, linewidth=1.4, zorder=3)
        axes.text(left, height, name, ha="center", va="center", fontsize=13, zorder=4)
        axes.text(left, height + 0.36, f"{values[name]:g}", ha="center", va="bottom", color=BLUE, fontsize=13)
        if name in derivatives:
            axes.text(
                left, height - 0.36, f"{derivatives[name]:g}", ha="center", va="top", color=DERIVATIVE, fontsize=13
            )
    axes.text(-0.5, 1.6, "forward: values", color=BLUE, fontsize=12)
    axes.text(-0.5, 1.32, "backward: derivatives of L", color=DERIVATIVE, fontsize=12)
    forward = ", ".join(f"{name} is {value:g}" for name, value in values.items())
    backward = ", ".join(f"{name}: {slope:g}" for name, slope in zip(names, slopes, strict=False))
    alt = (
        f"A network of four weights as a graph. Forward, {forward}. Derivatives of the loss by the weights: {backward}."
    )
    return finish(figure, alt.replace("-", "−"))


def pooling_windows(values: torch.Tensor, shifts: Sequence[int] = (0, 1, 2)) -> DescribedFigure:
    """Draw a small map with its numbers, moved to the right by each of ``shifts``, and what max pooling makes of it.

    Args:
        values: (H, W), both even; pooling takes windows of 2 × 2.
        shifts: in pixels; zeros move in.
    """
    rows, columns = values.shape
    figure, panels = new_figure(2, len(shifts), width=2.45 * len(shifts), height=4.4, height_ratios=[2, 1])
    sentences = []
    for (upper, lower), right in zip(panels.T, shifts, strict=True):
        moved = F.pad(values, (right, 0))[:, :columns].float()
        pooled = F.max_pool2d(moved[None, None], 2)[0, 0]
        _numbers(upper, moved, window=2)
        _numbers(lower, pooled, window=1)
        upper.set_title(f"moved by {right}" if right else "a map", fontsize=11)
        lower.set_title("pooled", fontsize=11)
        listed = "; ".join(", ".join(f"{value:g}" for value in row) for row in pooled.tolist())
        sentences.append(f"moved by {right}: {listed}")
    alt = f"A map of {rows} by {columns} numbers in windows of 2 by 2, and the largest number of each window"
    return finish(figure, f"{alt}, row by row. {'. '.join(sentences).capitalize()}.")


def _numbers(axes: Axes, values: torch.Tensor, window: int) -> None:
    """Draw numbers in cells, larger ones on darker blue, with a line around each window of so many cells."""
    rows, columns = values.shape
    for row, column in product(range(0, rows, window), range(0, columns, window)):
        axes.add_patch(
            Rectangle((column - 0.5, row - 0.5), window, window, fill=False, edgecolor=INK, linewidth=1.4, zorder=3)
        )
    colours = LinearSegmentedColormap.from_list("ink", ["white", BLUE])
    axes.imshow(values.numpy(), cmap=colours, vmin=0, vmax=1.6 * values.max().item())
    for row, line in enumerate(values.tolist()):
        for column, value in enumerate(line):
            axes.text(column, row, f"{value:g}", ha="center", va="center", fontsize=11)
    axes.set_axis_off()


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
