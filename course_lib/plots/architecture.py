"""Architecture drawing: every layer's output as a box, to scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from torch import nn

from course_lib.plots.figure import INK, QUIET, DescribedFigure, finish, new_figure
from course_lib.plots.labels import counted, listed
from course_lib.plots.volumes import (
    CONVOLUTION,
    INPUT,
    KIND_COLOURS,
    LINEAR,
    POOLING,
    Chain,
    Skip,
    Volume,
    chain_of_volumes,
)

# All lengths, and the coordinates of the drawing, are in inches.
_TALLEST = 2.3  # front of the largest map, and the longest bar
_OBLIQUE = 0.30, 0.20  # offset on paper of one inch of depth
_WIDTH = 7.3
_THINNEST, _THICKEST, _LOWEST = 0.03, 0.5, 0.05
_BAR_WIDTH, _BAR_DEPTH = 0.16, 0.12
_FONT_SIZE, _LINE = 11, 0.2  # in points; from one line of text to the next
_DASHES = 0, (3, 1.5)


@dataclass
class Box:
    """Position and size of a volume: the left edge of its front; the middle of every box is at height 0."""

    volume: Volume
    left: float
    thickness: float
    height: float
    depth: float

    @property
    def right(self) -> float:
        return self.left + self.thickness

    @property
    def bottom(self) -> float:
        return -(self.height + self.depth * _OBLIQUE[1]) / 2

    @property
    def top(self) -> tuple[float, float]:
        """Middle of the upper face."""
        across, up = (share * self.depth / 2 for share in _OBLIQUE)
        return self.left + self.thickness / 2 + across, self.bottom + self.height + up


@dataclass
class Layout:
    """The boxes, the texts under them (x, y, text, bold), and the whole width."""

    boxes: list[Box] = field(default_factory=list)
    texts: list[tuple[float, float, str, bool]] = field(default_factory=list)
    width: float = 0.0


def architecture_drawing(
    model: nn.Module, input_shape: tuple[int, int, int], title: str | None = None
) -> DescribedFigure:
    """Draw the volumes that ``model`` makes of one image (C, H, W), from left to right.

    The output of each convolution and pool is a box. Height and depth are the sides of the maps, to scale; thickness
    grows with the square root of the number of channels. A linear layer is a bar, as tall as the square root of its
    units. A skip is an arc, dashed where a convolution on it changes the shape. Activations, batch norm and dropout
    belong to the box of the layer before them.

    Raises: ValueError naming the layer at which the image stops fitting.
    """
    chain = chain_of_volumes(model, input_shape)
    layout = arrange(chain)
    boxes = layout.boxes
    arcs = [_arc_points(boxes, skip) for skip in chain.skips]
    highest = max([box.top[1] + box.depth * _OBLIQUE[1] / 2 for box in boxes] + [arc[1][1] for arc in arcs]) + 0.1
    lowest = min(y for _, y, _, _ in layout.texts) - _LINE - 0.12
    left, right = -0.05, layout.width + 0.05
    figure, axes = new_figure(width=right - left, height=highest - lowest)
    figure.set_layout_engine("none")
    axes.set_axis_off()
    axes.set(xlim=(left, right), ylim=(lowest, highest), position=(0, 0, 1, 1))  # an inch is an inch
    if title:
        axes.set_title(title, fontsize=13)
    axes.plot([boxes[0].left, boxes[-1].right], [0, 0], color="#9a9a9a", linewidth=0.8, zorder=1)
    for place, box in enumerate(boxes):
        _draw_box(axes, box, 2 + place)
    for skip, points in zip(chain.skips, arcs, strict=True):
        path = Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
        style = {"edgecolor": INK, "facecolor": "none", "linewidth": 1.2, "linestyle": "-"}
        if skip.projected:
            style["linestyle"] = _DASHES
        axes.add_patch(PathPatch(path, zorder=3 + len(boxes), **style))
    for x, y, text, bold in layout.texts:
        weight, colour = ("bold", INK) if bold else ("normal", QUIET)
        axes.text(x, y, text, ha="center", va="top", fontsize=_FONT_SIZE, fontweight=weight, color=colour, zorder=99)
    _add_legend(axes, chain, layout.width / 2, lowest)
    return finish(figure, _describe(title or type(model).__name__, chain))


def arrange(chain: Chain) -> Layout:
    """Layout with boxes as thick as the width of the drawing, and the thickest allowed box, permit."""
    most = max(volume.channels for volume in chain.volumes if volume.kind != LINEAR)
    low, high = 0.0, _THICKEST / math.sqrt(most)
    if _place(chain, high).width <= _WIDTH:
        return _place(chain, high)
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if _place(chain, middle).width <= _WIDTH else (low, middle)
    return _place(chain, low)


def _place(chain: Chain, unit: float) -> Layout:
    """Place the groups of maps and then the bars side by side; a box is ``unit`` × √channels thick."""
    volumes = chain.volumes
    scale = _TALLEST / max(max(volume.height, volume.width) for volume in volumes)
    layout, edge = Layout(), 0.0
    for group in chain.groups():
        boxes, left = [], 0.0
        for place in group:
            volume = volumes[place]
            thickness = max(_THINNEST, unit * math.sqrt(volume.channels))
            height = max(_LOWEST, volume.height * scale)
            boxes.append(Box(volume, left, thickness, height, volume.width * scale))
            left = boxes[-1].right + min(0.06, 0.012 + 0.2 * thickness)
        lines = _lines_under(boxes)
        sides = [x + sign * _text_width(text, bold) / 2 for x, _, text, bold in lines for sign in (-1, 1)]
        shift = edge - min(0.0, *sides)
        for box in boxes:
            box.left += shift
        layout.texts += [(x + shift, y, text, bold) for x, y, text, bold in lines]
        layout.boxes += boxes
        edge = max(boxes[-1].right + boxes[-1].depth * _OBLIQUE[0], shift + max(sides)) + 0.1
    linear = chain.of_kind(LINEAR)
    units = max((volume.channels for volume in linear), default=1)
    for volume in linear:
        room = max(_BAR_WIDTH + _BAR_DEPTH * _OBLIQUE[0], _text_width(str(volume.channels), True))
        height = _TALLEST * math.sqrt(volume.channels / units)
        box = Box(volume, edge + (room - _BAR_WIDTH) / 2, _BAR_WIDTH, height, _BAR_DEPTH)
        layout.boxes.append(box)
        layout.texts.append((box.left + _BAR_WIDTH / 2, box.bottom - 0.07, str(volume.channels), True))
        edge += room + 0.1
    layout.width = edge - 0.1
    return layout


def _lines_under(boxes: Sequence[Box]) -> list[tuple[float, float, str, bool]]:
    """Channels under each run of boxes with the same number, if the numbers fit; else once for the whole group.

    A pool has as many channels as the layer before it, so it has no label beside convolutions.
    """
    named = [box for box in boxes if box.volume.kind != POOLING] or boxes
    runs = [list(run) for _, run in groupby(named, key=lambda box: box.volume.channels)]
    below, middle = min(box.bottom for box in boxes) - 0.07, (boxes[0].left + boxes[-1].right) / 2
    lines, fits, edge = [], True, -math.inf
    for run in runs:
        text, x = str(run[0].volume.channels), (run[0].left + run[-1].right) / 2 if len(runs) > 1 else middle
        half = _text_width(text, True) / 2
        fits, edge = fits and x - half >= edge, x + half + 0.06
        lines.append((x, below, text, True))
    if not fits:
        counts = list(dict.fromkeys(box.volume.channels for box in named))
        text = ", ".join(map(str, counts)) if len(counts) < 3 else f"{min(counts)}–{max(counts)}"
        lines = [(middle, below, text, True)]
    lines.append((middle, below - _LINE, boxes[0].volume.sides, False))
    if len(named) > 4:
        lines.append((middle, below - 2 * _LINE, f"{len(named)} conv.", False))
    return lines


@cache
def _text_width(text: str, bold: bool) -> float:
    return TextPath((0, 0), text, size=_FONT_SIZE).get_extents().width / 72 * (1.12 if bold else 1.0)


def _draw_box(axes: Axes, box: Box, order: int) -> None:
    colour = to_rgb(KIND_COLOURS[box.volume.kind])
    left, right, bottom, top = box.left, box.right, box.bottom, box.bottom + box.height
    across, up = (share * box.depth for share in _OBLIQUE)
    faces = [  # front, upper face, side; and how much white each is mixed with
        ([(left, bottom), (right, bottom), (right, top), (left, top)], 0.25),
        ([(left, top), (right, top), (right + across, top + up), (left + across, top + up)], 0.55),
        ([(right, bottom), (right + across, bottom + up), (right + across, top + up), (right, top)], 0.0),
    ]
    edge = tuple(0.45 * part for part in colour)
    for corners, white in faces:
        shade = tuple(part + (1 - part) * white for part in colour)
        axes.add_patch(
            Polygon(corners, facecolor=shade, edgecolor=edge, linewidth=0.5, joinstyle="round", zorder=order)
        )


def _arc_points(boxes: Sequence[Box], skip: Skip) -> list[tuple[float, float]]:
    """Four points of a curve from the top of one box to the top of another, high enough to clear those between."""
    start, end = boxes[skip.start].top, boxes[skip.end].top
    between = boxes[skip.start : skip.end + 1]
    high = max(box.top[1] for box in between) + 0.16 + 0.25 * (end[0] - start[0])
    return [start, (start[0], high), (end[0], high), end]


def _add_legend(axes: Axes, chain: Chain, middle: float, lowest: float) -> None:
    keys = [
        Patch(facecolor=KIND_COLOURS[kind], label=kind)
        for kind in (INPUT, CONVOLUTION, POOLING, LINEAR)
        if chain.of_kind(kind)
    ]
    if chain.skips:
        keys.append(Line2D([], [], color=INK, linewidth=1.2, label="skip"))
    if any(skip.projected for skip in chain.skips):
        keys.append(Line2D([], [], color=INK, linewidth=1.2, linestyle=_DASHES, label="skip, 1×1 conv."))
    scale, bold = "Height to scale: side of the map. Thickness: √channels.", "Bold: channels."
    if chain.of_kind(LINEAR):
        scale, bold = f"{scale} Bars: √units.", "Bold: channels or units."
    axes.legend(
        handles=keys,
        **{"loc": "upper center", "bbox_to_anchor": (middle, lowest), "bbox_transform": axes.transData},
        **{"ncols": len(keys), "frameon": False, "fontsize": _FONT_SIZE, "borderpad": 0, "borderaxespad": 0},
        **{"handlelength": 1.3, "handletextpad": 0.5, "columnspacing": 1.1},
    )
    style = {"ha": "center", "va": "top", "fontsize": _FONT_SIZE, "color": QUIET}
    axes.text(middle, lowest - 0.27, scale, **style)
    axes.text(middle, lowest - 0.27 - _LINE, bold, **style)


def _describe(name: str, chain: Chain) -> str:
    image = chain.volumes[0]
    text = f"{name}, drawn from left to right: an input of {image.channels}×{image.sides} passes "
    units = [f"{volume.channels:,}" for volume in chain.of_kind(LINEAR)]
    passed = [(CONVOLUTION, "convolution"), (POOLING, "pool"), (LINEAR, "linear layer")]
    text += listed([counted(len(chain.of_kind(kind)), word) for kind, word in passed if chain.of_kind(kind)])
    stages = []
    for group in chain.groups()[1:]:
        widest = max((chain.volumes[place] for place in group), key=lambda volume: volume.channels)
        stages.append(f"{widest.channels} of {widest.sides}")
    if stages:
        text += f". Boxes show the maps: {', then '.join(stages)}"
    if units:
        text += f". Bars show {listed(units)} units"
    if chain.skips:
        projected = sum(skip.projected for skip in chain.skips)
        text += f". Arcs show {counted(len(chain.skips), 'skip')}, {projected} of them through a convolution"
    return f"{text}."
