"""Text in figures: numbers and lists in words, and labels at points that do not overlap."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from course_lib.plots.figure import INK, QUIET

_PLACES = [  # offset in points, and the alignment of the name; the first ones are preferred
    *((8, 0, "left", "center"), (-8, 0, "right", "center"), (0, 9, "center", "bottom"), (0, -9, "center", "top")),
    *((6, 6, "left", "bottom"), (6, -6, "left", "top"), (-6, 6, "right", "bottom"), (-6, -6, "right", "top")),
    *((0, 24, "center", "bottom"), (0, -24, "center", "top")),
    *((-12, 18, "right", "bottom"), (-12, -18, "right", "top")),
    *((12, 18, "left", "bottom"), (12, -18, "left", "top")),
    *((-24, 34, "center", "bottom"), (24, 34, "center", "bottom"), (-24, -34, "center", "top")),
    *((24, -34, "center", "top"), (0, 48, "center", "bottom"), (0, -48, "center", "top")),
]


def spoken(number: float) -> str:
    """A number with three digits and its unit: 640, 1.8 k, 29.8 M, 138 M, 15.5 G."""
    size = float(number)
    for unit in ("", " k", " M"):
        if size < (999.5 if unit else 1000):
            break
        size /= 1000
    else:
        unit = " G"
    return f"{size:,.{1 if unit and size < 99.95 else 0}f}{unit}"


def percent(share: float) -> str:
    """A share in percent; a small one is not rounded to 0%, a large one not to 100%."""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"


def listed(things: list[str]) -> str:
    """``["a", "b", "c"]`` as "a, b and c"."""
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}" if things else ""


def counted(number: int, thing: str) -> str:
    """``counted(1, "pool")`` is "1 pool", ``counted(2, "pool")`` is "2 pools"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def label_points(
    axes: Axes,
    names: Sequence[str],
    points: Sequence[tuple[float, float]],
    spreads: Sequence[float] | None = None,
    size: float = 10,
) -> list[Annotation]:
    """Write each name beside its point (x, y), where it overlaps other names and points least.

    ``spreads`` are the half lengths of error bars in y, which names avoid too. Call it last: it needs the final limits
    and layout of the axes.
    """
    figure = axes.figure
    figure.draw_without_rendering()  # lays out the axes
    renderer = figure.canvas.get_renderer()
    spreads = spreads or [0.0] * len(points)
    taken = [_marker(axes, *point, spread) for point, spread in zip(points, spreads, strict=True)]
    line = {"arrowstyle": "-", "color": QUIET, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 5}
    style = {"color": INK, "fontsize": size, "arrowprops": line, "zorder": 9, "parse_math": False}
    style["bbox"] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
    labels = [
        axes.annotate(name, point, (0, 0), textcoords="offset points", **style)
        for name, point in zip(names, points, strict=True)
    ]
    for _ in range(3):  # in later rounds all others are at better places
        for label in labels:
            others = taken + [_extent(other, renderer) for other in labels if other is not label]
            costs = {}
            for rank, place in enumerate(_PLACES):
                _put(label, place)
                costs[place] = _cost(_extent(label, renderer).padded(1), others, axes.bbox) + 2 * rank
            _put(label, min(costs, key=costs.get))
    return labels


def _put(label: Annotation, place: tuple[float, float, str, str]) -> None:
    across, up, horizontal, vertical = place
    label.set(position=(across, up), horizontalalignment=horizontal, verticalalignment=vertical)
    label.arrow_patch.set_visible(abs(across) + abs(up) > 12)  # a line joins a distant name to its point
    label.set_in_layout(False)


def _extent(label: Annotation, renderer) -> Bbox:
    label.update_positions(renderer)
    return Text.get_window_extent(label, renderer)  # of the text alone, without the line


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
