"""Names beside points, where they hide neither a point nor one another."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from course_lib.plots.figure import INK
from course_lib.plots.kinds import QUIET

_PLACES = [  # how far, in points, and which side of the name is there; the first ones are preferred
    *((8, 0, "left", "center"), (-8, 0, "right", "center"), (0, 9, "center", "bottom"), (0, -9, "center", "top")),
    *((6, 6, "left", "bottom"), (6, -6, "left", "top"), (-6, 6, "right", "bottom"), (-6, -6, "right", "top")),
    *((0, 24, "center", "bottom"), (0, -24, "center", "top")),
    *((-12, 18, "right", "bottom"), (-12, -18, "right", "top")),
    *((12, 18, "left", "bottom"), (12, -18, "left", "top")),
    *((-24, 34, "center", "bottom"), (24, 34, "center", "bottom"), (-24, -34, "center", "top")),
    *((24, -34, "center", "top"), (0, 48, "center", "bottom"), (0, -48, "center", "top")),
]


def label_points(
    axes: Axes,
    names: Sequence[str],
    points: Sequence[tuple[float, float]],
    spreads: Sequence[float] | None = None,
    size: float = 10,
) -> list[Annotation]:
    """Write each name at its point (x, y), at that of several places around it that overlaps least.

    ``spreads`` are the half lengths of error bars in y, which are kept free, too. Call it last: it needs the final
    limits and layout of the axes.
    """
    figure = axes.figure
    figure.draw_without_rendering()  # lays out the axes
    renderer = figure.canvas.get_renderer()
    spreads = spreads or [0.0] * len(points)
    taken = [_marker(axes, *point, spread) for point, spread in zip(points, spreads, strict=True)]
    line = {"arrowstyle": "-", "color": QUIET, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 5}
    style = {"color": INK, "fontsize": size, "arrowprops": line, "zorder": 9}
    style["bbox"] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
    labels = [
        axes.annotate(name, point, (0, 0), textcoords="offset points", **style)
        for name, point in zip(names, points, strict=True)
    ]
    for _ in range(3):  # the later rounds know where all others stand
        for label in labels:
            others = taken + [_extent(one, renderer) for one in labels if one is not label]
            costs = {}
            for rank, place in enumerate(_PLACES):
                _put(label, place)
                costs[place] = _cost(_extent(label, renderer).padded(1), others, axes.bbox) + 2 * rank
            _put(label, min(costs, key=costs.get))
    return labels


def _put(label: Annotation, place: tuple[float, float, str, str]) -> None:
    across, up, horizontal, vertical = place
    label.set(position=(across, up), horizontalalignment=horizontal, verticalalignment=vertical)
    label.arrow_patch.set_visible(abs(across) + abs(up) > 12)  # a name that stands apart gets a line to its point
    label.set_in_layout(False)


def _extent(label: Annotation, renderer) -> Bbox:
    label.update_positions(renderer)
    return Text.get_window_extent(label, renderer)  # of the words alone, without the line


def _cost(box: Bbox, others: list[Bbox], room: Bbox) -> float:
    """Overlap in square pixels; what lies outside of the axes counts double."""
    overlap = sum(_area(Bbox.intersection(box, other)) for other in others)
    return overlap + 2 * (_area(box) - _area(Bbox.intersection(box, room)))


def _marker(axes: Axes, x: float, y: float, spread: float) -> Bbox:
    low, high = axes.transData.transform([(x, y - spread), (x, y + spread)])
    half = 5 * axes.figure.dpi / 72
    return Bbox([[low[0] - half, low[1] - half], [high[0] + half, high[1] + half]])


def _area(box: Bbox | None) -> float:
    return 0.0 if box is None else box.width * box.height
