"""Diagrams of a network: a small one with all its numbers, and the blocks of a convnet, drawn from the live model."""

from collections.abc import Mapping, Sequence
from itertools import product

import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Ellipse, Rectangle
from torch import nn
from torch.nn import functional as F

from course_lib.models import BasicBlock, Bottleneck
from course_lib.plots.figure import BLUE, GREEN, INK, ORANGE, QUIET, DescribedFigure, finish, new_figure
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


def residual_blocks(blocks: Mapping[str, BasicBlock | Bottleneck]) -> DescribedFigure:
    """Draw residual blocks side by side, from the live modules: x at the top, F's layers below it, the skip, and +.

    Args:
        blocks: by the title of each drawing.
    """
    inside = {
        title: [layer for name, layer in block.named_children() if name.startswith("conv")]
        for title, block in blocks.items()
    }
    high = 1.1 + 1.1 * max(map(len, inside.values()))
    figure, panels = new_figure(1, len(blocks), width=3.7 * len(blocks), height=0.8 * (high + 1.35), squeeze=False)
    sentences = []
    for axes, (title, block) in zip(panels[0], blocks.items(), strict=True):
        convolutions = inside[title]
        rows = [f"{c.kernel_size[0]}×{c.kernel_size[1]}, {c.in_channels} → {c.out_channels}" for c in convolutions]
        tops = [1.1 * (len(rows) - place) for place in range(len(rows))]  # from the top down, + at height 0
        axes.set(xlim=(-1.5, 2.4), ylim=(-1.35, high), title=title)
        axes.set_axis_off()
        down = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
        axes.text(0, tops[0] + 0.95, "x", ha="center", va="center", fontsize=15)
        for place, (row, top) in enumerate(zip(rows, tops, strict=True)):
            axes.annotate("", (0, top + 0.3), (0, top + (0.75 if place == 0 else 0.8)), arrowprops=down)
            axes.add_patch(Rectangle((-1.3, top - 0.3), 2.6, 0.6, facecolor=BLUE, edgecolor="none"))
            axes.text(0, top, row, ha="center", va="center", color="white", fontsize=12)
            words = "batch norm" if place == len(rows) - 1 else "batch norm, ReLU"
            axes.text(0.12, top - 0.53, words, ha="left", va="center", color=QUIET, fontsize=10)
        axes.annotate("", (0, 0.2), (0, 0.8), arrowprops=down)
        axes.add_patch(Ellipse((0, 0), 0.36, 0.36, facecolor="white", edgecolor=ORANGE, linewidth=2))
        axes.text(0, -0.02, "+", ha="center", va="center", fontsize=15, color=ORANGE)
        style = {"color": ORANGE, "linewidth": 2}
        axes.plot([0, 1.9, 1.9], [tops[0] + 0.62, tops[0] + 0.62, 0], **style)
        axes.annotate("", (0.18, 0), (1.9, 0), arrowprops=down | {"color": ORANGE, "linewidth": 2})
        projection = "x" if block.downsample is None else "1×1"
        axes.text(2.02, tops[0] / 2, projection, ha="left", va="center", color=DERIVATIVE, fontsize=12)
        axes.annotate("", (0, -0.75), (0, -0.2), arrowprops=down)
        axes.text(0.12, -0.47, "ReLU", ha="left", va="center", color=QUIET, fontsize=10)
        axes.text(0, -1.0, "y", ha="center", va="center", fontsize=15)
        sentences.append(f"{title}: {', then '.join(rows)}")
    alt = "Residual blocks: x goes through the layers of F, the skip leads x past them, and the two are added"
    return finish(figure, f"{alt}. {'. '.join(sentences)}.")


def reachable_functions() -> DescribedFigure:
    """Draw an idea: what training reaches with more layers need not contain what it reached with fewer.

    Source of the idea: He et al., 2016, section 3.1; the picture of nested areas is a common one.
    """
    figure, panels = new_figure(1, 2, width=7.4, height=3.1)
    wanted = (3.1, 0.9)
    drifting = [((0.2, 0.6), 1.5), ((0.0, -0.4), 2.2), ((-0.9, -1.0), 3.0)]
    nested = [((0.2, 0.6), 1.5), ((0.3, 0.5), 3.1), ((0.55, 0.4), 4.9)]
    for axes, areas, title in zip(panels, (drifting, nested), ("plain layers", "layers that add"), strict=True):
        for number, (centre, width) in reversed(list(enumerate(areas, 1))):
            shape = Ellipse(centre, width, 0.72 * width, facecolor=BLUE, alpha=0.22, edgecolor=INK, linewidth=1.2)
            axes.add_patch(shape)
            axes.text(centre[0] - 0.45 * width, centre[1], str(number), ha="left", va="center", fontsize=12)
        axes.plot(*wanted, "*", color=ORANGE, markersize=18)
        axes.set(xlim=(-2.8, 3.7), ylim=(-2.6, 2.4), title=title, aspect="equal")
        axes.set_axis_off()
    alt = (
        "An idea, drawn. Three networks, each deeper than the one before, as areas of functions that training reaches, "
        "and a star for the function that is wanted. With plain layers the areas grow, but move away from the star; "
        "with layers that add, each area contains the one before and comes nearer."
    )
    return finish(figure, alt)


def timeline(milestones: Mapping[str, tuple[int, str, str]], arcs: Mapping[str, Sequence[str]]) -> DescribedFigure:
    """Draw ideas from the oldest down to the latest, with an arc from each to those that take it up.

    Args:
        milestones: by name, in the order of time: the year, the question that it asks, and its idea in a few words.
        arcs: by name, the later ones that take it up.
    Raises: ValueError where an arc leads to a name that is no milestone, or back in time.
    """
    names = list(milestones)
    links = [(start, end) for start, ends in arcs.items() for end in ends]
    for start, end in links:
        if not {start, end} <= set(names) or names.index(start) >= names.index(end):
            raise ValueError(f"an arc leads from {start!r} to {end!r}: choose a later one of {', '.join(names)}")
    questions = list(dict.fromkeys(question for _, question, _ in milestones.values()))
    colours = dict(zip(questions, (BLUE, DERIVATIVE, QUIET, GREEN), strict=False))
    figure, axes = new_figure(width=7.2, height=0.42 * len(names) + 0.6)
    for start, end in links:
        above, below = names.index(start), names.index(end)
        arrow = {"arrowstyle": "-|>", "color": "#888888", "shrinkA": 5, "shrinkB": 5}
        arrow["connectionstyle"] = f"arc3,rad={0.9 / (below - above) ** 0.5:.2f}"
        axes.annotate("", (0, below), (0, above), arrowprops=arrow)
    for place, (name, (year, question, idea)) in enumerate(milestones.items()):
        style = {"va": "center", "fontsize": 12}
        axes.plot(0, place, "o", color=colours[question], markersize=9)
        axes.text(0.3, place, str(year), **style)
        axes.text(1.15, place, name, color=colours[question], fontweight="bold", **style)
        axes.text(3.6, place, idea, **style)
    for question in questions:
        axes.plot([], [], "o", color=colours[question], markersize=9, label=question)
    axes.set(xlim=(-1.6, 8.4), ylim=(len(names) - 0.5, -0.5))
    axes.set_axis_off()
    figure.legend(loc="outside upper left", ncols=len(questions), frameon=False, fontsize=11)
    told = [f"{name} ({year}, {question}): {idea}" for name, (year, question, idea) in milestones.items()]
    led = [f"{start} to {end}" for start, end in links]
    return finish(figure, f"Timeline. {'; '.join(told)}. Arcs lead from {', '.join(led)}.")


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
