from itertools import combinations

from matplotlib.text import Text
from matplotlib.transforms import Bbox

from course_lib import plots
from course_lib.plots.labels import label_points


def boxes_of(labels, figure):
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    return [Text.get_window_extent(label, renderer) for label in labels]


def crowd(points, **options):
    figure, axes = plots.new_figure(width=4, height=3)
    axes.set(xlim=(0, 10), ylim=(0, 10))
    labels = label_points(axes, [f"network {place}" for place in range(len(points))], points, **options)
    return figure, axes, labels


def test_a_lone_name_stands_to_the_right_of_its_point():
    figure, axes, labels = crowd([(5, 5)])
    x, y = axes.transData.transform((5, 5))
    (box,) = boxes_of(labels, figure)
    assert x < box.x0 < x + 30 and box.y0 < y < box.y1
    assert not labels[0].arrow_patch.get_visible()


def test_names_of_a_crowd_hide_neither_one_another_nor_the_points():
    points = [(5, 5), (5.3, 5.2), (4.8, 5.4), (5.1, 4.6)]
    figure, axes, labels = crowd(points)
    boxes = boxes_of(labels, figure)
    assert not [1 for one, other in combinations(boxes, 2) if Bbox.intersection(one, other)]
    assert not any(box.contains(*axes.transData.transform(point)) for box in boxes for point in points)


def test_names_stay_inside_the_axes():
    figure, axes, labels = crowd([(9.8, 9.8), (0.2, 0.2)])
    assert all(axes.bbox.contains(*corner) for box in boxes_of(labels, figure) for corner in box.corners())


def test_error_bars_are_kept_free():
    figure, axes, labels = crowd([(5, 5), (7, 8)], spreads=[0.1, 4.0])
    low, high = axes.transData.transform([(7, 4), (7, 12)])
    bar = Bbox([[low[0] - 1, low[1]], [high[0] + 1, high[1]]])
    assert not any(Bbox.intersection(box, bar) for box in boxes_of(labels, figure))


def test_a_name_that_stands_apart_has_a_line_to_its_point():
    _, _, labels = crowd([(5 + 0.1 * place, 5) for place in range(6)])
    assert any(label.arrow_patch.get_visible() for label in labels)
